"""Devices that nobody admitted, listed by the relay or by the thief of an unlocked phone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from tests.attacks.defences import CERTIFICATE_SIGNATURES, LIST_SIGNATURE
from tests.attacks.ghost import Ghost, inject_device, list_with
from tests.attacks.lying_relay import roll_back
from tests.attacks.wiretap import Wiretap
from tests.conversations.list_views import head_of, held_by, question
from tests.world import WorldDevice

from untether.base.identifiers import DAY_MS, DeviceNumber
from untether.device import events
from untether.protocol.identity.certificate import (
    Role,
    issue_certificate_body,
    sign_as_account,
    sign_as_device,
)
from untether.wire.client_frames import FetchLists, ResolveName
from untether.wire.records import AccountLists, SignedCertificate, SignedObject

MESSAGES = 5
REFUSALS = {"list-wrong-signer", "bad-account-signature", "bad-device-signature"}


@dataclass
class Scene:
    """Who writes to whom while the relay lists a ghost."""

    ghost: Ghost
    writer: WorldDevice
    reader: WorldDevice


def to_a_contact(alice: WorldDevice, bob: WorldDevice) -> Scene:
    """Alice writes to Bob; the ghost claims to be Bob's."""
    return Scene(Ghost.of(bob), alice, bob)


def to_somebody_new(alice: WorldDevice, bob: WorldDevice) -> Scene:
    """Carol has never met Bob; the first list that she is shown has the ghost."""
    return Scene(Ghost.of(bob), alice.world.register("carol"), bob)


def among_own_devices(alice: WorldDevice, bob: WorldDevice) -> Scene:
    """Alice's laptop writes to Bob; the ghost claims to be Alice's, and to get own copies."""
    laptop = alice.world.link(alice, "laptop")
    return Scene(Ghost.of(alice), laptop, bob)


SCENES = [to_a_contact, to_somebody_new, among_own_devices]


def by_the_relay(ghost: Ghost) -> SignedObject:
    """List the ghost without any key of the account."""
    return list_with(ghost.victim, ghost.certificate())


def by_the_thief(ghost: Ghost) -> SignedObject:
    """List it with the key of the unlocked phone; the account key is sealed."""
    seed = ghost.victim.own.secrets.signing_seed
    return list_with(ghost.victim, ghost.certificate(), seed)


def write(scene: Scene, forge: Callable[[Ghost], SignedObject]) -> Wiretap:
    """Let the people write while every way to a list leads to the ghost."""
    wiretap, account = Wiretap(scene.ghost.world), scene.ghost.victim.own.account_id
    with inject_device(scene.ghost, forge(scene.ghost)):
        scene.writer.ask(ResolveName("bob"))
        for number in range(MESSAGES):
            scene.writer.send_to(scene.reader.own.account_id, f"secret {number}")
        scene.writer.ask(FetchLists(account))
        scene.writer.connect()
    return wiretap


def told(device: WorldDevice) -> set[object]:
    """Return every cause that a device's owner was told."""
    return {
        *(one.cause for one in device.happened(events.MessageProgressed)),
        *(one.code for one in device.happened(events.RequestRefused)),
        *(one.details.get("cause") for one in device.happened(events.NoticePosted)),
    }


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("forge", [by_the_relay, by_the_thief])
def test_a_ghost_gets_no_copy(
    alice: WorldDevice,
    bob: WorldDevice,
    scene: Callable[[WorldDevice, WorldDevice], Scene],
    forge: Callable[[Ghost], SignedObject],
    figures: Callable[[str], None],
) -> None:
    """To a contact, to somebody new, among own devices: refused, told, and nothing is lost."""
    played = scene(alice, bob)
    wiretap = write(played, forge)
    assert told(played.writer) & REFUSALS
    bob.connect()
    bob.world.pass_time(DAY_MS)
    wanted = [f"secret {number}" for number in range(MESSAGES)]
    assert [text for text in bob.texts() if text in wanted] == wanted
    copies, read = len(wiretap.copies()), played.ghost.reads(wiretap)
    figures(f"ghost {forge.__name__}, {scene.__name__}: {len(read)} of {copies} copies")
    assert copies >= MESSAGES
    assert read == []


