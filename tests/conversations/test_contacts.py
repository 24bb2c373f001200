"""Names and pinned accounts: what a relay can't do by giving a name to somebody else."""

from __future__ import annotations

import pytest
from tests.attacks.lying_relay import give_name
from tests.world import World, WorldDevice
from tests.world_relay import Link

from untether.base.errors import LocalError, TrustError
from untether.device import contacts, events, inputs
from untether.device.context import Context
from untether.device.store import contacts as rows
from untether.wire.client_frames import ClientFrame, ResolveName
from untether.wire.server_frames import Lists, Refused, ServerFrame


@pytest.fixture
def world() -> World:
    """Alice, Bob and Mallory with a phone each; Alice knows Bob."""
    world = World()
    for name in ("alice", "bob", "mallory"):
        world.register(name)
    world.devices[0].send("bob", "hello")
    return world


def account_of(device: WorldDevice, name: str) -> bytes | None:
    """Return whom a device writes to under a name."""
    with device.database.transaction():
        return contacts.account_of(Context(device.database, device.world.now, bytes), name)


def test_a_name_given_to_another_account_is_a_visible_break(world: World) -> None:
    """The contact keeps its account, nothing is merged, and the person is told once."""
    alice, bob, mallory = world.devices
    with give_name(world, "bob", mallory):
        alice.ask(ResolveName("bob"))
        alice.ask(ResolveName("bob"))
    assert account_of(alice, "bob") == bob.own.account_id
    assert alice.notices().count("identity-changed") == 1
    alice.send_to(bob.own.account_id, "still you?")
    assert bob.texts() == ["hello", "still you?"]
    assert mallory.texts() == []


def test_a_break_that_goes_away_is_forgotten(world: World) -> None:
    """When the relay gives the pinned account again there is nothing left to accept."""
    alice, _, mallory = world.devices
    with give_name(world, "bob", mallory):
        alice.ask(ResolveName("bob"))
    alice.ask(ResolveName("bob"))
    with pytest.raises(LocalError, match="has not changed"):
        alice.feed(inputs.AcceptContact("bob"))


def test_a_verified_contact_with_a_break_gets_no_message(world: World) -> None:
    """Neither by name nor by account id, until the person accepts the new identity."""
    alice, bob, mallory = world.devices
    alice.feed(inputs.MarkVerified("bob"))
    with give_name(world, "bob", mallory):
        alice.ask(ResolveName("bob"))
    with pytest.raises(TrustError) as refused:
        account_of(alice, "bob")
    assert refused.value.code == "identity-changed"
    message = alice.send_to(bob.own.account_id, "secret")
    assert message.state == "queued"
    assert bob.texts() == ["hello"]
    with pytest.raises(TrustError):
        alice.feed(inputs.MarkVerified("bob"))


def test_twin_without_the_break_the_verified_contact_is_written_to(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the block switched off the message leaves: so the block is what held it."""
    alice, bob, mallory = world.devices
    alice.feed(inputs.MarkVerified("bob"))
    with give_name(world, "bob", mallory):
        alice.ask(ResolveName("bob"))
    monkeypatch.setattr("untether.device.outbox._blocked", lambda *_: "")
    assert alice.send_to(bob.own.account_id, "secret").state == "sent"


def test_accepting_points_the_name_to_the_new_account_unverified(world: World) -> None:
    """The old conversation stays with the old account; nothing stays verified."""
    alice, bob, mallory = world.devices
    alice.feed(inputs.MarkVerified("bob"))
    with give_name(world, "bob", mallory):
        alice.ask(ResolveName("bob"))
    alice.feed(inputs.AcceptContact("bob"))
    assert account_of(alice, "bob") == mallory.own.account_id
    with alice.database.transaction():
        contact = rows.by_name(alice.database, "bob")
    assert contact is not None
    assert not contact.verified
    assert {message.other for message in alice.history()} == {bob.own.account_id}


def test_unknown_names_are_named(world: World) -> None:
    """A name that nobody has is refused by the relay and pins nothing."""
    alice = world.devices[0]
    alice.ask(ResolveName("nobody"))
    refused = alice.happened(events.RequestRefused)
    assert [(one.request, one.code) for one in refused] == [("resolve-name", "no-such-account")]
    with pytest.raises(LocalError) as unknown:
        alice.feed(inputs.MarkVerified("nobody"))
    assert unknown.value.code == "unknown-contact"


def test_the_own_name_is_the_own_account(world: World) -> None:
    """Writing to oneself needs nobody's answer."""
    alice = world.devices[0]
    assert account_of(alice, "alice") == alice.own.account_id


def test_lists_of_another_account_pin_nothing(world: World) -> None:
    """A relay that answers a name with lists that don't fit their id is not believed."""
    alice, bob, _ = world.devices

    def lie(_link: Link, request: ClientFrame, answer: ServerFrame) -> ServerFrame:
        if isinstance(request, ResolveName) and isinstance(answer, Lists):
            return Lists(bob.own.account_id, answer.account)
        return answer

    world.relay.answering = lie
    alice.ask(ResolveName("mallory"))
    assert account_of(alice, "mallory") is None
    assert [one.code for one in alice.happened(events.RequestRefused)] != []


def test_nonsense_answers_say_nothing(world: World) -> None:
    """Any other frame in answer to a name changes nothing."""
    alice = world.devices[0]
    world.relay.answering = lambda _link, request, answer: (
        Refused("relay-failure") if isinstance(request, ResolveName) else answer
    )
    alice.ask(ResolveName("mallory"))
    assert account_of(alice, "mallory") is None
