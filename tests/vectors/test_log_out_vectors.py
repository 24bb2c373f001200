"""The resignations and wipe orders of the specification (spec 02)."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from untether.base.errors import RemoteError
from untether.base.identifiers import DeviceAddress, DeviceNumber
from untether.protocol.identity.certificate import DeviceCertificate, verify_certificate
from untether.protocol.identity.device_list import open_list
from untether.protocol.identity.resignation import (
    open_resignation,
    resignation_address,
    sign_resignation,
)
from untether.protocol.identity.wipe_order import (
    open_wipe_order,
    sign_wipe_order,
    wipe_order_target,
)
from untether.wire.records import SignedCertificate, SignedObject

VECTORS = Path(__file__).parents[2] / "vectors"
CASES = json.loads((VECTORS / "log_out.json").read_text())
ACCOUNT_KEY = bytes.fromhex(CASES["account_key"])
DEVICE = DeviceNumber(CASES["device"])


def signed_object(case: dict[str, Any]) -> SignedObject:
    """Return the signed object of a case."""
    return SignedObject(bytes.fromhex(case["body"]), bytes.fromhex(case["signature"]))


def certificate(case: dict[str, Any]) -> DeviceCertificate:
    """Return the certificate of a case."""
    parts = {name: bytes.fromhex(value) for name, value in case["certificate"].items()}
    return verify_certificate(SignedCertificate(**parts), ACCOUNT_KEY)


REMOVING_LIST = open_list(signed_object(CASES["removing_list"]), ACCOUNT_KEY)


def test_resignations_are_signed_and_opened_as_specified() -> None:
    """The companion's own signature over account, number and list."""
    case = CASES["resignation"]
    laptop, list_hash = certificate(case), bytes.fromhex(case["list_hash"])
    seed = bytes.fromhex(case["signing_seed"])
    signed = sign_resignation(seed, laptop.account_id, DEVICE, list_hash)
    opened = open_resignation(signed, laptop)

    assert signed == signed_object(case)
    assert resignation_address(signed) == laptop.address
    assert (opened.account_id, opened.device) == laptop.address
    assert opened.list_hash == list_hash


@pytest.mark.parametrize("case", CASES["refused_resignations"], ids=lambda case: case["name"])
def test_bad_resignations_are_refused_with_their_error(case: dict[str, Any]) -> None:
    """Nobody else can resign for a companion, and a phone can't resign at all."""
    with pytest.raises(RemoteError) as refusal:
        open_resignation(signed_object(case), certificate(case))

    assert refusal.value.code == case["error"]


def test_wipe_orders_are_signed_and_opened_as_specified() -> None:
    """The phone's signature over account, number and the list without the device."""
    case = CASES["wipe_order"]
    seed, list_hash = bytes.fromhex(case["signing_seed"]), bytes.fromhex(case["list_hash"])
    signed = sign_wipe_order(seed, REMOVING_LIST.account_id, DEVICE, list_hash)
    opened = open_wipe_order(signed, REMOVING_LIST)

    assert signed == signed_object(case)
    assert wipe_order_target(signed) == (DEVICE, list_hash)
    assert DeviceAddress(opened.account_id, opened.device) == (REMOVING_LIST.account_id, DEVICE)
    assert opened.list_hash == REMOVING_LIST.head.hash


@pytest.mark.parametrize("case", CASES["refused_wipe_orders"], ids=lambda case: case["name"])
def test_bad_wipe_orders_are_refused_with_their_error(case: dict[str, Any]) -> None:
    """Only the phone that removed a device can have its messages erased."""
    with pytest.raises(RemoteError) as refusal:
        open_wipe_order(signed_object(case), REMOVING_LIST)

    assert refusal.value.code == case["error"]


def test_the_generator_reproduces_the_file(tmp_path: Path) -> None:
    """The committed vectors are what the independent generator writes."""
    again = tmp_path / "again.json"
    command = [sys.executable, "-m", "vectors.generate_log_out", str(again)]
    subprocess.run(command, cwd=VECTORS.parent, check=True)

    assert again.read_bytes() == (VECTORS / "log_out.json").read_bytes()
