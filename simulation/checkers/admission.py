"""What the relay took was sealed for the newest list, and for no companion behind an ended lease.

It names every device of that list, but the one that wrote and those that had resigned. The list is
the relay's to compare, the lease the sender's.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from simulation.checkers.views import RELAY_CLOCKS_MS, lists_at_relay
from untether.base.identifiers import MINUTE_MS, AccountId, DeviceNumber
from untether.base.limits import LEASE_GRACE_MS
from untether.protocol.identity.device_list import DeviceList, open_list
from untether.wire.records import SignedObject

if TYPE_CHECKING:
    from simulation.watch import Delivery
    from simulation.world import World

LEASE_CLOCKS_MS: Final = 15 * MINUTE_MS
"""Skews of a sender, and the time that a request may be on its way."""

NEVER: Final = 2**62


def check(world: World) -> Iterator[str]:
    """Yield what was sealed for a list that was replaced, or for devices not to be believed."""
    lists, replaced = _lists(world)
    for message_id, account, delivery in world.watch.accepted():
        held = lists[account].get(delivery.list_hash)
        if held is None:
            yield "the relay took a message for a list that it does not have"
            continue
        late = delivery.accepted_at - replaced.get(delivery.list_hash, NEVER)
        if late > RELAY_CLOCKS_MS:
            yield f"a message for list {held.head.place} was taken {late} ms after the next one"
        yield from _behind_the_lease(held, delivery)
        if left_out := _left_out(world, held, account, delivery):
            yield f"message {message_id.hex()} was taken without a word for devices {left_out}"


def _lists(world: World) -> tuple[dict[AccountId, dict[bytes, DeviceList]], dict[bytes, int]]:
    """Return the lists of each account by hash, and when each had been replaced by the next."""
    lists: dict[AccountId, dict[bytes, DeviceList]] = {}
    replaced: dict[bytes, int] = {}
    for person in world.people.persons:
        rows = lists_at_relay(world, person)
        lists[person.account] = {
            row.hash: open_list(SignedObject(row.body, row.signature), person.account_key)
            for row in rows
        }
        for row, following in pairwise(rows):
            replaced[row.hash] = world.watch.list_times.get(following.hash, NEVER)
    return lists, replaced


def _left_out(
    world: World, held: DeviceList, account: AccountId, delivery: Delivery
) -> list[DeviceNumber]:
    if not delivery.to_all:
        return []
    resigned = {one.device for one in world.watch.resigned if one.account_id == account}
    writer = {delivery.sender.device} if delivery.sender.account_id == account else set()
    listed = {one.device for one in held.devices}
    return sorted(listed - delivery.named - resigned - writer)


def _behind_the_lease(held: DeviceList, delivery: Delivery) -> Iterator[str]:
    companions = delivery.devices - {held.primary.device}
    late = delivery.accepted_at - held.expires_at - LEASE_GRACE_MS
    if companions and late > LEASE_CLOCKS_MS:
        yield f"{len(companions)} companions were sealed for {late} ms after the lease had ended"
