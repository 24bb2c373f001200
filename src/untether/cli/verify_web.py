"""The verb ``verify-web``: whether the web app there is the one that is installed here."""

from __future__ import annotations

import argparse
import asyncio

from untether.adapters.transport.address import relay_address
from untether.base.errors import ExitStatus, PlatformError, TrustError
from untether.cli.render import show_result
from untether.server.web_answer import Finding, Found
from untether.server.web_check import WebCheck
from untether.server.web_files import WebFiles, load
from untether.server.web_manifest import Manifest

_WORDS = {
    Finding.DIFFERS: "differs",
    Finding.MISSING: "is missing there",
    Finding.EXTRA: "is not in the installed app",
    Finding.UNPROTECTED: "is served without what protects it",
    Finding.ADDED_HEADER: "is served with what may lead a browser elsewhere",
}


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("url", metavar="URL", help="the relay's address, as in a browser")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    origin = relay_address(arguments.url)
    installed = load()
    if installed is None:
        raise PlatformError(
            "no-web-app-here",
            "This installation has no web app to compare with.",
            "Install a release that holds it, or build it with `make webapp`.",
        )
    return asyncio.run(_verify(arguments, origin, installed))


async def _verify(arguments: argparse.Namespace, origin: str, installed: WebFiles) -> int:
    async with WebCheck(origin, installed) as check:
        listed = await check.manifest()
        count = 0
        async for path, found in check.findings(listed):
            _show_found(arguments, path, found)
            count += 1
    if count or listed.version != installed.manifest.version:
        raise _other_app(origin, listed, installed.manifest, count)
    _show_verified(arguments, origin, listed, installed.manifest)
    return ExitStatus.OK


def _show_found(arguments: argparse.Namespace, path: str, found: Found) -> None:
    names = f": {', '.join(found.headers)}" if found.headers else ""
    shown = {"file": path, "state": found.finding, "headers": found.headers}
    show_result(arguments, shown, f"{path}  {_WORDS[found.finding]}{names}")


def _other_app(origin: str, listed: Manifest, own: Manifest, count: int) -> TrustError:
    if listed.version != own.version:
        return TrustError(
            "web-other-version",
            f"{origin} serves version {listed.version[:32]} of the web app, here is {own.version}.",
            "Install that version here, then compare again.",
            files=count,
        )
    return TrustError(
        "web-differs",
        f"The web app at {origin} is not the installed one: {count} files are not as here.",
        "Don't open it in a browser before you know why; its owner may have changed it.",
        files=count,
    )


def _show_verified(
    arguments: argparse.Namespace, origin: str, listed: Manifest, own: Manifest
) -> None:
    same_builder = listed.public_key == own.public_key
    shown = {
        "event": "verified",
        "address": origin,
        "version": listed.version,
        "files": len(listed.files),
        "public_key": listed.public_key,
        "same_builder": same_builder,
    }
    builder = "by the builder of the installed one" if same_builder else "by another builder"
    show_result(
        arguments,
        shown,
        f"All {len(listed.files)} files at {origin} are those of version {listed.version}, "
        f"signed {builder}.",
        "This was served here and now. It says nothing of what other people are served, or of what "
        "a browser has kept from earlier visits.",
    )


VERBS = {"verify-web": _arguments}
"""Verb → what adds its arguments."""
