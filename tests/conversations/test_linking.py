"""Alice links devices: what both sides see, and how many there may be."""

from __future__ import annotations

import pytest
from tests.conversations.link_steps import LinkStory, devices, newest_list, numbers
from tests.world import ORIGIN, UntetherError, World, WorldDevice

from untether.base.identifiers import DeviceNumber, RelayId
from untether.base.limits import LINK_POLL_MS, LINK_SLOT_MS
from untether.device import events, inputs
from untether.device.own_devices import overview
from untether.device.store import links
from untether.device.store.own_device import State
from untether.protocol.identity.certificate import (
    Role,
    issue_certificate_body,
    sign_as_account,
    sign_as_device,
)
from untether.protocol.identity.device_list import DeviceListBody, sign_list
from untether.protocol.identity.keys import DeviceSecrets
from untether.protocol.linking import phone as phone_machine
from untether.wire.client_frames import OpenLinkSlot, PublishLists
from untether.wire.codec import decode
from untether.wire.records import DeviceActivity, SignedCertificate, SignedObject
from untether.wire.server_frames import LinkNews, LinkSlotOpened, ServerFrame


@pytest.fixture
def alice() -> WorldDevice:
    """Return Alice's phone."""
    return World().register("alice")


def test_both_sides_show_the_same_device(alice: WorldDevice) -> None:
    """Names travel both ways, and phone, new device and list show one certificate code."""
    story = LinkStory.begin(alice)
    story.scan()
    assert alice.happened(events.LinkRequested) == [events.LinkRequested("laptop", "desktop")]
    story.approve()
    (answered,) = story.companion.happened(events.LinkAnswered)
    assert answered.account_name == "alice"
    assert answered.phone_name == "alice's phone"
    shown = events.LinkCertified("laptop", answered.certificate_code)
    assert alice.happened(events.LinkCertified) == [shown]
    story.scan()
    assert alice.happened(events.LinkCertified) == [shown, shown]
    story.accept()
    (linked,) = alice.happened(events.DeviceLinked)
    assert linked.name == "laptop"
    assert linked.certificate_code == answered.certificate_code
    (activated,) = story.companion.happened(events.AccountActivated)
    assert activated.device == linked.device == 1

    story.companion.connect()
    for device, this in ((alice, 0), (story.companion, 1)):
        views = devices(device)
        assert [(view.device, view.name, view.kind, view.role) for view in views] == [
            (0, "alice's phone", "phone", Role.PRIMARY),
            (1, "laptop", "desktop", Role.COMPANION),
        ]
        assert views[1].certificate_code == linked.certificate_code
        assert [view.device for view in views if view.this] == [this]
    assert story.is_forgotten()
    assert alice.world.mailbox_is_empty(story.companion)


def test_the_relay_s_activity_is_joined_by_number(alice: WorldDevice) -> None:
    """When a device was last connected is the relay's word; nothing else in the view is."""
    alice.world.link(alice, "laptop")
    activity = (DeviceActivity(DeviceNumber(1), alice.world.now),)
    with alice.database.transaction():
        views = overview(alice.database, activity)
    assert [view.last_active_at for view in views] == [None, alice.world.now]
    unused = alice.world.new_device("unused")
    assert devices(unused) == []


def test_four_companions_are_linked_and_a_fifth_is_refused_on_the_phone(
    alice: WorldDevice,
) -> None:
    """The phone refuses the fifth before it says a word to the relay or asks its user."""
    for label in ("laptop", "tablet", "browser", "desktop"):
        assert alice.world.link(alice, label).own.state is State.ACTIVE
    assert numbers(alice) == [0, 1, 2, 3, 4]
    story = LinkStory.begin(alice, "fifth")
    frames = len(alice.world.relay.frames)
    with pytest.raises(UntetherError) as caught:
        story.scan()
    assert caught.value.code == "link-limit-reached"
    assert len(alice.world.relay.frames) == frames


