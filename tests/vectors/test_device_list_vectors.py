"""The device lists of the specification (spec 02, "Device list" and "Order of lists")."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from untether.base.errors import RemoteError, UntetherError
from untether.base.identifiers import UnixMillis
from untether.protocol.identity.device_list import DeviceListBody, open_list, sign_list
from untether.protocol.identity.list_rules import ForkedListError, follow
from untether.wire.codec import decode
from untether.wire.records import SignedObject

VECTORS = Path(__file__).parents[2] / "vectors"
CASES = json.loads((VECTORS / "device_list.json").read_text())
ACCOUNT_KEY = bytes.fromhex(CASES["account_key"])
FOLLOWED = [case for case in CASES["runs"] if "result" in case]
REFUSED = [case for case in CASES["runs"] if "error" in case]


def signed_list(case: dict[str, Any]) -> SignedObject:
    """Return the signed list of a case."""
    return SignedObject(
        body=bytes.fromhex(case["body"]), signature=bytes.fromhex(case["signature"])
    )


def named(name: str) -> SignedObject:
    """Return a list of the file by its name."""
    return signed_list(CASES["lists"][name])


@pytest.mark.parametrize("name", CASES["lists"])
def test_lists_are_signed_and_opened_as_specified(name: str) -> None:
    """Fields, hash and signature are those of the file."""
    case, signed = CASES["lists"][name], named(name)
    opened = open_list(signed, ACCOUNT_KEY)
    body = decode(signed.body, DeviceListBody, size_max=len(signed.body))

    assert (opened.head.generation, opened.head.version) == (case["generation"], case["version"])
    assert opened.head.hash.hex() == case["hash"]
    assert (opened.issued_at, opened.expires_at) == (case["issued_at"], case["expires_at"])
    assert opened.next_number == case["next_number"]
    assert sign_list(body, bytes.fromhex(case["signing_seed"])) == signed


@pytest.mark.parametrize("case", CASES["refused"], ids=lambda case: case["name"])
def test_bad_lists_are_refused_with_their_error(case: dict[str, Any]) -> None:
    """Each is refused for the reason that the file names, whatever is held."""
    with pytest.raises(RemoteError) as refusal:
        open_list(signed_list(case), ACCOUNT_KEY)

    assert refusal.value.code == case["error"]


@pytest.mark.parametrize("case", FOLLOWED, ids=lambda case: case["name"])
def test_good_runs_are_followed(case: dict[str, Any]) -> None:
    """A verifier ends with the list that the file names."""
    held = open_list(named(case["held"]), ACCOUNT_KEY) if case["held"] else None
    run = [named(name) for name in case["run"]]
    newest = follow(held, run, ACCOUNT_KEY, UnixMillis(case["now"]))

    assert newest == open_list(named(case["result"]), ACCOUNT_KEY)


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["name"])
def test_bad_runs_are_refused_with_their_error(case: dict[str, Any]) -> None:
    """Rolled back, gaps, forks, reused numbers: each with the error that the file names."""
    held = open_list(named(case["held"]), ACCOUNT_KEY) if case["held"] else None
    run = [named(name) for name in case["run"]]
    with pytest.raises(UntetherError) as refusal:
        follow(held, run, ACCOUNT_KEY, UnixMillis(case["now"]))

    assert refusal.value.code == case["error"]
    if isinstance(refusal.value, ForkedListError):
        assert len({open_list(one, ACCOUNT_KEY).head for one in refusal.value.evidence}) == 2


def test_the_generator_reproduces_the_file(tmp_path: Path) -> None:
    """The committed vectors are what the independent generator writes."""
    again = tmp_path / "again.json"
    command = [sys.executable, "-m", "vectors.generate_device_list", str(again)]
    subprocess.run(command, cwd=VECTORS.parent, check=True)

    assert again.read_bytes() == (VECTORS / "device_list.json").read_bytes()
