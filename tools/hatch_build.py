"""Builds the web app into a wheel; an editable installation has it once `make webapp` was run."""

from __future__ import annotations

import os
import subprocess
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

OF_THE_OUTER_BUILD = ("PIP_BUILD_TRACKER", "PYTHON", "_PYPROJECT_HOOKS", "PEP517_")
"""How variables begin by which pip's build would reach into the pip and Python that make starts."""


class WebAppHook(BuildHookInterface):  # type: ignore[type-arg, misc, unused-ignore]
    """Lets ``make webapp`` build what is missing or older than its sources."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """See hatchling."""
        if version == "editable":
            return
        environment = {
            name: text
            for name, text in os.environ.items()
            if not name.startswith(OF_THE_OUTER_BUILD)
        }
        command = ["make", "--silent", "webapp"]
        try:
            subprocess.run(command, cwd=self.root, env=environment, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise SystemExit(
                f"The web app could not be built for the wheel ({error}). Run `make webapp`, "
                "which says what is missing."
            ) from error
