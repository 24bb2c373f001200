"""Rows of accounts: the pinned key and the newest verified list (spec 06, "Directory")."""

from __future__ import annotations

from functools import lru_cache

from msgspec import Struct

from untether.base.identifiers import AccountId, DeviceNumber, UnixMillis
from untether.device.store import heads
from untether.device.store.database import Database, Row, row
from untether.protocol.identity.device_list import DeviceList
from untether.wire import codec
from untether.wire.records import ListHead, SignedObject


class AccountRow(Struct, frozen=True):
    """What is held of one account; the list was verified when it was stored.

    ``claimed_at`` is since when claims are not settled, ``claim_raised_at`` when the furthest of
    them, ``claimed_head``, was made.
    """

    account_id: AccountId
    account_key: bytes
    relay_name: str
    signed_list: SignedObject
    claimed_head: ListHead | None
    claimed_at: UnixMillis | None
    claim_raised_at: UnixMillis | None
    lease_ended_at: UnixMillis | None
    forked: bool
    long_ended_asked: bool


def find(database: Database, account_id: AccountId) -> AccountRow | None:
    """Return the row of an account, or None when it is unknown."""
    found = row(
        database,
        "SELECT account_key, relay_name, list_body, list_signature, claimed_head, claimed_at, "
        "max(claimed_at, claim_raised_at), lease_ended_at, fork_evidence IS NOT NULL, "
        "long_ended_asked FROM accounts WHERE account_id = ?",
        account_id,
    )
    return None if found is None else _account_row(account_id, found)


@lru_cache(maxsize=256)
def _account_row(account_id: AccountId, found: Row) -> AccountRow:
    """Read a row; one input of the engine asks for the same account several times."""
    key, name, body, signature, claimed, claimed_at, raised_at, ended_at, forked, asked = found
    return AccountRow(
        account_id=account_id,
        account_key=key,
        relay_name=name,
        signed_list=SignedObject(body=body, signature=signature),
        claimed_head=heads.from_column(claimed),
        claimed_at=claimed_at,
        claim_raised_at=raised_at,
        lease_ended_at=ended_at,
        forked=bool(forked),
        long_ended_asked=bool(asked),
    )


def save_list(database: Database, device_list: DeviceList, relay_name: str) -> None:
    """Store a verified list as the newest of its account; people may be asked of it again."""
    signed = device_list.signed
    database.run(
        "INSERT INTO accounts (account_id, account_key, relay_name, list_body, list_signature) "
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT (account_id) DO UPDATE SET "
        "relay_name = excluded.relay_name, list_body = excluded.list_body, "
        "list_signature = excluded.list_signature, long_ended_asked = 0",
        device_list.account_id,
        device_list.account_key,
        relay_name,
        signed.body,
        signed.signature,
    )


def save_claim(
    database: Database,
    account_id: AccountId,
    head: ListHead,
    *,
    claimed_at: UnixMillis,
    raised_at: UnixMillis,
) -> None:
    """Remember the furthest list that was claimed, when it was, and since when any was."""
    database.run(
        "UPDATE accounts SET claimed_head = ?, claimed_at = ?, claim_raised_at = ? "
        "WHERE account_id = ?",
        heads.to_column(head),
        claimed_at,
        raised_at,
        account_id,
    )


def forget_claim(database: Database, account_id: AccountId) -> None:
    """Forget a claim that is settled."""
    database.run(
        "UPDATE accounts SET claimed_head = NULL, claimed_at = NULL, claim_raised_at = 0 "
        "WHERE account_id = ?",
        account_id,
    )


def count_claims_from(database: Database, account_id: AccountId, time: UnixMillis) -> None:
    """Let the patience count from ``time``: claims from before it are settled."""
    database.run("UPDATE accounts SET claimed_at = ? WHERE account_id = ?", time, account_id)


def end_lease(database: Database, account_id: AccountId, at: UnixMillis | None) -> None:
    """End the lease of the held list early (or let it count again with None)."""
    database.run("UPDATE accounts SET lease_ended_at = ? WHERE account_id = ?", at, account_id)


def mark_asked(database: Database, account_id: AccountId) -> None:
    """People were asked about an account whose phone has been silent for the longest lease."""
    database.run("UPDATE accounts SET long_ended_asked = 1 WHERE account_id = ?", account_id)


def save_fork(
    database: Database, account_id: AccountId, evidence: tuple[SignedObject, SignedObject] | None
) -> None:
    """Keep both lists of a fork as evidence, or forget them when a new generation ended it."""
    database.run(
        "UPDATE accounts SET fork_evidence = ? WHERE account_id = ?",
        None if evidence is None else codec.encode(evidence),
        account_id,
    )


def claims_before(database: Database, time: UnixMillis) -> list[AccountId]:
    """Return accounts whose claimed list was not served since before ``time``."""
    return [
        AccountId(account_id)
        for (account_id,) in database.rows(
            "SELECT account_id FROM accounts WHERE claimed_at < ? AND lease_ended_at IS NULL "
            "ORDER BY account_id",
            time,
        )
    ]


def save_resignation(database: Database, account_id: AccountId, device: DeviceNumber) -> None:
    """Remember for ever that a device has resigned."""
    database.run("INSERT OR IGNORE INTO resignations VALUES (?, ?)", account_id, device)


def resigned(database: Database, account_id: AccountId) -> frozenset[DeviceNumber]:
    """Return the resigned devices of an account."""
    found = database.rows("SELECT device FROM resignations WHERE account_id = ?", account_id)
    return frozenset(DeviceNumber(device) for (device,) in found)
