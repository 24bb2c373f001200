"""The processes of the story: each is the real command line, and none outlives the story.

Children get a session of their own and no terminal, so that Ctrl-C reaches the story alone,
which then ends them; and none of them can stop to ask a person a question.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from untether.adapters.storage.profile import PROFILE_VARIABLE
from untether.adapters.vault.asking import FILE_VARIABLE
from untether.cli.demo.checks import CheckFailed, within

Line = dict[str, Any]

_COMMAND: Final = (sys.executable, "-P", "-m", "untether")
_LINE_MAX: Final = 1024 * 1024  # of output: the longest text in JSON has some 300 KiB
_END_S: Final = 5.0  # then a process that was told to end is killed


class Child:
    """One running command; what it prints is kept, line by line.

    ``printed`` may hold the lines of earlier commands, e.g. of the same device.
    """

    def __init__(self, what: str, process: Process, printed: list[Line]) -> None:
        self.what = what
        self.printed = printed
        self.errors: list[str] = []
        self._process = process
        self._news = asyncio.Condition()
        self._said_all = False
        self._reading = asyncio.gather(self._read_output(), self._read_errors())

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.returncode is None

    async def line(self, wanted: Callable[[Line], bool], what: str) -> Line:
        """Wait for a line; CheckFailed when the command ends without it."""
        return await within(self._line(wanted), what)

    async def end(self) -> int:
        """Wait for the end; returns the exit status, negative for a signal."""
        await within(asyncio.shield(self._reading), f"the end of {self.what}")
        return await within(self._process.wait(), f"the end of {self.what}")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        if self.is_running:
            self._process.send_signal(number)

    async def kill(self) -> None:
        """End it at once, whatever it is doing."""
        self.signal(signal.SIGKILL)
        await self._process.wait()
        await asyncio.gather(self._reading, return_exceptions=True)

    def failure(self, status: int) -> CheckFailed:
        """Return what to say when it ended as it should not have."""
        said = next((f": {text}" for text in self.errors if '"error"' in text), ".")
        return CheckFailed(f"{self.what} ended with status {status}{said}")

    def error_codes(self) -> list[str]:
        """Return the codes of the errors that it told."""
        return [told["error"] for told in self.told() if "error" in told]

    def told(self) -> list[Line]:
        """Return the errors and notices that it told."""
        return [json.loads(text) for text in self.errors if text.startswith("{")]

    async def _line(self, wanted: Callable[[Line], bool]) -> Line:
        async with self._news:
            while True:
                found = next((line for line in self.printed if wanted(line)), None)
                if found is not None:
                    return found
                if self._said_all:
                    raise self.failure(await self._process.wait())
                await self._news.wait()

    async def _read_output(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            await self._note(_parse(line))
        await self._note(None)

    async def _note(self, value: Line | None) -> None:
        async with self._news:
            if value is None:
                self._said_all = True
            else:
                self.printed.append(value)
            self._news.notify_all()

    async def _read_errors(self) -> None:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            self.errors.append(line.decode(errors="replace").rstrip())


class Processes:
    """All commands that the story has started."""

    def __init__(self, passphrase_file: Path) -> None:
        self._environment = child_environment(os.environ, passphrase_file)
        self._children: list[Child] = []

    async def start(
        self, what: str, *arguments: str | Path, printed: list[Line] | None = None
    ) -> Child:
        """Start ``untether ARGUMENTS``; ``what`` names it when something goes wrong."""
        process = await asyncio.create_subprocess_exec(
            *_COMMAND,
            *map(str, arguments),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            limit=_LINE_MAX,
            env=self._environment,
            start_new_session=True,
        )
        child = Child(what, process, [] if printed is None else printed)
        self._children.append(child)
        return child

    async def end_all(self) -> None:
        """End all: they are asked first, and killed if that does not help."""
        for child in self._children:
            child.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_END_S):
                await asyncio.gather(*(child.end() for child in self._children))
        except TimeoutError:
            pass
        finally:
            await asyncio.gather(*(child.kill() for child in self._children))


def child_environment(own: Mapping[str, str], passphrase_file: Path) -> dict[str, str]:
    """Return an environment where user verification is a file, and no key store is asked."""
    return {
        **{name: value for name, value in own.items() if name != PROFILE_VARIABLE},
        FILE_VARIABLE: str(passphrase_file),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "PYTHONUTF8": "1",
    }


def _parse(line: bytes) -> Line:
    """Read a line of JSON; anything else (the relay's address) stands under ``text``."""
    text = line.decode(errors="replace").strip()
    if not text.startswith("{"):
        return {"text": text}
    value: Line = json.loads(text)
    return value
