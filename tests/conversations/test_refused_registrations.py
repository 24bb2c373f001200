"""A registration that the relay refuses: for good, or for now (spec 06, "Own device")."""

from __future__ import annotations

import pytest
from tests.world import World, WorldDevice
from tests.world_relay import ORIGIN

from untether.base.identifiers import UnixMillis
from untether.crypto.provider import provider
from untether.device import events, inputs, new_generation
from untether.device.store.own_device import State
from untether.protocol.identity.certificate import sign_as_account
from untether.wire import client_frames
from untether.wire.records import ListHead
from untether.wire.server_frames import (
    PASSING_REFUSALS,
    Deliveries,
    ListNews,
    Refused,
    ServerFrame,
)


def refused_registration(world: World, code: str) -> tuple[WorldDevice, list[object]]:
    """Let alice register at a relay that refuses; return her phone and what it asked."""
    asked: list[object] = []

    def answering(_link: object, frame: object, answer: object) -> object:
        if not isinstance(frame, client_frames.Register):
            return answer
        asked.append(frame)
        return Refused(code)

    world.relay.answering = answering  # type: ignore[assignment]
    seed = world.randomness(32)
    phone = world.new_device("alice's phone", seed)
    phone.feed(begin_registration(world, seed))
    phone.connect(receiving=False)
    return phone, asked


def begin_registration(world: World, seed: bytes) -> inputs.BeginRegistration:
    """Return what begins alice's account."""
    return inputs.BeginRegistration(
        name="alice",
        account_key=provider().ed25519_public(seed),
        sealed_account_seed=b"sealed elsewhere",
        origin=ORIGIN,
        relay_id=world.relay.rules.relay_id,
        device_name="alice's phone",
        invitation=None,
    )


@pytest.mark.parametrize("code", sorted(PASSING_REFUSALS))
def test_a_refusal_for_now_keeps_the_registration(code: str) -> None:
    """A relay whose disk was full takes the very same account when it has room again."""
    world = World()
    phone, asked = refused_registration(world, code)

    assert phone.happened(events.RequestRefused)[-1].code == code
    assert phone.own.state is State.REGISTERING
    phone.connect(receiving=False)
    assert asked[0] == asked[1]
    world.relay.answering = lambda _link, _frame, answer: answer
    phone.connect(receiving=False)
    assert phone.happened(events.AccountActivated)


def test_a_refusal_for_good_leaves_the_profile_unused() -> None:
    """The name is another account's: nothing of the attempt stays."""
    phone, _ = refused_registration(World(), "name-taken")

    assert phone.happened(events.RequestRefused)[-1].code == "name-taken"
    assert phone.own_or_none is None


def test_a_phone_whose_owner_is_asked_twice_signs_one_first_list() -> None:
    """A second list for the same place would fork the account before it has begun."""
    world = World()
    seed = world.randomness(32)
    phone = world.new_device("alice's phone", None)  # its owner answers below
    phone.feed(begin_registration(world, seed))
    phone.connect(receiving=False)  # asks again, since no signature is there
    body = new_generation.certificate_body(phone.own)
    signed = inputs.CertificateSigned(body, sign_as_account(seed, body))

    for wait_ms in (0, 1, 1):
        world.now = UnixMillis(world.now + wait_ms)
        phone.feed(signed)
    phone.feed(inputs.VerificationRefused())  # the second question was answered with no
    world.settle()
    phone.feed(signed)
    world.settle()
    assert phone.database.rows("SELECT count(*) FROM own_lists") == [(1,)]
    assert len(phone.happened(events.AccountActivated)) == 1


def test_a_profile_that_is_unused_again_keeps_its_upgrades() -> None:
    """An older program that may use the database asks that list which changes it has."""
    world = World()
    phone, _ = refused_registration(world, "name-taken")
    assert phone.own_or_none is None
    with phone.database.transaction():
        [(done,)] = phone.database.rows("SELECT count(*) FROM upgrade_done")
        [(version,)] = phone.database.rows("PRAGMA user_version")
    assert done == version > 0


@pytest.mark.parametrize("pushed", [Deliveries(()), ListNews(ListHead(0, 1, bytes(32)))])
def test_what_is_pushed_to_a_device_without_an_account_is_ignored(
    pushed: ServerFrame,
) -> None:
    """A relay that pushes mail or news before it has admitted the device does nothing by it."""
    phone, _ = refused_registration(World(), "relay-failure")
    before = list(phone.events)
    phone.feed(inputs.RelayPushed(pushed))
    assert (phone.events, phone.own.state) == (before, State.REGISTERING)
