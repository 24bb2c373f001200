"""What notices say to people, in every face of the client (spec 07, "Notices")."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from untether.base.identifiers import UnixMillis
from untether.client.people import NamedNotice

NOTICE_TEXTS = {
    "clock-ahead": "The relay refuses your device list: its date lies far ahead. Check the clock "
    "of your phone; once it is right, the next connection sends a new list.",
    "contact-new-device": "{who} linked a new device.",
    "contact-new-phone": "{who} has a new phone.",
    "identity-changed": "“{name}” is another account now. Nothing was merged; see `contacts`.",
    "lease-long-ended": "Nobody has seen the phone of {who} for months; nothing is sent to them.",
    "lease-warning": "Your phone was away for long. Connect it before {expires_at}: after that, "
    "nobody writes to this device.",
    "list-withheld": "The relay withholds a device list of {who}; only their phone is written to.",
    "lists-forked": "Two device lists of {who} contradict each other; nothing is sent to them.",
    "lists-not-taken": "The relay refuses your device list [{cause}]; tell its owner.",
    "mail-lost": "{count} messages were too old when this device connected, and are lost.",
    "message-held": "A message of {who} waits until their phone was online again.",
    "message-lost": "A message of {who} is lost on this device: {cause}.",
    "messages-missing": "{Device} wrote {count} more that did not come here.",
    "message-not-readable": "A message of {who} can't be read on this device: {cause}.",
    "message-sent-again": "{Device} could not read {count} of your messages; "
    "they were sent to it again.",
    "message-waits": "A message of {who} can't be read yet: {cause}. Their device is asked "
    "for it; a stranger's is as soon as you have written to them.",
    "own-device-added": "{Device} was linked.",
    "own-device-removed": "{Device} was logged out.",
    "own-device-resigned": "{Device} has logged itself out.",
    "own-new-phone": "A NEW PHONE acts for your account. Not yours? Run "
    "`untether recover NAME --server ADDRESS` on a phone of yours.",
    "phone-displaced": "ANOTHER PHONE acts for your account. Not yours? Run "
    "`untether recover NAME --server ADDRESS`.",
    "possible-copy": "{Device} started anew: it was reset, or it was copied.",
    "prekeys-refused": "The relay served wrong keys for a device of {who}.",
    "removed-device-wrote": "{Device} wrote a message, though it is logged out; the message may "
    "have been on its way before that.",
    "relay-lists-refused": "The relay served a wrong device list of {who} [{cause}].",
    "restored-from-copy": "This device was put back from an old copy, or a copy of it is in use. "
    "On a phone run `untether recover NAME --server ADDRESS`.",
}
"""Code → text (spec 07, "Notices"); a notice without a text is shown by its code."""

OWN_NOTICE_TEXTS = {
    "lease-long-ended": "Nobody has seen YOUR PHONE for months. Connect it: until then nothing is "
    "sent to your other devices.",
    "list-withheld": "The relay withholds a device list of YOUR ACCOUNT. Connect your phone and "
    "run `devices` on both: if they go on to differ, don't trust this relay.",
    "lists-forked": "Two device lists of YOUR ACCOUNT contradict each other: your phone was "
    "copied, or put back. Run `recover` on your phone.",
    "message-held": "A message of another device of yours waits until your phone was online again.",
    "message-sent-again": "{Device} could not read {count} messages of this one; "
    "they were sent to it again.",
    "message-waits": "{Device} wrote a message that can't be read yet: {cause}. It is "
    "asked for it.",
}
"""The same for what concerns the own account, where something else is to be done."""

RED = frozenset(
    {
        "identity-changed",
        "lease-long-ended",
        "list-withheld",
        "lists-forked",
        "own-new-phone",
        "phone-displaced",
        "possible-copy",
        "restored-from-copy",
    }
)
"""Codes of notices that need a person."""

_DAMAGED = "it is damaged"
UNREAD_CAUSES = {
    "message-key-used": "its device used a key again, as one put back from a copy does",
    "bad-message": "it was changed on its way, or sealed for another device",
    "bad-padding": _DAMAGED,
    "body-damaged": _DAMAGED,
    "body-format": "it needs a newer Untether",
    "body-swapped": "it was changed on its way",
    "body-uncommitted": _DAMAGED,
    "device-removed": "the device that wrote it was logged out",
    "malformed": "it is damaged, or needs a newer Untether",
    "message-key-expired": "it came too late",
    "not-allowed": "its sender may not say that",
    "not-asked": "it answers a question that this device did not ask",
    "not-sealed-asleep": "this device had not been connected for weeks when it was sent",
    "not-sealed-lease-expired": "your phone had been away for too long when it was sent",
    "not-sealed-unknown": "its sender could not seal it for this device",
    "not-sealed-unsealable": "its sender found no keys of this device at the relay",
    "prekey-gone": "it was sealed with a key that this device has used or replaced",
    "sender-never-known": "the relay never said which device wrote it",
    "too-far-ahead": "too many messages before it are missing",
    "too-many-from-unknown": "too much came from people whom this device did not know",
    "unknown-session": "it was sealed for a state that this device does not have",
    "wrong-conversation": "it names another conversation",
    "wrong-message-id": "it came under the name of another message",
}
"""Why a message was not opened → in words (spec 07, "Notices")."""

REPAIR_ENDS = {
    "answer-refused": "what its sender sent again can't be used either",
    "device-removed": "the device that wrote it was logged out since",
    "logged-out": "this device was logged out before it came again",
    "never-asked": "you have not written to its sender, who was not asked",
    "not-kept": "its sender can't send it again",
    "too-many-to-repair": "too many others wait already",
    "unanswered": "its sender was asked again and again, and did not answer",
}
"""How the repair of a message ended → in words (spec 10, "Asking")."""


def numbered_device(number: int, name: str | None, whose: str | None) -> str:
    """Spell a device where people log devices out by their numbers; ``whose``: not one's own."""
    if whose is not None:
        return f"Device {number} of {whose}"
    return f"Your device {number}" if name is None else f"Your device {number} (“{name}”)"


def notice_text(
    named: NamedNotice,
    *,
    spell_time: Callable[[UnixMillis], str],
    spell_device: Callable[[int, str | None, str | None], str] = numbered_device,
    instead: Mapping[str, str] | None = None,
    reword: Callable[[str], str] = str,
) -> str:
    """Return a notice in words.

    ``instead`` has the texts of a face where the next step is another one than a command;
    ``reword`` makes its words of ours, and is shown no name.
    """
    notice, own = named.notice, named.own
    details = dict(notice.details)
    if isinstance(expires_at := details.get("expires_at"), int):
        details["expires_at"] = spell_time(UnixMillis(expires_at))
    if notice.code in ("message-lost", "message-not-readable", "message-waits"):
        cause = UNREAD_CAUSES.get(str(details["cause"]), "it can't be opened")
        reason = REPAIR_ENDS.get(str(details.get("reason")))
        details["cause"] = reword(f"{cause}; {reason}" if reason else cause)
    if isinstance(number := details.get("device"), int):
        whose = None if own or notice.account_id is None else named.about or "somebody"
        details["Device"] = spell_device(number, named.device, whose)
    texts = {**NOTICE_TEXTS, **(OWN_NOTICE_TEXTS if own else {}), **(instead or {})}
    template = reword(texts.get(notice.code, f"Notice: {notice.code}"))
    return template.format(who="your account" if own else named.about or "somebody", **details)
