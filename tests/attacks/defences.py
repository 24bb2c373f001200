"""The defences, by name, and the one way to switch one off for a twin.

A twin is the same attack without the defence: it must succeed, else the test of the defence
proves nothing about it.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

from untether.adapters.storage.sqlite_database import SqliteDatabase
from untether.base.identifiers import AccountId
from untether.base.limits import LIST_BODY_MAX
from untether.base.randomness import Randomness
from untether.crypto.native import NativeProvider
from untether.crypto.provider import AEAD_TAG_LENGTH
from untether.device import content_rules, fan_out, gaps, outbox, prekeys, senders
from untether.device.context import Context
from untether.device.senders import Sender
from untether.device.store import claims, inbox, messages, sessions
from untether.protocol.identity import certificate, device_list, list_rules
from untether.protocol.identity.lease import LeaseState
from untether.protocol.pairwise import prekeys as pairwise_prekeys
from untether.protocol.pairwise import ratchet, session_book
from untether.protocol.pairwise.parties import Party
from untether.protocol.pairwise.prekeys import PrekeyType, PublicPrekeyPair
from untether.protocol.pairwise.ratchet_state import Root, SendingChain
from untether.relay import prekeys as relay_prekeys
from untether.relay.budgets import Rate
from untether.wire import codec
from untether.wire.content import Content
from untether.wire.records import SignedPrekey


def nothing(*_: object, **__: object) -> None:
    """Stand in for a check."""


@dataclass(frozen=True)
class Defence:
    """One check of the product: where it stands, and what does not defend in its place."""

    owner: object
    name: str
    instead: object = nothing

    def switch_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put the stand-in there until the test ends."""
        monkeypatch.setattr(self.owner, self.name, self.instead)


def _decrypt_anything(
    _: NativeProvider, key: bytes, nonce: bytes, ciphertext: bytes, _associated: bytes
) -> bytes:
    """Run the stream cipher without its authenticator."""
    counter = (1).to_bytes(4, "little")
    cipher = Cipher(algorithms.ChaCha20(key, counter + nonce), mode=None)
    return cipher.decryptor().update(ciphertext[:-AEAD_TAG_LENGTH])


def _other_side_as_claimed(context: Context, _sender: Sender, content: Content) -> AccountId:
    low, high = content.conversation.low, content.conversation.high
    return high if low == context.own.account_id else low


_turn = ratchet._turn_sending


def _turn_by_what_is_there(
    root_key: bytes, peer_ratchet_key: bytes, sent: int, _: Randomness
) -> tuple[SendingChain, Root]:
    return _turn(root_key, peer_ratchet_key, sent, lambda length: root_key[:length])


def _unsigned_pair(signed: SignedPrekey, _owner: Party, _use: PrekeyType) -> PublicPrekeyPair:
    return codec.decode(signed.body, PublicPrekeyPair, size_max=LIST_BODY_MAX)


LIST_SIGNATURE = Defence(device_list, "check_signature")
CERTIFICATE_SIGNATURES = Defence(certificate, "check_signature")
LIST_ORDER = Defence(list_rules, "_step", lambda _current, following: following)
LEASE = Defence(fan_out, "lease_state", lambda *_: LeaseState.RUNNING)
CHECK_BEFORE_LEAVING = Defence(outbox, "is_outdated", lambda *_: False)
NO_WORD_TO_STRANGERS = Defence(senders, "is_stranger", lambda *_: False)
CLAIM_PAUSE = Defence(claims, "CLAIM_PAUSE_MS", 0)
AUTHENTICATION = Defence(NativeProvider, "aead_open", _decrypt_anything)
ONE_SAVEPOINT = Defence(SqliteDatabase, "savepoint", lambda _: nullcontext())
USED_KEYS_GO = Defence(sessions, "save_book")
SEEN_MARKS = Defence(inbox, "mark_seen", lambda *_: True)
CONVERSATION_OF_THE_SENDER = Defence(content_rules, "_other_side", _other_side_as_claimed)
COUNTERS = Defence(gaps, "heard")
ORDER_OF_MESSAGES = Defence(messages, "_ORDER", "row")
FRESH_RATCHET_KEYS = Defence(ratchet, "_turn_sending", _turn_by_what_is_there)
COPIES_ARE_TOLD = Defence(session_book, "_is_unexplained", lambda _: False)
PREKEYS_ROTATE = Defence(prekeys, "_rotate_if_due", lambda _: False)
PREKEY_SIGNATURE = Defence(pairwise_prekeys, "verify", _unsigned_pair)
CLAIM_LIMIT = Defence(relay_prekeys, "CLAIMS", Rate(1_000_000, 0.001))
