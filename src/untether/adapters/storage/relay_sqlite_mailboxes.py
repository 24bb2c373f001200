"""Mailbox rows of the relay in SQLite (spec 08, "Storage").

These statements run for every message. Each is prepared once and finds its rows by primary key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import apsw

from untether.base.identifiers import AccountId, DeviceAddress, DeviceNumber, UnixMillis
from untether.relay.rows import (
    DeviceRow,
    EntryRow,
    RemovedEntries,
    SenderLoad,
    StoredEntry,
    SubmissionKey,
)

_KEPT_DEVICES_MAX: Final = 20_000
"""Some 10 MiB."""
_PUT_DEVICE: Final = """
    INSERT INTO devices VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (account_id, device) DO UPDATE SET incarnation = excluded.incarnation,
    last_number = excluded.last_number, entries = excluded.entries,
    bytes = excluded.bytes, dropped = excluded.dropped,
    dropped_up_to = excluded.dropped_up_to, login_counter = excluded.login_counter,
    last_active_at = excluded.last_active_at"""


class SqliteStatements:
    """Runs statements on one connection; ``writes`` counts those that change something.

    There is one cursor, so each statement ends the one before, and ``control`` the last one.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._cursor = connection.cursor()
        self.writes = 0

    def control(self, sql: str) -> None:
        """Begin or end a transaction."""
        self._cursor.execute(sql)

    def _row(self, sql: str, values: Sequence[Any]) -> Any:
        return self._cursor.execute(sql, values).fetchone()

    def _rows(self, sql: str, values: Sequence[Any]) -> list[Any]:
        return self._cursor.execute(sql, values).fetchall()

    def _write(self, sql: str, values: Sequence[Any]) -> None:
        """Run a statement to its end."""
        self.writes += 1
        self._cursor.execute(sql, values)

    def _delete(self, sql: str, values: Sequence[Any]) -> int:
        """Run a deletion to its end; returns how many rows it deleted."""
        self._write(sql, values)
        return self._connection.changes()


