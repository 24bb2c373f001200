"""The sealed bodies of the specification (spec 05, "Body")."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from untether.base.errors import RemoteError
from untether.crypto.hashes import blake2b_256
from untether.protocol.body import open_body, seal_body

VECTORS = Path(__file__).parents[2] / "vectors"
CASES = json.loads((VECTORS / "body.json").read_text())
unhex = bytes.fromhex


@pytest.mark.parametrize(
    "case", [case for case in CASES["accepted"] if "sealed" in case], ids=lambda case: case["name"]
)
def test_bodies_are_sealed_and_opened_as_specified(case: dict[str, Any]) -> None:
    """Sealed bytes and hash are those of the file, and the plaintext comes back."""
    draws = iter([unhex(case["body_key"]), unhex(case["nonce"])])
    body = seal_body(unhex(case["plaintext"]), lambda _: next(draws))
    assert body.sealed.hex() == case["sealed"]
    assert body.body_hash.hex() == case["body_hash"]
    opened = open_body(body.sealed, body_key=body.body_key, body_hash=body.body_hash)
    assert opened.hex() == case["plaintext"]


@pytest.mark.parametrize("case", CASES["accepted"], ids=lambda case: case["name"])
def test_lengths_are_the_specified_ones(case: dict[str, Any]) -> None:
    """A plaintext of this length is sealed to that length."""
    sealed = seal_body(bytes(case["plaintext_length"]), bytes).sealed
    assert len(sealed) == case["sealed_length"]
    if "plaintext" in case:
        assert blake2b_256(unhex(case["plaintext"])).hex() == case["plaintext_blake2b_256"]


@pytest.mark.parametrize("case", CASES["refused"], ids=lambda case: case["name"])
def test_bad_bodies_are_refused_with_their_error(case: dict[str, Any]) -> None:
    """Each is refused for the reason that the file names."""
    with pytest.raises(RemoteError) as refusal:
        open_body(
            unhex(case["sealed"]),
            body_key=unhex(case["body_key"]),
            body_hash=unhex(case["body_hash"]),
        )
    assert refusal.value.code == case["error"]


def test_the_generator_reproduces_the_file(tmp_path: Path) -> None:
    """The committed vectors are what the independent generator writes."""
    again = tmp_path / "again.json"
    command = [sys.executable, "-m", "vectors.generate_body", str(again)]
    subprocess.run(command, cwd=VECTORS.parent, check=True)
    assert again.read_bytes() == (VECTORS / "body.json").read_bytes()
