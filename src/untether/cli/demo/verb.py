"""The verb ``demo``: plays the story, and leaves nothing behind but its report."""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from untether.base.errors import ExitStatus, LocalError
from untether.cli.demo import story as told
from untether.cli.demo.checks import CheckFailed
from untether.cli.demo.processes import Processes
from untether.cli.demo.report import JsonReport, Report, TextReport
from untether.cli.demo.stage import Stage, keep_private
from untether.cli.demo.story import Chapter
from untether.cli.errors import show_hint

_ENDING_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_ENDED_BY_SIGNAL: Final = 128


def _demo_arguments(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_demo)


def _demo(arguments: argparse.Namespace) -> int:
    return play(told.STORY, json_wanted=arguments.output == "json")


def play(story: Sequence[Chapter], *, json_wanted: bool) -> int:
    """Play a story in a directory of its own; returns the exit status.

    Raises LocalError ``demo-failed`` when a check fails; only then the directory stays.
    """
    report = JsonReport() if json_wanted else TextReport(colour=_colour_wanted())
    workspace = Path(tempfile.mkdtemp(prefix="untether-demo-"))
    keeps_workspace = False
    try:
        report.show_opening(workspace)
        status = asyncio.run(_play_until_signal(story, workspace, report))
    except CheckFailed as failure:
        keeps_workspace = True
        report.show_summary()
        raise _demo_failed(report, failure, workspace) from failure
    finally:
        if not keeps_workspace:
            shutil.rmtree(workspace)
    if status == ExitStatus.OK:
        report.show_summary()
    else:
        show_hint("untether: Interrupted. All processes are ended, and the directory is removed.")
    return status


async def _play_until_signal(story: Sequence[Chapter], workspace: Path, report: Report) -> int:
    """Play; a signal ends the story, not its cleaning up."""
    playing = asyncio.create_task(_play(story, workspace, report))
    received: list[int] = []

    def end(number: signal.Signals) -> None:
        if not received:
            playing.cancel()
        received.append(number)

    for number in _ENDING_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, end, number)
    try:
        await playing
    except asyncio.CancelledError:
        if not received:
            raise
        return _ENDED_BY_SIGNAL + received[0]
    return ExitStatus.OK


async def _play(story: Sequence[Chapter], workspace: Path, report: Report) -> None:
    passphrase_file = workspace / "passphrase.txt"
    keep_private(passphrase_file, secrets.token_hex(16))
    processes = Processes(passphrase_file)
    stage = Stage(workspace, processes, report)
    try:
        for chapter in story:
            with report.step(chapter.title, chapter.told):
                await chapter.scene(stage)
    finally:
        await processes.end_all()


def _demo_failed(report: Report, failure: CheckFailed, workspace: Path) -> LocalError:
    step = report.steps[-1]
    return LocalError(
        "demo-failed",
        f"In step {step.number}, “{step.title}”, something is not as told: {failure}",
        f"Everything that it left is in {workspace}.",
        step=step.number,
        directory=str(workspace),
    )


def _colour_wanted() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


VERBS = {"demo": _demo_arguments}
"""Verb → what adds its arguments."""