class SqliteMailboxes(SqliteStatements):
    """Devices, entries, bodies and remembered submissions; see the port.

    Device rows change with every message, so they are kept between transactions and written
    once for each commit, by :meth:`flush`.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        super().__init__(connection)
        self._devices: dict[tuple[AccountId, DeviceNumber], DeviceRow] = {}
        self._unwritten: set[tuple[AccountId, DeviceNumber]] = set()

    def forget(self) -> None:
        """Drop kept rows: a transaction was undone, or another process wrote."""
        self._devices.clear()
        self._unwritten.clear()

    def flush(self) -> None:
        """Write the device rows that changed; before a commit, and before they are listed."""
        if self._unwritten:
            rows = [self._devices[address] for address in self._unwritten]
            self._cursor.executemany(_PUT_DEVICE, rows).fetchall()
            self._unwritten.clear()
        if len(self._devices) > _KEPT_DEVICES_MAX:
            self._devices.clear()

    async def device(self, address: DeviceAddress) -> DeviceRow | None:
        """See the port."""
        kept = self._devices.get(address)
        if kept is not None:
            return kept
        found = self._row("SELECT * FROM devices WHERE account_id = ? AND device = ?", address)
        if found is None:
            return None
        row = DeviceRow(*found)
        self._devices[address] = row
        return row

    async def devices(self, account_id: AccountId) -> Sequence[DeviceRow]:
        """See the port."""
        self.flush()
        found = self._rows(
            "SELECT * FROM devices WHERE account_id = ? ORDER BY device", (account_id,)
        )
        return [DeviceRow(*row) for row in found]

    async def devices_after(self, address: DeviceAddress | None, limit: int) -> Sequence[DeviceRow]:
        """See the port."""
        self.flush()
        found = self._rows(
            """SELECT * FROM devices WHERE (account_id, device) > (?, ?)
            ORDER BY account_id, device LIMIT ?""",
            (*(address or (b"", -1)), limit),
        )
        return [DeviceRow(*row) for row in found]

    async def put_device(self, row: DeviceRow) -> None:
        """See the port."""
        self.writes += 1
        address = row[:2]
        self._devices[address] = row
        self._unwritten.add(address)

    async def delete_device(self, address: DeviceAddress) -> None:
        """See the port."""
        self._devices.pop(address, None)
        self._unwritten.discard(address)
        self._write("DELETE FROM devices WHERE account_id = ? AND device = ?", address)

    async def add_entry(self, row: EntryRow) -> None:
        """See the port."""
        self._write("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    async def entries(
        self, address: DeviceAddress, after: int, *, count_max: int, bytes_max: int
    ) -> Sequence[StoredEntry]:
        """See the port."""
        found: list[StoredEntry] = []
        for found_row in self._cursor.execute(
            """SELECT entries.*, bodies.body
            FROM entries LEFT JOIN bodies ON bodies.body_id = entries.body_id
            WHERE account_id = ? AND device = ? AND number > ? ORDER BY number LIMIT ?""",
            (*address, after, count_max),
        ):
            row = EntryRow._make(found_row[:-1])
            bytes_max -= row.size
            if bytes_max < 0 and found:
                break
            found.append(StoredEntry(row, found_row[-1]))
        return found

    async def count_entries(self, address: DeviceAddress, up_to: int) -> int:
        """See the port."""
        return int(
            self._row(
                "SELECT count(*) FROM entries WHERE account_id = ? AND device = ? AND number <= ?",
                (*address, up_to),
            )[0]
        )

    async def delete_entries(self, address: DeviceAddress, up_to: int) -> RemovedEntries:
        """See the port."""
        self.writes += 1
        removed = self._rows(
            """DELETE FROM entries WHERE account_id = ? AND device = ? AND number <= ?
            RETURNING body_id, size""",
            (*address, up_to),
        )
        bodies: dict[int, int] = {}
        for body_id, _ in removed:
            if body_id is not None:
                bodies[body_id] = bodies.get(body_id, 0) + 1
        return RemovedEntries(len(removed), sum([size for _, size in removed]), bodies)

    async def last_entry_before(
        self, address: DeviceAddress, accepted_before: int, limit: int
    ) -> int:
        """See the port."""
        last = 0
        for number, accepted_at in self._cursor.execute(
            """SELECT number, accepted_at FROM entries WHERE account_id = ? AND device = ?
            ORDER BY number LIMIT ?""",
            (*address, limit),
        ):
            if accepted_at >= accepted_before:
                break
            last = number
        return last

    async def sender_load(self, address: DeviceAddress, sender: AccountId) -> SenderLoad:
        """See the port."""
        return SenderLoad(
            *self._row(
                """SELECT count(*), coalesce(sum(size), 0) FROM entries
                WHERE account_id = ? AND device = ? AND sender = ?""",
                (*address, sender),
            )
        )

    async def add_body(self, body: bytes, references: int) -> int:
        """See the port."""
        self._write("INSERT INTO bodies (reference_count, body) VALUES (?, ?)", (references, body))
        return self._connection.last_insert_rowid()

    async def release_bodies(self, references: Mapping[int, int]) -> None:
        """See the port."""
        self.writes += 1
        before = self._connection.total_changes()
        last = [(body_id, released) for body_id, released in references.items()]
        self._cursor.executemany(
            "DELETE FROM bodies WHERE body_id = ? AND reference_count <= ?", last
        ).fetchall()
        if self._connection.total_changes() - before < len(last):
            self._cursor.executemany(
                "UPDATE bodies SET reference_count = reference_count - ?2 WHERE body_id = ?1", last
            ).fetchall()

    async def submission(self, key: SubmissionKey) -> UnixMillis | None:
        """See the port."""
        found = self._row(
            """SELECT accepted_at FROM submissions WHERE account_id = ? AND sender = ?
            AND sender_device = ? AND message_id = ? AND target = ?""",
            key,
        )
        return found[0] if found else None

    async def add_submission(self, key: SubmissionKey, accepted_at: UnixMillis) -> None:
        """See the port."""
        self._write("INSERT INTO submissions VALUES (?, ?, ?, ?, ?, ?)", (*key, accepted_at))

    async def delete_submissions(self, accepted_before: int, limit: int) -> int:
        """See the port."""
        return self._delete(
            """DELETE FROM submissions
            WHERE (account_id, sender, sender_device, message_id, target) IN (
              SELECT account_id, sender, sender_device, message_id, target
              FROM submissions WHERE accepted_at < ? LIMIT ?)""",
            (accepted_before, limit),
        )
