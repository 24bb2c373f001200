"""The account ids of the specification (spec 02, "Account")."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from untether.crypto.provider import provider
from untether.protocol.identity.account import account_id

VECTORS = Path(__file__).parents[2] / "vectors"
CASES = json.loads((VECTORS / "account_id.json").read_text())


@pytest.mark.parametrize("case", CASES["accounts"])
def test_ids_are_the_hash_of_the_account_key(case: dict[str, str]) -> None:
    """Seed, key and id fit together."""
    account_key = provider().ed25519_public(bytes.fromhex(case["account_seed"]))

    assert account_key.hex() == case["account_key"]
    assert account_id(account_key).hex() == case["account_id"]


def test_the_generator_reproduces_the_file(tmp_path: Path) -> None:
    """The committed vectors are what the independent generator writes."""
    again = tmp_path / "again.json"
    command = [sys.executable, "-m", "vectors.generate_account_id", str(again)]
    subprocess.run(command, cwd=VECTORS.parent, check=True)

    assert again.read_bytes() == (VECTORS / "account_id.json").read_bytes()
