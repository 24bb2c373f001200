"""A relay as its operator runs it: a process with output, signals and an end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

PATIENCE_S = 20


def logged(text: str) -> list[dict[str, Any]]:
    """Return the lines of a log, but the one that says that no web app was built here."""
    lines = [json.loads(line) for line in text.splitlines()]
    return [line for line in lines if line["event"] != "no-web-app"]


class RelayServer:
    """``untether serve`` on a free port; always gone when the context ends."""

    def __init__(self, data: Path, *options: str) -> None:
        self.errors = data.parent / f"{data.name}-stderr"
        self._options = options
        self._data = data

    def __enter__(self) -> RelayServer:
        with self.errors.open("ab") as errors:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "untether", "serve"),
                    *("--port", "0", "--data", str(self._data), *self._options),
                ],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().rstrip()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE_S)
        if self.process.stdout is not None:
            self.process.stdout.close()

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Signal the process and wait for it; returns its exit status and further output."""
        self.process.send_signal(number)
        output, _ = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, output
