"""Rows of pairwise sessions (spec 04, "State"; spec 06, "Sessions").

The sending chains of the active sessions with all devices of an account are one packed row, so
that a fan-out writes one row per account. A session's own row holds the sending chain only
while the session is archived.
"""

from __future__ import annotations

from typing import NamedTuple

from untether.base.identifiers import AccountId, DeviceNumber, UnixMillis
from untether.base.limits import SKIPPED_KEYS_MAX
from untether.device.store.database import Database, row
from untether.protocol.pairwise.fan_out import pack_chain, unpack_chains
from untether.protocol.pairwise.ratchet import SkippedRun
from untether.protocol.pairwise.session import Session
from untether.protocol.pairwise.session_book import Sessions


class PeerKey(NamedTuple):
    """Where the sessions with a remote device are: its row, its account and its number."""

    row: int
    account_id: AccountId
    device: DeviceNumber


def load_book(database: Database, peer: PeerKey) -> Sessions:
    """Return the sessions with a device, the active one first."""
    found = database.rows(
        "SELECT id, sending, receiving, cold FROM sessions WHERE peer = ? ORDER BY place",
        peer.row,
    )
    if not found:
        return ()
    active = load_chains(database, peer.account_id)[peer.device]
    return tuple(
        Session(session_id, sending or active, receiving, cold)
        for session_id, sending, receiving, cold in found
    )


def save_book(
    database: Database, peer: PeerKey, before: Sessions, after: Sessions, dropped: tuple[bytes, ...]
) -> None:
    """Write what changed; dropped sessions go with all their skipped keys."""
    for session_id in dropped:
        database.run("DELETE FROM sessions WHERE peer = ? AND id = ?", peer.row, session_id)
        database.run("DELETE FROM skipped_keys WHERE session_id = ?", session_id)
    for place, session in enumerate(after):
        if place < len(before) and before[place] is session:
            continue
        database.run(
            "INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?, ?, ?)",
            peer.row,
            session.id,
            place,
            session.sending if place else b"",
            session.receiving,
            session.cold,
        )
    if after and (not before or before[0].sending != after[0].sending):
        chains = load_chains(database, peer.account_id)
        chains[peer.device] = after[0].sending
        _save_chains(database, peer.account_id, chains)


def load_packed(database: Database, account_id: AccountId) -> bytes:
    """Return the packed sending chains of an account, empty when there are none."""
    found = row(database, "SELECT packed FROM sending_chains WHERE account_id = ?", account_id)
    return b"" if found is None else found[0]


def load_chains(database: Database, account_id: AccountId) -> dict[DeviceNumber, bytes]:
    """Return the sending chains of an account by device."""
    return unpack_chains(load_packed(database, account_id))


def save_packed(database: Database, account_id: AccountId, packed: bytes) -> None:
    """Store the packed sending chains of an account."""
    database.run("INSERT OR REPLACE INTO sending_chains VALUES (?, ?)", account_id, packed)


def unanswered(database: Database, account_id: AccountId) -> dict[DeviceNumber, Session]:
    """Return active sessions that wait for a first answer: their prefix goes with each message."""
    chains = load_chains(database, account_id)
    return {
        DeviceNumber(device): Session(session_id, chains[DeviceNumber(device)], b"", cold)
        for device, session_id, cold in database.rows(
            "SELECT device, id, cold FROM sessions JOIN peers USING (peer) "
            "WHERE account_id = ? AND place = 0 AND receiving = x'' AND removed_at IS NULL",
            account_id,
        )
    }


def delete_removed(database: Database) -> None:
    """Delete all sessions with devices that were removed from their accounts."""
    for peer, account_id, device in database.rows(
        "SELECT DISTINCT peer, account_id, device FROM peers JOIN sessions USING (peer) "
        "WHERE removed_at IS NOT NULL ORDER BY peer"
    ):
        delete_with(database, PeerKey(peer, AccountId(account_id), DeviceNumber(device)))


def delete_with(database: Database, peer: PeerKey) -> None:
    """Delete all sessions with one device, and their skipped keys."""
    database.run(
        "DELETE FROM skipped_keys WHERE session_id IN (SELECT id FROM sessions WHERE peer = ?)",
        peer.row,
    )
    database.run("DELETE FROM sessions WHERE peer = ?", peer.row)
    chains = load_chains(database, peer.account_id)
    chains.pop(peer.device, None)
    _save_chains(database, peer.account_id, chains)


def delete_all(database: Database) -> None:
    """Delete all sessions with everybody: this device has other keys now."""
    for table in ("sessions", "sending_chains", "skipped_keys"):
        database.run(f"DELETE FROM {table}")  # noqa: S608 (constant names)


def find_skipped(
    database: Database, session_id: bytes, ratchet_key: bytes, number: int
) -> bytes | None:
    """Return a skipped message key, empty when it was deleted unused, None when never skipped."""
    found = row(
        database,
        "SELECT key FROM skipped_keys WHERE session_id = ? AND ratchet_key = ? AND number = ?",
        session_id,
        ratchet_key,
        number,
    )
    return None if found is None else found[0]


def add_skipped(database: Database, session_id: bytes, run: SkippedRun, now: UnixMillis) -> None:
    """Keep keys of messages that have not come; beyond the limit the oldest are emptied."""
    database.many(
        "INSERT OR REPLACE INTO skipped_keys VALUES (?, ?, ?, ?, ?)",
        [
            (session_id, run.ratchet_key, run.first + offset, key, now)
            for offset, key in enumerate(run.keys)
        ],
    )
    database.run(
        "UPDATE skipped_keys SET key = x'' WHERE session_id = ?1 AND key <> x'' AND "
        "(ratchet_key, number) IN (SELECT ratchet_key, number FROM skipped_keys "
        "WHERE session_id = ?1 AND key <> x'' "
        "ORDER BY skipped_at DESC, number DESC LIMIT -1 OFFSET ?2)",
        session_id,
        SKIPPED_KEYS_MAX,
    )


def use_skipped(database: Database, session_id: bytes, ratchet_key: bytes, number: int) -> None:
    """Delete a skipped key that opened its message."""
    database.run(
        "DELETE FROM skipped_keys WHERE session_id = ? AND ratchet_key = ? AND number = ?",
        session_id,
        ratchet_key,
        number,
    )


def forget_chain(database: Database, session_id: bytes, ratchet_key: bytes) -> None:
    """Delete the skipped keys of a chain that is too old to be opened."""
    database.run(
        "DELETE FROM skipped_keys WHERE session_id = ? AND ratchet_key = ?",
        session_id,
        ratchet_key,
    )


def empty_skipped(database: Database, before: UnixMillis) -> None:
    """Delete skipped keys that waited too long; an empty one tells that it existed."""
    database.run("UPDATE skipped_keys SET key = x'' WHERE skipped_at < ? AND key <> x''", before)


def _save_chains(
    database: Database, account_id: AccountId, chains: dict[DeviceNumber, bytes]
) -> None:
    packed = b"".join(pack_chain(device, chain) for device, chain in sorted(chains.items()))
    save_packed(database, account_id, packed)
