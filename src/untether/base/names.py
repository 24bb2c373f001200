"""Account names: ``[a-z0-9][a-z0-9._-]{1,31}`` (spec 02, "Names")."""

from __future__ import annotations

import re

from untether.base.errors import LocalError
from untether.base.limits import NAME_MAX, NAME_MIN

_NAME = re.compile(rf"[a-z0-9][a-z0-9._-]{{{NAME_MIN - 1},{NAME_MAX - 1}}}")


def check_name(name: str) -> str:
    """Return ``name`` when it may name an account; raises LocalError ``bad-name``."""
    if not _NAME.fullmatch(name):
        raise LocalError(
            "bad-name",
            f"“{name[:40]}” can't be a name.",
            f"Use {NAME_MIN} to {NAME_MAX} of a-z, 0-9, dot, dash and underscore, "
            "starting with a letter or digit.",
        )
    return name
