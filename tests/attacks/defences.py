"""The defences, by name, and the one way to switch one off for a twin.

A twin is the same attack without the defence: it must succeed, else the test of the defence
proves nothing about it.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import NamedTuple

import pytest
from tests.attacks import stand_ins

from untether.adapters.storage.sqlite_database import SqliteDatabase
from untether.crypto.native import NativeProvider
from untether.device import (
    contacts,
    content_rules,
    directory,
    fan_out,
    gaps,
    membership,
    outbox,
    outgoing,
    own_account,
    prekeys,
    senders,
)
from untether.device.store import accounts, claims, inbox, messages, peers, sessions
from untether.protocol.identity import certificate, device_list, list_rules, security_code, signing
from untether.protocol.identity.lease import LeaseState
from untether.protocol.linking import phone
from untether.protocol.pairwise import prekeys as pairwise_prekeys
from untether.protocol.pairwise import ratchet, session_book
from untether.relay import prekeys as relay_prekeys
from untether.relay.budgets import Budgets, Rate


class Place(NamedTuple):
    """Where a defence stands, and what stands there without it."""

    owner: object
    name: str
    instead: object = stand_ins.nothing


class Defence:
    """One defence of the product, in all places where it stands."""

    def __init__(self, *places: Place) -> None:
        self.places = places

    def switch_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put the stand-ins there until the test ends."""
        for owner, name, instead in self.places:
            monkeypatch.setattr(owner, name, instead)


# --- Identity (spec 02) -------------------------------------------------------------------
CERTIFICATE_SIGNATURES = Defence(Place(certificate, "check_signature"))
LIST_SIGNATURE = Defence(Place(device_list, "check_signature"))
LIST_ORDER = Defence(Place(list_rules, "_step", lambda _current, following: following))
LEASE = Defence(Place(fan_out, "lease_state", lambda *_: LeaseState.RUNNING))
FINGERPRINTS = Defence(Place(security_code, "account_fingerprint", lambda _: bytes(32)))
CLAIMS_HAVE_THEIR_OWN_TIME = Defence(
    Place(accounts, "save_claim", stand_ins.claim_as_old_as_the_first)
)
NAMES_ARE_PINNED = Defence(Place(contacts, "_pin", stand_ins.point_to_whomever))
ONE_NAME = Defence(Place(contacts, "_check_has_no_other_name"))
LINKS_ARE_TOLD = Defence(Place(own_account, "_notice_changes"), Place(directory, "_tell_change"))
LISTS_LOG_OUT = Defence(Place(membership, "is_present", lambda _: False))
SILENT_ANSWERS_ARE_FEW = Defence(
    Place(claims, "CLAIM_PAUSE_MS", 0),
    Place(peers, "count_request", lambda *_: 0),
    Place(peers, "count_asked", lambda *_: 0),
)
LABELS = Defence(
    Place(signing, "sign", stand_ins.sign_without_label),
    Place(signing, "check_signature", stand_ins.check_without_label),
)

# --- Cryptography (spec 01) ---------------------------------------------------------------
AUTHENTICATION = Defence(Place(NativeProvider, "aead_open", stand_ins.decrypt_anything))
SEALS = Defence(
    Place(NativeProvider, "aead_seal", stand_ins.seal_nothing),
    Place(NativeProvider, "aead_open", stand_ins.open_nothing),
)
CANONICAL_SIGNATURES = Defence(
    Place(NativeProvider, "ed25519_verify", stand_ins.verify_any_spelling)
)

# --- Linking (spec 03) --------------------------------------------------------------------
OFFERS_END = Defence(Place(phone, "check_offer_time"))

# --- Sessions (spec 04) -------------------------------------------------------------------
PREKEY_SIGNATURE = Defence(Place(pairwise_prekeys, "verify", stand_ins.unsigned_pair))
PREKEYS_ROTATE = Defence(Place(prekeys, "_rotate_if_due", lambda _: False))
FRESH_RATCHET_KEYS = Defence(Place(ratchet, "_turn_sending", stand_ins.turn_by_what_is_there))
COPIES_ARE_TOLD = Defence(Place(session_book, "_is_unexplained", lambda *_: False))

# --- Messages, and their way in (spec 05, 07) ---------------------------------------------
CHECK_BEFORE_LEAVING = Defence(Place(outbox, "is_outdated", lambda *_: False))
NO_COMPRESSION = Defence(Place(outgoing, "seal_body", stand_ins.compressed_body))
ONE_SAVEPOINT = Defence(Place(SqliteDatabase, "savepoint", lambda _: nullcontext()))
USED_KEYS_GO_AND_IDS_STAY = Defence(
    Place(sessions, "save_book"), Place(inbox, "mark_seen", lambda *_: True)
)
CONVERSATION_OF_THE_SENDER = Defence(
    Place(content_rules, "_other_side", stand_ins.other_side_as_claimed)
)
COUNTERS = Defence(Place(gaps, "heard"))
ORDER_OF_MESSAGES = Defence(Place(messages, "_ORDER", "row"))
NO_WORD_TO_STRANGERS = Defence(Place(senders, "is_stranger", lambda *_: False))

# --- Relay (spec 08) ----------------------------------------------------------------------
CLAIM_LIMIT = Defence(Place(relay_prekeys, "CLAIMS", Rate(1_000_000, 0.001)))
REQUEST_LIMITS = Defence(Place(Budgets, "take", lambda *_: 0))
