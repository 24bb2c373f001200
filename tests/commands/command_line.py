"""Devices of people who use the command line, in this process and in real ones."""

from __future__ import annotations

import io
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, TypeVar

from untether.cli.main import main

COMMAND = (sys.executable, "-P", "-m", "untether")
PASSPHRASE = "correct horse battery"
PATIENCE_S = 40
RUN_MARK = "UNTETHER_TEST_RUN"
"""Every process of a test run carries this in its environment, so that none can hide."""

Line = dict[str, Any]
Found = TypeVar("Found")

running: list[Running] = []
"""Processes that a test has started and not yet waited for."""


@dataclass(frozen=True)
class Ended:
    """What a command left: exit status, standard output, standard error."""

    status: int
    output: str
    errors: str

    @property
    def lines(self) -> list[Line]:
        """The objects on standard output; every line of it must be one."""
        return [_object(line) for line in self.output.split("\n") if line]

    @property
    def line(self) -> Line:
        """The one object on standard output."""
        (line,) = self.lines
        return line

    @property
    def error(self) -> Line:
        """The one error on standard error, which has the three keys of the contract."""
        (error,) = [line for line in map(_object, self._error_lines) if "error" in line]
        assert {"error", "message", "hint"} <= set(error)
        assert error["message"], error
        return error

    @property
    def notices(self) -> list[str]:
        """The codes of what people were told beside the results."""
        return [line["notice"] for line in map(_object, self._error_lines) if "notice" in line]

    @property
    def _error_lines(self) -> list[str]:
        assert "Traceback" not in self.errors, self.errors
        return [line for line in self.errors.split("\n") if line.startswith("{")]


class Running:
    """A command under way, whose output is read as it comes."""

    def __init__(
        self, *arguments: str | Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.command = " ".join(map(str, arguments))
        self.process = subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=dict(environment or child_environment()),
            start_new_session=True,
        )
        self._printed: list[str] = []
        self._told: list[str] = []
        self._news = threading.Condition()
        self._readers = [
            threading.Thread(target=self._read, args=(self.process.stdout, self._printed)),
            threading.Thread(target=self._read, args=(self.process.stderr, self._told)),
        ]
        for reader in self._readers:
            reader.start()
        running.append(self)

    @property
    def lines(self) -> list[Line]:
        """The objects printed so far."""
        return [_object(line) for line in self._printed]

    def until(self, wanted: Callable[[Line], bool]) -> Line:
        """Wait for a printed object."""
        return self._wait_for(lambda: next((one for one in self.lines if wanted(one)), None))

    def until_text(self, text: str) -> Line:
        """Wait for a message with this text."""
        return self.until(lambda line: line.get("text") == text)

    def until_first_line(self) -> str:
        """Wait for the first line, whatever it is."""
        return self._wait_for(lambda: next(iter(self._printed), None))

    def until_told(self, code: str) -> Line:
        """Wait for an error or notice with this code."""

        def told() -> Line | None:
            objects = (_object(line) for line in self._told if line.startswith("{"))
            return next((one for one in objects if code in one.values()), None)

        return self._wait_for(told)

    def signal(self, number: int) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def end(self, number: int | None = None) -> Ended:
        """Wait for the end, after a signal if one is given."""
        if number is not None:
            self.signal(number)
        self.process.wait(PATIENCE_S)
        for reader in self._readers:
            reader.join(PATIENCE_S)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        if self in running:
            running.remove(self)
        return Ended(
            self.process.returncode,
            "".join(f"{line}\n" for line in self._printed),
            "".join(f"{line}\n" for line in self._told),
        )

    def _read(self, stream: TextIO | None, kept: list[str]) -> None:
        assert stream is not None
        for line in stream:
            with self._news:
                kept.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def _wait_for(self, look: Callable[[], Found | None]) -> Found:
        deadline = time.monotonic() + PATIENCE_S
        with self._news:
            while (found := look()) is None:
                left = deadline - time.monotonic()
                ended = self.process.poll() is not None and not any(
                    reader.is_alive() for reader in self._readers
                )
                assert left > 0 and not ended, (self._printed, self._told)
                self._news.wait(min(left, 0.5))
        return found


class Device:
    """One profile directory, and its user's passphrase in a file."""

    def __init__(self, directory: Path, passphrase_file: Path) -> None:
        self.directory = directory
        self.passphrase_file = passphrase_file

    @property
    def name(self) -> str:
        """The directory's name, which is the account's name for people of ``person``."""
        return self.directory.name

    @property
    def options(self) -> tuple[str | Path, ...]:
        """The options that make a command act as this device."""
        return ("--profile", self.directory, "--passphrase-file", self.passphrase_file)

    def run(self, *arguments: str | Path) -> Ended:
        """Run a command in this process, with JSON."""
        return in_process(*self.options, "-o", "json", *arguments)

    def text(self, *arguments: str | Path) -> Ended:
        """Run a command in this process, for people."""
        return in_process(*self.options, *arguments)

    def start(self, *arguments: str | Path) -> Running:
        """Start a command in a process of its own, with JSON."""
        return Running(*self.options, "-o", "json", *arguments)

    def process(self, *arguments: str | Path) -> Ended:
        """Run a command in a process of its own, with JSON."""
        return self.start(*arguments).end()

    def receive(self) -> list[Line]:
        """Receive what waits."""
        received = self.run("receive")
        assert received.status == 0, received.errors
        return received.lines

    def texts(self) -> list[str]:
        """Receive what waits; returns the texts."""
        return [line["text"] for line in self.receive()]

    def send(self, name: str, text: str) -> Line:
        """Send a message, which must reach the relay."""
        sent = self.run("send", name, "-m", text)
        assert sent.status == 0, sent.errors
        assert sent.line["state"] == "sent", sent.line
        return sent.line


def command_in(hint: str) -> list[str]:
    """Return the arguments of the command of ours that a hint names, as a shell reads them."""
    command = hint.partition("`untether ")[2].partition("`")[0]
    assert command, hint
    return shlex.split(command)


def in_process(*arguments: str | Path) -> Ended:
    """Run a command in this process; standard input is no terminal."""
    output, errors = io.StringIO(), io.StringIO()
    with redirect_stdout(output), redirect_stderr(errors):
        try:
            status = main([str(one) for one in arguments])
        except SystemExit as ended:
            assert isinstance(ended.code, int)
            status = ended.code
    return Ended(status, output.getvalue(), errors.getvalue())


def child_environment(**more: str) -> dict[str, str]:
    """Return the environment of children: nothing of the user's own Untether reaches them."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("UNTETHER_")}
    return {
        **own,
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        RUN_MARK: os.environ[RUN_MARK],
        **more,
    }


def processes_of_this_run() -> list[int]:
    """Return every process that carries the mark of this run, other than this one."""
    mark = f"{RUN_MARK}={os.environ[RUN_MARK]}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environment = (entry / "environ").read_bytes().split(b"\0")
            dead = (entry / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            continue
        if mark in environment and not dead and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return found


def end_all_running() -> list[str]:
    """Kill what a test left running; returns its commands."""
    left = list(running)
    for one in left:
        one.signal(signal.SIGCONT)
        one.end(signal.SIGKILL)
    return [one.command for one in left]


def _object(line: str) -> Line:
    value = json.loads(line)
    assert isinstance(value, dict), line
    return value
