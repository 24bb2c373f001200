"""The relay of the story: its process, and what a thief of its disk would see."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from untether.cli.demo.processes import Child, Processes
from untether.server.config import DATABASE_NAME


class Relay:
    """One relay on this machine."""

    def __init__(self, processes: Processes, directory: Path) -> None:
        self.directory = directory
        self.url = ""
        self._processes = processes
        self._child: Child | None = None

    async def start(self) -> None:
        """Start it on a free port, or again on the port that it had."""
        port = str(urlsplit(self.url).port or 0)
        where = ("--data", self.directory, "--port", port)
        self._child = await self._processes.start("the relay", "serve", *where)
        line = await self._child.line(lambda one: "text" in one, "the relay's address")
        self.url = line["text"]

    async def kill(self) -> int:
        """Kill it as a power cut would; returns how it ended."""
        assert self._child is not None
        self._child.signal(signal.SIGKILL)
        return await self._child.end()

    def waiting_ids(self, account: str, device: int) -> list[str]:
        """Return the ids of what waits for a device."""
        rows = self._rows(
            "SELECT message_id FROM entries JOIN accounts USING (account_id)"
            " WHERE name = ? AND device = ?",
            account,
            device,
        )
        return [message_id.hex() for (message_id,) in rows]

    def bodies(self) -> list[bytes]:
        """Return the sealed messages that wait."""
        return [body for (body,) in self._rows("SELECT body FROM bodies")]

    def is_empty(self) -> bool:
        """Whether nothing waits for anybody."""
        return self._rows(
            "SELECT (SELECT count(*) FROM entries) + (SELECT count(*) FROM bodies)"
        ) == [(0,)]

    def traces_of(self, account: str, device: int) -> int:
        """Count what is kept for a device: mailbox, mail and one-time keys."""
        tables = ("devices", "entries", "rotating_prekeys", "one_time_prekeys")
        counts = " + ".join(
            f"(SELECT count(*) FROM {table} JOIN accounts USING (account_id)"  # noqa: S608
            " WHERE name = :name AND device = :device)"
            for table in tables
        )
        return int(self._rows(f"SELECT {counts}", name=account, device=device)[0][0])

    def _rows(self, query: str, *positional: Any, **named: Any) -> list[tuple[Any, ...]]:
        path = quote(str(self.directory / DATABASE_NAME))
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            return database.execute(query, named or positional).fetchall()


def found_on_disk(directory: Path, wanted: Iterable[bytes]) -> list[bytes]:
    """Return which of the wanted bytes stand in any file: databases, write-ahead logs, all."""
    contents = [path.read_bytes() for path in directory.rglob("*") if path.is_file()]
    return [one for one in wanted if any(one in content for content in contents)]
