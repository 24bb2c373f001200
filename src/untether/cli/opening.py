"""From the command line's options to an open device."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from untether.adapters.storage.profile import default_directory
from untether.cli.render import show_notices
from untether.client.client import Client
from untether.native import NativeClient

Act = Callable[[Client], Awaitable[int]]


def profile_directory(arguments: argparse.Namespace) -> Path:
    """Return the directory of the chosen profile."""
    chosen: Path | None = arguments.profile
    return default_directory(os.environ) if chosen is None else chosen.expanduser()


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
    async with opened as client:
        try:
            return await act(client)
        finally:
            show_notices(client, json_wanted=arguments.output == "json")
