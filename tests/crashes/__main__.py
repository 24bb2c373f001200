"""The long run: power cuts at every moment, a hundred killed relays; writes what it has shown.

``make crashes`` needs about a quarter of an hour. Its figures go to ``docs/evidence/crashes.md``.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apsw
from tests.commands.conftest import own_run
from tests.crashes.failing_disk import failing
from tests.crashes.killing import Killing
from tests.crashes.power_cut import Tally
from tests.crashes.power_cuts import (
    HastyDevice,
    cut_device,
    cut_relay,
    device_that_syncs_less,
    relay_that_answers_early,
    relay_that_syncs_less,
)
from tests.crashes.test_failing_device_disk import FailingWorld, StubbornDevice
from tests.crashes.test_failing_device_disk import talk as talk_on_a_device
from tests.crashes.test_failing_relay_disk import FailingRelay
from tests.crashes.test_failing_relay_disk import talk as talk_on_a_relay

import untether

EVIDENCE: Final = Path(__file__).parents[2] / "docs" / "evidence" / "crashes.md"
AGAIN_EVERY: Final = 50
TWIN_CUTS: Final = 300
WAYS: Final = ("full", "broken", "sync")

HEAD: Final = """\
# Crashes

What the long run of `make crashes` has shown; the tool writes this page. How it is done is in
`tests/crashes/power_cut.py` and `tests/crashes/killing.py`. `make test` runs a sample of it.

{machine}

## Power cuts

A run is recorded once, then the power is cut after each of its writes and before each of its
syncs. What was not synced is lost, or each write of it is kept, dropped, torn by sectors or turned
to noise, in any order; files made or deleted since the last sync of their folder are there or not.
Each image is opened by the product and compared with all that was answered, acknowledged, shown or
sent by then. While every {again_every}th image starts, its power is cut again at every moment.

| run | writes | syncs | cuts | second cuts | wrong images |
|---|---|---|---|---|---|
{power_cuts}

The twins, of {twin_cuts} cuts each: with a defence switched off, images must be wrong.

| twin | cuts | wrong images |
|---|---|---|
{twins}

## Killed processes

A relay and three devices in processes of their own, all writing and reading, get SIGKILL: every
second relay just after it has answered, all others at any moment. Lost and doubled are counted over
every message on every device.

From the kill of a relay until a message passes again it took {recovery}.

| killed relays | killed devices | messages | devices | lost | doubled |
|---|---|---|---|---|---|
{kills}

## Failing disks

Each step of a conversation with the disk failing from its first change on, from its second, and so
on, until the step gets through. Each refused change gave a clean error with its code and left
everything as it was, and in the end each message was there once; else there would be no page.

| disk | refused changes at a relay | at a device |
|---|---|---|
{failing}
"""


def main() -> int:
    """Run everything, print and write the figures; the exit status is 1 after a failure."""
    parser = argparse.ArgumentParser(prog="make crashes")
    parser.add_argument("--messages", type=int, default=500, help="of each recorded run")
    parser.add_argument("--cuts", type=int, help="a sample of the cuts instead of all")
    parser.add_argument("--relay-kills", type=int, default=100)
    parser.add_argument("--device-kills", type=int, default=50)
    parser.add_argument("--evidence", type=Path, default=EVIDENCE, help="where to write")
    wanted = parser.parse_args()

    power_cuts = [
        _said(f"relay, {wanted.messages} messages", _cut_relay(wanted.messages, wanted.cuts)),
        _said(f"device, {wanted.messages} messages", _cut_device(wanted.messages, wanted.cuts)),
    ]
    twins = list(_twins())
    with own_run(), _folder() as folder:
        outcome = Killing(folder).play(wanted.relay_kills, wanted.device_kills)
    _tell(f"killed processes: {outcome}")
    page = HEAD.format(
        machine=_machine(),
        again_every=AGAIN_EVERY,
        power_cuts="\n".join(_row(name, tally) for name, tally in power_cuts),
        twin_cuts=TWIN_CUTS,
        twins="\n".join(
            f"| {name} | {tally.cuts:,} | {len(tally.failures):,} |" for name, tally in twins
        ),
        recovery=outcome.recovery,
        kills=f"| {outcome.relay_kills} | {outcome.device_kills} | {outcome.written:,} | "
        f"{outcome.devices} | {outcome.lost} | {outcome.doubled} |",
        failing="\n".join(_failing_row(how) for how in WAYS),
    )
    wanted.evidence.parent.mkdir(exist_ok=True)
    wanted.evidence.write_text(page)
    failures = [failure for _, tally in power_cuts for failure in tally.failures]
    for failure in failures + outcome.notices:
        _tell(failure)
    is_wrong = failures or outcome.lost or outcome.doubled or outcome.notices
    return 1 if is_wrong or not all(tally.failures for _, tally in twins) else 0


def _cut_relay(messages: int, count: int | None) -> Tally:
    with _folder() as folder:
        return cut_relay(folder, messages=messages, count=count, again_every=AGAIN_EVERY)


def _cut_device(messages: int, count: int | None) -> Tally:
    with _folder() as folder:
        return cut_device(folder, messages=messages, count=count, again_every=AGAIN_EVERY)


def _twins() -> Iterator[tuple[str, Tally]]:
    for mode in ("NORMAL", "OFF"):
        with _folder() as folder, relay_that_syncs_less(mode):
            tally = cut_relay(folder, messages=100, count=TWIN_CUTS)
        yield _said(f"relay with `synchronous = {mode}`", tally)
        with _folder() as folder, device_that_syncs_less(mode):
            tally = cut_device(folder, messages=40, count=TWIN_CUTS)
        yield _said(f"device with `synchronous = {mode}`", tally)
    with _folder() as folder, relay_that_answers_early():
        tally = cut_relay(folder, messages=100, count=TWIN_CUTS)
    yield _said("relay that answers before its commit", tally)
    with _folder() as folder:
        tally = cut_device(folder, messages=40, count=TWIN_CUTS, kind=HastyDevice)
    yield _said("device that acts before its commit", tally)


def _failing_row(how: str) -> str:
    """Both conversations raise AssertionError at the first change that is not refused cleanly."""
    with _folder() as folder, failing(folder, how) as fault:
        relay = FailingRelay(folder, fault, how)
        asyncio.run(_talk_on_a_relay(relay))
    with _folder() as folder, failing(folder, how) as fault:
        world = FailingWorld(StubbornDevice, folder, fault, how)
        device = talk_on_a_device(world, 20, folder)
        device.database.close()
    return f"| {how} | {relay.failures:,} | {device.failures:,} |"


async def _talk_on_a_relay(relay: FailingRelay) -> None:
    await talk_on_a_relay(relay)
    await relay.store.close()


def _said(name: str, tally: Tally) -> tuple[str, Tally]:
    _tell(f"{name}: {tally}")
    return name, tally


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _row(name: str, tally: Tally) -> str:
    return (
        f"| {name} | {tally.writes:,} | {tally.syncs:,} | {tally.cuts:,} | {tally.again:,} | "
        f"{len(tally.failures)} |"
    )


def _machine() -> str:
    return (
        f"Untether {untether.__version__}, SQLite {apsw.sqlite_lib_version()}, Python "
        f"{platform.python_version()}, {platform.system()}, {os.cpu_count()} processors."
    )


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="crashes-") as name:
        yield Path(name)


if __name__ == "__main__":
    sys.exit(main())
