"""Faults of the relay: lists, submissions, mailboxes, prekeys, logins, link desk (spec 08)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tests.attacks import defences
from tests.planted.fault import Fault, rule

from untether.adapters.storage.relay_memory_rows import MemoryRelayTransaction as Rows
from untether.base.identifiers import AccountId, DeviceAddress, UnixMillis
from untether.relay import (
    link_desk,
    list_requests,
    lists,
    login,
    mailbox,
    prekeys,
    requests,
    submission,
)
from untether.relay.outcome import Call, Decision, Effect, WatchSlot
from untether.relay.rows import AccountRow, DeviceRow, PrekeyRow, StoredEntry
from untether.relay.transaction import RelayTransaction
from untether.wire.client_frames import ClaimLinkSlot
from untether.wire.server_frames import LinkOffered

TESTS = "tests/unit/relay"


async def nothing(*_: object, **__: object) -> None:
    """Do nothing, and find nothing."""


async def nothing_known(*_: object) -> frozenset[bytes]:
    """Remember no id."""
    return frozenset()


async def always_one(_tx: RelayTransaction, _now: UnixMillis) -> int:
    """Number each start of the relay as the first."""
    return 1


async def same_pair_again(
    tx: RelayTransaction, target: DeviceAddress, _requester: AccountId, _now: UnixMillis
) -> PrekeyRow | None:
    """Hand a one-time pair out and keep it."""
    return await tx.first_one_time_prekey(target)


async def keep_entries(_tx: RelayTransaction, row: DeviceRow, _up_to: int) -> DeviceRow:
    """Take an acknowledgement and delete nothing."""
    return row


_delete_entries = mailbox.delete_entries


async def delete_everything(tx: RelayTransaction, row: DeviceRow, _up_to: int) -> DeviceRow:
    """Delete what was acknowledged, and all that came since."""
    return await _delete_entries(tx, row, row.last_number)


_entries = Rows.entries


async def newest_first(
    self: Rows, address: DeviceAddress, after: int, **bounds: int
) -> Sequence[StoredEntry]:
    """Deliver in the wrong order."""
    return [*reversed(await _entries(self, address, after, **bounds))]


_tell = lists._tell


async def tell_without_cut(
    tx: RelayTransaction, account: AccountRow, _gone: Iterable[DeviceAddress]
) -> tuple[Effect, ...]:
    """Tell an account of its new list; those who are no longer on it stay connected."""
    return await _tell(tx, account, ())


async def claim_again(tx: RelayTransaction, call: Call, request: ClaimLinkSlot) -> Decision:
    """Give a link slot to whoever asks, also to a second phone."""
    row = await link_desk._open_row(tx, request.slot_id, call.now)
    offer = await tx.slot_item(request.slot_id, link_desk.OFFER)
    assert offer is not None
    await tx.put_slot(row._replace(claimed_by=call.address))
    return Decision(LinkOffered(offer), (WatchSlot(request.slot_id),))


def same_number(row: DeviceRow, size: int) -> DeviceRow:
    """Count an entry, and give it the number of the one before."""
    return row._replace(entries=row.entries + 1, bytes=row.bytes + size)


def everything_present(newest: Any, name: str, resigned: Iterable[int]) -> AccountRow:
    """Sum a list up without those who have resigned from it."""
    del resigned
    return _account_row(newest, name, ())


_account_row = lists.account_row


FAULTS = (
    Fault(
        "stale-list-accepted",
        "the relay takes copies that were sealed for an older list",
        rule(submission, "is_newest", lambda *_: True),
        f"{TESTS}/test_relay_submission.py"
        "::test_without_the_head_comparison_a_new_device_is_missed",
    ),
    Fault(
        "missing-device-accepted",
        "the relay takes a message without a copy for every present device",
        rule(submission, "covers_devices", lambda *_: True),
        f"{TESTS}/test_relay_submission.py::test_an_incomplete_set_is_refused_and_its_twin_is_not",
    ),
    Fault(
        "submission-not-remembered",
        "the relay stores a repeated submission a second time",
        rule(Rows, "submission", nothing),
        f"{TESTS}/test_relay_submission.py"
        "::test_a_repeat_stores_nothing_and_is_accepted_at_the_same_time",
    ),
    Fault(
        "prekey-handed-out-twice",
        "a one-time prekey stays in the stock when it is handed out",
        rule(prekeys, "_take", same_pair_again),
    ),
    Fault(
        "used-prekeys-forgotten",
        "a repeated upload puts used one-time prekeys back",
        rule(Rows, "known_prekey_ids", nothing_known),
        "tests/unit/relay/test_relay_prekeys.py"
        "::test_a_repeated_upload_never_puts_a_used_pair_back",
    ),
    Fault(
        "mailbox-kept",
        "acknowledged mail stays in the mailbox",
        rule(mailbox, "delete_entries", keep_entries),
    ),
    Fault(
        "bodies-kept",
        "a body stays after its last reference is gone",
        rule(Rows, "release_bodies", nothing),
    ),
    Fault(
        "acknowledged-too-much",
        "an acknowledgement deletes also what came after its stamp",
        rule(mailbox, "delete_entries", delete_everything),
    ),
    Fault(
        "entry-number-returns",
        "two entries of a mailbox get the same number",
        rule(DeviceRow, "with_entry", same_number),
    ),
    Fault(
        "incarnation-returns",
        "a relay that was put back from a copy numbers its mail as before",
        rule(mailbox, "begin_incarnation", always_one),
        "tests/crashes/test_restored_relay.py::test_numbers_that_are_given_again_lose_nothing",
    ),
    Fault(
        "delivered-backwards",
        "a mailbox is delivered with the newest entry first",
        rule(Rows, "entries", newest_first),
        f"{TESTS}/test_relay_mailbox.py::test_delivery_reads_behind_a_stamp",
    ),
    Fault(
        "log-out-leaves-mail",
        "mailbox and prekeys of a logged-out device stay",
        rule(mailbox, "erase", nothing),
    ),
    Fault(
        "log-out-does-not-cut",
        "a logged-out device stays connected",
        rule(lists, "_tell", tell_without_cut),
        f"{TESTS}/test_relay_lists.py::test_a_log_out_erases_all_in_one_step",
    ),
    Fault(
        "resignation-forgotten",
        "a device that resigned is present again after the next list",
        rule(lists, "account_row", everything_present),
        f"{TESTS}/test_relay_lists.py::test_a_resignation_is_for_ever",
    ),
    Fault(
        "any-list-published",
        "the relay takes any signed list, whatever it holds already",
        defences.LIST_ORDER,
        f"{TESTS}/test_relay_lists.py::test_a_conflict_is_answered_with_what_is_missing",
    ),
    Fault(
        "login-unproven",
        "a login counts without its signature",
        rule(login, "verify_login", lambda *_: None),
        f"{TESTS}/test_relay_login.py::test_a_login_is_bound_to_its_connection_and_origin",
    ),
    Fault(
        "device-key-shared",
        "a device key may belong to two devices",
        rule(lists, "check_keys", nothing),
        f"{TESTS}/test_relay_accounts.py::test_a_device_key_belongs_to_one_device",
    ),
    Fault(
        "companion-without-prekeys",
        "a companion comes without the prekeys that others need to write to it",
        rule(list_requests, "_check_brings_prekeys", lambda *_: None),
        f"{TESTS}/test_relay_lists.py::test_a_new_companion_comes_with_its_prekeys",
    ),
    Fault(
        "link-slot-reused",
        "a second phone claims a link slot",
        rule(
            requests,
            "RULES",
            {
                **requests.RULES,
                ClaimLinkSlot: requests.RULES[ClaimLinkSlot]._replace(decide=claim_again),
            },
        ),
        f"{TESTS}/test_relay_link_desk.py::test_one_device_claims_a_slot",
    ),
    Fault(
        "prekeys-drained",
        "one account may claim all prekeys of a device",
        defences.CLAIM_LIMIT,
        "tests/attacks/test_prekey_attacks.py::test_nobody_drains_prekeys",
    ),
    Fault(
        "requests-unlimited",
        "names may be tried without a limit",
        defences.REQUEST_LIMITS,
        "tests/attacks/test_names.py::test_names_are_not_listed",
    ),
)
