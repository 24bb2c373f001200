"""The SDK: one device of one account, for programs.

Where a device comes from is the platform's business: :class:`untether.native.NativeClient`
adds ``open`` and ``create`` for this machine.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager

from msgspec.structs import replace

from untether.base.errors import PlatformError, UntetherError
from untether.base.identifiers import DeviceNumber, UnixMillis
from untether.base.names import check_device_platform, check_name
from untether.client import (
    account,
    devices,
    linking,
    people,
    receiving,
    recovery,
    sending,
)
from untether.client.account import Registered, Standing
from untether.client.driver import Driver
from untether.client.people import NamedMessage, NamedNotice, Person, SecurityCode
from untether.client.refusals import passes
from untether.client.sending import Sent
from untether.client.vault import Vault
from untether.device.events import AccountActivated, DeviceLinked, Event
from untether.device.inputs import AcceptContact, MarkVerified
from untether.device.own_devices import OwnDeviceView
from untether.device.store import messages, notices
from untether.wire.client_frames import SubscribePush, UnsubscribePush
from untether.wire.link_offer import CompanionKind
from untether.wire.server_frames import PASSING_REFUSALS


class Client:
    """One device; every method raises UntetherError subclasses that say who must act.

    ``platform`` is what this device tells its own account that it runs on.
    """

    def __init__(
        self,
        driver: Driver,
        *,
        vault: Vault,
        receive_alone: Callable[[], AbstractContextManager[None]],
        platform: str = "",
    ) -> None:
        self.driver = driver
        self.vault = vault
        self._receive_alone = receive_alone
        self._platform = check_device_platform(platform)
        self._kept_out_by: str | None = None

    @asynccontextmanager
    async def online(self) -> AsyncIterator[None]:
        """Be connected inside; NetworkError when the relay can't be reached.

        Raises what :attr:`Context.active` does for a device that takes no part.
        """
        account.require_active(self.driver)
        async with self.driver.connected():
            await self.driver.logged_in()
            yield

    @asynccontextmanager
    async def online_if_possible(
        self, *, to_read: bool = False
    ) -> AsyncIterator[UntetherError | None]:
        """Be connected inside when the relay serves this device; else yields why it can't now.

        Who only wants ``to_read`` can do so where this machine fails, as with a full disk. A device
        that takes no part has nothing to ask, and stays offline.
        """
        async with AsyncExitStack() as stack:
            unreachable: UntetherError | None = None
            if account.takes_part(self.driver):
                try:
                    await stack.enter_async_context(self.online())
                except UntetherError as error:
                    if not (passes(error) or (to_read and isinstance(error, PlatformError))):
                        raise
                    unreachable = error
            self._kept_out_by = None if unreachable is None else unreachable.code
            yield unreachable

    async def send(self, name: str, text: str) -> Sent:
        """Send a text to somebody by name; queued when the relay can't be reached."""
        sent = await sending.send_text(self.driver, name, text)
        refused_by = self._kept_out_by
        if sent.cause == "offline" and refused_by in PASSING_REFUSALS:
            return replace(sent, cause=refused_by)  # the relay was there, and said why not
        return sent

    async def events(self) -> AsyncIterator[Event]:
        """Receive for as long as the caller listens, connecting again when needed.

        Raises LocalError ``already-receiving`` when another process of this device receives.
        """
        with self._receive_alone(), self.driver.listening() as heard:
            async with receiving.kept_connected(self.driver, lambda _: None) as connection:
                while True:
                    event = await receiving.while_kept(connection, heard.get())
                    receiving.check_still_receiving(self.driver, event)
                    yield event

    def receive_alone(self) -> AbstractContextManager[None]:
        """Hold the receiver lock of this profile inside."""
        return self._receive_alone()

    def messages(self, name: str | None = None, limit: int = 50) -> list[NamedMessage]:
        """Return the newest messages (with one person), oldest first."""
        with self.driver.reading() as database:
            other = None if name is None else people.shown_account(database, name)
            return people.named(database, messages.history(database, other, limit))

    async def register(
        self, name: str, *, device_name: str, invitation: str | None = None
    ) -> Registered:
        """Make a new account whose phone this device is; returns the recovery code.

        Until :meth:`mark_recovery_code_seen` the same call returns it again.
        """
        return await account.register(
            self.driver,
            self.vault,
            name,
            device_name=device_name,
            platform=self._platform,
            invitation=invitation,
        )

    def mark_recovery_code_seen(self) -> None:
        """Say that the person has the recovery code; it is not returned again."""
        account.mark_recovery_code_seen(self.driver)

    async def link(
        self,
        *,
        device_name: str,
        device_kind: CompanionKind,
        on_offer: linking.OnOffer,
        is_mine: linking.IsMine,
        on_taken_up: linking.OnTakenUp = lambda: None,
        timeout_s: float | None = None,
    ) -> AccountActivated:
        """Make this unused device a companion of the account whose phone approves it."""
        return await linking.link_companion(
            self.driver,
            device_name=device_name,
            device_kind=device_kind,
            platform=self._platform,
            on_offer=on_offer,
            on_taken_up=on_taken_up,
            is_mine=is_mine,
            timeout_s=timeout_s,
        )

    async def approve(
        self,
        link_text: str,
        may_link: linking.MayLink,
        on_certified: linking.OnCertified = lambda _: None,
    ) -> DeviceLinked:
        """On the phone: link the device that shows this text, after user verification."""
        return await linking.approve(self.driver, link_text, may_link, on_certified)

    async def devices(self) -> list[OwnDeviceView]:
        """Return the devices of the own account."""
        return await devices.own_devices(self.driver)

    async def log_out(self, device: DeviceNumber, *, wipe: bool = False) -> None:
        """Log a companion out from the phone, or this companion itself."""
        await devices.log_out(self.driver, device, wipe=wipe, receive_alone=self._receive_alone)

    async def set_lease(self, days: int) -> UnixMillis:
        """On the phone: choose how long companions go on without it; returns when that ends."""
        return await devices.set_lease(self.driver, days)

    async def recover(
        self,
        name: str,
        *,
        device_name: str,
        get_code: recovery.GetCode,
        which_stay: recovery.WhichStay,
    ) -> AccountActivated:
        """Become the phone of an account, from its recovery code or this phone's own seal."""
        return await recovery.recover(
            self.driver,
            self.vault,
            name,
            device_name=device_name,
            platform=self._platform,
            get_code=get_code,
            which_stay=which_stay,
        )

    async def accept(self, name: str) -> None:
        """Point a name to the account that the relay gives for it now; it is unverified."""
        await self.driver.handle(AcceptContact(check_name(name)))

    async def verify(self, name: str, qr_text: str | None = None) -> None:
        """Mark a person as verified: the codes were compared, or their QR code is compared now."""
        people.refuse_own_name(self.driver, check_name(name))
        if qr_text is None:
            await self.driver.handle(MarkVerified(name))
        else:
            await people.verify_by_qr(self.driver, name, qr_text)

    def contacts(self) -> list[Person]:
        """Return everybody this account knows."""
        return people.everybody(self.driver)

    async def security_code(self, name: str) -> SecurityCode:
        """Return the 60 digits to compare with a person by another way."""
        return await people.security_code_of(self.driver, name)

    async def status(self) -> Standing:
        """Return how this device stands, asking the relay when it can be reached."""
        return await account.status(self.driver)

    async def push_key(self) -> bytes | None:
        """Return the key by which push services know this relay; None if it wakes no devices.

        Needs a connection, as do the other two.
        """
        status = await account.ask_status(self.driver)
        return None if status is None else status.push_key

    async def subscribe_push(self, endpoint: str) -> None:
        """Be woken at an endpoint of this device's push service when mail waits.

        RefusedError ``push-off`` or ``bad-endpoint``. A browser may change its endpoint, and a
        relay that was put back from a copy forgets it: to be said again at each start.
        """
        await self.driver.ask(SubscribePush(endpoint))

    async def unsubscribe_push(self) -> None:
        """Be woken no more."""
        await self.driver.ask(UnsubscribePush())

    def notices(self) -> list[NamedNotice]:
        """Return what people should know and was not shown yet, oldest first."""
        with self.driver.reading() as database:
            return people.named_notices(database, notices.unshown(database))

    def mark_shown(self, shown: Sequence[NamedNotice]) -> None:
        """Remember that people have seen these notices."""
        with self.driver.writing() as database:
            notices.mark_shown(database, [one.notice for one in shown])
