"""What a relay sees although it reads nothing: sizes, and what is said beside the seals."""

from __future__ import annotations

from random import Random
from string import ascii_letters

import pytest
from tests.attacks.defences import NO_COMPRESSION, SEALS
from tests.attacks.wiretap import Wiretap
from tests.world import World, WorldDevice

from untether.wire.client_frames import Submit

GUESSES = 200


def lengths(alice: WorldDevice, bob: WorldDevice) -> set[int]:
    """Let Alice quote guesses of an attacker beside a secret; every tenth is right.

    Returns how long the sealed bodies are.
    """
    chance, wiretap = Random(1), Wiretap(alice.world)
    secret = "".join(chance.choices(ascii_letters, k=600))
    for number in range(GUESSES):
        guess = "".join(chance.choices(ascii_letters, k=len(secret))) if number % 10 else secret
        alice.send_to(bob.own.account_id, f"{guess} {secret}")
        alice.world.pass_time(100)
    bodies = [frame.body for frame in wiretap.asked(Submit)]
    assert len(bodies) == GUESSES
    return {len(body) for body in bodies}


def test_a_right_guess_is_as_long_as_a_wrong_one(alice: WorldDevice, bob: WorldDevice) -> None:
    """Nothing is compressed, and nothing stored once for two."""
    bob.disconnect()
    assert len(lengths(alice, bob)) == 1


def test_twin_that_compresses_tells_right_from_wrong(
    alice: WorldDevice, bob: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A right guess repeats the secret, and what repeats is short; padding does not hide it."""
    bob.disconnect()
    NO_COMPRESSION.switch_off(monkeypatch)
    assert len(lengths(alice, bob)) > 1


def names_seen(world: World, alice: WorldDevice) -> tuple[set[bytes], int]:
    """Link devices with telling names; return which names the relay saw in how many bytes."""
    names = ["Work notebook", "Kitchen slate", "Browser of the library"]
    for name in names:
        world.link(alice, name).send("alice", "here I am")
    said = b"".join(world.relay.frames)
    return {name.encode() for name in names if name.encode() in said}, len(said)


def test_the_relay_does_not_learn_what_devices_are(world: World, alice: WorldDevice) -> None:
    """Names, kinds and platforms travel sealed; certificates have none, all offers one size."""
    seen, searched = names_seen(world, alice)
    assert seen == set()
    assert searched > 100_000


def test_twin_without_seals_it_reads_their_names(
    world: World, alice: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The search would find them."""
    SEALS.switch_off(monkeypatch)
    seen, _ = names_seen(world, alice)
    assert len(seen) == 3
