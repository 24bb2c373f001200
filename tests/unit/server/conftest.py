"""A running relay on a free port, and a way to it."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.unit.server.served_apps import write_release

from untether.adapters.transport.websocket import WebSocketConnector
from untether.server.config import Config
from untether.server.driver import serving
from untether.server.event_log import Log
from untether.server.relay_process import RelayProcess


@pytest.fixture(autouse=True)
def _without_a_web_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether one was built in this working copy makes no difference."""
    monkeypatch.setattr("untether.server.web_files.FOLDER", tmp_path / "no-web-app")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A relay on a free port with its database in the test's directory."""
    return Config(port=0, data=str(tmp_path))


@pytest.fixture
def log_lines() -> io.StringIO:
    """What the relay logs."""
    return io.StringIO()


@pytest.fixture
async def relay(config: Config, log_lines: io.StringIO) -> AsyncIterator[RelayProcess]:
    """A running relay in this process."""
    async with serving(config, Log(log_lines)) as running:
        yield running


@pytest.fixture
async def connector(relay: RelayProcess) -> AsyncIterator[WebSocketConnector]:
    """A way to the running relay."""
    async with WebSocketConnector(relay.address) as opened:
        yield opened


@pytest.fixture
def _installed(_without_a_web_app: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a release of the web app here."""
    installed = write_release(tmp_path / "installed")
    monkeypatch.setattr("untether.server.web_files.FOLDER", installed)
