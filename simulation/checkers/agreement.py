"""Nobody holds two histories of an account, and own devices hold the relay's newest list.

That list has no device that has resigned.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from simulation.checkers.views import lists_at_relay, living
from untether.protocol.identity.device_list import open_list
from untether.wire.records import SignedObject

if TYPE_CHECKING:
    from simulation.people import Person
    from simulation.world import World


def check(world: World) -> Iterator[str]:
    """Yield lists that differ or lag, forks of honest accounts, and resigned devices."""
    bodies: dict[tuple[bytes, bytes], bytes] = {}
    newest: dict[bytes, set[bytes]] = {}
    for person, device in living(world):
        with device.looking() as database:
            held = database.rows("SELECT account_id, list_body, fork_evidence FROM accounts")
            chain = database.rows(
                "SELECT generation, version, body FROM own_lists WHERE published = 1"
            )
        for account, body, evidence in held:
            if evidence is not None:
                yield f"{device.name} saw a fork of an honest account"
            if account == person.account:
                newest.setdefault(person.account, set()).add(body)
        for generation, version, body in chain:
            place = (person.account, f"{generation}.{version}".encode())
            if bodies.setdefault(place, body) != body:
                yield f"two lists of {person.name} have the place {generation}.{version}"
    for person in world.people.persons:
        yield from _still_listed(world, person)
        held_by_own = newest.get(person.account, set())
        if len(held_by_own) > 1:
            yield f"own devices of {person.name} hold different newest lists"
        elif held_by_own and held_by_own != {lists_at_relay(world, person)[-1].body}:
            yield f"own devices of {person.name} and the relay hold different newest lists"


def _still_listed(world: World, person: Person) -> Iterator[str]:
    if not person.phone.is_active:
        return
    newest = lists_at_relay(world, person)[-1]
    signed = SignedObject(body=newest.body, signature=newest.signature)
    listed = {one.device for one in open_list(signed, person.account_key).devices}
    for row in world.store.partitions["account", person.account].values():
        gone = sorted(listed - set(row.present))
        if gone:
            yield f"the list of {person.name} still has devices that have resigned: {gone}"
