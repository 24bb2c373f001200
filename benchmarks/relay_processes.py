"""Processes of the relay benchmark: our relay, the raw peer, and what the kernel says of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

_HERE = Path(__file__).parent
_UNLIMITED = """
[quotas]
requests_burst = 10000000
requests_per_second = 10000000
submit_burst = 10000000
submits_per_second = 10000000
recipients_burst = 10000000
recipients_per_second = 10000000
guests_per_address = 100000
logins_burst = 10000000
guest_requests_burst = 10000000
guest_requests_per_minute = 10000000
"""
"""The load comes from one machine and from few accounts; the limits are still counted."""


class Server(NamedTuple):
    """A running server."""

    pid: int
    port: int

    @property
    def cpu_seconds(self) -> float:
        """User and system time so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def resident_bytes(self) -> int:
        """Resident memory."""
        pages = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def our_relay(directory: Path) -> Iterator[Server]:
    """Run ``serve`` on a database in ``directory``."""
    config = directory / "relay.toml"
    config.write_text(f"data = '{directory}'\nport = 0\n{_UNLIMITED}")
    command = [sys.executable, "-m", "untether", "serve", "--config", str(config)]
    with _running(command) as server:
        yield server


@contextmanager
def raw_relay() -> Iterator[Server]:
    """Run the peer on the ``websockets`` library."""
    with _running([sys.executable, str(_HERE / "relay_peer.py")]) as server:
        yield server


@contextmanager
def _running(command: list[str]) -> Iterator[Server]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            first_line = process.stdout.readline()
            yield Server(process.pid, int(first_line.rstrip().rsplit(":", 1)[-1]))
        finally:
            process.terminate()
