"""A relay serves a newer app: it reaches the browsers that have the older one, and stays whole."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.browser.app.conftest import OpenBrowser
from tests.commands.relays import Relay

import build_webapp
from untether.server.web_manifest import MANIFEST, sign_manifest

OLD, NEW = "Create an account", "Create your account"
LOOK_FOR_NEWER = "navigator.serviceWorker.ready.then(one => one.update())"


@pytest.fixture
def release(app_folder: Path, tmp_path: Path) -> Path:
    """The folder of a relay's own app."""
    return Path(shutil.copytree(app_folder, tmp_path / "webapp"))


def change(release: Path, version: str) -> None:
    """Make another release, with other words on the first screen."""
    for packed in [*release.rglob("*.br"), release / MANIFEST]:
        packed.unlink()
    (screens,) = [path for path in release.glob("assets/index-*.js") if OLD in path.read_text()]
    changed = screens.with_name("index-changed.js")
    changed.write_text(screens.read_text().replace(OLD, NEW))
    shell = release / "index.html"
    shell.write_text(shell.read_text().replace(screens.name, changed.name))
    screens.unlink()
    build_webapp.name_files(release)
    _sign(release, version)


def _sign(release: Path, version: str) -> None:
    files = {
        path.relative_to(release).as_posix(): path.read_bytes()
        for path in release.rglob("*")
        if path.is_file() and path.name != MANIFEST
    }
    (release / MANIFEST).write_bytes(sign_manifest(files, {}, version, build_webapp.release_key()))


@pytest.fixture
def relay_of_release(release: Path, tmp_path: Path) -> Iterator[Relay]:
    """A relay that serves it."""
    running = Relay(tmp_path / "own-relay", settings=f'web_app = "{release}"').start()
    yield running
    running.stop_if_running()


@pytest.fixture
def page(relay_of_release: Relay, open_browser: OpenBrowser) -> Page:
    """A browser that has kept the older one."""
    page = open_browser("phone")
    page.goto(relay_of_release.url)
    page.evaluate(
        "navigator.serviceWorker.controller ? null : new Promise(done => "
        "navigator.serviceWorker.addEventListener('controllerchange', () => done(null)))"
    )
    expect(page.get_by_role("button", name=OLD).first).to_be_visible()
    return page


def test_a_newer_release_takes_over(release: Path, relay_of_release: Relay, page: Page) -> None:
    """The running page says so, and the next start is the newer one; also without a network."""
    relay_of_release.stop()
    change(release, "9.9.9")
    relay_of_release.start()
    page.evaluate(LOOK_FOR_NEWER)
    page.get_by_role("button", name="Reload").click()
    expect(page.get_by_role("button", name=NEW).first).to_be_visible()
    relay_of_release.stop()
    page.reload()
    expect(page.get_by_role("button", name=NEW).first).to_be_visible()


def test_half_a_release_is_not_kept(release: Path, relay_of_release: Relay, page: Page) -> None:
    """A file of another release, and what the browser has stays; mended, the new one comes."""
    relay_of_release.stop()
    change(release, "9.9.9")
    worker = release / build_webapp.SERVICE_WORKER
    whole = worker.read_text()
    worker.write_text(re.sub(r'("index.html":")[0-9a-f]{64}', rf"\g<1>{'0' * 64}", whole))
    _sign(release, "9.9.9")
    relay_of_release.start()
    refused = page.evaluate(
        f"{LOOK_FOR_NEWER}.then(one => "
        "new Promise(ended => one.installing ? one.installing.onstatechange = event => "
        "ended(event.target.state) : ended('none')))"
    )
    assert refused == "redundant"
    page.reload()
    expect(page.get_by_role("button", name=OLD).first).to_be_visible()

    relay_of_release.stop()
    worker.write_text(whole)
    _sign(release, "9.9.9")
    relay_of_release.start()
    page.evaluate(LOOK_FOR_NEWER)
    page.get_by_role("button", name="Reload").click()
    expect(page.get_by_role("button", name=NEW).first).to_be_visible()
