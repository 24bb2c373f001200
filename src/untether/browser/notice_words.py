"""Notices in the words of the screens, where the next step is no command (spec 07, "Notices")."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from untether.base.identifiers import UnixMillis
from untether.browser.problems import say_server
from untether.client.notice_words import notice_text
from untether.client.people import NamedNotice

INSTEAD: Final = {
    ("identity-changed", False): "“{name}” is another account now. Nothing was merged: ask them "
    "by another way before you accept it.",
    ("list-withheld", True): "The relay withholds a device list of YOUR ACCOUNT. Open the app on "
    "your phone and compare the devices on both: if they go on to differ, don't trust this relay.",
    ("lists-forked", True): "Two device lists of YOUR ACCOUNT contradict each other: your phone "
    "was copied, or put back. Recover your account on your phone.",
    ("own-new-phone", False): "A NEW PHONE acts for your account. Not yours? Choose “Recover an "
    "account” on a phone of yours, with the recovery code: that logs the new one out.",
    ("phone-displaced", False): "ANOTHER PHONE acts for your account. Not yours? Recover your "
    "account with the recovery code.",
    ("restored-from-copy", False): "This device was put back from an old copy, or a copy of it is "
    "in use. On a phone, recover your account.",
}
"""(code, whether only about the own account) → text."""


def words_of(named: NamedNotice) -> str:
    """Return a notice in words."""
    instead = {
        code: text for (code, only_own), text in INSTEAD.items() if named.own or not only_own
    }
    return notice_text(
        named, spell_time=_day, spell_device=_device, instead=instead, reword=say_server
    )


def _device(_: int, name: str | None, whose: str | None) -> str:
    """Spell a device without its number, which no screen shows."""
    if whose is not None:
        return f"A device of {whose}"
    return "A device of yours" if name is None else f"Your device “{name}”"


def _day(time: UnixMillis) -> str:
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d")
