"""What stands in for a defence that is switched off: as little as still works."""

from __future__ import annotations

import zlib

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

from untether.base.identifiers import AccountId, UnixMillis
from untether.base.limits import LIST_BODY_MAX
from untether.base.randomness import Randomness
from untether.crypto.native import NativeProvider
from untether.crypto.provider import AEAD_TAG_LENGTH
from untether.device.context import Context
from untether.device.senders import Sender
from untether.device.store import accounts
from untether.device.store import contacts as contact_rows
from untether.device.store.database import Database
from untether.protocol.body import SealedBody, seal_body
from untether.protocol.identity import signing
from untether.protocol.pairwise import ratchet
from untether.protocol.pairwise.parties import Party
from untether.protocol.pairwise.prekeys import PrekeyType, PublicPrekeyPair
from untether.protocol.pairwise.ratchet_state import Root, SendingChain
from untether.wire import codec
from untether.wire.content import Content
from untether.wire.records import ListHead, SignedPrekey


def nothing(*_: object, **__: object) -> None:
    """Stand in for a check."""


def decrypt_anything(
    _: NativeProvider, key: bytes, nonce: bytes, ciphertext: bytes, _associated: bytes
) -> bytes:
    """Run the stream cipher without its authenticator."""
    counter = (1).to_bytes(4, "little")
    cipher = Cipher(algorithms.ChaCha20(key, counter + nonce), mode=None)
    return cipher.decryptor().update(ciphertext[:-AEAD_TAG_LENGTH])


def other_side_as_claimed(context: Context, _sender: Sender, content: Content) -> AccountId:
    """Take the conversation that a content names, whoever sent it."""
    low, high = content.conversation.low, content.conversation.high
    return high if low == context.own.account_id else low


_turn = ratchet._turn_sending


def turn_by_what_is_there(
    root_key: bytes, peer_ratchet_key: bytes, sent: int, _: Randomness
) -> tuple[SendingChain, Root]:
    """Turn the ratchet without drawing a new key."""
    return _turn(root_key, peer_ratchet_key, sent, lambda length: root_key[:length])


def unsigned_pair(signed: SignedPrekey, _owner: Party, _use: PrekeyType) -> PublicPrekeyPair:
    """Take a prekey pair on the word of who hands it out."""
    return codec.decode(signed.body, PublicPrekeyPair, size_max=LIST_BODY_MAX)


def point_to_whomever(context: Context, name: str, account: AccountId) -> AccountId:
    """Let a name mean the account that the relay gives now."""
    if contact_rows.by_name(context.database, name) is None:
        contact_rows.add(context.database, name, account, context.now)
    contact_rows.repoint(context.database, name, account)
    return account


_save_claim = accounts.save_claim


def claim_as_old_as_the_first(
    database: Database,
    account: AccountId,
    head: ListHead,
    *,
    claimed_at: UnixMillis,
    raised_at: UnixMillis,
) -> None:
    """Remember of all claims the time of the first alone."""
    _save_claim(database, account, head, claimed_at=claimed_at, raised_at=claimed_at)


_sign, _check_signature = signing.sign, signing.check_signature


def sign_without_label(seed: bytes, _label: bytes, *parts: bytes) -> bytes:
    """Sign the bytes alone."""
    return _sign(seed, b"", *parts)


def check_without_label(
    key: bytes, signature: bytes, _label: bytes, *parts: bytes, code: str
) -> None:
    """Verify the bytes alone."""
    _check_signature(key, signature, b"", *parts, code=code)


def compressed_body(plaintext: bytes, randomness: Randomness) -> SealedBody:
    """Seal less where something repeats."""
    return seal_body(zlib.compress(plaintext, 9), randomness)


_verify = NativeProvider.ed25519_verify
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493


def verify_any_spelling(
    self: NativeProvider, public: bytes, message: bytes, signature: bytes
) -> None:
    """Reduce the scalar first, as lenient verifiers do."""
    scalar = int.from_bytes(signature[32:], "little") % GROUP_ORDER
    _verify(self, public, message, signature[:32] + scalar.to_bytes(32, "little"))


def seal_nothing(
    _: NativeProvider, _key: bytes, _nonce: bytes, plaintext: bytes, _associated: bytes
) -> bytes:
    """Leave the text as it is, with room for a tag."""
    return plaintext + bytes(AEAD_TAG_LENGTH)


def open_nothing(
    _: NativeProvider, _key: bytes, _nonce: bytes, ciphertext: bytes, _associated: bytes
) -> bytes:
    """Read what :func:`seal_nothing` left."""
    return ciphertext[:-AEAD_TAG_LENGTH]
