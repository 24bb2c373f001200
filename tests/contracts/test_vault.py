"""What every vault must keep to (spec 09, "Vault")."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

import pytest

from untether.adapters.vault.passphrase import PassphraseVault
from untether.adapters.vault.passphrase_seal import Argon2Cost, open_secret, passphrase_from_text
from untether.adapters.vault.proofs import Method, Proof, Way, to_base64url
from untether.adapters.vault.screen import ScreenVault
from untether.base.errors import PlatformError, UntetherError, VerificationError
from untether.base.secret_bytes import SecretBytes
from untether.client.vault import Vault
from untether.crypto import hashes, labels
from untether.crypto.provider import provider
from untether.wire import codec

SEED = SecretBytes(bytes(range(32)))
CHEAP = Argon2Cost(memory_kib=8, passes=1)
REASON = "Link alice's laptop?"


class Person:
    """Types the same passphrase each time, or refuses; remembers what was asked."""

    tries = 1

    def __init__(self, passphrase: str | None) -> None:
        self.passphrase = passphrase
        self.asked: list[str] = []

    async def existing(self, reason: str) -> SecretBytes:
        """Answer or refuse."""
        self.asked.append(reason)
        if self.passphrase is None:
            raise VerificationError("verification-refused", "Alice said no.")
        return passphrase_from_text(self.passphrase)

    new = existing


def passphrase_vault(passphrase: str | None) -> Vault:
    """Return a vault whose person types this passphrase, or refuses when None."""
    return PassphraseVault(Person(passphrase), secrets.token_bytes, CHEAP)


class PersonAtAScreen:
    """Types the text as a passphrase, or has a passkey that makes it into bytes; or refuses."""

    def __init__(self, method: Method, text: str | None) -> None:
        self._method: Method = method
        self._text = text

    async def new_proof(self, purpose: str) -> Proof:
        """Answer or refuse."""
        return self._proof(Way(self._method, to_base64url(b"a passkey"), to_base64url(bytes(32))))

    async def proof(self, reason: str, ways: Sequence[Way], wrong: str | None) -> Proof:
        """Answer or refuse, by the way that there is."""
        return self._proof(ways[0])

    def _proof(self, way: Way) -> Proof:
        if self._text is None:
            raise VerificationError("verification-refused", "Alice said no.")
        if self._method == "passphrase":
            return Proof("passphrase", self._text)
        prf = to_base64url(hashes.sha256(self._text.encode()))
        return Proof("passkey", prf=prf, credential=way.credential, salt=way.salt)


def screen_passphrase_vault(text: str | None) -> Vault:
    """Return a vault whose person types this at a screen, or refuses when None."""
    return ScreenVault(PersonAtAScreen("passphrase", text), secrets.token_bytes, CHEAP)


def screen_passkey_vault(text: str | None) -> Vault:
    """Return a vault whose person has one passkey for each text, or refuses when None."""
    return ScreenVault(PersonAtAScreen("passkey", text), secrets.token_bytes, CHEAP)


MakeVault = Callable[[str | None], Vault]


@pytest.fixture(params=[passphrase_vault, screen_passphrase_vault, screen_passkey_vault])
def vault_of(request: pytest.FixtureRequest) -> MakeVault:
    """Maker of the vault under test; its person verifies with a text, or refuses."""
    made: MakeVault = request.param
    return made


async def test_what_was_sealed_opens(vault_of: MakeVault) -> None:
    """The same person gets the same seed, as a secret that does not print itself."""
    sealed = await vault_of("correct horse").seal(SEED)
    opened = await vault_of("correct horse").open(sealed, REASON)
    assert opened == SEED
    assert "secret" in repr(opened)


async def test_the_seal_hides_the_seed(vault_of: MakeVault) -> None:
    """Neither the seed nor the passphrase is in the blob, and no two blobs are alike."""
    vault = vault_of("correct horse")
    first, second = await vault.seal(SEED), await vault.seal(SEED)
    assert first != second
    for sealed in (first, second):
        assert bytes(SEED) not in sealed
        assert b"correct horse" not in sealed


async def test_another_verification_opens_nothing(vault_of: MakeVault) -> None:
    """Malware that holds the blob but not the person's secret gets no seed."""
    sealed = await vault_of("correct horse").seal(SEED)
    with pytest.raises(VerificationError) as refused:
        await vault_of("battery staple").open(sealed, REASON)
    assert refused.value.code in ("passphrase-wrong", "passkey-wrong")
    assert refused.value.exit_status == 7


async def test_a_refusing_person_means_no_signature(vault_of: MakeVault) -> None:
    """Without verification the seed never appears, so nothing can be signed with it."""
    sealed = await vault_of("correct horse").seal(SEED)
    signatures: list[bytes] = []
    with pytest.raises(VerificationError) as refused:
        seed = await vault_of(None).open(sealed, REASON)
        signatures.append(provider().ed25519_sign(seed, b"certificate"))
    assert refused.value.code == "verification-refused"
    assert not signatures


