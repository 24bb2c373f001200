"""A session that begins anew for a repair says so, and nobody takes it for a copied device."""

from __future__ import annotations

import pytest
from msgspec import structs
from tests.attacks.wiretap import Wiretap
from tests.conversations.damages import (
    A_MOMENT_MS,
    changed_mail,
    lose_sessions,
    messages_damaged,
    recovered_texts,
)
from tests.conversations.list_views import sender_of
from tests.conversations.mishaps import query
from tests.world import World, WorldDevice

from untether.base.identifiers import HOUR_MS
from untether.device import repair_starts
from untether.device.store import peers
from untether.wire.client_frames import ClaimPrekeys
from untether.wire.content import is_repaired
from untether.wire.server_frames import Entry, Refused


def wish_start(device: WorldDevice, other: WorldDevice) -> None:
    """Let a device doubt the session that it has with another one."""
    peer = sender_of(device, other).row
    with device.database.transaction():
        peers.wish_start(device.database, peer)


def test_an_ordinary_repair_alarms_nobody(
    world: World, people: tuple[WorldDevice, WorldDevice]
) -> None:
    """Bob starts anew to be asked for; Alice sees why, and the conversation goes on."""
    alice, bob = people
    lose_sessions(bob, alice)
    alice.send("bob", "one")
    world.pass_time(A_MOMENT_MS)
    for device in people:
        assert "possible-copy" not in device.notices()
    alice.send("bob", "two")
    world.pass_time(1)
    bob.send("alice", "three")
    world.pass_time(A_MOMENT_MS)
    assert alice.texts() == bob.texts()
    assert alice.texts()[-3:] == ["one", "two", "three"]


def test_a_request_goes_before_what_waited_longer(
    world: World, people: tuple[WorldDevice, WorldDevice]
) -> None:
    """A text waits for prekeys of a new laptop; in the fresh session it comes second."""
    alice, bob = people
    world.link(alice, "alice's laptop")
    busy = Refused("busy")
    world.relay.refusing = lambda request: busy if isinstance(request, ClaimPrekeys) else None
    bob.send("alice", "to both")
    with messages_damaged(world, bob):
        alice.send("bob", "one")
        world.pass_time(A_MOMENT_MS)
    world.relay.refusing = lambda _request: None
    world.pass_time(HOUR_MS)
    assert recovered_texts(bob) == ["one"]
    assert sorted(alice.texts()) == sorted(bob.texts())
    assert "possible-copy" not in [*alice.notices(), *bob.notices()]


def test_a_start_is_wished_for_in_vain_when_nothing_explains_it(
    world: World, people: tuple[WorldDevice, WorldDevice]
) -> None:
    """The request has gone since: what comes next goes on in the session that is there."""
    alice, bob = people
    wish_start(bob, alice)
    wiretap = Wiretap(world)
    bob.send("alice", "as before")
    assert alice.texts()[-1] == "as before"
    assert wiretap.asked(ClaimPrekeys) == []
    assert alice.notices() == []


@pytest.mark.parametrize("explained", [True, False], ids=["", "twin"])
def test_an_answer_on_a_fresh_session_alarms_nobody(
    world: World,
    people: tuple[WorldDevice, WorldDevice],
    monkeypatch: pytest.MonkeyPatch,
    explained: bool,
) -> None:
    """Bob does not trust the session on which he was asked; Alice knows what she asked him for."""
    alice, bob = people

    def swapped(device: WorldDevice, entry: Entry) -> Entry:
        if device is not alice or not is_repaired(entry.message_id):
            return entry
        return structs.replace(entry, body=bytes(len(entry.body or b"")))

    with changed_mail(world, swapped):
        bob.send("alice", "one")
    wish_start(bob, alice)
    if not explained:
        monkeypatch.setattr(repair_starts, "explains_start", lambda *_: False)
    wiretap = Wiretap(world)
    world.pass_time(A_MOMENT_MS)
    assert recovered_texts(alice) == ["one"]
    assert len(wiretap.asked(ClaimPrekeys)) == 1
    assert ("possible-copy" in alice.notices()) != explained


def test_twin_that_sees_no_cause_raises_the_alarm(
    world: World, people: tuple[WorldDevice, WorldDevice], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Switched off: every lost session looks like a copied device."""
    monkeypatch.setattr(repair_starts, "explains_start", lambda *_: False)
    alice, bob = people
    lose_sessions(bob, alice)
    alice.send("bob", "one")
    world.pass_time(A_MOMENT_MS)
    assert "possible-copy" in alice.notices()


def test_damage_after_damage_wears_out_no_session(
    world: World, people: tuple[WorldDevice, WorldDevice]
) -> None:
    """The relay damages one message an hour: all come, and nobody looks like a copy."""
    alice, bob = people
    texts = [f"hour {number}" for number in range(12)]
    for text in texts:
        with messages_damaged(world, bob):
            alice.send("bob", text)
        world.pass_time(HOUR_MS)
    assert recovered_texts(bob) == texts
    assert query(bob, "SELECT count(*) FROM sessions") == [(2,)]
    assert "possible-copy" not in [*alice.notices(), *bob.notices()]


def test_twin_that_always_starts_anew_looks_like_a_copy(
    world: World, people: tuple[WorldDevice, WorldDevice], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Switched off: the relay makes Alice believe that Bob's phone was copied."""
    alice, bob = people
    known = peers.repair_start
    monkeypatch.setattr(
        peers, "repair_start", lambda rows, peer: known(rows, peer) if rows is alice.database else 0
    )
    for _ in range(2):
        with messages_damaged(world, bob):
            alice.send("bob", "again")
        world.pass_time(HOUR_MS)
    assert "possible-copy" in alice.notices()
