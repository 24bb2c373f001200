"""Ways to break the promises of the simulation, behind the back of the engines.

Each way changes a world at rest, and returns what the promise's checker must say of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from simulation.checkers.secrecy import removal_times
from simulation.checkers.views import lists_at_relay
from simulation.device_actor import DeviceActor
from simulation.watch import Delivery
from simulation.world import World

from untether.base.identifiers import (
    DAY_MS,
    AccountId,
    DeviceAddress,
    DeviceNumber,
    MessageId,
    UnixMillis,
)
from untether.crypto.labels import PAIRWISE_MESSAGE
from untether.relay.rows import EntryRow

Way = Callable[[World], str]

NOBODY = AccountId(bytes(16))


def change(device: DeviceActor, sql: str, *parameters: object) -> None:
    """Change a device's database behind its back; something must have changed."""
    with device.looking() as database:
        assert database.run(sql, *parameters)  # type: ignore[arg-type]


def phones(world: World) -> list[DeviceActor]:
    """Return the phone of each person."""
    return [person.phone for person in world.people.persons]


def to_all(world: World) -> Delivery:
    """Return what was taken for several devices of an account."""
    return next(
        delivery
        for _, _, delivery in world.watch.accepted()
        if delivery.to_all and len(delivery.devices) > 1
    )


def logged_out(world: World) -> tuple[DeviceActor, AccountId, int]:
    """Return a device that was logged out and still shows something, its account, and when."""
    for person in world.people.persons:
        times = removal_times(world, person)
        for device in person.devices:
            number = device.own.device if device.own else None
            with device.looking() as database:
                shows = database.rows("SELECT 1 FROM messages")
            if number in times and shows:
                return device, person.account, times[number]
    pytest.fail("nobody was logged out")


def entry(account: AccountId, device: DeviceNumber, body_id: int | None) -> EntryRow:
    """Return one row of a mailbox."""
    return EntryRow(
        account_id=account,
        device=device,
        number=1,
        sender=NOBODY,
        sender_device=DeviceNumber(0),
        accepted_at=UnixMillis(0),
        message_id=MessageId(bytes(16)),
        header=None,
        absent="asleep",
        body_id=body_id,
        size=0,
    )


# --- What is broken, and what must be said of it ------------------------------------------


def a_text_is_doubled(world: World) -> str:
    """One device shows a text under another id again."""
    change(
        phones(world)[0],
        "INSERT INTO messages (message_id, author, author_device, other, outgoing, text, counter, "
        "sent_at, accepted_at, state) SELECT randomblob(16), author, author_device, other, "
        "outgoing, text, counter, sent_at, accepted_at, state FROM messages LIMIT 1",
    )
    return "twice"


def a_text_is_lost(world: World) -> str:
    """A device that got a sealed header does not show it."""
    change(phones(world)[0], "DELETE FROM messages WHERE outgoing = 0")
    return "never showed"


def a_text_is_forgotten(world: World) -> str:
    """The device on which it was written has no trace of it."""
    change(phones(world)[0], "DELETE FROM messages WHERE author_device = 0 AND outgoing = 1")
    return "has forgotten"


def a_text_is_shown_to_others(world: World) -> str:
    """A device shows what was sent before it was there."""
    for _, _, delivery in world.watch.accepted():
        delivery.devices = delivery.named = frozenset({DeviceNumber(99)})
    return "was not sent to it"


def a_text_is_taken_twice(world: World) -> str:
    """The relay takes one message again while it should remember it."""
    for deliveries in world.watch.deliveries.values():
        deliveries.append(replace(deliveries[0], accepted_at=deliveries[0].accepted_at + DAY_MS))
        break
    return "and again at"


def a_text_is_not_for_both(world: World) -> str:
    """What is called sent was never taken for the writer's own devices."""
    for message_id, account in list(world.watch.deliveries):
        if account == world.people.persons[0].account:
            del world.watch.deliveries[message_id, account]
    return "its own account has none"


def an_order_differs(world: World) -> str:
    """Own devices show one conversation in two orders."""
    change(
        phones(world)[0],
        "UPDATE messages SET accepted_at = 1 WHERE row = (SELECT max(row) FROM messages)",
    )
    return "differ at shared message"


