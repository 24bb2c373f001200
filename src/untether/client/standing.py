"""Whether the relay lists this device, and why not as far as it is known (spec 02, "Log-out")."""

from __future__ import annotations

from untether.base.errors import RefusedError
from untether.client.driver import Driver
from untether.device import own_account
from untether.device.store.own_device import State
from untether.protocol.identity.certificate import Role


def check_is_listed(driver: Driver) -> None:
    """Raise RefusedError ``phone-displaced`` or ``suspended`` for a device that takes no part."""
    with driver.looking() as context:
        is_suspended = context.active.state is State.SUSPENDED
    if is_suspended:
        raise suspension(driver)


def suspension(driver: Driver) -> RefusedError:
    """Say why the relay does not list this device, as far as it is known."""
    with driver.looking() as context:
        own = context.own
        displaced = own.role is Role.PRIMARY and own_account.is_displaced(context)
    if displaced:
        return RefusedError(
            "phone-displaced",
            f"Another phone acts for the account “{own.name}” now.",
            f"If that was not you, run `untether recover {own.name} --server {own.origin}` here.",
        )
    return RefusedError(
        "suspended",
        "The relay does not list this device, and shows no signed reason.",
        "Connect the phone; its device list heals the relay.",
    )
