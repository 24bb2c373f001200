"""A new phone for an account, from its recovery code (spec 02, "Recovery")."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from untether.base.errors import LocalError, UntetherError
from untether.base.identifiers import DeviceNumber
from untether.client.driver import Driver
from untether.client.receiving import Heard
from untether.client.refusals import refusal
from untether.client.signing import opened_signer
from untether.client.vault import Vault
from untether.crypto.provider import provider
from untether.device.events import AccountActivated, RecoveryFound, RequestRefused
from untether.device.inputs import BeginRecovery, ConfirmRecovery, RecoverSamePhone
from untether.device.store import own_device
from untether.device.store.own_device import OwnDevice, State
from untether.protocol.identity.recovery_code import decode_recovery_code

WhichStay = Callable[[RecoveryFound], Awaitable[tuple[DeviceNumber, ...]]]
GetCode = Callable[[], Awaitable[str]]

_FAILURES = {
    "list-forked": (
        "The relay held another list of your devices than this phone, and that one counts.",
        "Run the same command again.",
    ),
    "no-such-account": (
        "The relay knows no account with this recovery code.",
        "Check the code and the relay's address.",
    ),
    "recovery-moved-on": (
        "The devices of the account changed meanwhile.",
        "Run the same command again.",
    ),
    "recovery-wrong-name": (
        "This recovery code belongs to an account with another name.",
        "Check the name.",
    ),
}


async def recover(
    driver: Driver,
    vault: Vault,
    name: str,
    *,
    device_name: str,
    platform: str,
    get_code: GetCode,
    which_stay: WhichStay,
) -> AccountActivated:
    """Become the phone of an account; ``which_stay`` asks which companions the owner keeps.

    On a phone that was displaced or put back from a copy, the seal on the phone takes the
    place of the code. An interrupted recovery goes on.
    """
    with driver.signing():
        own = _own(driver)
        if own is not None and own.name != name:
            raise LocalError(
                "other-account",
                f"This profile belongs to the account “{own.name}”.",
                "Use another profile: `untether --profile DIR recover …`.",
            )
        if own is None:
            code = await get_code()
            await _begin(driver, vault, name, device_name=device_name, platform=platform, code=code)
        elif own.state is not State.RECOVERING:
            with driver.listening() as heard:
                async with driver.connected():
                    await driver.logged_in()
                    await driver.handle(RecoverSamePhone())
                    if not _is_recovering(driver):
                        return await _until_active(driver, heard, which_stay)
        # A phone that another one has replaced goes on as a guest, like any new one.
        with driver.listening() as heard:
            async with driver.connected():
                return await _until_active(driver, heard, which_stay)


async def _begin(
    driver: Driver, vault: Vault, name: str, *, device_name: str, platform: str, code: str
) -> None:
    seed = decode_recovery_code(code)
    async with driver.connected():
        pass  # an address that can't be reached must not leave a half-made device
    await driver.handle(
        BeginRecovery(
            name=name,
            account_key=provider().ed25519_public(seed),
            sealed_account_seed=await vault.seal(seed),
            origin=driver.origin,
            relay_id=driver.relay_id,
            device_name=device_name,
            device_platform=platform,
        )
    )
    driver.signer = opened_signer(seed)


async def _until_active(driver: Driver, heard: Heard, which_stay: WhichStay) -> AccountActivated:
    while True:
        match await driver.next_event(heard):
            case RecoveryFound() as found:
                await driver.handle(ConfirmRecovery(await which_stay(found)))
            case AccountActivated() as activated:
                return activated
            case RequestRefused() as refused:
                raise recovery_failure(refused.code, refused.retry_after_ms)


def recovery_failure(code: str, retry_after_ms: int = 0) -> UntetherError:
    """Return the error for what the relay, or its answer, has against a recovery."""
    if code not in _FAILURES:
        return refusal(code, retry_after_ms)
    message, hint = _FAILURES[code]
    return LocalError(code, message, hint)


def _is_recovering(driver: Driver) -> bool:
    own = _own(driver)
    return own is not None and own.state is State.RECOVERING


def _own(driver: Driver) -> OwnDevice | None:
    with driver.reading() as database:
        return own_device.load(database)
