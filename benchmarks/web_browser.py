"""A browser to be measured: started, slowed down as a whole, and weighed.

A slow processor is made by stopping all of the browser for three quarters of the time, worker and
all.
"""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page, Playwright

SLOWER = 4
SLICE_S, SLICES = 0.005, 10
PATIENCE_MS = 120_000
DESKTOP = {"viewport": {"width": 1280, "height": 800}}


@contextmanager
def browser(playing: Playwright, profile: Path) -> Iterator[Page]:
    """Start a browser with a profile of its own; ends it at last."""
    context = playing.chromium.launch_persistent_context(
        profile,
        executable_path=os.environ.get("UNTETHER_CHROMIUM") or shutil.which("chromium"),
        args=["--no-sandbox"],
        **DESKTOP,  # type: ignore[arg-type]
    )
    context.set_default_timeout(PATIENCE_MS)
    try:
        yield context.pages[0]
    finally:
        context.close()


@contextmanager
def slowed(profile: Path) -> Iterator[None]:
    """Let the pages of a browser, worker and all, run for a part of the time only."""
    ended = threading.Event()

    def send(number: signal.Signals, processes: list[int]) -> None:
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, number)

    def slow() -> None:
        while not ended.is_set():
            processes = _processes(profile)  # a navigation may begin a new one
            for _ in range(SLICES):
                send(signal.SIGSTOP, processes)
                time.sleep(SLICE_S * (SLOWER - 1))
                send(signal.SIGCONT, processes)
                time.sleep(SLICE_S)

    thread = threading.Thread(target=slow)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _processes(profile: Path) -> list[int]:
    """Return the page's own processes: the renderers of the browser that uses a profile."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (folder / "cmdline").read_bytes()
            is_page = b"--type=renderer" in command and b"--top-chrome-webui" not in command
            if is_page and _is_of(folder, profile):
                found.append(int(folder.name))
    return found


def memory_of(profile: Path) -> int:
    """Return what the pages of a browser take, in kB; what is shared counts in part."""
    taken = 0
    for process in _processes(profile):
        rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
        taken += sum(
            int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")
        )
    return taken


def _is_of(process: Path, profile: Path) -> bool:
    """Tell whether a renderer descends from the browser that uses a profile."""
    while process.name not in {"0", "1"}:
        if str(profile).encode() in (process / "cmdline").read_bytes():
            return True
        parent = (process / "stat").read_text().rsplit(")", 1)[1].split()[1]
        process = process.with_name(parent)
    return False
