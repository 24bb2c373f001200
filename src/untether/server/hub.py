"""Who is connected to this process, and what each effect means for them (spec 08, "Effects").

Registers in memory: the guests of each network address, the sockets of each device and of each
bearer of a device key that is not listed, the one push of each device's mail, and who watches
which link slot. Nothing here decides about mail or accounts; losing all of it loses nothing
but connections.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, TypeVar, assert_never

from untether.base.identifiers import AccountId, DeviceAddress, SlotId
from untether.relay import outcome
from untether.relay.principals import Bearer, Device, Guest, Principal
from untether.server.mail_push import MailPush
from untether.wire.records import Stamp
from untether.wire.server_frames import Displaced, ServerFrame

if TYPE_CHECKING:
    from untether.server.relay_process import RelayProcess
    from untether.server.sockets import Socket

Key = TypeVar("Key")
Member = TypeVar("Member")


class Hub:
    """The sockets of one relay process."""

    def __init__(self, relay: RelayProcess) -> None:
        self._relay = relay
        self._guests: dict[str, dict[Socket, None]] = defaultdict(dict)
        self._bearers: dict[DeviceAddress, dict[Socket, None]] = defaultdict(dict)
        self._devices: dict[DeviceAddress, dict[Socket, None]] = defaultdict(dict)
        self._addresses: dict[AccountId, dict[DeviceAddress, None]] = defaultdict(dict)
        self._pushes: dict[DeviceAddress, MailPush] = {}
        self._watchers: dict[SlotId, dict[Socket, None]] = defaultdict(dict)

    # --- who is here ----------------------------------------------------------------------
    def guests_of(self, peer: str) -> int:
        """Count the sockets of a network address that have not logged in."""
        return len(self._guests.get(peer, ()))

    def sockets(self) -> list[Socket]:
        """List every open socket."""
        groups = [*self._guests.values(), *self._bearers.values(), *self._devices.values()]
        return [socket for group in groups for socket in group]

    def join(self, socket: Socket, principal: Principal) -> None:
        """Enter a socket as who it is now; of one device the oldest sockets make room."""
        self._relay.metrics.connections[_kind(principal)] += 1
        match principal:
            case Guest(peer):
                self._guests[peer][socket] = None
            case Bearer(address):
                self._enter(self._bearers[address], socket)
            case Device(address):
                self._enter(self._devices[address], socket)
                self._addresses[address.account_id][address] = None
                if self._relay.web_push is not None:
                    self._relay.web_push.connected(address)

    def _enter(self, own: dict[Socket, None], socket: Socket) -> None:
        own[socket] = None
        too_many = len(own) - self._relay.config.quotas.sockets_per_device
        for oldest in list(own)[: max(0, too_many)]:
            oldest.close_soon("too-many-sockets")

    def leave(self, socket: Socket, principal: Principal) -> None:
        """Forget a socket under who it was; its mail stays in the store."""
        self._relay.metrics.connections[_kind(principal)] -= 1
        match principal:
            case Guest(peer):
                _discard(self._guests, peer, socket)
            case Bearer(address):
                _discard(self._bearers, address, socket)
            case Device(address):
                self._stop_delivery(socket, address)
                _discard(self._devices, address, socket)
                if address not in self._devices:
                    _discard(self._addresses, address.account_id, address)
                    self._wake_later(address)

    def forget_slots(self, socket: Socket, slots: set[SlotId]) -> None:
        """Stop telling a closed socket about its link slots."""
        for slot_id in slots:
            _discard(self._watchers, slot_id, socket)

    def is_connected(self, address: DeviceAddress) -> bool:
        """Tell whether a device has an open socket."""
        return address in self._devices

    # --- effects --------------------------------------------------------------------------
    def perform(self, asking: Socket, effect: outcome.Effect) -> None:
        """Carry out one effect of a request that ``asking`` made."""
        match effect:
            case outcome.WakeMailbox(address):
                if push := self._pushes.get(address):
                    push.wake()
                elif not self.is_connected(address):
                    self._wake_later(address)
            case outcome.StartDelivery(address):
                self._start_delivery(asking, address)
            case outcome.TellAccount(account_id, frame):
                for address in self._addresses.get(account_id, ()):
                    self._tell(self._devices[address], frame, but=asking)
            case outcome.WatchSlot(slot_id):
                self._watchers[slot_id][asking] = None
                asking.slots.add(slot_id)
            case outcome.TellSlot(slot_id, frame):
                self._tell(self._watchers.get(slot_id, {}), frame, but=asking)
            case outcome.CutDevice(address, frame):
                for socket in list(self._devices.get(address, ())):
                    socket.push(frame)
                    socket.close_soon("logged-out")
            case _:
                assert_never(effect)

    def acknowledged(self, principal: Principal, up_to: Stamp) -> None:
        """Let a device's window follow what it committed, by whichever socket it said so."""
        self._relay.metrics.acknowledgements += 1
        if isinstance(principal, Device) and (push := self._pushes.get(principal.address)):
            push.acknowledged(up_to)

    def _wake_later(self, address: DeviceAddress) -> None:
        """Have a device called that is not here, if mail waits for it."""
        if self._relay.web_push is not None:
            self._relay.web_push.mail_waits(address)

    def _start_delivery(self, socket: Socket, address: DeviceAddress) -> None:
        older = self._pushes.get(address)
        if older is not None:
            older.stop()
            if older.socket is not socket:
                older.socket.push(Displaced())
        push = self._pushes[address] = MailPush(self._relay, socket, address)
        push.wake()

    def _stop_delivery(self, socket: Socket, address: DeviceAddress) -> None:
        push = self._pushes.get(address)
        if push is not None and push.socket is socket:
            push.stop()
            del self._pushes[address]

    def _tell(self, sockets: dict[Socket, None], frame: ServerFrame, *, but: Socket) -> None:
        for socket in list(sockets):
            if socket is not but:
                socket.push(frame)

    # --- time and the end -----------------------------------------------------------------
    def sweep(self) -> None:
        """Close what overstayed: silent guests, and readers that take nothing."""
        for socket in self.sockets():
            if cause := socket.overdue():
                socket.close_soon(cause)

    async def close_all(self, cause: str) -> None:
        """Finish what runs, then close every socket."""
        closings = [socket.close(cause) for socket in self.sockets()]
        await asyncio.gather(*closings)


def _kind(principal: Principal) -> str:
    return type(principal).__name__.lower()


def _discard(register: dict[Key, dict[Member, None]], key: Key, member: Member) -> None:
    members = register.get(key)
    if members is None:
        return
    members.pop(member, None)
    if not members:
        del register[key]
