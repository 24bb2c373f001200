"""People linking a device step by step, in a world that may crash or lie under them."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.world import ORIGIN, World, WorldDevice

from untether.base.identifiers import UnixMillis
from untether.base.limits import LINK_SLOT_MS
from untether.device import events, inputs
from untether.device.own_devices import OwnDeviceView, overview
from untether.device.store import accounts, links
from untether.device.store.own_device import State
from untether.protocol.identity.device_list import DeviceList, open_list
from untether.protocol.linking.link_text import LinkText
from untether.wire.client_frames import (
    ClaimLinkSlot,
    ClientFrame,
    GetLinkItem,
    OpenLinkSlot,
    PutLinkItem,
)
from untether.wire.server_frames import (
    Done,
    LinkContent,
    LinkOffered,
    LinkSlotOpened,
    Refused,
    ServerFrame,
)


@dataclass
class LinkStory:
    """A phone and a new device whose owner answers every question with yes.

    The people look at events only, as programs do; ``answered`` are the ones dealt with.
    """

    world: World
    phone: WorldDevice
    companion: WorldDevice
    answered: dict[str, int] = field(default_factory=dict)

    @classmethod
    def begin(cls, phone: WorldDevice, label: str = "laptop") -> LinkStory:
        """Let a new device show its text."""
        return cls(phone.world, phone, phone.world.offer_link(label))

    @property
    def text(self) -> str:
        """What the new device shows."""
        return self.companion.happened(events.LinkOffered)[-1].link_text

    def scan(self) -> None:
        """Let the phone read the text and the offer."""
        self.phone.feed(inputs.ApproveLink(self.text))
        self.world.settle()

    def approve(self) -> None:
        """Say yes on the phone."""
        self.phone.feed(inputs.ConfirmLink(accept=True))
        self.world.settle()

    def accept(self) -> None:
        """Say “yes, mine” on the new device."""
        self.companion.feed(inputs.ConfirmAccount(accept=True))
        self.world.settle()

    def until_answered(self) -> LinkStory:
        """Go on until the new device asks whether the account is its owner's."""
        self.scan()
        self.approve()
        return self

    def go_on(self) -> bool:
        """Connect who is offline and answer what is asked; False when nothing was to be done."""
        acted = False
        for device in (self.companion, self.phone):
            if device.link is None:
                device.connect()
                if device is self.phone or device.own_or_none is None or not device.own.certificate:
                    self._repeat_the_command(device)
                acted = True
        if self._is_new(self.phone, events.LinkRequested):
            self.approve()
            acted = True
        if self._is_new(self.companion, events.LinkAnswered):
            self.accept()
            acted = True
        return acted

    def failures(self) -> tuple[list[str], list[str]]:
        """Return the codes that both sides were told: phone, new device."""
        return (
            [event.code for event in self.phone.happened(events.LinkFailed)],
            [event.code for event in self.companion.happened(events.LinkFailed)],
        )

    def is_forgotten(self) -> bool:
        """Tell whether neither side keeps anything of a link."""
        for device in (self.phone, self.companion):
            with device.database.transaction():
                if links.phone_links(device.database) or links.companion_links(device.database):
                    return False
        return True

    def _repeat_the_command(self, device: WorldDevice) -> None:
        """Do what people do after a crash: say the same again."""
        if device is self.phone:
            device.feed(inputs.ApproveLink(self.text))
        else:
            relay_id = self.world.relay.rules.relay_id
            device.feed(inputs.OfferLink(ORIGIN, relay_id, "laptop", "desktop", LINK_SLOT_MS))
        self.world.settle()

    def _is_new(self, device: WorldDevice, kind: type[events.Event]) -> bool:
        count = len(device.happened(kind))
        before, self.answered[kind.__name__] = self.answered.get(kind.__name__, 0), count
        return count > before


def devices(device: WorldDevice) -> list[OwnDeviceView]:
    """Return what a device shows of its account's devices."""
    with device.database.transaction():
        return overview(device.database)


def state_of(device: WorldDevice) -> State:
    """Return where a device stands."""
    return device.own.state


def numbers(device: WorldDevice) -> list[int]:
    """Return the numbers of the account's devices, as a device knows them."""
    return [view.device for view in devices(device)]


def newest_list(device: WorldDevice) -> DeviceList:
    """Return the newest list of its account that a device holds."""
    own = device.own
    with device.database.transaction():
        found = accounts.find(device.database, own.account_id)
    assert found is not None
    return open_list(found.signed_list, found.account_key)


def late_answers(text: str) -> list[tuple[ClientFrame, ServerFrame]]:
    """Return an answer to every request that a link makes."""
    slot = LinkText.from_text(text).slot_id
    return [
        (OpenLinkSlot(slot, b"offer"), LinkSlotOpened(UnixMillis(0))),
        (ClaimLinkSlot(slot), LinkOffered(b"offer")),
        (GetLinkItem(slot, 1), LinkContent(b"item")),
        (GetLinkItem(slot, 1), Refused("slot-expired")),
        (PutLinkItem(slot, 1, b"item"), Done(UnixMillis(0))),
    ]


def assert_failed(story: LinkStory, phone: str, companion: str) -> None:
    """Check what both sides were told, and that the new device's profile is unused."""
    assert story.failures() == ([phone], [companion])
    assert story.companion.own_or_none is None
    assert story.is_forgotten()
    assert numbers(story.phone) == [0]
