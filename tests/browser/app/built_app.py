"""Where things are in the built folder."""

from __future__ import annotations

from pathlib import Path


def python_folder_of(app: Path) -> Path:
    """Return the folder of the browser's Python."""
    (folder,) = app.glob("python-*")
    return folder
