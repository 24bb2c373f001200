"""Names of accounts (spec 02, "Names") and of devices (spec 00, "Names of things").

A device's name comes from another device and is shown where its owner decides. So it has no
control characters, which could rewrite a terminal, and none that turn the direction of text.
"""

from __future__ import annotations

import re

from untether.base.errors import LocalError
from untether.base.limits import DEVICE_NAME_MAX, DEVICE_PLATFORM_MAX, NAME_MAX, NAME_MIN

DEVICE_NAME_PATTERN = r"^[^\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]+\Z"

DEVICE_PLATFORM_PATTERN = DEVICE_NAME_PATTERN.replace("]+", "]*")
"""What a device runs on is shown like its name; it may be left out."""

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


def check_device_name(name: str) -> str:
    """Return ``name`` when it may name a device; raises LocalError ``bad-device-name``."""
    if len(name) > DEVICE_NAME_MAX or not re.search(DEVICE_NAME_PATTERN, name):
        raise LocalError(
            "bad-device-name",
            f"{name[:40]!r} can't name a device.",
            f"Use 1 to {DEVICE_NAME_MAX} characters in one line.",
        )
    return name


def check_device_platform(platform: str) -> str:
    """Return ``platform`` when a device may say that it runs on it; LocalError ``bad-platform``."""
    if len(platform) > DEVICE_PLATFORM_MAX or not re.search(DEVICE_PLATFORM_PATTERN, platform):
        raise LocalError(
            "bad-platform",
            f"{platform[:40]!r} can't be what a device runs on.",
            f"Use at most {DEVICE_PLATFORM_MAX} characters in one line.",
        )
    return platform
