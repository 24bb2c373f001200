"""A secret sealed under a passkey (spec 09, "Passkey seal").

The passkey's PRF extension gives 32 bytes that only it can give, for one salt, and only once it
has verified its user (WebAuthn, level 3, section 10.1.4). They are bound to one purpose by HKDF
with the purpose's label, and which passkey and salt they came from is authenticated with the
secret::

    method (1) ‖ n (2) ‖ credential id (n) ‖ PRF salt (32) ‖ nonce (12) ‖ ciphertext and tag
"""

from __future__ import annotations

import struct
from typing import Final

from msgspec import Struct

from untether.base.errors import PlatformError, VerificationError
from untether.base.limits import CREDENTIAL_ID_MAX
from untether.base.randomness import Randomness
from untether.base.secret_bytes import SecretBytes
from untether.crypto import hashes
from untether.crypto.provider import AEAD_NONCE_LENGTH, AEAD_TAG_LENGTH, CryptoError, provider

METHOD_PASSKEY: Final = 2
PRF_LENGTH: Final = 32
PRF_SALT_LENGTH: Final = 32
_HEADER: Final = struct.Struct(">BH")
_KEY_LENGTH: Final = 32


class Passkey(Struct, frozen=True):
    """Which passkey is asked, and the salt for which it gives its bytes."""

    credential_id: bytes
    prf_salt: bytes

    def check(self) -> None:
        """Refuse what can't be written into a seal."""
        if not (
            1 <= len(self.credential_id) <= CREDENTIAL_ID_MAX
            and len(self.prf_salt) == PRF_SALT_LENGTH
        ):
            raise _damaged()


def seal_under_passkey(
    secret: SecretBytes,
    passkey: Passkey,
    prf_output: SecretBytes,
    label: bytes,
    *,
    randomness: Randomness,
) -> bytes:
    """Seal ``secret`` for the one purpose that ``label`` names."""
    passkey.check()
    head = _HEADER.pack(METHOD_PASSKEY, len(passkey.credential_id))
    nonce = randomness(AEAD_NONCE_LENGTH)
    header = head + passkey.credential_id + passkey.prf_salt + nonce
    key = _derive_key(prf_output, label)
    return header + provider().aead_seal(key, nonce, secret, label + header)


def passkey_of(sealed: bytes) -> Passkey:
    """Return which passkey to ask, and for which salt; PlatformError ``seal-damaged``."""
    return _read(sealed)[0]


def open_under_passkey(sealed: bytes, prf_output: SecretBytes, label: bytes) -> SecretBytes:
    """Undo :func:`seal_under_passkey`; VerificationError ``passkey-wrong``."""
    _, header, ciphertext = _read(sealed)
    key = _derive_key(prf_output, label)
    nonce = header[-AEAD_NONCE_LENGTH:]
    try:
        return SecretBytes(provider().aead_open(key, nonce, ciphertext, label + header))
    except CryptoError as error:
        raise VerificationError(
            "passkey-wrong", "This passkey does not open it.", "Use the passkey that you chose."
        ) from error


def _read(sealed: bytes) -> tuple[Passkey, bytes, bytes]:
    """Return the passkey, all that is authenticated in the clear, and the ciphertext."""
    if len(sealed) < _HEADER.size:
        raise _damaged()
    method, length = _HEADER.unpack_from(sealed)
    end_of_id = _HEADER.size + length
    end_of_salt = end_of_id + PRF_SALT_LENGTH
    end = end_of_salt + AEAD_NONCE_LENGTH
    if method != METHOD_PASSKEY or len(sealed) < end + AEAD_TAG_LENGTH:
        raise _damaged()
    passkey = Passkey(sealed[_HEADER.size : end_of_id], sealed[end_of_id:end_of_salt])
    passkey.check()
    return passkey, sealed[:end], sealed[end:]


def _derive_key(prf_output: SecretBytes, label: bytes) -> bytes:
    if len(prf_output) != PRF_LENGTH:
        raise VerificationError(
            "passkey-wrong",
            f"The passkey gave {len(prf_output)} bytes, not {PRF_LENGTH}.",
            "Use another passkey, or a passphrase.",
        )
    return hashes.hkdf_sha256(salt=b"", ikm=prf_output, info=label, length=_KEY_LENGTH)


def _damaged() -> PlatformError:
    return PlatformError(
        "seal-damaged",
        "What the passkey protects is damaged.",
        "Use your recovery code on a new phone.",
    )
