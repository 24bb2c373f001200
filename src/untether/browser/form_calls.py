"""A form is looked at before anything is made from it: no key, no passkey, no account."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from untether.base.errors import RateLimitedError, RefusedError
from untether.base.identifiers import AccountId
from untether.base.names import check_device_name, check_name
from untether.browser.app import App
from untether.client.account import check_invitation
from untether.client.name_check import account_named
from untether.client.recovery import recovery_failure
from untether.client.refusals import refusal
from untether.client.sending import unknown_name
from untether.crypto.provider import provider
from untether.protocol.identity.account import account_id
from untether.protocol.identity.recovery_code import decode_recovery_code


class Form(Struct, frozen=True):
    """What was typed to register, link or recover; what a way does not ask for is empty."""

    way: Literal["register", "link", "recover"]
    device_name: str
    name: str = ""
    code: str = ""
    invitation: str | None = None


async def check_form(app: App, typed: Form) -> None:
    """Refuse what this can't become a device of; the relay is asked whose the name is.

    A relay that does not tell whose it is refuses later, if at all.
    """
    check_device_name(typed.device_name)
    if typed.way == "link":
        return
    check_name(typed.name)
    check_invitation(typed.invitation)
    wanted = None if typed.way == "register" else _account_of(typed.code)
    try:
        found = await account_named(app.connector, typed.name)
    except (RefusedError, RateLimitedError):
        return
    if wanted is None and found is not None:
        raise refusal("name-taken")
    if wanted is not None and found is None:
        raise unknown_name(typed.name)
    if wanted != found:
        raise recovery_failure("recovery-wrong-name")


def _account_of(code: str) -> AccountId:
    return account_id(provider().ed25519_public(decode_recovery_code(code)))