@pytest.mark.parametrize("scene", SCENES)
def test_twin_without_the_signatures_the_ghost_of_the_relay_reads_all(
    alice: WorldDevice,
    bob: WorldDevice,
    scene: Callable[[WorldDevice, WorldDevice], Scene],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With lists and certificates taken on the relay's word, every message is sealed for it."""
    LIST_SIGNATURE.switch_off(monkeypatch)
    CERTIFICATE_SIGNATURES.switch_off(monkeypatch)
    played = scene(alice, bob)
    wiretap = write(played, by_the_relay)
    assert {f"secret {number}" for number in range(MESSAGES)} <= set(played.ghost.reads(wiretap))


@pytest.mark.parametrize("scene", SCENES)
def test_twin_without_the_account_signature_the_ghost_of_the_thief_reads_all(
    alice: WorldDevice,
    bob: WorldDevice,
    scene: Callable[[WorldDevice, WorldDevice], Scene],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Were the phone's own key enough, whoever holds the unlocked phone would add devices."""
    CERTIFICATE_SIGNATURES.switch_off(monkeypatch)
    played = scene(alice, bob)
    wiretap = write(played, by_the_thief)
    assert {f"secret {number}" for number in range(MESSAGES)} <= set(played.ghost.reads(wiretap))


# --- A device that is somebody else's -------------------------------------------------------


def claims_the_laptop(bob: WorldDevice, laptop: WorldDevice) -> SignedObject:
    """Let Bob certify Alice's laptop as his own with all the keys that he has."""
    assert bob.account_seed is not None
    body = issue_certificate_body(
        account_key=bob.own.account_key,
        device=DeviceNumber(1),
        role=Role.COMPANION,
        generation=0,
        keys=laptop.own.secrets.public_keys,
    )
    seed = bob.own.secrets.signing_seed
    stolen = SignedCertificate(
        body,
        sign_as_account(bob.account_seed, body),
        sign_as_device(seed, body, bob.own.account_key),
    )
    return list_with(bob, stolen, seed)


def show_the_claim(alice: WorldDevice, bob: WorldDevice) -> tuple[WorldDevice, WorldDevice]:
    """Show Carol, who knows Bob, his list with Alice's laptop on it."""
    laptop, carol = alice.world.link(alice, "laptop"), alice.world.register("carol")
    carol.send("bob", "hello")
    account = bob.own.account_id
    shown = AccountLists("bob", (claims_the_laptop(bob, laptop),))
    with roll_back(alice.world, account, shown):
        carol.ask(question(account, head_of(carol, account)))
    return carol, laptop


def test_nobody_claims_the_device_of_another(alice: WorldDevice, bob: WorldDevice) -> None:
    """The laptop never signed that it is Bob's: Carol does not take her mail to Alice for his."""
    carol, _laptop = show_the_claim(alice, bob)
    assert carol.notices() == ["relay-lists-refused"]
    assert told(carol) >= {"bad-device-signature"}
    assert head_of(carol, bob.own.account_id) == head_of(bob, bob.own.account_id)
    carol.send("bob", "all is well")
    assert bob.texts()[-1] == "all is well"


def test_twin_without_the_device_signature_the_claim_is_believed(
    alice: WorldDevice, bob: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One key under two accounts: who is written to as Bob's is Alice's."""
    CERTIFICATE_SIGNATURES.switch_off(monkeypatch)
    carol, laptop = show_the_claim(alice, bob)
    held = held_by(carol, bob.own.account_id)
    assert laptop.own.secrets.signing_key in {device.signing_key for device in held.devices}
