"""Somebody talked Alice into linking a device that is not hers, or uses an old code."""

from __future__ import annotations

import pytest
from tests.attacks.defences import LINKS_ARE_TOLD, OFFERS_END
from tests.attacks.lying_relay import answering
from tests.attacks.wiretap import Wiretap
from tests.world import World, WorldDevice
from tests.world_relay import Link

from untether.base.identifiers import DAY_MS
from untether.device import events, inputs
from untether.wire.client_frames import ClaimLinkSlot, ClientFrame, OpenLinkSlot
from untether.wire.server_frames import LinkOffered, ServerFrame


@pytest.fixture
def laptop(world: World, alice: WorldDevice, bob: WorldDevice) -> WorldDevice:
    """Return Alice's laptop, which Bob knows."""
    linked = world.link(alice, "laptop")
    bob.send("alice", "before")
    linked.send("bob", "before too")
    return linked


def fall_for_it(world: World, alice: WorldDevice, bob: WorldDevice) -> WorldDevice:
    """Let Alice link Mallory's device, and Bob write to her afterwards."""
    mallory_s = world.link(alice, "mallory's")
    bob.send("alice", "after")
    return mallory_s


def test_a_device_linked_by_deceit_is_seen_and_reads_no_history(
    world: World, alice: WorldDevice, bob: WorldDevice, laptop: WorldDevice
) -> None:
    """Phone, laptop and contact are told; it has nothing of before nor of after its log-out."""
    mallory_s = fall_for_it(world, alice, bob)
    assert [one.name for one in alice.happened(events.DeviceLinked)][-1] == "mallory's"
    assert laptop.notices().count("own-device-added") == 1
    assert bob.notices().count("contact-new-device") == 2
    assert mallory_s.texts() == ["after"]
    alice.log_out(mallory_s)
    wiretap = Wiretap(world)
    bob.send("alice", "secret")
    assert wiretap.copies_for(alice.own.account_id, mallory_s.own.device) == []
    assert [device.texts().count("secret") for device in (alice, laptop, mallory_s)] == [1, 1, 0]


def test_twin_without_notices_nobody_hears_of_it(
    world: World,
    alice: WorldDevice,
    bob: WorldDevice,
    laptop: WorldDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It would read on for as long as nobody looks at the list of devices."""
    LINKS_ARE_TOLD.switch_off(monkeypatch)
    mallory_s = fall_for_it(world, alice, bob)
    assert mallory_s.texts() == ["after"]
    assert "own-device-added" not in laptop.notices()
    assert bob.notices().count("contact-new-device") == 1


def scan_an_old_code(wiretap: Wiretap, alice: WorldDevice) -> None:
    """Show Alice a code of last year, whose offer the relay has kept."""
    world = wiretap.world
    shown = world.offer_link("mallory's").happened(events.LinkOffered)[-1].link_text
    offer = wiretap.asked(OpenLinkSlot)[0].offer
    world.pass_time(365 * DAY_MS)
    alice.connect()

    def keep_offering(_link: Link, request: ClientFrame, answer: ServerFrame) -> ServerFrame:
        return LinkOffered(offer) if isinstance(request, ClaimLinkSlot) else answer

    with answering(world, keep_offering):
        alice.feed(inputs.ApproveLink(shown))
        world.settle()


def test_an_old_code_links_nobody(world: World, alice: WorldDevice) -> None:
    """Its end stands in the offer that it fixes, whatever the relay says of the slot."""
    wiretap = Wiretap(world)
    scan_an_old_code(wiretap, alice)
    assert [one.code for one in alice.happened(events.LinkFailed)] == ["link-expired"]
    assert alice.happened(events.LinkRequested) == []
    assert world.link(alice, "laptop").own.device == 1


def test_twin_without_its_end_an_old_code_asks_again(
    world: World, alice: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever photographed it can wait for a weak moment."""
    OFFERS_END.switch_off(monkeypatch)
    scan_an_old_code(Wiretap(world), alice)
    assert len(alice.happened(events.LinkRequested)) == 1
