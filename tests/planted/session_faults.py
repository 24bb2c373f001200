"""Faults of identity, linking and sessions (spec 02 to 05)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tests.attacks import defences
from tests.attacks.defences import Defence, Place
from tests.attacks.stand_ins import nothing
from tests.planted.fault import Fault, rule

from untether.base import base32
from untether.base.randomness import Randomness
from untether.base.secret_bytes import SecretBytes
from untether.crypto import hashes
from untether.device import outgoing, sessions
from untether.device.store import prekeys as prekey_rows
from untether.device.store import sessions as session_rows
from untether.protocol import body
from untether.protocol.body import SealedBody
from untether.protocol.identity import list_rules, recovery_code
from untether.protocol.identity.keys import SEED_LENGTH
from untether.protocol.linking import offer, phone
from untether.protocol.pairwise import fan_out, ratchet, session_book

PAIRWISE = "tests/unit/pairwise"
LINKING = "tests/unit/linking"
IDENTITY = "tests/unit/identity"
TALKS = "tests/conversations"

_seal_body = body.seal_body
_seal_for_devices = fan_out.seal_for_devices


def zeros(length: int) -> bytes:
    """Draw what everybody can guess."""
    return bytes(length)


def body_with_known_key(plaintext: bytes, _: Randomness) -> SealedBody:
    """Seal every body under one key."""
    return _seal_body(plaintext, zeros)


def chains_as_before(
    packed: bytes, payload: bytes, associated: bytes, randomness: Randomness
) -> tuple[bytes, list[bytes]]:
    """Seal, and store the chains as they were."""
    _, messages = _seal_for_devices(packed, payload, associated, randomness)
    return packed, messages


def nonce_of_zeros(
    packed: bytes, payload: bytes, associated: bytes, _: Randomness
) -> tuple[bytes, list[bytes]]:
    """Seal everything under the same nonce."""
    return _seal_for_devices(packed, payload, associated, zeros)


def newest_start_last(sessions_: Any, new: Any) -> tuple[Any, tuple[bytes, ...]]:
    """Make whatever started last the active session, whoever agrees."""
    return (new, *sessions_), ()


def without_checksum(letters: str) -> SecretBytes:
    """Read a recovery code and believe it."""
    return SecretBytes(base32.decode(letters)[:SEED_LENGTH])


FAULTS = (
    # --- identity -------------------------------------------------------------------------
    Fault(
        "certificate-unsigned",
        "a device certificate counts without its signatures",
        defences.CERTIFICATE_SIGNATURES,
        "tests/attacks/test_ghost_devices.py::test_a_ghost_gets_no_copy",
    ),
    Fault(
        "list-unsigned",
        "a device list counts without the phone's signature",
        defences.LIST_SIGNATURE,
        f"{IDENTITY}/test_identity_defences.py",
    ),
    Fault(
        "list-order-unchecked",
        "an older list, of a lower version or generation, replaces a newer one",
        defences.LIST_ORDER,
        "tests/attacks/test_stale_lists.py::test_no_older_list_is_taken",
    ),
    Fault(
        "fork-unnoticed",
        "two lists for one place in the order are no fork",
        rule(list_rules, "_check_same_generation", nothing),
        f"{IDENTITY}/test_lists_in_use.py::test_a_fork_keeps_both_lists_as_evidence",
    ),
    Fault(
        "device-number-returns",
        "a removed device number may be listed again",
        rule(list_rules, "_check_devices", nothing),
        "tests/vectors/test_device_list_vectors.py::test_bad_runs_are_refused_with_their_error",
    ),
    Fault(
        "list-from-the-future",
        "a list that was issued ahead of the clock is believed",
        rule(list_rules, "_check_clock", nothing),
        f"{IDENTITY}/test_lists_in_use.py",
    ),
    Fault(
        "lease-ignored",
        "companions get copies for ever, whoever renews the list",
        defences.LEASE,
        "tests/attacks/test_stale_lists.py::test_a_withheld_log_out_ends_with_the_lease",
    ),
    Fault(
        "recovery-code-unchecked",
        "a mistyped recovery code is taken for another account key",
        rule(recovery_code, "_checked", without_checksum),
        "tests/vectors/test_recovery_code_vectors.py",
    ),
    # --- linking --------------------------------------------------------------------------
    Fault(
        "offer-swapped",
        "the scanned code does not fix the offer",
        rule(offer, "check_offer_hash", nothing),
        f"{LINKING}/test_link_attacks.py::test_offer_of_the_photographer_is_refused",
    ),
    Fault(
        "old-offer-taken",
        "a link code never ends",
        defences.OFFERS_END,
        "tests/attacks/test_link_phishing.py::test_an_old_code_links_nobody",
    ),
    Fault(
        "fifth-companion",
        "a phone links one companion more than an account may have",
        rule(phone, "check_limit", nothing),
        f"{LINKING}/test_link_both_ends.py"
        "::test_fifth_companion_is_refused_at_the_scan_and_at_the_approval",
    ),
    # --- sessions -------------------------------------------------------------------------
    Fault(
        "prekey-unsigned",
        "a prekey counts without the device's signature",
        defences.PREKEY_SIGNATURE,
        "tests/attacks/test_prekey_attacks.py::test_no_session_starts_with_changed_prekeys",
    ),
    Fault(
        "one-time-prekey-kept",
        "the private half of a used one-time prekey stays",
        rule(prekey_rows, "delete", nothing),
    ),
    Fault(
        "message-key-used-twice",
        "the sending chains are stored as they were before the seal",
        rule(sessions, "seal_for_devices", chains_as_before),
    ),
    Fault(
        "nonce-repeated",
        "every message is sealed under the same nonce",
        rule(sessions, "seal_for_devices", nonce_of_zeros),
    ),
    Fault(
        "skipped-key-kept",
        "a skipped message key stays after it opened its message",
        rule(session_rows, "use_skipped", nothing),
        f"{TALKS}/test_late_mail.py::test_the_key_of_a_late_message_goes_with_it",
    ),
    Fault(
        "skipped-keys-unbounded",
        "skipped message keys are kept without a limit",
        rule(session_rows, "SKIPPED_KEYS_MAX", 10**9),
        f"{TALKS}/test_late_mail.py::test_keys_of_late_messages_are_bounded",
    ),
    Fault(
        "skipped-keys-lost",
        "keys of messages that come late are not kept",
        rule(session_rows, "add_skipped", nothing),
    ),
    Fault(
        "jumps-unbounded",
        "a message may make its reader take any number of steps",
        Defence(
            Place(ratchet, "CHAIN_JUMP_MAX", 10**9),
            Place(session_book, "TRIAL_STEPS_MAX", 10**9),
        ),
        f"{PAIRWISE}/test_ratchet.py::test_the_largest_jump",
    ),
    Fault(
        "ratchet-stands-still",
        "a turn of the ratchet draws no new key",
        defences.FRESH_RATCHET_KEYS,
        "tests/attacks/test_stolen_state.py::test_a_copy_reads_nothing_after_the_next_talk",
    ),
    Fault(
        "last-start-wins",
        "sessions have no order that both ends agree on, and no limit",
        rule(session_book, "_admit", newest_start_last),
        f"{PAIRWISE}/test_session_book.py",
    ),
    # --- bodies ---------------------------------------------------------------------------
    Fault(
        "body-hash-unchecked",
        "a body may be swapped by whoever knows its key",
        rule(body, "hash_body", lambda _: bytes(32)),
        f"{PAIRWISE}/test_sealed_body.py::test_who_knows_the_key_cannot_swap_the_body",
    ),
    Fault(
        "body-uncommitted",
        "a body opens under whatever key its cipher takes, hash and commitment unseen",
        rule(body, "hashes", SimpleNamespace(**{**vars(hashes), "equal": lambda *_: True})),
        f"{PAIRWISE}/test_sealed_body.py::test_one_body_cannot_be_opened_with_two_keys",
    ),
    Fault(
        "body-key-reused",
        "every body is sealed under the same key",
        rule(outgoing, "seal_body", body_with_known_key),
    ),
)
