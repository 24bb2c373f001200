"""Links through a relay that lies, or with a device that does: nobody is admitted by it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.conversations.link_steps import (
    LinkStory,
    assert_failed,
    late_answers,
    newest_list,
    numbers,
)
from tests.world import UntetherError, World, WorldDevice
from tests.world_relay import Link

from untether.base.identifiers import DeviceNumber
from untether.base.limits import LINK_POLL_MS, LINK_SLOT_MS
from untether.device import events, inputs, linking_admission, own_account, prekeys
from untether.device.context import Context
from untether.device.store import links, own_lists
from untether.protocol.identity.certificate import sign_as_account
from untether.protocol.identity.device_list import sign_list
from untether.protocol.identity.keys import DeviceSecrets
from untether.protocol.identity.next_list import next_list_body
from untether.wire.client_frames import PublishLists, PutLinkItem
from untether.wire.records import AccountLists, PrekeyStock, SignedObject
from untether.wire.server_frames import (
    Done,
    LinkContent,
    LinkNews,
    LinkOffered,
    LinkSlotOpened,
    Lists,
    Refused,
    ServerFrame,
)


@pytest.fixture
def alice() -> WorldDevice:
    """Return Alice's phone."""
    return World().register("alice")


def flipped(data: bytes) -> bytes:
    """Change the last bit."""
    return data[:-1] + bytes([data[-1] ^ 1])


def changing(kind: type[ServerFrame], index: int = 0) -> Callable[..., ServerFrame]:
    """Return a lie that changes one bit of an offer, or of the given item from then on."""
    seen: list[bytes] = []

    def lie(_link: Link, frame: ServerFrame) -> ServerFrame:
        if isinstance(frame, LinkOffered) and kind is LinkOffered:
            return LinkOffered(flipped(frame.offer))
        if isinstance(frame, LinkContent) and kind is LinkContent and frame.item is not None:
            if frame.item not in seen:
                seen.append(frame.item)
            if seen.index(frame.item) == index:
                return LinkContent(flipped(frame.item))
        return frame

    return lie


@pytest.mark.parametrize(
    ("kind", "index", "phone", "companion"),
    [
        pytest.param(LinkOffered, 0, "link-tampered", "link-expired", id="offer"),
        pytest.param(LinkContent, 0, "link-tampered", "link-tampered", id="answer"),
        pytest.param(LinkContent, 1, "link-tampered", "link-tampered", id="acceptance"),
    ],
)
def test_a_relay_that_changes_items(
    alice: WorldDevice, kind: type[ServerFrame], index: int, phone: str, companion: str
) -> None:
    """What the other side did not seal ends the link; who can't be told hears it by time."""
    alice.world.relay.lie = changing(kind, index)
    story = LinkStory.begin(alice)
    story.scan()
    if story.phone.happened(events.LinkRequested):
        story.approve()
    if story.companion.happened(events.LinkAnswered):
        story.accept()
    alice.world.pass_time(LINK_SLOT_MS + LINK_POLL_MS)
    assert_failed(story, phone, companion)


def test_a_relay_that_changes_the_result_makes_nobody_a_member(alice: WorldDevice) -> None:
    """The new device stops; the phone lists it, shows it, and can log it out."""
    alice.world.relay.lie = changing(LinkContent, 2)
    story = LinkStory.begin(alice).until_answered()
    story.accept()
    assert story.failures() == ([], ["link-tampered"])
    assert story.companion.own_or_none is None
    alice.feed(inputs.LogOutDevice(DeviceNumber(1), wipe=False))
    alice.world.settle()
    assert numbers(alice) == [0]


def no_prekeys_of_its_own(alice: WorldDevice, monkeypatch: pytest.MonkeyPatch) -> LinkStory:
    """Link a device that offers the prekeys of another device as its own."""
    bob = alice.world.register("bob")
    with bob.database.transaction():
        theirs = prekeys_of(bob)
    story = LinkStory.begin(alice).until_answered()
    monkeypatch.setattr(prekeys, "full_stock", lambda _context: theirs)
    story.accept()
    return story


def prekeys_of(device: WorldDevice) -> PrekeyStock:
    """Return the signed stock of a device."""
    return prekeys.unconfirmed(Context(device.database, device.world.now, bytes))


