"""Rows of the own prekey pairs (spec 04, "Prekeys"); upkeep.py decides what is made when."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from untether.base.identifiers import UnixMillis
from untether.device.store.database import Database, row
from untether.protocol.pairwise.prekeys import PrekeyPairSecret, PrekeyType


class StoredPrekey(Struct, frozen=True):
    """A pair and where it stands; a rotating pair is retired once a newer one exists."""

    secret: PrekeyPairSecret
    uploaded: bool
    retired_at: UnixMillis | None


def add(database: Database, secret: PrekeyPairSecret) -> None:
    """Store a new pair before it leaves for the relay."""
    database.run(
        "INSERT INTO prekeys (id, type, secret, created_at, uploaded) VALUES (?, ?, ?, ?, 0)",
        secret.id,
        secret.type.value,
        secret.to_bytes(),
        secret.created_at,
    )


def find(database: Database, prekey_id: bytes, expected: PrekeyType) -> PrekeyPairSecret | None:
    """Return the pair with an id, if it is of the expected type and still there."""
    found = row(
        database,
        "SELECT secret FROM prekeys WHERE id = ? AND type = ?",
        prekey_id,
        expected.value,
    )
    return None if found is None else PrekeyPairSecret.from_bytes(found[0])


def delete(database: Database, prekey_id: bytes) -> None:
    """Delete a pair that was used, or is too old."""
    database.run("DELETE FROM prekeys WHERE id = ?", prekey_id)


def newest_rotating(database: Database) -> StoredPrekey | None:
    """Return the rotating pair in use."""
    found = row(
        database,
        "SELECT secret, uploaded, retired_at FROM prekeys WHERE type = ? AND retired_at IS NULL",
        PrekeyType.ROTATING.value,
    )
    if found is None:
        return None
    return StoredPrekey(PrekeyPairSecret.from_bytes(found[0]), bool(found[1]), found[2])


def retire_rotating(database: Database, now: UnixMillis) -> None:
    """A newer rotating pair takes over; the old one stays for mail on its way."""
    database.run(
        "UPDATE prekeys SET retired_at = ? WHERE type = ? AND retired_at IS NULL",
        now,
        PrekeyType.ROTATING.value,
    )


def delete_retired(database: Database, before: UnixMillis) -> None:
    """Delete rotating pairs retired before a time."""
    database.run("DELETE FROM prekeys WHERE retired_at < ?", before)


def not_uploaded(database: Database) -> list[PrekeyPairSecret]:
    """Return one-time pairs that the relay has not confirmed, oldest first."""
    return [
        PrekeyPairSecret.from_bytes(secret)
        for (secret,) in database.rows(
            "SELECT secret FROM prekeys WHERE type = ? AND uploaded = 0 ORDER BY created_at, id",
            PrekeyType.ONE_TIME.value,
        )
    ]


def count_one_time(database: Database) -> int:
    """Return how many one-time pairs are there, confirmed or not."""
    found = row(database, "SELECT count(*) FROM prekeys WHERE type = ?", PrekeyType.ONE_TIME.value)
    assert found is not None
    return int(found[0])


def mark_uploaded(database: Database, prekey_ids: Iterable[bytes]) -> None:
    """The relay has these pairs."""
    database.many(
        "UPDATE prekeys SET uploaded = 1 WHERE id = ?",
        [(prekey_id,) for prekey_id in prekey_ids],
    )


def delete_one_time(database: Database) -> None:
    """Delete all one-time pairs: they may have been used by a copy of this device."""
    database.run("DELETE FROM prekeys WHERE type = ?", PrekeyType.ONE_TIME.value)


def delete_all(database: Database) -> None:
    """Delete all pairs: this device has other keys now, and they were signed by the old ones."""
    database.run("DELETE FROM prekeys")


def remember_base_key(database: Database, prekey_id: bytes, base_key: bytes) -> None:
    """Remember which key a session was started with, as long as the last-resort pair lives."""
    database.run("INSERT INTO used_base_keys VALUES (?, ?)", prekey_id, base_key)


def base_key_used(database: Database, prekey_id: bytes, base_key: bytes) -> bool:
    """Tell whether a session was started with this key and the last-resort pair before."""
    found = row(
        database,
        "SELECT 1 FROM used_base_keys WHERE prekey_id = ? AND base_key = ?",
        prekey_id,
        base_key,
    )
    return found is not None