def a_time_differs(world: World) -> str:
    """A device shows a message at a time that the relay never said."""
    change(phones(world)[0], "UPDATE messages SET accepted_at = accepted_at + 1")
    return "accepted at"


def a_frame_holds_plaintext(world: World) -> str:
    """A text goes over the wire as it is."""
    world.watch.frame(b"body: planted-3-1")
    return "frames hold plaintext"


def a_row_holds_plaintext(world: World) -> str:
    """A text rests at the relay as it is."""
    row = entry(NOBODY, DeviceNumber(0), None)._replace(header=b"planted-3-1")
    world.store.partitions["entries", NOBODY, 0] = {1: row}
    return "rows of entries hold plaintext"


def a_device_reads_after_its_log_out(world: World) -> str:
    """A logged-out device shows what the relay took later."""
    device, account, at = logged_out(world)
    with device.looking() as database:
        shown = {MessageId(found) for (found,) in database.rows("SELECT message_id FROM messages")}
    for (message_id, owner), deliveries in world.watch.deliveries.items():
        for delivery in deliveries if message_id in shown and owner == account else ():
            delivery.taken_at = at + 1
    return "shows what was taken"


def a_device_is_served_after_its_log_out(world: World) -> str:
    """The relay does what a logged-out device asks for."""
    device, account, at = logged_out(world)
    assert device.own is not None
    world.watch.last_served[DeviceAddress(account, device.own.device)] = at + 1
    return "after its log-out"


def a_used_prekey_stays(world: World) -> str:
    """The private half of a one-time prekey outlives the message that used it."""
    for person in world.people.persons:
        for _, account, delivery in world.watch.accepted():
            number = person.phone.own.device if person.phone.own else None
            if account == person.account and number in delivery.one_time:
                change(
                    person.phone,
                    "UPDATE prekeys SET id = ? WHERE id = "
                    "(SELECT id FROM prekeys WHERE type = 'one-time' LIMIT 1)",
                    delivery.one_time[number],
                )
                return "one-time prekeys that were used"
    pytest.fail("no prekey was used")


def a_stale_list_is_taken(world: World) -> str:
    """The relay takes a message for a list that another one had replaced."""
    for person in world.people.persons:
        for _, account, delivery in world.watch.accepted():
            if account == person.account:
                delivery.list_hash = lists_at_relay(world, person)[0].hash
    return "after the next one"


def an_unknown_list_is_taken(world: World) -> str:
    """The relay takes a message for a list that it has never seen."""
    to_all(world).list_hash = bytes(32)
    return "a list that it does not have"


def a_lease_is_not_heeded(world: World) -> str:
    """Companions get copies long after the lease of their list."""
    to_all(world).accepted_at += 400 * DAY_MS
    return "after the lease had ended"


def a_device_is_left_out(world: World) -> str:
    """The relay takes a message that says nothing of a listed device."""
    delivery = to_all(world)
    delivery.named = frozenset(sorted(delivery.named)[1:])
    return "without a word for devices"


def mail_is_left(world: World) -> str:
    """A mailbox is not empty."""
    person = world.people.persons[0]
    world.store.partitions["entries", person.account, 0] = {
        1: entry(person.account, DeviceNumber(0), None)
    }
    return "entries wait for device 0"


def a_body_is_left(world: World) -> str:
    """A body rests at the relay, and no entry names it."""
    world.store.partitions["body", 10**9] = {}
    return "bodies without a reference"


def mail_of_the_gone_is_left(world: World) -> str:
    """The relay keeps something for a device that was logged out."""
    device, account, _ = logged_out(world)
    assert device.own is not None
    number = device.own.device
    world.store.partitions["entries", account, number] = {1: entry(account, number, None)}
    return "which is gone"


def a_fork_is_seen(world: World) -> str:
    """An honest account seems to have two histories."""
    change(phones(world)[0], "UPDATE accounts SET fork_evidence = x'00'")
    return "saw a fork of an honest account"


def a_place_has_two_lists(world: World) -> str:
    """Own devices hold two lists for one place."""
    change(phones(world)[0], "UPDATE own_lists SET body = x'00'")
    return "have the place"


