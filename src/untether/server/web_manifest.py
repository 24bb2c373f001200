"""The manifest of the web app: the hash of each file, signed by whoever built it (decision 0130).

``{"files": {path: SHA-256 in hexadecimal}, "packed": the same of what Brotli made of a file,
"public_key": …, "signature": …, "version": …}``; the signature (Ed25519) covers the object without
it, as JSON with sorted members.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from untether.base.errors import PlatformError
from untether.base.secret_bytes import SecretBytes
from untether.crypto import hashes, labels
from untether.crypto.provider import CryptoError, provider

MANIFEST: Final = "manifest.json"
MANIFEST_MAX: Final = 256 * 1024  # bytes: some hundred files


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a release of the app consists of."""

    files: dict[str, str]
    packed: dict[str, str]
    public_key: str
    version: str
    signature: str

    def check(self) -> None:
        """Refuse what was not signed by the key that it names: PlatformError ``web-unsigned``."""
        try:
            provider().ed25519_verify(
                bytes.fromhex(self.public_key),
                _signed(self),
                bytes.fromhex(self.signature),
            )
        except (CryptoError, ValueError) as error:
            raise PlatformError(
                "web-unsigned",
                "The signature of the web app's manifest does not hold.",
                "Build it again with `make webapp`, or install the release again.",
            ) from error


def sign_manifest(
    files: Mapping[str, bytes], packed: Mapping[str, bytes], version: str, seed: SecretBytes
) -> bytes:
    """Return the manifest of files, and of those of them that are packed too.

    ``seed`` is the builder's Ed25519 key.
    """
    public_key = provider().ed25519_public(seed).hex()
    unsigned = Manifest(_hashes(files), _hashes(packed), public_key, version, signature="")
    signature = provider().ed25519_sign(seed, _signed(unsigned)).hex()
    return msgspec.json.encode(msgspec.structs.replace(unsigned, signature=signature))


def read_manifest(content: bytes) -> Manifest:
    """Return a checked manifest; PlatformError ``web-unsigned`` or ``web-damaged``."""
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PlatformError(
            "web-damaged",
            "The manifest of the web app can't be read.",
            "Build it again with `make webapp`, or install the release again.",
        ) from error
    manifest.check()
    return manifest


def hash_of(content: bytes) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    return hashes.sha256(content).hex()


def _hashes(files: Mapping[str, bytes]) -> dict[str, str]:
    return {path: hash_of(content) for path, content in sorted(files.items())}


def _signed(manifest: Manifest) -> bytes:
    body: dict[str, Any] = msgspec.structs.asdict(manifest)
    del body["signature"]
    return labels.WEB_RELEASE + msgspec.json.encode(body, order="sorted")