def test_foreign_prekeys_are_refused_before_a_list_is_signed(
    alice: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The relay would never take a list with them, so the phone must not sign one."""
    story = no_prekeys_of_its_own(alice, monkeypatch)
    assert_failed(story, "link-tampered", "link-tampered")
    assert newest_list(alice).head.version == 1


def test_a_list_that_the_relay_refuses_is_followed_by_one_without_the_device(
    alice: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twin: with that check off the list is signed and refused, yet the phone is not stuck."""
    monkeypatch.setattr(linking_admission, "verify_stock", lambda _stock, _owner: None)
    story = no_prekeys_of_its_own(alice, monkeypatch)
    monkeypatch.undo()
    assert_failed(story, "link-tampered", "link-tampered")
    assert newest_list(alice).head.version == 3
    assert alice.world.link(alice, "laptop").own.device == 2


def test_the_account_s_lists_moved_on(alice: WorldDevice) -> None:
    """A second history of the account ends the link, and the phone signs nothing any more."""
    story = LinkStory.begin(alice).until_answered()
    held = newest_list(alice)
    other = next_list_body(held, now=alice.world.now, lease_ms=1_000)
    fork = sign_list(other, alice.own.secrets.signing_seed)
    answer = Lists(held.account_id, AccountLists("alice", (fork,)))

    def lie(link: Link, frame: ServerFrame) -> ServerFrame:
        publishes = any(isinstance(asked, PublishLists) for asked in alice.asked.values())
        is_answer = isinstance(frame, Done) and link.device is alice
        return answer if publishes and is_answer else frame

    alice.world.relay.lie = lie
    story.accept()
    assert story.failures() == (["link-list-moved-on"], ["link-list-moved-on"])
    assert "lists-forked" in alice.notices()
    with pytest.raises(UntetherError) as caught:
        alice.feed(inputs.ApproveLink(LinkStory.begin(alice, "tablet").text))
    assert caught.value.code == "phone-displaced"


def test_a_relay_without_room_is_asked_again(alice: WorldDevice) -> None:
    """A refusal that is about the relay's load is told, and tried again until it passes."""
    full = True

    def lie(_link: Link, frame: ServerFrame) -> ServerFrame:
        if full and isinstance(frame, LinkSlotOpened):
            return Refused("too-many-slots", 1_000)
        return frame

    alice.world.relay.lie = lie
    companion = alice.world.offer_link("laptop")
    assert [event.code for event in companion.happened(events.RequestRefused)] == ["too-many-slots"]
    full = False
    alice.world.pass_time(LINK_POLL_MS)
    assert len(companion.happened(events.LinkOffered)) == 1


def test_answers_that_come_late_or_twice_say_nothing(alice: WorldDevice) -> None:
    """Answers to requests of a link that has gone on, or is finished, are ignored."""
    story = LinkStory.begin(alice)
    story.companion.connect()
    text = story.text
    offered = len(story.companion.events)
    story.companion.feed(inputs.RelayAnswered(*late_answers(text)[0]))
    assert len(story.companion.events) == offered
    story.until_answered()
    story.accept()
    story.companion.connect()
    with alice.database.transaction():
        assert links.phone_links(alice.database) == []
    for device in (alice, story.companion):
        before = list(device.events)
        for request, answer in late_answers(text):
            device.feed(inputs.RelayAnswered(request, answer))
        assert device.events == before


def test_a_device_that_offers_listed_keys_is_refused(
    alice: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No number is consumed for keys that another device of the account has."""
    laptop = alice.world.link(alice, "laptop")
    theirs = laptop.own.secrets
    monkeypatch.setattr(DeviceSecrets, "generate", lambda _randomness: theirs)
    story = LinkStory.begin(alice, "its twin")
    story.scan()
    assert story.failures() == (["link-used"], ["link-tampered"])
    assert len(alice.happened(events.LinkRequested)) == 1
    monkeypatch.undo()
    assert alice.world.link(alice, "tablet").own.device == 2


def test_a_phone_that_was_displaced_meanwhile_signs_nothing(
    alice: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account has moved on between the answer and the acceptance; both sides say so."""
    story = LinkStory.begin(alice).until_answered()
    monkeypatch.setattr(own_account, "is_displaced", lambda _context: True)
    story.accept()
    assert_failed(story, "link-list-moved-on", "link-list-moved-on")


def test_a_result_that_the_relay_does_not_take_is_not_needed(alice: WorldDevice) -> None:
    """The slot ends before the phone could put the result: the lists say enough."""
    story = LinkStory.begin(alice).until_answered()

    def lie(link: Link, frame: ServerFrame) -> ServerFrame | None:
        if isinstance(frame, LinkContent | LinkNews) and link.device is not alice:
            return None
        puts = any(isinstance(asked, PutLinkItem) for asked in alice.asked.values())
        is_answer = isinstance(frame, Done) and link.device is alice
        return Refused("slot-expired") if puts and is_answer else frame

    alice.world.relay.lie = lie
    story.accept()
    alice.world.pass_time(LINK_SLOT_MS + 2 * LINK_POLL_MS)
    assert story.companion.own.device == 1
    assert story.is_forgotten()


def test_refused_verification_of_something_else_says_nothing(alice: WorldDevice) -> None:
    """No link waits for a signature: there is nothing to end."""
    alice.feed(inputs.VerificationRefused())
    assert alice.happened(events.LinkFailed) == []


def test_a_conflict_that_proves_nothing_leaves_the_link_open(alice: WorldDevice) -> None:
    """A relay that answers with an older list is behind, or lies: the list is sent again."""
    story = LinkStory.begin(alice).until_answered()
    held = newest_list(alice)
    answer = Lists(held.account_id, AccountLists("alice", (held.signed,)))
    behind = True

    def lie(link: Link, frame: ServerFrame) -> ServerFrame:
        publishes = any(isinstance(asked, PublishLists) for asked in alice.asked.values())
        is_answer = isinstance(frame, Done) and link.device is alice
        return answer if behind and publishes and is_answer else frame

    alice.world.relay.lie = lie
    story.accept()
    assert story.failures() == ([], [])
    behind = False
    alice.connect()
    assert story.failures() == ([], [])
    assert numbers(alice) == [0, 1]
    assert len(alice.happened(events.DeviceLinked)) == 1


def test_a_late_refusal_takes_no_device_back(alice: WorldDevice) -> None:
    """Once the relay has confirmed a list, no other answer to it counts."""
    alice.world.link(alice, "laptop")
    run = (newest_list(alice).signed,)
    stock = prekeys_of(alice)
    published = PublishLists(run, device=DeviceNumber(1), prekeys=stock)
    for answer in (Refused("key-in-use"), Done(alice.world.now)):
        alice.feed(inputs.RelayAnswered(published, answer))
    assert numbers(alice) == [0, 1]
    assert "lists-not-taken" not in alice.notices()
    assert len(alice.happened(events.DeviceLinked)) == 1


def test_only_the_issued_body_is_answered_with(alice: WorldDevice) -> None:
    """A signature for another certificate, or by another key, gets nobody into the slot."""
    story = LinkStory.begin(alice)
    alice.account_seed, seed = None, alice.account_seed
    story.until_answered()
    assert seed is not None
    with alice.database.transaction():
        (row,) = links.phone_links(alice.database)
    body = row.link.certificate_body
    assert body is not None
    for signed, code in (
        (inputs.CertificateSigned(b"another body", bytes(64)), "link-wrong-moment"),
        (inputs.CertificateSigned(body, sign_as_account(bytes(32), body)), "bad-account-signature"),
    ):
        with pytest.raises(UntetherError) as caught:
            alice.feed(signed)
        assert caught.value.code == code
    alice.feed(inputs.CertificateSigned(body, sign_as_account(seed, body)))
    alice.world.settle()
    story.accept()
    assert story.companion.own.device == 1


def test_a_relay_that_refuses_a_device_that_was_logged_out_meanwhile(alice: WorldDevice) -> None:
    """The list without it is signed already; both go to the relay, and the link has failed."""
    story = LinkStory.begin(alice).until_answered()

    def lie(link: Link, frame: ServerFrame) -> ServerFrame:
        adds = any(isinstance(one, PublishLists) and one.device for one in alice.asked.values())
        is_answer = isinstance(frame, Done) and link.device is alice
        return Refused("relay-failure") if adds and is_answer else frame

    alice.world.relay.lie = lie
    story.accept()
    alice.disconnect()
    alice.feed(inputs.LogOutDevice(DeviceNumber(1), wipe=False))
    added = next_of(alice)
    alice.world.relay.lie = lambda _, frame: frame
    published = PublishLists((added,), device=DeviceNumber(1), prekeys=prekeys_of(alice))
    alice.feed(inputs.RelayAnswered(published, Refused("key-in-use")))
    alice.connect()
    assert numbers(alice) == [0]
    assert newest_list(alice).head.version == 3
    assert story.failures()[0] == ["link-tampered"]


def next_of(alice: WorldDevice) -> SignedObject:
    """Return the first list that the relay has not confirmed."""
    with alice.database.transaction():
        return own_lists.unpublished(alice.database)[0]
