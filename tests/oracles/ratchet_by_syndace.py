"""The Double Ratchet of the package ``DoubleRatchet``, set to the functions of spec 04.

The package has the algorithm and leaves the functions to its user. They are filled in from the
page, each from another library than the product's: X25519 and HKDF from OpenSSL, BLAKE2b and
ChaCha20-Poly1305 from libsodium. What one side draws at random, the other is given.
"""

from __future__ import annotations

from collections import deque
from typing import ClassVar

import nacl.bindings
import nacl.encoding
import nacl.exceptions
import nacl.hash
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from doubleratchet import (
    AEAD,
    KDF,
    AuthenticationFailedException,
    DiffieHellmanRatchet,
    DoSProtectionException,
    DoubleRatchet,
    DuplicateMessageException,
    EncryptedMessage,
    Header,
)
from doubleratchet.models import DoubleRatchetModel
from tests.oracles.handshake_by_the_page import label
from tests.world_relay import run

JUMP_MAX = 2_000
"""``CHAIN_JUMP_MAX`` and ``SKIPPED_KEYS_MAX`` of the page."""

REFUSALS = (
    AuthenticationFailedException,
    DoSProtectionException,
    DuplicateMessageException,
    UserWarning,  # of a jump too far in the chain before
)


class Chance:
    """What the other implementation drew, in its order; zeros once that is used up."""

    drawn: ClassVar[deque[bytes]] = deque()

    @classmethod
    def draw(cls, length: int) -> bytes:
        """Return the next draw, which must have this length."""
        if not cls.drawn:
            return bytes(length)
        value = cls.drawn.popleft()
        assert len(value) == length
        return value


class X25519(DiffieHellmanRatchet):
    """DH on Curve25519."""

    @staticmethod
    def _generate_priv() -> bytes:
        return Chance.draw(32)

    @staticmethod
    def _derive_pub(priv: bytes) -> bytes:
        return X25519PrivateKey.from_private_bytes(priv).public_key().public_bytes_raw()

    @staticmethod
    def _perform_diffie_hellman(own_priv: bytes, other_pub: bytes) -> bytes:
        public = X25519PublicKey.from_public_bytes(other_pub)
        return X25519PrivateKey.from_private_bytes(own_priv).exchange(public)


class RootKdf(KDF):
    """Turn: HKDF-SHA-256(salt root key, ikm DH, info RATCHET_ROOT, 64)."""

    @staticmethod
    async def derive(key: bytes, data: bytes, length: int) -> bytes:
        """Return root key' ‖ chain key."""
        return HKDF(SHA256(), length, salt=key, info=label("ratchet-root")).derive(data)


class ChainKdf(KDF):
    """Chain step: BLAKE2b-512(key = chain key, RATCHET_CHAIN)."""

    @staticmethod
    async def derive(key: bytes, data: bytes, length: int) -> bytes:
        """Return chain key' ‖ message key."""
        raw = nacl.encoding.RawEncoder
        return nacl.hash.blake2b(data, digest_size=length, key=key, encoder=raw)


class Sealing(AEAD):
    """Nonce ‖ ChaCha20-Poly1305."""

    @staticmethod
    async def encrypt(plaintext: bytes, key: bytes, associated_data: bytes) -> bytes:
        """Seal under a drawn nonce."""
        nonce = Chance.draw(12)
        return nonce + nacl.bindings.crypto_aead_chacha20poly1305_ietf_encrypt(
            plaintext, associated_data, nonce, key
        )

    @staticmethod
    async def decrypt(ciphertext: bytes, key: bytes, associated_data: bytes) -> bytes:
        """Open what :meth:`encrypt` sealed."""
        try:
            return nacl.bindings.crypto_aead_chacha20poly1305_ietf_decrypt(
                ciphertext[12:], associated_data, ciphertext[:12], key
            )
        except nacl.exceptions.CryptoError as error:
            raise AuthenticationFailedException from error


class Ratchet(DoubleRatchet):
    """The header, as the page spells it, ends the associated data."""

    @staticmethod
    def _build_associated_data(associated_data: bytes, header: Header) -> bytes:
        return associated_data + spell(header)


def spell(header: Header) -> bytes:
    """Version ‖ ratchet key ‖ previous length ‖ number."""
    numbers = (header.previous_sending_chain_length, header.sending_chain_length)
    return b"\x01" + header.ratchet_pub + b"".join(one.to_bytes(4, "big") for one in numbers)


def read(data: bytes) -> EncryptedMessage:
    """Take a message apart; the package does not know the version byte."""
    if data[:1] != b"\x01":
        raise AuthenticationFailedException
    previous, number = (int.from_bytes(data[at : at + 4], "big") for at in (33, 37))
    return EncryptedMessage(Header(data[1:33], previous, number), data[41:])


class OtherEnd:
    """One end of a session. The initiator begins by sealing, the responder by opening."""

    def __init__(
        self, root_key: bytes, prekey: bytes, outgoing: bytes, incoming: bytes, *, first: bool
    ) -> None:
        self._root_key = root_key
        self._prekey = prekey
        self._outgoing = outgoing
        self._incoming = incoming
        self._is_first = first
        self._ratchet: Ratchet | None = None

    def seal(self, payload: bytes) -> bytes:
        """Return the message, spelled as the page does."""
        if self._ratchet is not None:
            sealed = run(self._ratchet.encrypt_message(payload, self._outgoing))
        else:
            assert self._is_first
            self._ratchet, sealed = run(
                Ratchet.encrypt_initial_message(
                    X25519,
                    RootKdf,
                    ChainKdf,
                    label("ratchet-chain"),
                    JUMP_MAX,
                    JUMP_MAX,
                    Sealing,
                    self._root_key,
                    self._prekey,
                    payload,
                    self._outgoing,
                )
            )
        return spell(sealed.header) + sealed.ciphertext

    def open(self, data: bytes) -> bytes | None:
        """Return the payload, or None for what is refused."""
        try:
            if self._ratchet is not None:
                return run(self._ratchet.decrypt_message(read(data), self._incoming))
            if self._is_first:
                return None
            self._ratchet, payload = run(
                Ratchet.decrypt_initial_message(
                    X25519,
                    RootKdf,
                    ChainKdf,
                    label("ratchet-chain"),
                    JUMP_MAX,
                    JUMP_MAX,
                    Sealing,
                    self._root_key,
                    self._prekey,
                    read(data),
                    self._incoming,
                )
            )
        except REFUSALS:
            return None
        return payload

    def forget(self, ratchet_key: bytes) -> None:
        """Drop the kept keys of a chain: the page bounds the chains, the package does not."""
        assert self._ratchet is not None
        kept = vars(self._ratchet)["_DoubleRatchet__skipped_message_keys"]
        for place in [place for place in kept if place[0] == ratchet_key]:
            del kept[place]

    @property
    def model(self) -> DoubleRatchetModel | None:
        """Everything that this end keeps."""
        return None if self._ratchet is None else self._ratchet.model
