"""Builds the web app into a wheel; an editable installation has it once `make webapp` was run."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MANIFEST = Path("src/untether/server/webapp/manifest.json")


class WebAppHook(BuildHookInterface):  # type: ignore[type-arg, misc, unused-ignore]
    """Lets ``make webapp`` build what is not there yet."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """See hatchling."""
        if version != "editable" and not Path(self.root, MANIFEST).exists():
            subprocess.run(["make", "--silent", "webapp"], cwd=self.root, check=True)
