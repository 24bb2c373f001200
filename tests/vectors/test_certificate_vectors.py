"""The certificates of the specification (spec 02, "Device certificate")."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from untether.base.errors import RemoteError
from untether.base.identifiers import DeviceNumber
from untether.base.secret_bytes import SecretBytes
from untether.crypto.provider import provider
from untether.protocol.identity.certificate import (
    Role,
    issue_certificate_body,
    sign_as_account,
    sign_as_device,
    verify_certificate,
)
from untether.protocol.identity.keys import DeviceSecrets
from untether.wire.records import SignedCertificate

VECTORS = Path(__file__).parents[2] / "vectors"
CASES = json.loads((VECTORS / "certificate.json").read_text())
ACCOUNT_SEED = bytes.fromhex(CASES["account_seed"])
ACCOUNT_KEY = bytes.fromhex(CASES["account_key"])


def signed_certificate(case: dict[str, Any]) -> SignedCertificate:
    """Return the certificate of a case."""
    return SignedCertificate(
        body=bytes.fromhex(case["body"]),
        account_signature=bytes.fromhex(case["account_signature"]),
        device_signature=bytes.fromhex(case["device_signature"]),
    )


@pytest.mark.parametrize("case", CASES["accepted"], ids=lambda case: case["name"])
def test_certificates_are_issued_and_verified_as_specified(case: dict[str, Any]) -> None:
    """Body, both signatures, hash and short code are those of the file."""
    secrets = DeviceSecrets(
        SecretBytes.fromhex(case["signing_seed"]), SecretBytes.fromhex(case["agreement_seed"])
    )
    body = issue_certificate_body(
        account_key=provider().ed25519_public(ACCOUNT_SEED),
        device=DeviceNumber(case["device"]),
        role=Role(case["role"]),
        generation=case["generation"],
        keys=secrets.public_keys,
    )
    made = SignedCertificate(
        body=body,
        account_signature=sign_as_account(ACCOUNT_SEED, body),
        device_signature=sign_as_device(secrets.signing_seed, body, ACCOUNT_KEY),
    )
    verified = verify_certificate(made, ACCOUNT_KEY)

    assert made == signed_certificate(case)
    assert verified.hash.hex() == case["hash"]
    assert verified.short_code == case["short_code"]


@pytest.mark.parametrize("case", CASES["refused"], ids=lambda case: case["name"])
def test_bad_certificates_are_refused_with_their_error(case: dict[str, Any]) -> None:
    """Each is refused for the reason that the file names."""
    with pytest.raises(RemoteError) as refusal:
        verify_certificate(signed_certificate(case), bytes.fromhex(case["account_key"]))

    assert refusal.value.code == case["error"]


def test_the_generator_reproduces_the_file(tmp_path: Path) -> None:
    """The committed vectors are what the independent generator writes."""
    again = tmp_path / "again.json"
    command = [sys.executable, "-m", "vectors.generate_certificate", str(again)]
    subprocess.run(command, cwd=VECTORS.parent, check=True)

    assert again.read_bytes() == (VECTORS / "certificate.json").read_bytes()
