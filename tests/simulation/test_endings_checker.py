"""What the simulation says of messages that were not shown: who gave them up, and who was told."""

from __future__ import annotations

from simulation.checkers import delivery, endings
from simulation.faults import QUIET
from simulation.watch import Watch, watching_endings
from simulation.world import World

from untether.adapters.storage.device_sqlite3 import Sqlite3DeviceDatabase
from untether.base.identifiers import AccountId, DeviceNumber, MessageId, UnixMillis
from untether.device.store import inbox, notices
from untether.device.store.inbox import GivenUp
from untether.device.store.upgrade import bring_up_to_date, packaged_upgrades

LOST = GivenUp(
    AccountId(bytes(16)), DeviceNumber(1), MessageId(bytes(16)), "device-removed", UnixMillis(1)
)


def watched(*, told: bool, happened: bool) -> Watch:
    """Let a device give a message up, and perhaps tell of it and commit."""
    watch = Watch()
    database = Sqlite3DeviceDatabase.open(":memory:")
    bring_up_to_date(database, packaged_upgrades())
    with watching_endings(watch):
        inbox.add_given_up(database, LOST, UnixMillis(2))
        notices.post(database, "lease-warning", None, {}, UnixMillis(2))
        if told:
            notices.post(database, "message-lost", LOST.account_id, {}, UnixMillis(2))
        watch.committed("bob", happened=happened)
    return watch


def test_what_is_given_up_must_be_told_in_the_same_transaction() -> None:
    """A notice of something else is none; what was rolled back has not happened."""
    assert watched(told=True, happened=True).given_up == {"bob": {LOST.message_id: LOST.cause}}
    assert watched(told=True, happened=True).given_up_untold == 0
    assert watched(told=False, happened=True).given_up_untold == 1
    rolled_back = watched(told=False, happened=False)
    assert (rolled_back.given_up, rolled_back.given_up_untold) == ({}, 0)


def test_a_text_is_shown_or_was_given_up_by_its_device() -> None:
    """One that vanishes is noticed; the device that gave it up is excused, if it had a reason."""
    world = World(1, QUIET, 20)
    world.run()
    device = world.people.persons[0].phone
    with device.looking() as database:
        query = "DELETE FROM messages WHERE outgoing = 0 RETURNING message_id"
        missing = [MessageId(found) for (found,) in database.rows(query)]
    assert missing
    assert len(list(delivery.check(world))) == len(missing)

    world.watch.given_up[device.name] = dict.fromkeys(missing, "device-removed")
    assert list(delivery.check(world)) == []
    assert list(endings.check(world)) == [
        f"{device.name} gave up {len(missing)} messages: device-removed"
    ]
    world.watch.given_up_untold = 1
    assert next(endings.check(world)) == "1 messages were given up, and nobody was told"
