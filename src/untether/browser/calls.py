"""The table of calls: name → the shape of its arguments, and what carries it out.

The value of a call is what its function returns. ``make tables`` writes the shapes into
``webapp/src/types.ts``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec

from untether.base.errors import LocalError
from untether.browser import (
    chat_calls,
    device_calls,
    form_calls,
    joining_calls,
    opening_calls,
    people_calls,
    waking_calls,
)
from untether.browser.app import App
from untether.browser.page import Perform
from untether.browser.questions import Proof


class Call(NamedTuple):
    """One call."""

    arguments: type[Any]
    carry_out: Callable[[App, Any], Awaitable[object]]


CALLS = {
    "look": Call(opening_calls.Nothing, opening_calls.look),
    "protect": Call(Proof, opening_calls.protect),
    "unlock": Call(Proof, opening_calls.unlock),
    "lock": Call(opening_calls.Nothing, opening_calls.lock),
    "erase": Call(opening_calls.Nothing, opening_calls.erase),
    "me": Call(opening_calls.Nothing, opening_calls.me),
    "check_form": Call(form_calls.Form, form_calls.check_form),
    "register": Call(joining_calls.Register, joining_calls.register),
    "recovery_code_seen": Call(opening_calls.Nothing, joining_calls.recovery_code_seen),
    "recover": Call(joining_calls.Recover, joining_calls.recover),
    "link": Call(joining_calls.Link, joining_calls.link),
    "approve": Call(joining_calls.Approve, joining_calls.approve),
    "chats": Call(opening_calls.Nothing, chat_calls.chats),
    "conversation": Call(chat_calls.PageOf, chat_calls.conversation),
    "send": Call(chat_calls.Send, chat_calls.send),
    "mark_read": Call(chat_calls.OneConversation, chat_calls.mark_read),
    "notices": Call(opening_calls.Nothing, chat_calls.unshown),
    "notices_shown": Call(chat_calls.Rows, chat_calls.notices_shown),
    "contacts": Call(opening_calls.Nothing, people_calls.contacts),
    "find": Call(people_calls.Name, people_calls.find),
    "accept": Call(people_calls.Name, people_calls.accept),
    "security_code": Call(people_calls.Name, people_calls.security_code),
    "verify": Call(people_calls.Verify, people_calls.verify),
    "devices": Call(opening_calls.Nothing, device_calls.devices),
    "log_out": Call(device_calls.LogOut, device_calls.log_out),
    "set_lease": Call(device_calls.Lease, device_calls.set_lease),
    "push_key": Call(opening_calls.Nothing, waking_calls.push_key),
    "subscribe_push": Call(waking_calls.Endpoint, waking_calls.subscribe_push),
    "storage": Call(opening_calls.Nothing, opening_calls.storage),
}


def performer(app: App) -> Perform:
    """Return what carries out the calls of the screens."""

    async def perform(name: str, arguments: Any) -> object:
        call = CALLS.get(name)
        if call is None:
            raise _bad_call(name)
        try:
            given: object = msgspec.convert(arguments, call.arguments)
        except msgspec.ValidationError as error:
            raise _bad_call(name) from error
        return await call.carry_out(app, given)

    return perform


def _bad_call(name: str) -> LocalError:
    return LocalError(
        "bad-call", f"The screens asked for what can't be ({name}).", "Load the app again."
    )
