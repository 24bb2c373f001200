"""A relay in a process of its own, and what only its owner could do to it."""

from __future__ import annotations

import resource
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.commands.command_line import Ended, Running

from untether.server.config import DATABASE_NAME

GENEROUS = "guest_requests_burst = 10000\nlink_slots_burst = 10000\n"


class Relay:
    """``untether serve`` on a port of its own."""

    def __init__(self, directory: Path, *, settings: str = "", quotas: str = GENEROUS) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.data = directory / "data"
        self._config = directory / "relay.toml"
        self._config.write_text(f"{settings}\n[quotas]\n{quotas}")
        self.url = ""
        self._process: Running | None = None

    def start(self) -> Relay:
        """Start, on the port that it had before if it ran before."""
        port = urlsplit(self.url).port or 0
        self._process = Running(
            *("serve", "--port", str(port), "--data", self.data, "--config", self._config)
        )
        self.url = self._process.until_first_line()
        return self

    def stop(self, number: signal.Signals = signal.SIGTERM) -> Ended:
        """End it, gently or not."""
        assert self._process is not None
        process, self._process = self._process, None
        return process.end(number)

    def stop_if_running(self) -> None:
        """End it if it runs."""
        if self._process is not None:
            self.stop(signal.SIGKILL)

    def limit_files(self, bytes_max: int) -> None:
        """Let none of its files grow beyond this from now on, as on a full disk."""
        assert self._process is not None
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        process_id = self._process.process.pid
        resource.prlimit(process_id, resource.RLIMIT_FSIZE, (bytes_max, hard))

    def query(self, statement: str, *parameters: object) -> list[Any]:
        """Look into its database."""
        with closing(sqlite3.connect(self.data / DATABASE_NAME, timeout=10)) as database, database:
            return database.execute(statement, parameters).fetchall()

    def give_name(self, old: str, new: str) -> None:
        """Lie from now on: who has the name ``old`` takes the name ``new``."""
        self.query("UPDATE accounts SET name = ? WHERE name = ?", new, old)
