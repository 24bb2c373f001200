"""Rows of what this device sent, for those who can't open it (spec 10, "Answering")."""

from __future__ import annotations

from collections.abc import Iterable
from struct import iter_unpack, pack

from msgspec import Struct

from untether.base.identifiers import MessageId, UnixMillis
from untether.base.limits import KEPT_SENT_BYTES_MAX, KEPT_SENT_MAX
from untether.device.store.database import Database, row

_PEER = ">Q"


class Sent(Struct, frozen=True):
    """A message with its encoded content, and the peers that were in its device set."""

    row: int
    content: bytes
    devices: frozenset[int]


def keep(
    database: Database,
    message_id: MessageId,
    content: bytes,
    devices: Iterable[int],
    now: UnixMillis,
) -> None:
    """Keep a message that was sealed for some peers; beyond the limit the oldest go."""
    found = row(database, "SELECT devices FROM sent WHERE message_id = ?", message_id)
    if found is not None:
        packed = _pack(_unpack(found[0]) | {*devices})
        database.run("UPDATE sent SET devices = ? WHERE message_id = ?", packed, message_id)
        return
    database.run(
        "INSERT INTO sent (message_id, content, devices, sent_at) VALUES (?, ?, ?, ?)",
        message_id,
        content,
        _pack({*devices}),
        now,
    )
    database.run("DELETE FROM sent WHERE row <= (SELECT max(row) FROM sent) - ?", KEPT_SENT_MAX)


def find(database: Database, message_id: MessageId) -> Sent | None:
    """Return a message that is kept, or None."""
    found = row(database, "SELECT row, content, devices FROM sent WHERE message_id = ?", message_id)
    return None if found is None else Sent(found[0], found[1], _unpack(found[2]))


def count_answer(database: Database, sent: int, peer: int) -> int:
    """Count one more answer with a message to a peer; return how many there are now."""
    database.run(
        "INSERT INTO sent_again VALUES (?, ?, 1) "
        "ON CONFLICT (sent, peer) DO UPDATE SET answers = answers + 1",
        sent,
        peer,
    )
    found = row(database, "SELECT answers FROM sent_again WHERE sent = ? AND peer = ?", sent, peer)
    assert found is not None
    return int(found[0])


def forget(database: Database, before: UnixMillis) -> None:
    """Forget what was sent before then, and the oldest of what is too much in all."""
    database.run("DELETE FROM sent WHERE sent_at < ?", before)
    database.run(
        "DELETE FROM sent WHERE row <= (SELECT max(row) FROM (SELECT row, "
        "sum(length(content)) OVER (ORDER BY row DESC) AS total FROM sent) WHERE total > ?)",
        KEPT_SENT_BYTES_MAX,
    )


def _pack(devices: set[int] | frozenset[int]) -> bytes:
    return b"".join(pack(_PEER, peer) for peer in sorted(devices))


def _unpack(packed: bytes) -> frozenset[int]:
    return frozenset(peer for (peer,) in iter_unpack(_PEER, packed))
