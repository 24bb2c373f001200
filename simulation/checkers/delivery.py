"""Every text exactly once on every device that was sealed for, and on none that was not named.

What somebody wrote stays on the device on which it was written. Elsewhere, what counts is what the
relay accepted: an accepted submission names the devices of each account, with a sealed header or a
reason for none; a repeat is accepted anew only once the relay has forgotten the first. Each device
with a header that is still in use must show the text, one without may (it can ask), others must
not. What a device calls sent was accepted for both accounts, its own included.

Excused is what a copy of the database forgot, what the relay dropped after thirty days, and what
was given up with a name (see ``endings``): the watch remembers that, devices forget it after a
month and keep few notices. Device numbers never return, so a number alone says which device a copy
was for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from simulation.checkers.views import RELAY_CLOCKS_MS, history, living
from untether.base.identifiers import HOUR_MS, MessageId
from untether.base.limits import IDEMPOTENCE_MS, MAIL_MS

if TYPE_CHECKING:
    from simulation.device_actor import DeviceActor
    from simulation.people import Person
    from simulation.watch import Delivery
    from simulation.world import World


SENT: Final = frozenset({"sent", "delivered"})
"""States that say to people that a message has left."""

ASKED_FOR = "SELECT message_id FROM repairs"
"""Of a stranger, who is not asked, or asked for in vain (spec 10, see ``endings``); all told."""

CLOCKS_MS = 2 * HOUR_MS
"""Skews, and the time between two rounds of clearing up."""


def check(world: World) -> Iterator[str]:
    """Yield what was doubled, lost, or shown without having been sealed for."""
    sent = _texts_by_id(world)
    yield from _forgotten(world)
    yield from _accepted_twice(world)
    for person, device in living(world):
        shown = Counter(message.text for message in history(device))
        doubled = [text for text, count in shown.items() if count > 1]
        if doubled:
            yield f"{device.name} shows {doubled[0]} twice, of {len(doubled)} doubled"
        yield from _lost(world, person, device, sent, shown)
        yield from _not_for_both(world, person, device)
        yield from _not_for_it(world, person, device)


def _forgotten(world: World) -> Iterator[str]:
    kept = {device: {one.text for one in history(device)} for _, device in living(world)}
    for text, device in world.people.texts.items():
        if device in kept and text not in kept[device] and not device.restored_to:
            yield f"{device.name} has forgotten {text}, which was written on it"


def _accepted_twice(world: World) -> Iterator[str]:
    for deliveries in world.watch.deliveries.values():
        for first, second in pairwise(one.accepted_at for one in deliveries):
            if second - first < IDEMPOTENCE_MS - RELAY_CLOCKS_MS:
                yield f"a message was accepted at {first} and again at {second}"


def _texts_by_id(world: World) -> dict[MessageId, str]:
    texts: dict[MessageId, str] = {}
    for device in world.devices:
        for message in history(device):
            texts.setdefault(message.message_id, message.text)
    return texts


def _lost(
    world: World,
    person: Person,
    device: DeviceActor,
    sent: dict[MessageId, str],
    shown: Counter[str],
) -> Iterator[str]:
    own = device.own
    assert own is not None
    named = _named(world, device)
    for message_id, account, delivery in world.watch.accepted():
        text = sent.get(message_id)
        if account != person.account or text is None or own.device not in delivery.devices:
            continue
        if text not in shown and message_id not in named and not _is_excused(device, delivery):
            yield f"{device.name} never showed {text}, accepted at {delivery.accepted_at}"


def _not_for_both(world: World, person: Person, device: DeviceActor) -> Iterator[str]:
    own = device.own
    for message in history(device):
        if own is None or not message.outgoing or message.author_device != own.device:
            continue
        for account in {message.other, person.account} if message.state in SENT else ():
            if (message.message_id, account) not in world.watch.deliveries:
                whose = "its own" if account == person.account else "the other"
                yield f"{device.name} calls {message.text} sent, and {whose} account has none"


def _not_for_it(world: World, person: Person, device: DeviceActor) -> Iterator[str]:
    own = device.own
    assert own is not None
    for message in history(device):
        by_itself = message.author == person.account and message.author_device == own.device
        deliveries = world.watch.deliveries.get((message.message_id, person.account), ())
        if not by_itself and not any(own.device in one.named for one in deliveries):
            yield f"{device.name} shows {message.text}, which was not sent to it"


def _named(world: World, device: DeviceActor) -> set[MessageId]:
    with device.looking() as database:
        rows = database.rows(ASKED_FOR)
    given_up = world.watch.given_up.get(device.name, {})
    return given_up.keys() | {MessageId(found) for (found,) in rows}


def _is_excused(device: DeviceActor, delivery: Delivery) -> bool:
    """Tell whether a copy put back has forgotten it, or the relay dropped it after its time.

    What was on its way when a copy was put back is forgotten too: its keys may have been used.
    """
    if any(delivery.taken_at <= put_back for _, put_back in device.restored_to):
        return True
    with device.looking() as database:
        rows = database.rows("SELECT posted_at FROM notices WHERE code = 'mail-lost'")
    return any(delivery.accepted_at <= told - MAIL_MS + CLOCKS_MS for (told,) in rows)
