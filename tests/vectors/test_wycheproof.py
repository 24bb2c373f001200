"""Project Wycheproof's vectors against the provider (spec 01, "Provider").

They guard against changes of the cryptographic libraries. The vectors are not part of this
repository: UNTETHER_WYCHEPROOF names a folder with the files of ``testvectors_v1``. Each test
states how many vectors there are and runs them all, so that none is passed over in silence.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from untether.crypto.hashes import hkdf_sha256
from untether.crypto.provider import AEAD_NONCE_LENGTH, CryptoError, provider

VARIABLE = "UNTETHER_WYCHEPROOF"
pytestmark = pytest.mark.skipif(
    VARIABLE not in os.environ, reason=f"{VARIABLE} names no folder with Wycheproof's vectors"
)
Vector = dict[str, Any]
_x = bytes.fromhex


def vectors(name: str, count: int) -> list[tuple[Vector, Vector]]:
    """Return each vector of a file with its group; there must be ``count`` of them."""
    content = json.loads((Path(os.environ[VARIABLE]) / f"{name}_test.json").read_text())
    pairs = [(group, vector) for group in content["testGroups"] for vector in group["tests"]]
    assert len(pairs) == count
    return pairs


def accepted(call: Callable[..., object], *arguments: bytes) -> bool:
    """Whether the call returns instead of refusing."""
    try:
        call(*arguments)
    except CryptoError:
        return False
    return True


def test_x25519() -> None:
    """Each shared secret comes out, and the all-zero one is refused."""
    crypto = provider()
    refused = 0
    for _, vector in vectors("x25519", 518):
        private, public, shared = (_x(vector[name]) for name in ("private", "public", "shared"))
        if shared == bytes(32):
            refused += 1
            assert not accepted(crypto.x25519_shared, private, public), vector["tcId"]
        else:
            assert crypto.x25519_shared(private, public) == shared, vector["tcId"]
        assert (shared == bytes(32)) == ("ZeroSharedSecret" in vector["flags"])
    assert refused == 31


def test_ed25519() -> None:
    """Valid signatures hold and all others are refused."""
    crypto = provider()
    for group, vector in vectors("ed25519", 151):
        public, message, signature = (
            _x(group["publicKey"]["pk"]),
            _x(vector["msg"]),
            _x(vector["sig"]),
        )
        holds = accepted(crypto.ed25519_verify, public, message, signature)
        assert holds == (vector["result"] == "valid"), vector["tcId"]


def test_hkdf_sha256() -> None:
    """Each output comes out; more than 8,160 bytes are refused."""
    refused = 0
    for _, vector in vectors("hkdf_sha256", 86):
        ikm, salt, info = (_x(vector[name]) for name in ("ikm", "salt", "info"))
        if vector["result"] == "valid":
            derived = hkdf_sha256(salt=salt, ikm=ikm, info=info, length=vector["size"])
            assert derived == _x(vector["okm"]), vector["tcId"]
        else:
            refused += 1
            with pytest.raises(ValueError, match="8,160"):
                hkdf_sha256(salt=salt, ikm=ikm, info=info, length=vector["size"])
    assert refused == 3


def test_chacha20_poly1305() -> None:
    """Valid vectors seal and open; forged ones and other nonce lengths are refused."""
    crypto = provider()
    sealed = 0
    for _, vector in vectors("chacha20_poly1305", 325):
        key, nonce, associated = (_x(vector[name]) for name in ("key", "iv", "aad"))
        plaintext, ciphertext = _x(vector["msg"]), _x(vector["ct"]) + _x(vector["tag"])
        if vector["result"] == "valid":
            sealed += 1
            assert len(nonce) == AEAD_NONCE_LENGTH
            assert crypto.aead_seal(key, nonce, plaintext, associated) == ciphertext, vector["tcId"]
            assert crypto.aead_open(key, nonce, ciphertext, associated) == plaintext, vector["tcId"]
        else:
            opens = accepted(crypto.aead_open, key, nonce, ciphertext, associated)
            assert not opens, vector["tcId"]
    assert sealed == 256


def test_mlkem_768_public_keys() -> None:
    """Each seed gives its encapsulation key."""
    for _, vector in vectors("mlkem_768_keygen_seed", 100):
        assert provider().mlkem768_public(_x(vector["seed"])) == _x(vector["ek"]), vector["tcId"]


def test_mlkem_768_decapsulation() -> None:
    """Each ciphertext gives its secret, forged ones the rejection secret; bad lengths refuse."""
    crypto = provider()
    valid = 0
    for _, vector in vectors("mlkem_768", 193):
        seed, ciphertext = _x(vector["seed"]), _x(vector["c"])
        if vector["result"] == "valid":
            valid += 1
            assert crypto.mlkem768_public(seed) == _x(vector["ek"]), vector["tcId"]
            assert crypto.mlkem768_decapsulate(seed, ciphertext) == _x(vector["K"]), vector["tcId"]
        else:
            with pytest.raises((CryptoError, ValueError)):
                crypto.mlkem768_decapsulate(seed, ciphertext)
    assert valid == 153


def test_mlkem_768_encapsulation_keys() -> None:
    """Unreduced and wrongly long keys are refused; valid ones are taken.

    The secret itself can't be compared: encapsulation draws its own randomness.
    """
    crypto = provider()
    taken = 0
    for _, vector in vectors("mlkem_768_encaps", 265):
        takes = accepted(crypto.mlkem768_encapsulate, _x(vector["ek"]))
        assert takes == (vector["result"] == "valid"), vector["tcId"]
        taken += takes
    assert taken == 133
