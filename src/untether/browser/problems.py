"""Failures in the words of the screens: no command is named, since there is none to type."""

from __future__ import annotations

import re
from typing import Any, Final

from untether.base.errors import UntetherError

Problem = dict[str, Any]
"""``error`` (the stable code), ``message``, ``hint``, and the details."""

HINTS: Final = {
    "account-exists": "Recover it with your recovery code.",
    "already-registered": "Erase this device first, to use it for another account.",
    "certificate-outdated": "Recover your account once more.",
    "identity-changed": "Ask them by another way, then look at the contact: you can accept it.",
    "io-error": "Load the app again. If it stays, free some space on this device.",
    "invitation-needed": "Ask the server's owner for an invitation code, and type it in.",
    "key-in-use": "Erase this device, then start again.",
    "logged-out": "Old messages stay readable. To go on, erase this device and link it again.",
    "no-account": "Make an account, or link this device to yours.",
    "no-such-device": "Look at the list of your devices again.",
    "not-allowed": "If this device was logged out, erase it and link it again.",
    "not-finished": "Go on with what was begun, or erase this device.",
    "not-listed": "Erase this device, then link it again.",
    "nothing-to-accept": "There is nothing to do.",
    "nothing-to-confirm": "Recover your account with the recovery code.",
    "other-account": "Erase this device first, to use it for another account.",
    "other-registration": "Finish it under that name, or erase this device.",
    "phone-displaced": "If that was not you, recover your account with the recovery code.",
    "phone-stays": "To use another phone, recover your account on it.",
    "unknown-contact": "Write to them first.",
}
"""Code → the next step on a screen, where the error itself names a command."""

_RELAY = re.compile(r"“[^”]*”|(?<![\w./:-])(r|R)elay(?![\w/:-]|\.\w)")
"""The word, by itself; and what somebody was called or has typed, in which it stays."""


def say_server(text: str) -> str:
    """Return a text with the word that the app has for a relay."""
    return _RELAY.sub(lambda found: {"r": "server", "R": "Server"}.get(found[1], found[0]), text)


def problem(error: UntetherError) -> Problem:
    """Return a failure as the screens show it."""
    otherwise = "" if "`" in error.hint else error.hint
    hint = HINTS.get(error.code, otherwise)
    said = {"message": say_server(error.message), "hint": say_server(hint)}
    return {"error": error.code, **said, **error.details}


def defect(error: Exception) -> Problem:
    """Return what no error of ours explains."""
    return {
        "error": "defect",
        "message": f"Something went wrong inside the app ({type(error).__name__}).",
        "hint": "Load the app again. If it happens again, please report it.",
    }
