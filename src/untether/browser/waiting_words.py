"""Why a message waits, in the words of the screens, which name no command."""

from __future__ import annotations

from typing import Final

from untether.browser.problems import say_server
from untether.client.waiting_words import CAUSES

INSTEAD: Final = {
    "identity-changed": "they are another account now",
    "phone-displaced": "another phone acts for your account",
    "restored-from-copy": "this phone was put back from a copy",
}


def waiting_text(cause: str) -> str:
    """Return a cause in words, nothing for none."""
    return say_server(INSTEAD.get(cause) or CAUSES.get(cause, cause))
