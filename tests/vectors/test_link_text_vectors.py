"""Link texts of the specification (spec 03, "Link text")."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from untether.base.errors import LocalError
from untether.base.limits import LINK_TEXT_MAX
from untether.base.secret_bytes import SecretBytes
from untether.protocol.linking.link_text import LinkText

VECTORS = Path(__file__).parents[2] / "vectors"
CASES = json.loads((VECTORS / "link_text.json").read_text())


@pytest.mark.parametrize("case", CASES["valid"], ids=lambda case: case["relay_address"])
def test_valid_text_is_read_and_spelt_alike(case: dict[str, str]) -> None:
    """Every valid text gives its values, and the values give the same text."""
    text = LinkText.from_text(case["text"])

    assert text.relay_address == case["relay_address"]
    assert text.relay_id.hex() == case["relay_id"]
    assert text.slot_id.hex() == case["slot_id"]
    assert text.link_secret.hex() == case["link_secret"]
    assert isinstance(text.link_secret, SecretBytes)
    assert text.offer_hash.hex() == case["offer_hash"]
    assert text.to_text() == case["text"]
    assert len(case["text"]) <= LINK_TEXT_MAX


@pytest.mark.parametrize("case", CASES["refused"], ids=lambda case: case["why"])
def test_any_other_text_is_refused_with_its_code(case: dict[str, str]) -> None:
    """A second spelling, a cut or a newer version is named."""
    with pytest.raises(LocalError) as refusal:
        LinkText.from_text(case["text"])

    assert refusal.value.code == case["error"]
    assert refusal.value.hint


def test_the_generator_reproduces_the_file(tmp_path: Path) -> None:
    """The committed vectors are what the independent generator writes."""
    again = tmp_path / "again.json"
    subprocess.run([sys.executable, VECTORS / "generate_link_text.py", again], check=True)

    assert again.read_bytes() == (VECTORS / "link_text.json").read_bytes()
