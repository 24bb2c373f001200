"""Seals of the account key and of the database key (spec 09)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.world_relay import run as run_coroutine

from fuzz import script
from fuzz.harness import Case, expect
from fuzz.script import Script
from fuzz.shortcuts import cheap_guesses
from fuzz.text_targets import vectors
from untether.adapters.vault.passkey_seal import open_under_passkey, passkey_of
from untether.adapters.vault.passphrase import PassphraseVault
from untether.adapters.vault.passphrase_seal import Argon2Cost, open_secret
from untether.base.secret_bytes import SecretBytes
from untether.crypto import labels


@contextmanager
def passphrase_seals() -> Iterator[Case]:
    """A phone opens the seal of its account key, or a profile that of its database key."""
    secret = SecretBytes(bytes(32))
    passphrase = SecretBytes(b"a passphrase")
    vault = PassphraseVault(_Passphrase(passphrase), bytes, Argon2Cost(8, 1))
    sealed = run_coroutine(vault.seal(secret))
    found = vectors("passphrase_seal")
    genuine = [sealed, sealed[4:], *(bytes.fromhex(one["vault"]) for one in found["cases"])]
    genuine += [bytes.fromhex(one["seal"]) for one in found["refused"]]

    def build(data: bytes) -> tuple[int, bytes]:
        steps = Script(data)
        in_vault = steps.byte() % 2
        return in_vault, script.message(steps, genuine[:1] if in_vault else genuine)

    def read(built: tuple[int, bytes]) -> object:
        in_vault, blob = built
        if in_vault:
            return run_coroutine(vault.open(blob, "to test"))
        return open_secret(blob, passphrase, labels.PASSPHRASE_SEAL)

    with cheap_guesses():
        yield Case(
            build,
            read,
            [b"\1" + script.plain(0, mode) for mode in (script.BYTES, script.TREE)]
            + [b"\0" + script.plain(number, script.BYTES) for number in range(len(genuine))],
        )


@contextmanager
def passkey_seals() -> Iterator[Case]:
    """A phone reads which passkey to ask, asks it, and opens the seal with what it gives."""
    found = vectors("passkey_seal")
    first = found["cases"][0]
    prf_output = SecretBytes.fromhex(first["prf_output"])
    genuine = [bytes.fromhex(one["seal"]) for part in ("cases", "refused") for one in found[part]]

    def read(seal: bytes) -> object:
        passkey = passkey_of(seal)
        secret = open_under_passkey(seal, prf_output, labels.PASSKEY_SEAL)
        expect(seal.hex() == first["seal"], "a seal opens that nobody made")
        expect(passkey.credential_id.hex() == first["credential_id"], "another passkey is asked")
        return secret

    yield Case(script.messages(genuine), read, script.seeds(genuine), script.variant)


class _Passphrase:
    """Somebody who always types the same."""

    tries = 1

    def __init__(self, passphrase: SecretBytes) -> None:
        self._passphrase = passphrase

    async def new(self, _purpose: str) -> SecretBytes:
        """Choose it."""
        return self._passphrase

    async def existing(self, _reason: str) -> SecretBytes:
        """Type it."""
        return self._passphrase
