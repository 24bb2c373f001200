"""One sealed file of the browser's database, under damage and on a full disk (spec 09).

`webapp/tests/file_layer` runs the file layer under Node.js and says what it saw.
"""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from tests.browser.serving import WEBAPP, built, needs_node

PAGE = 4096


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Run the file layer once."""
    needs_node()
    folder = built("tests/file_layer/vite.config.ts", tmp_path_factory.mktemp("file-layer"))
    (folder / "node_modules").symlink_to(WEBAPP / "node_modules")
    command = [needs_node(), str(folder / "file_layer.js")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_damage_is_zeros_in_recovery_and_an_error_after(seen: dict[str, Any]) -> None:
    """Also of the page that was read when the file was opened; its neighbour is whole."""
    assert seen["damaged_last_page"] == [0, "refused", 2]


def test_each_part_of_a_slot_is_authenticated(seen: dict[str, Any]) -> None:
    """Nonce, used length, page and tag: one changed bit of any is an error."""
    assert seen["every_part_is_authenticated"] is True


def test_no_slot_stands_in_the_place_of_another(seen: dict[str, Any]) -> None:
    """A slot that was copied to another number, or into another file, is an error."""
    assert seen["moved_slots"] == [1, "refused", "refused"]


def test_a_full_disk_is_named_and_forgotten(seen: dict[str, Any]) -> None:
    """What did not fit stays in memory, and goes to the disk once there is room."""
    assert seen["full_disk"] == ["QuotaExceededError", True, False, 9]


def test_sizes_survive(seen: dict[str, Any]) -> None:
    """Holes read as zeros; a file has its length to the byte when it is opened again."""
    assert seen["holes_and_cuts"] == [3 * PAGE + 8, 0, 2 * PAGE + 10]
