"""Why a message waits, or was refused, in words (spec 06, "Outbox")."""

from __future__ import annotations

from typing import Final

CAUSES: Final = {
    "asleep": "their device was not online for weeks",
    "identity-changed": "they are another account now; see `untether contacts`",
    "lease-expired": "their phone was away for too long",
    "lease-long-ended": "nobody has seen the phone of the account for months",
    "lists-forked": "the device lists of the account contradict each other",
    "mailbox-full": "their mailbox is full",
    "no-answer": "the relay does not answer; it is kept and leaves with the next connection",
    "no-devices": "they have no device to write to",
    "no-such-account": "the relay does not know their account",
    "offline": "there is no connection; it is kept and leaves with the next one",
    "phone-displaced": "another phone acts for your account; run `untether recover` here",
    "rate-limited": "the relay asks to slow down; it is kept and leaves with the next connection",
    "relay-behind": "the relay is behind and has to catch up",
    "relay-failure": "the relay has a problem, such as a full disk; it is kept and leaves later",
    "resigned": "their device has logged itself out",
    "restored-from-copy": "this phone was put back from a copy; run `untether recover` here",
    "unsealable": "their device has no keys at the relay",
}
"""Code → words; any other cause is shown by its code."""
