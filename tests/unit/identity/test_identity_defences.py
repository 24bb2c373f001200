"""Each defence, and what happens without it (spec 02).

Every attack below is refused by one named check; with that check switched off it succeeds, so
the test is about this check and no other.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from untether.base.errors import UntetherError
from untether.base.identifiers import UnixMillis
from untether.protocol.identity import certificate as certificates
from untether.protocol.identity import device_list, keys, list_rules, login
from untether.protocol.identity.certificate import verify_certificate
from untether.protocol.identity.device_list import open_list
from untether.protocol.identity.list_rules import follow
from untether.wire.records import SignedCertificate, SignedObject

VECTORS = Path(__file__).parents[3] / "vectors"
CERTIFICATES = json.loads((VECTORS / "certificate.json").read_text())
LISTS = json.loads((VECTORS / "device_list.json").read_text())
ACCOUNT_KEY = bytes.fromhex(LISTS["account_key"])


def ignore(*_arguments: object, **_named: object) -> None:
    """Stand in for a check that is switched off."""


def case_named(cases: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """Return the case of that name."""
    return next(case for case in cases if case["name"] == name)


def take_certificate(name: str) -> None:
    """Verify a bad certificate of the vectors."""
    case = case_named(CERTIFICATES["refused"], name)
    signed = SignedCertificate(
        bytes.fromhex(case["body"]),
        bytes.fromhex(case["account_signature"]),
        bytes.fromhex(case["device_signature"]),
    )
    verify_certificate(signed, bytes.fromhex(case["account_key"]))


def signed_list(case: dict[str, Any]) -> SignedObject:
    """Return a list of the vectors."""
    return SignedObject(bytes.fromhex(case["body"]), bytes.fromhex(case["signature"]))


def take_list(name: str) -> None:
    """Open a bad list of the vectors."""
    open_list(signed_list(case_named(LISTS["refused"], name)), ACCOUNT_KEY)


def take_run(name: str) -> None:
    """Follow a bad run of the vectors."""
    case = case_named(LISTS["runs"], name)
    held = open_list(signed_list(LISTS["lists"][case["held"]]), ACCOUNT_KEY)
    run = [signed_list(LISTS["lists"][one]) for one in case["run"]]
    follow(held, run, ACCOUNT_KEY, UnixMillis(case["now"]))


Attack = tuple[Callable[[str], None], str, object, str]

LOW_ORDER = "agreement key of small order " + "00" * 32
ATTACKS: list[Attack] = [
    (take_certificate, "signed by another account", certificates, "check_signature"),
    (take_certificate, "signed by another device", certificates, "check_signature"),
    (take_certificate, "companion with a generation", certificates, "_check_body"),
    (take_certificate, "account key as signing key", certificates, "_check_body"),
    (take_certificate, LOW_ORDER, certificates, "check_agreement_key"),
    (take_certificate, "agreement key with its highest bit set", keys, "_check_coordinate"),
    (take_list, "five companions", device_list, "_check_count"),
    (take_list, "next number that is in use", device_list, "_check_numbers"),
    (take_list, "numbers that descend", device_list, "_check_numbers"),
    (take_list, "one key pair under two numbers", device_list, "_check_distinct_keys"),
    (take_list, "version zero", device_list, "_check_position"),
    (take_list, "recovery without a previous hash", device_list, "_check_position"),
    (take_list, "lease of 181 days", device_list, "_check_lease"),
    (take_list, "signed by the companion", device_list, "check_signature"),
    (take_run, "a lease put back", list_rules, "_check_same_generation"),
    (take_run, "a dropped list", list_rules, "_check_same_generation"),
    (take_run, "two third lists", list_rules, "_check_same_generation"),
    (take_run, "successor of another list", list_rules, "_check_same_generation"),
    (take_run, "two phones in one generation", list_rules, "_check_same_generation"),
    (take_run, "a logged-out device returns", list_rules, "_check_devices"),
    (take_run, "a logged-out device returns at recovery", list_rules, "_check_devices"),
    (take_run, "next number falls", list_rules, "_check_devices"),
    (take_run, "swapped device", list_rules, "_check_devices"),
    (take_run, "issued over 24 hours ahead", list_rules, "_check_clock"),
]


@pytest.mark.parametrize(("take", "attack", "module", "check"), ATTACKS)
def test_the_attack_fails_by_this_check_alone(
    monkeypatch: pytest.MonkeyPatch,
    take: Callable[[str], None],
    attack: str,
    module: object,
    check: str,
) -> None:
    """Refused with the check, accepted without it."""
    with pytest.raises(UntetherError):
        take(attack)
    monkeypatch.setattr(module, check, ignore)
    take(attack)


SMALL_SIGNING_KEYS = [
    case["name"]
    for case in CERTIFICATES["refused"]
    if case["name"].startswith(("signing key of small order", "signing key in second"))
]


@pytest.mark.parametrize("name", SMALL_SIGNING_KEYS)
def test_libsodium_is_a_second_wall_against_weak_signing_keys(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Even without the explicit check no signature by such a key holds."""
    monkeypatch.setattr(certificates, "check_signing_key", ignore)
    with pytest.raises(UntetherError) as refusal:
        take_certificate(name)
    assert refusal.value.code == "bad-device-signature"


def test_login_signature_is_what_keeps_others_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A login for another relay is refused by its signature alone."""
    from tests.vectors.test_login_vectors import CASES, LAPTOP, statement

    case = case_named(CASES["refused"], "signed for another relay")
    signature = bytes.fromhex(case["signature"])
    with pytest.raises(UntetherError):
        login.verify_login(LAPTOP, statement(case), signature)
    monkeypatch.setattr(login, "check_signature", ignore)
    login.verify_login(LAPTOP, statement(case), signature)
