"""Signatures that are carried from one purpose to another, or written in a second way."""

from __future__ import annotations

from contextlib import suppress
from itertools import permutations

import pytest
from tests.attacks.defences import CANONICAL_SIGNATURES, LABELS
from tests.attacks.stand_ins import GROUP_ORDER
from tests.conversations.list_views import held_by
from tests.world import WorldDevice

from untether.base.errors import RemoteError
from untether.crypto import labels
from untether.protocol.identity import signing
from untether.protocol.identity.device_list import DeviceList, open_list
from untether.wire.records import SignedObject

PURPOSES = {
    name: getattr(labels, name)
    for name in (
        "CERTIFICATE_ACCOUNT",
        "CERTIFICATE_DEVICE",
        "DEVICE_LIST_SIGNATURE",
        "RESIGNATION",
        "WIPE_ORDER",
        "PREKEY",
        "LOGIN",
    )
}


def carried_over(alice: WorldDevice) -> list[str]:
    """Show signatures for purposes that they were not made for; return which of them pass."""
    own, statement, passed = alice.own.secrets, b"the same bytes, whatever they mean", []
    for made_for, shown_for in permutations(PURPOSES, 2):
        signature = signing.sign(own.signing_seed, PURPOSES[made_for], statement)
        with suppress(RemoteError):
            label = PURPOSES[shown_for]
            signing.check_signature(own.signing_key, signature, label, statement, code="no")
            passed.append(f"{made_for} as {shown_for}")
    return passed


def test_a_signature_has_one_purpose(alice: WorldDevice) -> None:
    """What a phone signs to log in is no list, no wipe order, no certificate; of 42 pairs none."""
    assert carried_over(alice) == []


def test_twin_without_labels_a_relay_has_anything_signed(
    alice: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a phone signs for one purpose would count for all."""
    LABELS.switch_off(monkeypatch)
    assert len(carried_over(alice)) == len(PURPOSES) * (len(PURPOSES) - 1)


def respelt(signed: SignedObject) -> SignedObject:
    """Write a genuine signature in its second way: the group order more."""
    point, scalar = signed.signature[:32], int.from_bytes(signed.signature[32:], "little")
    return SignedObject(signed.body, point + (scalar + GROUP_ORDER).to_bytes(32, "little"))


def take(alice: WorldDevice, bob: WorldDevice) -> DeviceList:
    """Take Bob's list under a respelt signature."""
    held = held_by(alice, bob.own.account_id)
    return open_list(respelt(held.signed), held.account_key)


def test_a_signature_has_one_spelling(alice: WorldDevice, bob: WorldDevice) -> None:
    """Two devices never judge one list differently, nor is it evidence against its own phone."""
    with pytest.raises(RemoteError) as refused:
        take(alice, bob)
    assert refused.value.code == "list-wrong-signer"


def test_twin_that_reduces_scalars_takes_the_second_spelling(
    alice: WorldDevice, bob: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As lenient verifiers do."""
    CANONICAL_SIGNATURES.switch_off(monkeypatch)
    assert take(alice, bob).head == held_by(alice, bob.own.account_id).head
