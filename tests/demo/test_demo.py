"""The demo as somebody meets it: a command in a terminal, and what it leaves behind."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from untether.cli.demo.story import STORY

COLUMNS = 80
ALTERED = Path(__file__).with_name("altered_story.py")
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
ONE_OF_MANY = re.compile(r"\b1 (?:were|are|(?:other )?(?:devices|messages|copies))\b")


@pytest.fixture
def home() -> Iterator[Path]:
    """Where the demo makes its directory: a path as short as that of a real one."""
    with tempfile.TemporaryDirectory(prefix="home-") as name:
        yield Path(name)


def environment(home: Path) -> dict[str, str]:
    """Have the demo make its directory in the test's own."""
    return {**os.environ, "TMPDIR": str(home), "TERM": "xterm-256color", "PYTHONUTF8": "1"}


def altered(home: Path, kind: str) -> subprocess.Popen[str]:
    """Start an altered story, printing JSON."""
    return subprocess.Popen(
        [sys.executable, ALTERED, kind, "-o", "json"],
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def play(home: Path, kind: str) -> tuple[int, list[dict[str, Any]], dict[str, Any]]:
    """Play an altered story; returns status, steps and the error."""
    process = altered(home, kind)
    output, errors = process.communicate(timeout=100)
    steps = [json.loads(line) for line in output.splitlines()]
    return process.returncode, steps, json.loads(errors) if errors else {}


def left_running(home: Path) -> list[str]:
    """Return the command lines of processes that name the test's directory."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(home) in command:
            found.append(command)
    return found


def in_terminal(command: list[str], environment: dict[str, str]) -> tuple[int, str]:
    """Run a command in a terminal of 80 columns; returns status and all that it showed."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    process = subprocess.Popen(
        command, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True
    )
    os.close(theirs)
    shown = bytearray()
    try:
        while data := os.read(ours, 65536):
            shown += data
    except OSError:  # how Linux tells that the other side has closed the terminal
        pass
    finally:
        os.close(ours)
    return process.wait(timeout=30), shown.decode()


@pytest.mark.timeout(300)
def test_the_whole_story_holds_in_a_terminal(home: Path) -> None:
    """Every check holds, every line fits, and neither a process nor a file is left."""
    command = [sys.executable, "-m", "untether", "demo"]
    status, shown = in_terminal(command, environment(home))
    lines = ESCAPE.sub("", shown).splitlines()

    assert status == 0, shown
    for number, chapter in enumerate(STORY, start=1):
        assert f"{number}. {chapter.title}" in lines
    assert any(line.strip().startswith("█▀▀▀▀▀█") or "▄▄▄▄▄▄▄" in line for line in lines)
    assert max(map(len, lines)) <= COLUMNS
    assert "Traceback" not in shown
    assert "✗" not in shown
    assert "\N{REPLACEMENT CHARACTER}" not in shown
    assert ONE_OF_MANY.findall(shown) == []
    assert left_running(home) == []
    assert list(home.iterdir()) == []


def test_each_step_is_one_object(home: Path) -> None:
    """With ``-o json`` a program reads steps, checks and times."""
    status, steps, error = play(home, "sound")

    assert (status, error) == (0, {})
    assert [step["step"] for step in steps] == [1, 2, 3]
    assert all(step["ok"] and step["seconds"] >= 0 for step in steps)
    assert [check["ok"] for check in steps[2]["checks"]] == [True, True]
    assert steps[1]["checks"][0]["check"].endswith("” On 1 other device")
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("leaking", "The cake is under the stairs."),
        ("unlimited", "`devices` ended with 0, not 1"),
        ("broken", "unreachable"),
    ],
)
def test_what_is_not_as_told_fails(home: Path, kind: str, cause: str) -> None:
    """A relay that leaks, a limit that is not held, a lost relay: status 1, and the check named.

    The directory is kept and named, and no process is left.
    """
    status, steps, error = play(home, kind)

    assert status == 1
    assert error["error"] == "demo-failed"
    assert not steps[-1]["ok"]
    assert cause in steps[-1]["checks"][-1]["cause"]
    assert cause in error["message"]
    assert Path(error["directory"]).parent == home
    assert (Path(error["directory"]) / "relay").is_dir()
    assert left_running(home) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything(home: Path, number: signal.Signals) -> None:
    """Ctrl-C, a stop and a closed terminal end all processes and remove the directory."""
    process = altered(home, "endless")
    assert process.stdout is not None
    first = json.loads(process.stdout.readline())
    running = left_running(home)
    process.send_signal(number)
    process.communicate(timeout=30)

    assert first["ok"]
    assert len(running) >= 2  # the relay and a phone; the other may be about to start
    assert process.returncode == 128 + number
    assert left_running(home) == []
    assert list(home.iterdir()) == []
