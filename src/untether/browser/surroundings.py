"""The port to the browser around the engine: what it is, and how much it keeps."""

from __future__ import annotations

from typing import Protocol


class Surroundings(Protocol):
    """What the browser says about itself."""

    platform: str
    """The system's name, e.g. ``Android``; may be empty."""

    async def storage(self) -> tuple[int, int, bool]:
        """Return bytes used, bytes allowed, and whether they are kept until somebody deletes."""
        ...
