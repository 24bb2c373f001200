"""Nobody holds two histories of an account, and own devices hold the newest list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from simulation.checkers.views import living

if TYPE_CHECKING:
    from simulation.world import World


def check(world: World) -> Iterator[str]:
    """Yield lists that differ, own devices behind the relay, and forks of honest accounts."""
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
        if len(newest.get(person.account, ())) > 1:
            yield f"own devices of {person.name} hold different newest lists"
