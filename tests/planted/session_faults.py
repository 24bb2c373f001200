"""Faults of sessions and bodies (spec 04, 05)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tests.attacks import defences
from tests.attacks.defences import Defence, Place
from tests.attacks.stand_ins import nothing
from tests.planted.fault import Fault, rule

from untether.base.randomness import Randomness
from untether.crypto import hashes
from untether.device import outgoing, sessions
from untether.device.store import prekeys as prekey_rows
from untether.device.store import sessions as session_rows
from untether.protocol import body
from untether.protocol.body import SealedBody
from untether.protocol.pairwise import fan_out, ratchet, session_book

PAIRWISE = "tests/unit/pairwise"
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


FAULTS = (
    # --- sessions -------------------------------------------------------------------------
    Fault(
        "prekey-unsigned",
        "a prekey counts without the device's signature",
        defences.PREKEY_SIGNATURE,
        "tests/attacks/test_prekey_attacks.py::test_no_session_starts_with_changed_prekeys",
    ),
    Fault(
        "prekeys-never-replaced",
        "the rotating prekey stays for ever",
        defences.PREKEYS_ROTATE,
        "tests/attacks/test_stolen_state.py"
        "::test_a_stolen_disk_speaks_for_others_for_three_weeks_at_most",
    ),
    Fault(
        "replaced-prekey-kept",
        "the private half of a replaced prekey stays",
        rule(prekey_rows, "delete_retired", nothing),
        f"{TALKS}/test_starting_sessions.py::test_replaced_prekeys_are_deleted",
    ),
    Fault(
        "start-repeated",
        "a first message without a one-time prekey may be repeated",
        rule(prekey_rows, "base_key_used", lambda *_: False),
        f"{TALKS}/test_starting_sessions.py::test_a_start_without_a_one_time_pair_is_not_repeated",
    ),
    Fault(
        "copies-untold",
        "a session that starts anew without a cause is no sign of a copy",
        defences.COPIES_ARE_TOLD,
        "tests/attacks/test_stolen_state.py::test_a_copy_that_speaks_gives_itself_away",
    ),
    Fault(
        "every-start-suspected",
        "every session that starts anew is a sign of a copy",
        rule(session_book, "_is_unexplained", lambda sessions_, *_: bool(sessions_)),
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
        f"{TALKS}/test_late_mail.py::test_the_key_of_a_late_message_goes_with_it",
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
        f"{PAIRWISE}/test_session_book.py::test_crossing_starts_end_on_the_smaller_base_key",
    ),
    Fault(
        "cipher-without-authentication",
        "a changed ciphertext is opened",
        defences.AUTHENTICATION,
        "tests/attacks/test_forged_mail.py::test_no_changed_bit_passes",
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
