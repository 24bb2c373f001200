"""Who signs with the account key: only after user verification (spec 09, "Vault")."""

from __future__ import annotations

from typing import Final

from untether.base.secret_bytes import SecretBytes
from untether.client.driver import Signer
from untether.client.vault import Vault
from untether.device.store import own_device
from untether.device.store.database import DeviceDatabase
from untether.protocol.identity.certificate import sign_as_account

_REASON: Final = "This lets a device take part in your account."


def verified_signer(database: DeviceDatabase, vault: Vault) -> Signer:
    """Return what has the owner verified for each signature."""

    async def sign(body: bytes) -> bytes:
        with database.reading():
            own = own_device.require(database)
        assert own.sealed_account_seed is not None
        return sign_as_account(await vault.open(own.sealed_account_seed, _REASON), body)

    return sign


def opened_signer(seed: SecretBytes) -> Signer:
    """Return what signs with an account seed that was opened already."""

    async def sign(body: bytes) -> bytes:
        return sign_as_account(seed, body)

    return sign
