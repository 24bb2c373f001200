"""Each primitive of the provider against a second implementation, on random values (spec 01).

Wycheproof's vectors (``tests/vectors/test_wycheproof.py``) know the edges; they have nothing for
signing, public keys, Argon2id and BLAKE2b. Here every function of the port meets another
library: what the product takes from libsodium is computed by OpenSSL, and the other way round.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha512
from random import Random

import nacl.bindings
import nacl.encoding
import nacl.exceptions
import nacl.hash
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from kyber_py.ml_kem import ML_KEM_768
from tests.oracles.curve25519 import x25519, x25519_public
from tests.oracles.handshake_by_the_page import hkdf

from untether.crypto import hashes
from untether.crypto.provider import CryptoError, Provider, provider

ROUNDS = 20
Check = Callable[[Provider, Random], None]


def check_x25519_public(crypto: Provider, random: Random) -> None:
    """The RFC's formulas give the same point."""
    secret = random.randbytes(32)
    assert crypto.x25519_public(secret) == x25519_public(secret)


def check_x25519_shared(crypto: Provider, random: Random) -> None:
    """The RFC's formulas give the same point, also for points that nobody made."""
    secret, point = random.randbytes(32), random.randbytes(32)
    assert crypto.x25519_shared(secret, point) == x25519(secret, point)


def check_ed25519_public(crypto: Provider, random: Random) -> None:
    """OpenSSL derives the same key."""
    seed = random.randbytes(32)
    key = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    assert crypto.ed25519_public(seed) == key.public_bytes_raw()


def check_ed25519_sign(crypto: Provider, random: Random) -> None:
    """OpenSSL makes the very same signature: Ed25519 draws nothing."""
    seed, message = random.randbytes(32), random.randbytes(random.randrange(300))
    assert crypto.ed25519_sign(seed, message) == Ed25519PrivateKey.from_private_bytes(seed).sign(
        message
    )


def check_ed25519_verify(crypto: Provider, random: Random) -> None:
    """What OpenSSL signed holds; with one bit turned both refuse it."""
    signer, message = Ed25519PrivateKey.from_private_bytes(random.randbytes(32)), b"message"
    public, signature = signer.public_key().public_bytes_raw(), bytearray(signer.sign(message))
    crypto.ed25519_verify(public, message, bytes(signature))
    signature[random.randrange(64)] ^= 1 << random.randrange(8)
    with pytest.raises(CryptoError):
        crypto.ed25519_verify(public, message, bytes(signature))
    with pytest.raises(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(public).verify(bytes(signature), message)


def check_mlkem768_public(crypto: Provider, random: Random) -> None:
    """kyber-py derives the same encapsulation key."""
    seed = random.randbytes(64)
    assert crypto.mlkem768_public(seed) == bytes(ML_KEM_768.key_derive(seed)[0])


def check_mlkem768_encapsulate(crypto: Provider, random: Random) -> None:
    """kyber-py opens what was encapsulated."""
    encapsulation, decapsulation = ML_KEM_768.key_derive(random.randbytes(64))
    secret, ciphertext = crypto.mlkem768_encapsulate(bytes(encapsulation))
    assert bytes(ML_KEM_768.decaps(decapsulation, ciphertext)) == secret


def check_mlkem768_decapsulate(crypto: Provider, random: Random) -> None:
    """Both open what kyber-py encapsulated, and agree on the secret of a forgery."""
    seed = random.randbytes(64)
    encapsulation, decapsulation = ML_KEM_768.key_derive(seed)
    secret, ciphertext = ML_KEM_768.encaps(encapsulation)
    assert crypto.mlkem768_decapsulate(seed, bytes(ciphertext)) == bytes(secret)
    forged = random.randbytes(len(ciphertext))
    assert crypto.mlkem768_decapsulate(seed, forged) == bytes(
        ML_KEM_768.decaps(decapsulation, forged)
    )


def check_aead_seal(crypto: Provider, random: Random) -> None:
    """The same ciphertext and tag come from libsodium."""
    key, nonce, text, associated = _sealing(random)
    expected = nacl.bindings.crypto_aead_chacha20poly1305_ietf_encrypt(text, associated, nonce, key)
    assert crypto.aead_seal(key, nonce, text, associated) == expected


def check_aead_open(crypto: Provider, random: Random) -> None:
    """What libsodium sealed opens; with one bit turned both refuse it."""
    key, nonce, text, associated = _sealing(random)
    sealed = nacl.bindings.crypto_aead_chacha20poly1305_ietf_encrypt(text, associated, nonce, key)
    assert crypto.aead_open(key, nonce, sealed, associated) == text
    changed = bytearray(sealed)
    changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    with pytest.raises(CryptoError):
        crypto.aead_open(key, nonce, bytes(changed), associated)
    with pytest.raises(nacl.exceptions.CryptoError):
        nacl.bindings.crypto_aead_chacha20poly1305_ietf_decrypt(
            bytes(changed), associated, nonce, key
        )


def check_argon2id(crypto: Provider, random: Random) -> None:
    """OpenSSL derives the same bytes."""
    salt, passphrase = random.randbytes(16), random.randbytes(random.randrange(1, 64))
    memory_kib, passes = random.randrange(8, 256), random.randrange(1, 5)
    expected = Argon2id(
        salt=salt, length=32, iterations=passes, lanes=1, memory_cost=memory_kib
    ).derive(passphrase)
    derived = crypto.argon2id(passphrase, salt, memory_kib=memory_kib, passes=passes, length=32)
    assert derived == expected


def _sealing(random: Random) -> tuple[bytes, bytes, bytes, bytes]:
    key, nonce = random.randbytes(32), random.randbytes(12)
    text, associated = (random.randbytes(random.randrange(300)) for _ in range(2))
    return key, nonce, text, associated


CHECKS: dict[str, Check] = {
    name.removeprefix("check_"): check
    for name, check in list(globals().items())
    if name.startswith("check_")
}


@pytest.mark.parametrize("name", CHECKS)
def test_a_second_library_agrees(name: str) -> None:
    """Random values, the same answer; what one refuses, the other refuses too."""
    random = Random(f"primitive oracle {name}")
    for _ in range(ROUNDS):
        CHECKS[name](provider(), random)


def test_no_function_of_the_port_is_left_out() -> None:
    """A primitive that is added meets a second implementation, too."""
    port = {name for name in vars(Provider) if not name.startswith("_")}
    assert port == set(CHECKS)


def test_hashes_agree_with_libsodium_and_the_page() -> None:
    """BLAKE2b in all three forms, HKDF in all lengths, and the iterated SHA-512."""
    random = Random("hash oracle")
    for _ in range(100):
        key, data, salt = random.randbytes(32), random.randbytes(random.randrange(300)), b"salt"
        length = random.randrange(1, 200)
        assert hashes.keyed_blake2b_512(key, data) == _blake(data, 64, key)
        assert hashes.blake2b_256(data, key=key) == _blake(data, 32, key)
        assert hashes.blake2b_256(data) == _blake(data, 32)
        assert hashes.blake2b_128(data) == _blake(data, 16)
        assert hashes.hkdf_sha256(salt=salt, ikm=key, info=data, length=length) == hkdf(
            salt, key, data, length
        )
    thrice = sha512(sha512(sha512(b"first").digest() + b"suffix").digest() + b"suffix").digest()
    assert hashes.iterated_sha512(b"first", b"suffix", 3) == thrice


def _blake(data: bytes, length: int, key: bytes = b"") -> bytes:
    raw = nacl.encoding.RawEncoder
    return nacl.hash.blake2b(data, digest_size=length, key=key, encoder=raw)
