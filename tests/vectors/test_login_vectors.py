"""The login signatures of the specification (spec 02, "Login")."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from untether.base.errors import RemoteError
from untether.base.identifiers import AccountId, DeviceNumber, RelayId
from untether.protocol.identity.certificate import verify_certificate
from untether.protocol.identity.login import LoginStatement, sign_login, verify_login
from untether.wire.codec import encode
from untether.wire.records import SignedCertificate

VECTORS = Path(__file__).parents[2] / "vectors"
CASES = json.loads((VECTORS / "login.json").read_text())
LAPTOP = verify_certificate(
    SignedCertificate(**{name: bytes.fromhex(v) for name, v in CASES["certificate"].items()}),
    bytes.fromhex(CASES["account_key"]),
)


def statement(case: dict[str, Any]) -> LoginStatement:
    """Return the statement of a case."""
    return LoginStatement(
        relay_id=RelayId(bytes.fromhex(case["relay_id"])),
        origin=case["origin"],
        server_nonce=bytes.fromhex(case["server_nonce"]),
        client_nonce=bytes.fromhex(case["client_nonce"]),
        account_id=AccountId(bytes.fromhex(case["account_id"])),
        device=DeviceNumber(case["device"]),
        counter=case["counter"],
    )


@pytest.mark.parametrize("case", CASES["accepted"])
def test_logins_are_signed_and_verified_as_specified(case: dict[str, Any]) -> None:
    """Statement and signature are those of the file."""
    signature = sign_login(bytes.fromhex(CASES["signing_seed"]), statement(case))

    assert encode(statement(case)).hex() == case["statement"]
    assert signature.hex() == case["signature"]
    verify_login(LAPTOP, statement(case), signature)


@pytest.mark.parametrize("case", CASES["refused"], ids=lambda case: case["name"])
def test_bad_logins_are_refused_with_their_error(case: dict[str, Any]) -> None:
    """A signature for any other relay, site, nonce, device or count opens nothing."""
    with pytest.raises(RemoteError) as refusal:
        verify_login(LAPTOP, statement(case), bytes.fromhex(case["signature"]))

    assert refusal.value.code == case["error"]


def test_the_generator_reproduces_the_file(tmp_path: Path) -> None:
    """The committed vectors are what the independent generator writes."""
    again = tmp_path / "again.json"
    command = [sys.executable, "-m", "vectors.generate_login", str(again)]
    subprocess.run(command, cwd=VECTORS.parent, check=True)

    assert again.read_bytes() == (VECTORS / "login.json").read_bytes()
