"""Rows of claims about the own account that proof was asked for (spec 02, "Gossip")."""

from __future__ import annotations

from untether.device.store.database import Database


def ask_once(database: Database, peer: int, list_hash: bytes) -> bool:
    """Note that a device is asked to prove a list; False when it was asked for it already."""
    return (
        database.run(
            "INSERT INTO claims_asked VALUES (?1, ?2) ON CONFLICT (peer) DO UPDATE "
            "SET list_hash = ?2 WHERE list_hash <> ?2",
            peer,
            list_hash,
        )
        == 1
    )
