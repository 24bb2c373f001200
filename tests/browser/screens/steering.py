"""What tests say to the scripted engine, and ask of a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

AXE = Path(__file__).parents[3] / "webapp" / "node_modules" / "axe-core" / "axe.min.js"


def steer(page: Page, **order: object) -> None:
    """Tell the scripted engine what happens next."""
    page.evaluate(
        "order => { const line = new BroadcastChannel('untether-script');"
        " line.postMessage(order); line.close(); }",
        order,
    )


def axe_violations(page: Page, rules: list[str] | None = None) -> list[str]:
    """Return what axe finds wrong by some or all of its rules, with the elements it is about."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    options: dict[str, object] = {"resultTypes": ["violations"]}
    if rules is not None:
        options["runOnly"] = rules
    found: dict[str, Any] = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{one['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for one in found["violations"]
        for node in one["nodes"]
    ]