def test_without_the_phone_s_limit_the_link_still_fails(
    alice: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twin: with the check switched off the user is asked, and only the next list is refused."""
    for label in ("laptop", "tablet", "browser", "desktop"):
        alice.world.link(alice, label)
    monkeypatch.setattr(phone_machine, "check_limit", lambda _list: None)
    story = LinkStory.begin(alice, "fifth").until_answered()
    assert len(alice.happened(events.LinkRequested)) == 5
    story.accept()
    assert story.failures() == (["link-limit-reached"], ["link-limit-reached"])
    assert story.companion.own_or_none is None
    assert numbers(alice) == [0, 1, 2, 3, 4]


def test_the_relay_refuses_a_list_of_six_devices(alice: WorldDevice) -> None:
    """Also a phone that was changed by its owner gets no fifth companion."""
    for label in ("laptop", "tablet", "browser", "desktop"):
        alice.world.link(alice, label)
    alice.ask(PublishLists((list_with_one_more(alice),)))
    assert "lists-not-taken" in alice.notices()
    assert len(numbers(alice)) == 5


def list_with_one_more(alice: WorldDevice) -> SignedObject:
    """Sign the list after Alice's newest with a certified sixth device in it."""
    keys, own = DeviceSecrets.generate(alice.world.randomness), alice.own
    assert alice.account_seed is not None
    body = issue_certificate_body(
        account_key=own.account_key,
        device=DeviceNumber(5),
        role=Role.COMPANION,
        generation=0,
        keys=keys.public_keys,
    )
    certificate = SignedCertificate(
        body=body,
        account_signature=sign_as_account(alice.account_seed, body),
        device_signature=sign_as_device(keys.signing_seed, body, own.account_key),
    )
    newest = newest_list(alice)
    held = decode(newest.signed.body, DeviceListBody, size_max=8_192)
    following = DeviceListBody(
        account_id=held.account_id,
        generation=0,
        version=held.version + 1,
        previous_hash=newest.head.hash,
        issued_at=alice.world.now,
        expires_at=held.expires_at,
        next_number=DeviceNumber(6),
        certificates=(*held.certificates, certificate),
    )
    return sign_list(following, own.secrets.signing_seed)


def test_a_renewed_code_leaves_the_one_before_answerable(alice: WorldDevice) -> None:
    """A screen shows a new code each minute; whichever was scanned links the same keys."""
    story = LinkStory.begin(alice)
    first = story.text
    story.companion.feed(offer_again(alice))
    alice.world.settle()
    assert story.text != first
    alice.feed(inputs.ApproveLink(first))
    alice.world.settle()
    story.approve()
    story.companion.feed(offer_again(alice))
    assert len(story.companion.happened(events.LinkAnswered)) == 2
    assert len(story.companion.happened(events.LinkOffered)) == 2
    story.accept()
    assert story.companion.own.device == 1
    assert story.is_forgotten()


def test_a_renewed_code_ends_without_a_word_when_it_was_replaced(alice: WorldDevice) -> None:
    """Only the end of the last code is a failure that people are told of."""
    story = LinkStory.begin(alice)
    alice.world.pass_time(LINK_SLOT_MS // 2)
    story.companion.feed(offer_again(alice))
    alice.world.settle()
    alice.world.pass_time(LINK_SLOT_MS // 2 + 2 * LINK_POLL_MS)
    assert story.failures() == ([], [])
    alice.world.pass_time(LINK_SLOT_MS // 2)
    assert story.failures() == ([], ["link-expired"])
    assert story.is_forgotten()


def test_a_slot_that_opens_late_shows_no_code_again(alice: WorldDevice) -> None:
    """The slot of the code before opens after the one that is shown: nothing new is to be seen."""
    other = alice.world.new_device("tablet")
    other.feed(offer_again(alice))
    other.feed(offer_again(alice))
    with other.database.transaction():
        before, newest = links.companion_links(other.database)
    for row in (newest, before):
        opened = LinkSlotOpened(row.link.expires_at)
        other.feed(inputs.RelayAnswered(OpenLinkSlot(row.slot_id, b"offer"), opened))
    (shown,) = other.happened(events.LinkOffered)
    assert shown.link_text == newest.link.text


def offer_again(alice: WorldDevice) -> inputs.OfferLink:
    """Return the input by which a screen renews its code."""
    relay_id = alice.world.relay.rules.relay_id
    return inputs.OfferLink(ORIGIN, relay_id, "laptop", "desktop", LINK_SLOT_MS)


def test_lost_wake_ups_only_delay(alice: WorldDevice) -> None:
    """Without a single push of the link desk, polling brings the link to its end."""
    alice.world.relay.lie = without_news
    story = LinkStory.begin(alice)
    for _ in range(4):
        story.go_on() if story.phone.happened(events.LinkRequested) else story.scan()
        alice.world.pass_time(2 * LINK_POLL_MS)
    assert story.companion.own.state is State.ACTIVE
    assert numbers(alice) == [0, 1]


def without_news(_link: object, frame: ServerFrame) -> ServerFrame | None:
    """Keep back what the relay pushes about slots."""
    return None if isinstance(frame, LinkNews) else frame


def test_another_relay_s_code_is_refused_before_any_request(
    alice: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The relay id is compared while nothing has been sent; twin: unchecked, the relay is asked."""
    story = LinkStory.begin(alice)
    other = alice.world.new_device("laptop of another relay")
    other.feed(
        inputs.OfferLink("https://other.example", RelayId(bytes(16)), "pc", "desktop", LINK_SLOT_MS)
    )
    with other.database.transaction():
        text = links.companion_links(other.database)[0].link.text
    frames = len(alice.world.relay.frames)
    with pytest.raises(UntetherError) as caught:
        alice.feed(inputs.ApproveLink(text))
    assert caught.value.code == "link-wrong-relay"
    assert (len(alice.world.relay.frames), len(alice.outgoing)) == (frames, 0)

    monkeypatch.setattr(phone_machine, "check_relay", lambda _text, _relay: None)
    alice.feed(inputs.ApproveLink(text))
    assert len(alice.outgoing) == 1
    alice.world.settle()
    assert story.failures()[0] == ["link-expired"]


def test_a_companion_can_link_nobody(alice: WorldDevice) -> None:
    """Only the phone links; what is no link text is refused as well."""
    laptop = alice.world.link(alice, "laptop")
    story = LinkStory.begin(alice, "tablet")
    for device, text, code in (
        (laptop, story.text, "link-not-the-phone"),
        (alice, "untether://link/1/short", "link-text-malformed"),
        (alice, "untether://link/2/anything", "link-version-newer"),
    ):
        with pytest.raises(UntetherError) as caught:
            device.feed(inputs.ApproveLink(text))
        assert caught.value.code == code


def test_only_an_unused_profile_offers_itself(alice: WorldDevice) -> None:
    """A used profile keeps its account, and a device needs a name that people can read."""
    with pytest.raises(UntetherError) as caught:
        alice.feed(offer_again(alice))
    assert caught.value.code == "already-registered"
    unnamed = inputs.OfferLink(ORIGIN, alice.world.relay.rules.relay_id, "", "web", LINK_SLOT_MS)
    with pytest.raises(UntetherError) as caught:
        alice.world.new_device("unnamed").feed(unnamed)
    assert caught.value.code == "bad-device-name"


def test_answers_at_a_wrong_moment_change_nothing(alice: WorldDevice) -> None:
    """Nobody can approve, accept or cancel what is not under way."""
    story = LinkStory.begin(alice)
    for device, step in (
        (alice, inputs.ConfirmLink(accept=True)),
        (alice, inputs.CancelLink()),
        (alice, inputs.CertificateSigned(b"body", bytes(64))),
        (story.companion, inputs.ConfirmAccount(accept=True)),
    ):
        with pytest.raises(UntetherError) as caught:
            device.feed(step)
        assert caught.value.code == "link-wrong-moment"
    assert story.failures() == ([], [])


def test_a_relay_that_was_put_back_to_before_the_link_is_healed(alice: WorldDevice) -> None:
    """The phone sends the lists again, and one more: the prekeys of that time are gone."""
    bob = alice.world.register("bob")
    before = alice.world.relay.store.copy()
    laptop = alice.world.link(alice, "laptop")
    for device in (alice, bob, laptop):
        device.disconnect()
    alice.world.relay.store = before
    for device in (alice, bob, laptop):
        device.connect()
    assert "lists-not-taken" not in alice.notices()
    assert newest_list(alice).head.version == 3
    assert numbers(laptop) == [0, 1]
    assert bob.send("alice", "are you all there?").devices == 2
    assert alice.texts() == laptop.texts() == ["are you all there?"]


def test_the_same_command_goes_on_with_the_same_link(alice: WorldDevice) -> None:
    """Said again on the phone, the question is asked again and the number stays."""
    story = LinkStory.begin(alice)
    story.scan()
    story.scan()
    assert len(alice.happened(events.LinkRequested)) == 2
    alice.account_seed, seed = None, alice.account_seed
    story.approve()  # the owner's verification is lost
    story.scan()
    alice.account_seed = seed
    story.approve()
    story.scan()
    assert len(alice.happened(events.LinkRequested)) == 3
    story.accept()
    assert story.companion.own.device == 1
    assert story.failures() == ([], [])


def test_a_device_that_waits_for_its_result_can_be_asked_to_go_on(alice: WorldDevice) -> None:
    """The command said again after “yes, mine” offers nothing new: it asks for the result."""
    story = LinkStory.begin(alice).until_answered()
    alice.disconnect()
    story.accept()
    story.companion.feed(offer_again(alice))
    alice.world.settle()
    assert len(story.companion.happened(events.LinkOffered)) == 1
    alice.connect()
    alice.world.pass_time(LINK_POLL_MS)
    assert story.companion.own.state is State.ACTIVE
