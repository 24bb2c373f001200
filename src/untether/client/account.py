"""The own account: registering it, and how this device stands (spec 06, "Own device")."""

from __future__ import annotations

import asyncio

from msgspec import Struct

from untether.base.errors import LocalError, NetworkError
from untether.base.identifiers import SECOND_MS, AccountId, DeviceNumber, UnixMillis
from untether.base.limits import ACTIVATION_MS, INVITATION_CODE_MAX
from untether.base.secret_bytes import SecretBytes
from untether.client.driver import Driver
from untether.client.refusals import refusal
from untether.client.signing import opened_signer
from untether.client.vault import Vault
from untether.crypto.provider import provider
from untether.device import own_account
from untether.device.events import AccountActivated, Event, RequestRefused
from untether.device.inputs import BeginRegistration
from untether.device.store import inbox, own_device, repairs
from untether.device.store.own_device import OwnDevice, State
from untether.protocol.identity.recovery_code import encode_recovery_code
from untether.wire.client_frames import FetchStatus
from untether.wire.server_frames import Status

_SEED_LENGTH = 32


class Registered(Struct, frozen=True):
    """A new account. Its recovery code is given until it was seen, and nowhere in the clear."""

    account_id: AccountId
    name: str
    device: DeviceNumber
    recovery_code: str


class Standing(Struct, frozen=True):
    """How this device stands; what only the relay knows is None when it can't be reached."""

    name: str
    account_id: AccountId
    device: DeviceNumber
    role: str
    state: str
    relay: str
    connected: bool
    mailbox_entries: int | None
    prekeys: int | None
    lease_ends_at: UnixMillis
    list_version: str
    unreadable: int
    repairing: int
    recovery_code_unseen: bool


async def register(
    driver: Driver,
    vault: Vault,
    name: str,
    *,
    device_name: str,
    platform: str,
    invitation: str | None,
) -> Registered:
    """Make the account, have it admitted, and return its recovery code.

    An interrupted registration of the same name is finished, and one whose code has not been
    seen gives it again: see :func:`mark_recovery_code_seen`. Raises RefusedError with the
    relay's reason; the profile is then unused again.
    """
    check_invitation(invitation)
    own = _unfinished(driver, name)
    with driver.listening() as heard, driver.signing():
        if own is None:
            seed = await _begin(
                driver,
                vault,
                name,
                device_name=device_name,
                platform=platform,
                invitation=invitation,
            )
        else:
            assert own.sealed_account_seed is not None
            seed = await vault.open(own.sealed_account_seed, "This shows your recovery code.")
            driver.signer = opened_signer(seed)
        if own is None or own.state is State.REGISTERING:
            async with driver.connected():
                await until_activated(driver, heard)
    with driver.reading() as database:
        own = own_device.require(database)
    return Registered(own.account_id, own.name, own.device, encode_recovery_code(seed))


def check_invitation(code: str | None) -> None:
    """Refuse before it is sent what no invitation can be: LocalError ``bad-invitation``."""
    if code is not None and len(code) > INVITATION_CODE_MAX:
        raise LocalError(
            "bad-invitation",
            f"What was given as an invitation has {len(code)} characters.",
            f"Copy the code again; it has at most {INVITATION_CODE_MAX}.",
        )


def mark_recovery_code_seen(driver: Driver) -> None:
    """Remember that the person has the recovery code: from now on it is not given again."""
    with driver.writing() as database:
        own_device.mark_recovery_code_seen(database)


async def _begin(
    driver: Driver,
    vault: Vault,
    name: str,
    *,
    device_name: str,
    platform: str,
    invitation: str | None,
) -> SecretBytes:
    with driver.looking() as context:
        context.require_unused("register")
    async with driver.connected():
        pass  # who the relay is must be known; it does not wait while somebody types
    seed = SecretBytes.generate(_SEED_LENGTH, driver.randomness)
    sealed = await vault.seal(seed)
    driver.signer = opened_signer(seed)
    await driver.handle(
        BeginRegistration(
            name=name,
            account_key=provider().ed25519_public(seed),
            sealed_account_seed=sealed,
            origin=driver.origin,
            relay_id=driver.relay_id,
            device_name=device_name,
            device_platform=platform,
            invitation=invitation,
        )
    )
    return seed


async def until_activated(driver: Driver, heard: asyncio.Queue[Event]) -> AccountActivated:
    """Wait until the relay has admitted this device; raises its refusal."""
    try:
        async with asyncio.timeout(ACTIVATION_MS / SECOND_MS):
            while True:
                event = await driver.next_event(heard)
                if isinstance(event, AccountActivated):
                    return event
                if isinstance(event, RequestRefused):
                    raise refusal(event.code, event.retry_after_ms)
    except TimeoutError as error:
        raise NetworkError(
            "no-answer",
            "The relay did not answer in time.",
            "Run the same command again; it goes on where it stopped.",
        ) from error


async def status(driver: Driver) -> Standing:
    """Return how this device stands; the caller is connected when the relay can be reached.

    Raises LocalError ``not-finished`` while a link has not shown it the account's lists.
    """
    answer = await ask_status(driver)
    with driver.looking() as context:
        own = context.own
        if own.state is State.LINKING:  # and so without a list
            _ = context.active
        newest = own_account.newest(context)
        unreadable = inbox.count_given_up(context.database)
        repairing = repairs.count(context.database)
    return Standing(
        name=own.name,
        account_id=own.account_id,
        device=own.device,
        role=own.role.name.lower(),
        state=own.state.value,
        relay=own.origin,
        connected=driver.is_connected,
        mailbox_entries=None if answer is None else answer.mailbox_entries,
        prekeys=None if answer is None else answer.one_time_prekeys,
        lease_ends_at=newest.expires_at,
        list_version=f"{newest.head.generation}.{newest.head.version}",
        unreadable=unreadable,
        repairing=repairing,
        recovery_code_unseen=own.recovery_code_unseen,
    )


def require_active(driver: Driver) -> None:
    """Raise why this device takes no part, if it does not: not finished, or logged out."""
    with driver.looking() as context:
        _ = context.active


def takes_part(driver: Driver) -> bool:
    """Tell whether this device may send and receive, as far as it knows."""
    with driver.reading() as database:
        own = own_device.load(database)
    return own is not None and own.takes_part


async def ask_status(driver: Driver) -> Status | None:
    """Return what only the relay knows; None without a connection, and to a device without part."""
    with driver.reading() as database:
        own = own_device.load(database)
    if own is None or own.state is not State.ACTIVE or not driver.is_connected:
        return None
    answer = await driver.ask(FetchStatus())
    return answer if isinstance(answer, Status) else None


def _unfinished(driver: Driver, name: str) -> OwnDevice | None:
    """Return this device if it is being registered, or its recovery code was not seen yet."""
    with driver.reading() as database:
        own = own_device.load(database)
    if own is None or not (own.takes_part or own.state is State.REGISTERING):
        return None
    if own.state is State.REGISTERING and own.name != name:
        raise LocalError(
            "other-registration",
            f"This profile is in the middle of registering “{own.name}”.",
            f"Finish it with `untether register {own.name} --server {own.origin}`, "
            "or use another profile.",
        )
    return own if own.recovery_code_unseen and own.name == name else None
