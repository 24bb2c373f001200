"""Passkey seals of the specification (spec 09, "Passkey seal")."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from untether.adapters.vault.passkey_seal import (
    Passkey,
    open_under_passkey,
    passkey_of,
    seal_under_passkey,
)
from untether.base.errors import PlatformError, UntetherError, VerificationError
from untether.base.limits import SEAL_MAX
from untether.base.secret_bytes import SecretBytes

VECTORS = Path(__file__).parents[2] / "vectors"
CONTENT = json.loads((VECTORS / "passkey_seal.json").read_text())
CASES = CONTENT["cases"]
Case = dict[str, Any]


def label(case: Case) -> bytes:
    """Return the label of a case as it enters derivations."""
    return str(case["label"]).encode() + b"\0"


def passkey(case: Case) -> Passkey:
    """Return the passkey of a case."""
    return Passkey(bytes.fromhex(case["credential_id"]), bytes.fromhex(case["prf_salt"]))


@pytest.mark.parametrize("case", CASES)
def test_the_seal_is_made_and_opened(case: Case) -> None:
    """The same nonce gives the same bytes; these tell which passkey to ask, and give the secret."""
    prf_output = SecretBytes.fromhex(case["prf_output"])
    seal = seal_under_passkey(
        SecretBytes.fromhex(case["secret"]),
        passkey(case),
        prf_output,
        label(case),
        randomness=lambda _length: bytes.fromhex(case["nonce"]),
    )
    assert seal.hex() == case["seal"]
    assert len(seal) <= SEAL_MAX
    assert passkey_of(seal) == passkey(case)
    assert open_under_passkey(seal, prf_output, label(case)).hex() == case["secret"]


@pytest.mark.parametrize("refused", CONTENT["refused"], ids=lambda refused: str(refused["why"]))
def test_changed_seals_are_refused(refused: dict[str, str]) -> None:
    """Each change gives its error."""
    prf_output = SecretBytes.fromhex(CASES[0]["prf_output"])
    with pytest.raises(UntetherError) as refusal:
        open_under_passkey(bytes.fromhex(refused["seal"]), prf_output, label(CASES[0]))
    assert refusal.value.code == refused["error"]


def test_another_purpose_or_output_opens_nothing() -> None:
    """One passkey may protect two secrets: neither seal opens in the place of the other."""
    seal, prf_output = bytes.fromhex(CASES[0]["seal"]), SecretBytes.fromhex(CASES[0]["prf_output"])
    for output, purpose in (
        (prf_output, label(CASES[1])),
        (SecretBytes(bytes(32)), label(CASES[0])),
        (SecretBytes(prf_output[:31]), label(CASES[0])),
    ):
        with pytest.raises(VerificationError) as refusal:
            open_under_passkey(seal, output, purpose)
        assert refusal.value.code == "passkey-wrong"


@pytest.mark.parametrize("credential_id", [b"", bytes(513)])
def test_no_seal_is_made_that_could_not_be_read(credential_id: bytes) -> None:
    """A credential id that is empty or far too long is refused before anything is sealed."""
    with pytest.raises(PlatformError) as refusal:
        seal_under_passkey(
            SecretBytes(bytes(32)),
            Passkey(credential_id, bytes(32)),
            SecretBytes(bytes(32)),
            b"label\0",
            randomness=bytes,
        )
    assert refusal.value.code == "seal-damaged"


def test_the_generator_reproduces_the_file(tmp_path: Path) -> None:
    """The committed vectors are what the independent generator writes."""
    again = tmp_path / "again.json"
    subprocess.run([sys.executable, VECTORS / "generate_passkey_seal.py", again], check=True)
    assert again.read_bytes() == (VECTORS / "passkey_seal.json").read_bytes()