def own_lists_differ(world: World) -> str:
    """Own devices hold different newest lists."""
    person = world.people.persons[0]
    change(
        person.phone, "UPDATE accounts SET list_body = x'00' WHERE account_id = ?", person.account
    )
    return "hold different newest lists"


def the_relay_has_another_list(world: World) -> str:
    """Own devices agree, on a list that is not the relay's newest."""
    person = world.people.persons[0]
    for device in person.in_use:
        change(device, "UPDATE accounts SET list_body = x'00' WHERE account_id = ?", person.account)
    return "and the relay hold different newest lists"


def a_resigned_device_is_listed(world: World) -> str:
    """A list still has a device that the relay no longer serves."""
    account = world.people.persons[0].account
    (row,) = world.store.partitions["account", account].values()
    world.store.partitions["account", account] = {0: row._replace(present=row.present[1:])}
    return "devices that have resigned"


def a_message_key_seals_twice(world: World) -> str:
    """One key seals two messages."""
    for nonce in (b"n1", b"n2"):
        world.watch.sealed(b"key", nonce, PAIRWISE_MESSAGE)
    world.watch.committed("somebody", happened=True)
    return "message keys sealed twice"


def a_nonce_is_repeated(world: World) -> str:
    """One key seals twice under one nonce."""
    for _ in range(2):
        world.watch.sealed(b"key", b"nonce", b"")
    world.watch.committed("somebody", happened=True)
    return "under one nonce"


def a_prekey_is_handed_out_twice(world: World) -> str:
    """Two accounts get one one-time prekey."""
    world.watch.handed_out_twice.append(b"prekey")
    return "were handed out twice"


def a_number_is_certified_twice(world: World) -> str:
    """Two companions are certified for one number."""
    world.watch.certified_keys[b"account", DeviceNumber(1)] = {b"one", b"two"}
    return "was certified for 2 devices"


def an_account_has_too_many_devices(world: World) -> str:
    """The relay serves a fifth companion."""
    account = world.people.persons[0].account
    (row,) = world.store.partitions["account", account].values()
    many = tuple(DeviceNumber(number) for number in range(6))
    world.store.partitions["account", account] = {0: row._replace(present=many)}
    return "has 6 devices"


def a_message_has_no_end(world: World) -> str:
    """What was written neither left nor failed."""
    change(phones(world)[0], "UPDATE messages SET state = 'queued' WHERE outgoing = 1")
    return "ended as queued"


def somebody_is_accused(world: World) -> str:
    """A phone warns of a copy that there is not."""
    change(
        phones(world)[0],
        "INSERT INTO notices (code, account_id, details, posted_at) "
        "VALUES ('possible-copy', ?, '{}', 0)",
        world.people.persons[1].account,
    )
    return "was told possible-copy"


BROKEN: dict[str, tuple[Way, ...]] = {
    "delivery": (
        a_text_is_doubled,
        a_text_is_lost,
        a_text_is_forgotten,
        a_text_is_shown_to_others,
        a_text_is_taken_twice,
        a_text_is_not_for_both,
    ),
    "order": (an_order_differs, a_time_differs),
    "secrecy": (
        a_frame_holds_plaintext,
        a_row_holds_plaintext,
        a_device_reads_after_its_log_out,
        a_device_is_served_after_its_log_out,
    ),
    "forward secrecy": (a_used_prekey_stays,),
    "admission": (
        a_stale_list_is_taken,
        an_unknown_list_is_taken,
        a_lease_is_not_heeded,
        a_device_is_left_out,
    ),
    "emptiness": (mail_is_left, a_body_is_left, mail_of_the_gone_is_left),
    "agreement": (
        a_fork_is_seen,
        a_place_has_two_lists,
        own_lists_differ,
        the_relay_has_another_list,
        a_resigned_device_is_listed,
    ),
    "single use": (
        a_message_key_seals_twice,
        a_nonce_is_repeated,
        a_prekey_is_handed_out_twice,
        a_number_is_certified_twice,
    ),
    "bounds": (an_account_has_too_many_devices,),
    "endings": (a_message_has_no_end,),
    "alarms": (somebody_is_accused,),
}
"""Promise → ways to break it; for bounds and endings see also the files of their own."""
