"""Certificates in use: halves, repeats and what they show (spec 02, "Device certificate")."""

from __future__ import annotations

import pytest
from tests.unit.identity.identity_people import Person, device_secrets

from untether.base.errors import RemoteError
from untether.base.identifiers import DeviceAddress, DeviceNumber
from untether.protocol.identity import certificate as certificates
from untether.protocol.identity.certificate import (
    Role,
    issue_certificate_body,
    open_account_signature,
    sign_as_account,
    verify_certificate,
)
from untether.protocol.identity.keys import DevicePublicKeys


def test_a_known_certificate_costs_no_signature_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same bytes under the same account key are taken from what was verified before."""
    alice = Person("alice")
    phone = alice.newest.primary

    def refuse(*_arguments: object, **_named: object) -> None:
        raise AssertionError("a signature was checked")

    monkeypatch.setattr(certificates, "check_signature", refuse)
    assert verify_certificate(phone.signed, alice.account_key, [phone]) is phone


def test_known_certificates_of_another_account_do_not_help() -> None:
    """What was verified for Alice is not thereby verified for Mallory."""
    alice, mallory = Person("alice"), Person("mallory")
    phone = alice.newest.primary
    with pytest.raises(RemoteError) as refusal:
        verify_certificate(phone.signed, mallory.account_key, [phone])
    assert refusal.value.code == "wrong-account"


def test_a_companion_checks_the_half_that_it_gets() -> None:
    """Before it signs, a companion sees that the account really vouched for its keys."""
    alice, keys = Person("alice"), device_secrets("laptop")
    body = issue_certificate_body(
        account_key=alice.account_key,
        device=DeviceNumber(1),
        role=Role.COMPANION,
        generation=0,
        keys=keys.public_keys,
    )
    signature = sign_as_account(alice.account_seed, body)

    assert open_account_signature(body, signature, alice.account_key).device == 1
    with pytest.raises(RemoteError, match="does not fit"):
        open_account_signature(body, bytes(64), alice.account_key)


def test_weak_keys_of_a_companion_are_not_certified() -> None:
    """The phone refuses to certify what every verifier would refuse."""
    alice, keys = Person("alice"), device_secrets("laptop")
    with pytest.raises(RemoteError) as refusal:
        issue_certificate_body(
            account_key=alice.account_key,
            device=DeviceNumber(1),
            role=Role.COMPANION,
            generation=0,
            keys=DevicePublicKeys(keys.signing_key, bytes(32)),
        )
    assert refusal.value.code == "weak-key"


def test_certificates_are_values() -> None:
    """Address and hash name the device; equal certificates are one in a set."""
    alice = Person("alice")
    phone = alice.newest.primary
    again = verify_certificate(phone.signed, alice.account_key)

    assert phone.address == DeviceAddress(alice.newest.account_id, DeviceNumber(0))
    assert phone.public_keys == alice.phone.public_keys
    assert {phone, again} == {phone}


def test_secrets_do_not_print_themselves() -> None:
    """Seeds stay out of logs and tracebacks."""
    keys = device_secrets("laptop")
    assert keys.signing_seed.hex() not in repr(keys)
    assert repr(bytes(keys.agreement_seed)) not in repr(keys)
    assert keys.agreement_key == keys.public_keys.agreement_key
