"""The verbs of an operator: ``serve`` runs a relay, ``invite`` makes an invitation."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from untether.base.errors import ExitStatus
from untether.cli.arguments import port
from untether.cli.errors import json_line
from untether.server import config as configuration
from untether.server import driver
from untether.server.invitations import create_invitation

if TYPE_CHECKING:
    from untether.server.config import Config


def _serve_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", help="where to listen (127.0.0.1)")
    parser.add_argument("--port", type=port, help="port to listen on (8080); 0 takes a free one")
    _common_arguments(parser)


def _common_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", metavar="DIR", help="the relay's data (~/.untether/relay)")
    parser.add_argument(
        "--config", metavar="FILE", type=Path, help="TOML file, see docs/operating.md"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Carry out ``serve`` or ``invite``; raises UntetherError for the caller to render."""
    config = configuration.load(arguments.config)
    if arguments.verb == "invite":
        return _invite(configuration.override(config, data=arguments.data), arguments)
    config = configuration.override(
        config, host=arguments.host, port=arguments.port, data=arguments.data
    )
    driver.run(config, partial(_show_address, arguments))
    return ExitStatus.OK


def _show_address(arguments: argparse.Namespace, address: str) -> None:
    if arguments.output == "json":
        print(json_line({"event": "serving", "address": address}), flush=True)
    else:
        print(address, flush=True)


def _invite(config: Config, arguments: argparse.Namespace) -> int:
    invitation = create_invitation(config.database)
    if getattr(arguments, "output", "text") == "json":
        from untether.cli.render import show_json, timestamp  # noqa: PLC0415 (slow to load)

        expires_at = timestamp(invitation.expires_at)
        show_json({"invitation": invitation.code, "expires_at": expires_at})
    else:
        print(invitation.code)
    return ExitStatus.OK


VERBS = {"serve": _serve_arguments, "invite": _common_arguments}
"""Verb → what adds its arguments."""
