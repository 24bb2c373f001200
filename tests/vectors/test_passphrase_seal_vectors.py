"""Passphrase seals of the specification (spec 09, "Passphrase seal")."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from untether.adapters.vault.passphrase import PassphraseVault
from untether.adapters.vault.passphrase_seal import (
    Argon2Cost,
    open_secret,
    passphrase_from_text,
    seal_secret,
)
from untether.base.errors import UntetherError
from untether.base.limits import ARGON2ID_MEMORY_KIB, ARGON2ID_PASSES
from untether.base.secret_bytes import SecretBytes

VECTORS = Path(__file__).parents[2] / "vectors"
CONTENT = json.loads((VECTORS / "passphrase_seal.json").read_text())
CASES = CONTENT["cases"]
Case = dict[str, Any]


def label(case: Case) -> bytes:
    """Return the label of a case as it enters derivations."""
    return str(case["label"]).encode() + b"\0"


@pytest.mark.parametrize("case", CASES)
def test_the_seal_is_made_and_opened(case: Case) -> None:
    """The same salt and nonce give the same bytes, and these give the secret."""
    passphrase = passphrase_from_text(case["passphrase"])
    assert passphrase.hex() == case["passphrase_bytes"]
    drawn = iter([bytes.fromhex(case["salt"]), bytes.fromhex(case["nonce"])])
    seal = seal_secret(
        SecretBytes.fromhex(case["secret"]),
        passphrase,
        label(case),
        cost=Argon2Cost(case["memory_kib"], case["passes"]),
        randomness=lambda _length: next(drawn),
    )
    assert seal.hex() == case["seal"]
    assert open_secret(seal, passphrase, label(case)).hex() == case["secret"]


@pytest.mark.parametrize("case", [case for case in CASES if "passphrase-seal" in case["label"]])
async def test_the_vault_opens_its_array(case: Case) -> None:
    """The array of seals is what the vault stores."""

    class Alice:
        tries = 1

        async def existing(self, reason: str) -> SecretBytes:
            """Type the passphrase."""
            del reason
            return passphrase_from_text(case["passphrase"])

        new = existing

    vault = PassphraseVault(Alice(), bytes)
    assert (await vault.open(bytes.fromhex(case["vault"]), "")).hex() == case["secret"]


@pytest.mark.parametrize("refused", CONTENT["refused"], ids=lambda refused: str(refused["why"]))
def test_changed_seals_are_refused(refused: dict[str, str]) -> None:
    """Each change gives its error."""
    passphrase = passphrase_from_text(CASES[0]["passphrase"])
    with pytest.raises(UntetherError) as refusal:
        open_secret(bytes.fromhex(refused["seal"]), passphrase, label(CASES[0]))
    assert refusal.value.code == refused["error"]


def test_the_product_cost_is_among_the_cases() -> None:
    """One vector pays what the product pays."""
    costs = {(case["memory_kib"], case["passes"]) for case in CASES}
    assert (ARGON2ID_MEMORY_KIB, ARGON2ID_PASSES) in costs


def test_the_generator_reproduces_the_file(tmp_path: Path) -> None:
    """The committed vectors are what the independent generator writes."""
    again = tmp_path / "again.json"
    subprocess.run([sys.executable, VECTORS / "generate_passphrase_seal.py", again], check=True)
    assert again.read_bytes() == (VECTORS / "passphrase_seal.json").read_bytes()
