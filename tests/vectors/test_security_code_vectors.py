"""The security codes of the specification (spec 02, "Security code")."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from untether.base.errors import UntetherError
from untether.protocol.identity.security_code import (
    Side,
    account_fingerprint,
    compare_security_qr,
    security_code,
    security_qr_text,
)
from untether.wire.codec import decode
from untether.wire.records import ListHead

VECTORS = Path(__file__).parents[2] / "vectors"
CASES = json.loads((VECTORS / "security_code.json").read_text())


def side(name: str) -> Side:
    """Return what is held of Alice or Bob."""
    case = CASES[name]
    head = decode(bytes.fromhex(case["head"]), ListHead, size_max=64)
    return Side(bytes.fromhex(case["account_key"]), head)


ALICE, BOB = side("alice"), side("bob")


@pytest.mark.parametrize("case", CASES["codes"])
def test_codes_are_those_of_the_file_from_both_sides(case: dict[str, str]) -> None:
    """Sixty digits, the same for both people."""
    a_key, b_key = bytes.fromhex(case["a_key"]), bytes.fromhex(case["b_key"])

    assert account_fingerprint(a_key).hex() == case["a_fingerprint"]
    assert account_fingerprint(b_key).hex() == case["b_fingerprint"]
    assert security_code(a_key, b_key) == security_code(b_key, a_key) == case["code"]


def test_bobs_screen_shows_the_text_of_the_file() -> None:
    """The first comparison of the file is what Bob's device shows."""
    assert security_qr_text(BOB, ALICE) == CASES["comparisons"][0]["text"]


@pytest.mark.parametrize("case", CASES["comparisons"], ids=lambda case: case["name"])
def test_comparisons_say_what_the_file_says(case: dict[str, Any]) -> None:
    """Alice scans a text and learns how keys and lists compare."""
    if "error" in case:
        with pytest.raises(UntetherError) as refusal:
            compare_security_qr(case["text"], ALICE, BOB)
        assert refusal.value.code == case["error"]
    else:
        compared = compare_security_qr(case["text"], ALICE, BOB)
        assert compared.own_list.value == case["own"]
        assert compared.other_list.value == case["other"]


def test_the_generator_reproduces_the_file(tmp_path: Path) -> None:
    """The committed vectors are what the independent generator writes."""
    again = tmp_path / "again.json"
    command = [sys.executable, "-m", "vectors.generate_security_code", str(again)]
    subprocess.run(command, cwd=VECTORS.parent, check=True)

    assert again.read_bytes() == (VECTORS / "security_code.json").read_bytes()