async def test_each_changed_byte_is_noticed(vault_of: MakeVault) -> None:
    """A byte changed, added or cut off anywhere gives an error, never another seed."""
    vault = vault_of("correct horse")
    sealed = await vault.seal(SEED)
    changed = [
        sealed[:i] + bytes([sealed[i] ^ flip]) + sealed[i + 1 :]
        for i in range(len(sealed))
        for flip in (0x01, 0x80)
    ]
    changed += [sealed[:i] for i in range(len(sealed))] + [sealed + b"\0", sealed + sealed]
    for blob in changed:
        with pytest.raises((VerificationError, PlatformError)):
            await vault.open(blob, REASON)


async def test_the_person_reads_why() -> None:
    """The reason reaches the person word for word, once for each opening."""
    alice = Person("correct horse")
    vault = PassphraseVault(alice, secrets.token_bytes, CHEAP)
    sealed = await vault.seal(SEED)
    await vault.open(sealed, REASON)
    await vault.open(sealed, "Recover?")
    assert alice.asked[1:] == [REASON, "Recover?"]


async def test_one_passphrase_many_keyboards() -> None:
    """Composed, decomposed and wide characters are the same passphrase (NFKC)."""
    sealed = await passphrase_vault("caf\u00e9 \uff11\uff12\uff13").seal(SEED)
    assert await passphrase_vault("cafe\u0301 123").open(sealed, REASON) == SEED


async def test_a_second_spelling_of_the_blob_is_refused() -> None:
    """The array of seals has one spelling only."""
    sealed = await passphrase_vault("correct horse").seal(SEED)
    assert sealed[:2] == b"\x91\xc4"
    longer = b"\xdc\x00\x01" + sealed[1:]
    with pytest.raises(PlatformError) as refused:
        await passphrase_vault("correct horse").open(longer, REASON)
    assert refused.value.code == "seal-damaged"


async def test_seals_of_other_kinds_are_passed_over(vault_of: MakeVault) -> None:
    """Several seals may stand side by side; without one of its kind the vault says so."""
    vault = vault_of("correct horse")
    (own,) = codec.decode(await vault.seal(SEED), list[bytes], size_max=1024)
    assert await vault.open(codec.encode([b"\x07a security key", own]), REASON) == SEED
    with pytest.raises(VerificationError) as refused:
        await vault.open(codec.encode([b"\x07a security key"]), REASON)
    assert refused.value.code == "no-usable-seal"


@pytest.mark.parametrize("count", [0, 9])
async def test_the_number_of_seals_is_bounded(count: int) -> None:
    """None and too many are damage."""
    with pytest.raises(PlatformError):
        await passphrase_vault("correct horse").open(codec.encode([b"\x02"] * count), REASON)


@pytest.mark.parametrize(("memory_kib", "passes"), [(7, 1), (2**20 + 1, 1), (8, 0), (8, 17)])
async def test_a_damaged_cost_is_refused_before_it_is_paid(memory_kib: int, passes: int) -> None:
    """A changed blob can't make this device derive for an hour or take all its memory."""
    (seal,) = codec.decode(
        await passphrase_vault("correct horse").seal(SEED), list[bytes], size_max=1024
    )
    cost = memory_kib.to_bytes(4, "big") + passes.to_bytes(4, "big")
    with pytest.raises(PlatformError) as refused:
        open_secret(seal[:1] + cost + seal[9:], SecretBytes(b"x"), labels.PASSPHRASE_SEAL)
    assert refused.value.code == "seal-damaged"


async def test_the_seal_has_one_purpose() -> None:
    """A seal made for the account does not open as one for the database."""
    (seal,) = codec.decode(
        await passphrase_vault("correct horse").seal(SEED), list[bytes], size_max=1024
    )
    passphrase = passphrase_from_text("correct horse")
    assert open_secret(seal, passphrase, labels.PASSPHRASE_SEAL) == SEED
    with pytest.raises(UntetherError):
        open_secret(seal, passphrase, labels.DATABASE_KEY)


async def test_a_sealed_thing_of_another_length_is_no_seed() -> None:
    """Only 32 bytes are an account seed."""
    vault = passphrase_vault("correct horse")
    sealed = await vault.seal(SecretBytes(bytes(31)))
    with pytest.raises(PlatformError):
        await vault.open(sealed, REASON)


def test_the_product_pays_the_full_price() -> None:
    """Whoever names no cost gets at least 64 MiB and three passes."""
    assert Argon2Cost().memory_kib >= 64 * 1024
    assert Argon2Cost().passes >= 3
