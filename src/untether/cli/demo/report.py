"""What the story shows: lines for people as it goes on, or one JSON object for each step."""

from __future__ import annotations

import shutil
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from untether.cli.demo.checks import CheckFailed
from untether.cli.render import show_json, show_text

_WIDTH_MAX: Final = 88  # longer lines are hard to read, however wide the terminal is
_GREEN: Final = "\x1b[32m"
_RED: Final = "\x1b[31m"
_BOLD: Final = "\x1b[1m"
_PLAIN: Final = "\x1b[0m"


@dataclass
class Check:
    """Something that the story claims; ``cause`` says why it is not so."""

    text: str
    seconds: float = 0.0
    cause: str | None = None


@dataclass
class Step:
    """A chapter as it was played."""

    number: int
    title: str
    told: str
    checks: list[Check] = field(default_factory=list)
    seconds: float = 0.0
    is_ok: bool = False


class Report:
    """Keeps what was played and how long it took; the subclasses show it."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long the story has taken so far."""
        return time.monotonic() - self._started

    @contextmanager
    def step(self, title: str, told: str) -> Iterator[None]:
        """Play a chapter inside."""
        step = Step(len(self.steps) + 1, title, told)
        self.steps.append(step)
        self.show_start(step)
        started = time.monotonic()
        try:
            yield
            step.is_ok = True
        finally:
            step.seconds = time.monotonic() - started
            self.show_end(step)

    @contextmanager
    def check(self, text: str) -> Iterator[Check]:
        """Check something inside, and show that it holds; the text may grow meanwhile."""
        check = Check(text)
        started = time.monotonic()
        try:
            yield check
        except CheckFailed as failure:
            check.cause = str(failure)
            raise
        finally:
            check.seconds = time.monotonic() - started
            if check.cause is not None or sys.exc_info()[0] is None:
                self.steps[-1].checks.append(check)
                self.show_check(check)

    def show_opening(self, workspace: Path) -> None:
        """The story begins."""

    def show_start(self, step: Step) -> None:
        """A chapter begins."""

    def show_check(self, check: Check) -> None:
        """A check was made."""

    def show_end(self, step: Step) -> None:
        """A chapter is over."""

    def show_picture(self, picture: str) -> None:
        """Something to look at."""

    def show_summary(self) -> None:
        """The story is over."""


class JsonReport(Report):
    """One object for each step."""

    def show_end(self, step: Step) -> None:
        """Print the step."""
        show_json(
            {
                "step": step.number,
                "title": step.title,
                "ok": step.is_ok,
                "seconds": round(step.seconds, 3),
                "checks": [_check_json(check) for check in step.checks],
            }
        )


class TextReport(Report):
    """The story for somebody who reads along."""

    def __init__(self, *, colour: bool) -> None:
        super().__init__()
        self._colour = colour
        self._width = min(shutil.get_terminal_size().columns, _WIDTH_MAX)
        self._yes, self._no = ("✓", "✗") if _can_print("✓✗") else ("ok", "NO")

    def show_opening(self, workspace: Path) -> None:
        """Print what this is and where it happens."""
        self._show(_BOLD, "Untether, as a story with real processes, keys and files")
        show_text(f"They live in {workspace}, and end with the story.")

    def show_start(self, step: Step) -> None:
        """Print title and tale."""
        show_text()
        self._show(_BOLD, f"{step.number}. {step.title}")
        for line in textwrap.wrap(step.told, self._width - 3):
            show_text(f"   {line}")

    def show_check(self, check: Check) -> None:
        """Print the check with its time, and why it failed."""
        holds = check.cause is None
        mark = self._yes if holds else self._no
        self._show_timed(_GREEN if holds else _RED, mark, check.text, check.seconds)
        if check.cause is not None:
            for line in textwrap.wrap(check.cause, self._width - 5):
                show_text(f"     {line}")

    def show_picture(self, picture: str) -> None:
        """Print a picture, which may hold colours, only where somebody looks at it."""
        if sys.stdout.isatty() and _can_print("▀▄█"):
            print(f"\n{textwrap.indent(picture, '   ')}\n", flush=True)

    def show_summary(self) -> None:
        """Print all steps with their checks and times."""
        show_text()
        self._show(_BOLD, "What was checked")
        for step in self.steps:
            mark, colour = (self._yes, _GREEN) if step.is_ok else (self._no, _RED)
            text = f"{step.number}. {step.title} ({len(step.checks)})"
            self._show_timed(colour, mark, text, step.seconds)
        show_text()
        held = [check.cause is None for step in self.steps for check in step.checks]
        show_text(f"{sum(held)} of {len(held)} checks hold, after {self.seconds:.1f} s.")

    def _show_timed(self, colour: str, mark: str, text: str, seconds: float) -> None:
        *lines, last = textwrap.wrap(text, self._width - 17)
        for place, line in enumerate([*lines, last]):
            start = f"   {mark} " if place == 0 else " " * (4 + len(mark))
            end = f"{seconds:6.1f} s" if place == len(lines) else ""
            shown = f"{start}{line:<{self._width - 14}}{end}".rstrip()
            self._show(colour if place == 0 else "", shown, only=len(start))

    def _show(self, colour: str, text: str, only: int | None = None) -> None:
        """Print a line, its first ``only`` characters (or all) coloured."""
        if not (self._colour and colour):
            show_text(text)
            return
        cut = len(text) if only is None else only
        print(f"{colour}{text[:cut]}{_PLAIN}{text[cut:]}", flush=True)


def _check_json(check: Check) -> dict[str, Any]:
    shown = {"check": check.text, "ok": check.cause is None, "seconds": round(check.seconds, 3)}
    return shown if check.cause is None else {**shown, "cause": check.cause}


def _can_print(characters: str) -> bool:
    try:
        characters.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
