"""The page reads which passkey opens a seal, as the engine writes it (spec 09, "Passkey seal").

`webapp/tests/seals` runs its reader under Node.js over the vectors of both seals.
"""

from __future__ import annotations

import base64
import json
import subprocess
from typing import Any

import pytest
from tests.browser.serving import ROOT, built, needs_node

VECTORS = ROOT / "vectors"


def cases(name: str) -> list[dict[str, str]]:
    """Return the cases of a file of vectors."""
    found: list[dict[str, str]] = json.loads((VECTORS / name).read_text())["cases"]
    return found


def base64url(of_hex: str) -> str:
    """Return bytes in the text that screens use."""
    return base64.urlsafe_b64encode(bytes.fromhex(of_hex)).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what the page reads from each seal of the vectors, by the seal."""
    node = needs_node()
    folder = built("tests/seals/vite.config.ts", tmp_path_factory.mktemp("seals"))
    seals = [one["seal"] for one in cases("passkey_seal.json") + cases("passphrase_seal.json")]
    done = subprocess.run(
        [node, str(folder / "seals.js"), *seals], capture_output=True, text=True, check=True
    )
    return dict(zip(seals, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("case", cases("passkey_seal.json"), ids=lambda case: case["label"])
def test_the_page_finds_passkey_and_salt(case: dict[str, str], read: dict[str, Any]) -> None:
    """It asks for the right passkey before the engine has started."""
    assert read[case["seal"]] == {
        "credential": base64url(case["credential_id"]),
        "salt": base64url(case["prf_salt"]),
    }


def test_a_passphrase_seal_names_no_passkey(read: dict[str, Any]) -> None:
    """The person is asked for the passphrase instead."""
    assert {read[case["seal"]] for case in cases("passphrase_seal.json")} == {None}
