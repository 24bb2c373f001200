"""The account id: the hash of the account key (spec 02, "Account")."""

from __future__ import annotations

from functools import lru_cache

from untether.base.identifiers import AccountId
from untether.crypto import hashes, labels


@lru_cache(maxsize=1024)
def account_id(account_key: bytes) -> AccountId:
    """Return the id (16 bytes) of an account's Ed25519 public key (32 bytes)."""
    return AccountId(hashes.blake2b_128(labels.ACCOUNT_ID, account_key))
