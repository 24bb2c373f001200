"""From the command line's options to an open device."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path

from untether.adapters.paths import expanded
from untether.adapters.storage.profile import default_directory
from untether.base.errors import PlatformError, UntetherError
from untether.base.identifiers import MINUTE_MS
from untether.cli.errors import show_warning
from untether.cli.render import show_notices
from untether.client.client import Client
from untether.device.events import ClockDiffers
from untether.native import NativeClient

Act = Callable[[Client], Awaitable[int]]

_sdk_log = logging.getLogger("untether")


def profile_directory(arguments: argparse.Namespace) -> Path:
    """Return the directory of the chosen profile."""
    chosen: Path | None = arguments.profile
    return default_directory(os.environ) if chosen is None else expanded(chosen)


def with_client(arguments: argparse.Namespace, act: Act) -> int:
    """Run ``act`` on the chosen profile; notices are shown afterwards."""
    opened = NativeClient.open(
        profile_directory(arguments), passphrase_file=arguments.passphrase_file
    )
    return asyncio.run(_run(arguments, opened, act))


def with_new_client(arguments: argparse.Namespace, act: Act) -> int:
    """Run ``act`` on a new profile for the relay in ``arguments.server``."""
    created = NativeClient.create(
        profile_directory(arguments),
        arguments.server,
        passphrase_file=arguments.passphrase_file,
    )
    return asyncio.run(_run(arguments, created, act))


async def _run(
    arguments: argparse.Namespace, opened: AbstractAsyncContextManager[NativeClient], act: Act
) -> int:
    with _warnings_shown(arguments):
        async with opened as client:
            clock_watch = asyncio.create_task(_watch_clock(client, arguments))
            try:
                return await act(client)
            finally:
                clock_watch.cancel()
                show_notices(client, arguments)


@contextmanager
def _warnings_shown(arguments: argparse.Namespace) -> Iterator[None]:
    """Show the warnings of the SDK inside like the command's own, in the wanted form."""

    class Shown(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if isinstance(record.msg, UntetherError):
                show_warning(record.msg, arguments)

    handler = Shown(logging.WARNING)
    _sdk_log.addHandler(handler)
    try:
        yield
    finally:
        _sdk_log.removeHandler(handler)


async def _watch_clock(client: Client, arguments: argparse.Namespace) -> None:
    """Warn once when this machine's clock and the relay's differ: much would fail later."""
    with client.driver.listening() as heard:
        while not isinstance(event := await heard.get(), ClockDiffers):
            pass
    show_warning(clock_differs(event.difference_ms), arguments)


def clock_differs(difference_ms: int) -> PlatformError:
    """Say how far this machine's clock is off, by the relay's."""
    side = "behind" if difference_ms > 0 else "ahead of"
    minutes = round(abs(difference_ms) / MINUTE_MS)
    return PlatformError(
        "clock-differs",
        f"This machine's clock is {minutes} minutes {side} the relay's.",
        "Set the clock; with a wrong one, devices stop trusting each other's lists.",
        difference_ms=difference_ms,
    )
