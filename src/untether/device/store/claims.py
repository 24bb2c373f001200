"""Rows of what is said about claimed lists, and when (spec 02, "Gossip")."""

from __future__ import annotations

from typing import Literal

from untether.base.identifiers import UnixMillis
from untether.base.limits import CLAIM_PAUSE_MS
from untether.device.store.database import Database, row


def ask_once(database: Database, peer: int, list_hash: bytes, now: UnixMillis) -> bool:
    """Note that a device is asked to prove a list; False when it was, or was asked just now."""
    asked = row(database, "SELECT list_hash FROM claims_asked WHERE peer = ?", peer)
    if asked == (list_hash,) or not may_say(database, peer, "question", now):
        return False
    database.run("INSERT OR REPLACE INTO claims_asked VALUES (?, ?)", peer, list_hash)
    return True


def may_say(
    database: Database, peer: int, kind: Literal["question", "evidence"], now: UnixMillis
) -> bool:
    """Note that something is said to a device; False when that was said to it just now."""
    changed = database.run(
        "INSERT INTO claims_said VALUES (?1, ?2, ?3) ON CONFLICT (peer, kind) DO UPDATE "
        "SET said_at = ?3 WHERE abs(?3 - said_at) >= ?4",
        peer,
        kind,
        now,
        CLAIM_PAUSE_MS,
    )
    return changed == 1
