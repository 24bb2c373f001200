"""The recovery codes of the specification (spec 02, "Recovery code")."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from untether.base.errors import LocalError
from untether.protocol.identity.recovery_code import decode_recovery_code, encode_recovery_code

VECTORS = Path(__file__).parents[2] / "vectors"
CASES = json.loads((VECTORS / "recovery_code.json").read_text())


@pytest.mark.parametrize("case", CASES["codes"])
def test_seeds_are_spelled_as_specified(case: dict[str, str]) -> None:
    """Seed to code and back."""
    seed = bytes.fromhex(case["account_seed"])

    assert encode_recovery_code(seed) == case["code"]
    assert decode_recovery_code(case["code"]) == seed


@pytest.mark.parametrize("case", CASES["spellings"])
def test_case_spaces_and_dashes_do_not_matter(case: dict[str, str]) -> None:
    """Everything that people do to a code while copying it by hand."""
    assert decode_recovery_code(case["text"]).hex() == case["account_seed"]


@pytest.mark.parametrize("case", CASES["refused"], ids=lambda case: case["name"])
def test_mistakes_are_refused_with_a_hint(case: dict[str, str]) -> None:
    """The hint names the kind of mistake, never the code."""
    with pytest.raises(LocalError) as refusal:
        decode_recovery_code(case["text"])

    assert refusal.value.code == case["error"]
    assert case["hint"] in refusal.value.hint


def test_the_generator_reproduces_the_file(tmp_path: Path) -> None:
    """The committed vectors are what the independent generator writes."""
    again = tmp_path / "again.json"
    command = [sys.executable, "-m", "vectors.generate_recovery_code", str(again)]
    subprocess.run(command, cwd=VECTORS.parent, check=True)

    assert again.read_bytes() == (VECTORS / "recovery_code.json").read_bytes()
