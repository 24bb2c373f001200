"""Every domain-separation label (spec 01, "Labels"). One key, one purpose, one label.

A label is ASCII ``untether/v1/<purpose>``; in hash and signature inputs it is followed by a
zero byte, so that no label is a prefix of another input.
"""

from __future__ import annotations

from typing import Final


def _label(purpose: str) -> bytes:
    return b"untether/v1/" + purpose.encode() + b"\0"


ACCOUNT_ID: Final = _label("account-id")
CERTIFICATE_ACCOUNT: Final = _label("certificate-account-signature")
CERTIFICATE_DEVICE: Final = _label("certificate-device-signature")
CERTIFICATE_HASH: Final = _label("certificate-hash")
DEVICE_LIST_SIGNATURE: Final = _label("device-list-signature")
DEVICE_LIST_HASH: Final = _label("device-list-hash")
RESIGNATION: Final = _label("resignation")
WIPE_ORDER: Final = _label("wipe-order")
PREKEY: Final = _label("prekey")
LOGIN: Final = _label("login")
LINK_OFFER_KEY: Final = _label("link-offer-key")
LINK_OFFER_HASH: Final = _label("link-offer-hash")
LINK_CHANNEL: Final = _label("link-channel")
LINK_WITHDRAWAL: Final = _label("link-withdrawal")
HANDSHAKE_TRANSCRIPT: Final = _label("handshake-transcript")
HANDSHAKE_KEYS: Final = _label("handshake-keys")
RATCHET_ROOT: Final = _label("ratchet-root")
RATCHET_CHAIN: Final = _label("ratchet-chain")
SESSION_ID: Final = _label("session-id")
PAIRWISE_MESSAGE: Final = _label("pairwise-message")
BODY_COMMITMENT: Final = _label("body-commitment")
BODY_HASH: Final = _label("body-hash")
SECURITY_CODE: Final = _label("security-code")
RECOVERY_CODE: Final = _label("recovery-code")
PASSPHRASE_SEAL: Final = _label("passphrase-seal")
PASSKEY_SEAL: Final = _label("passkey-seal")
DATABASE_KEY: Final = _label("database-key")
INVITATION: Final = _label("invitation")
WEB_RELEASE: Final = _label("web-release")
