"""The types of the web app are checked, or it is said that they are not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.browser.serving import needs_node

import check_webapp

LINE = 'const count: number = "two";'
WRONG = f"export {LINE}\n"
WRONG_FILES = {
    "src/first.ts": WRONG,
    "src/Second.svelte": f'<script lang="ts">{LINE}</script>{{count}}',
    "tests/third.ts": WRONG,
    "fourth.config.ts": WRONG,
}


def test_a_wrong_type_is_found_wherever_it_stands(tmp_path: Path) -> None:
    """In screens, in the engine, in tests, and in what builds."""
    node = needs_node()
    for name in ("package.json", "tsconfig.json", "tsconfig.tests.json"):
        shutil.copy(check_webapp.WEBAPP / name, tmp_path / name)
    (tmp_path / "node_modules").symlink_to(check_webapp.WEBAPP / "node_modules")
    for path, text in WRONG_FILES.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    said = check_webapp.problems_of(node, tmp_path)
    assert [path for path in WRONG_FILES if path not in said] == []


@pytest.mark.parametrize(("required", "status"), [("", 0), ("1", 1)])
def test_without_node_it_is_said(
    required: str,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Everybody else may go on, and a machine that must check everything may not."""
    monkeypatch.setattr(check_webapp, "found_node", lambda: None)
    monkeypatch.setenv(check_webapp.REQUIRED, required)
    assert check_webapp.main() == status
    assert "not checked" in capsys.readouterr().out
