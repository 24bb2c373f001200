"""Links that fail: each failure has its name on both screens, and nothing of it stays."""

from __future__ import annotations

import pytest
from tests.conversations.link_steps import LinkStory, assert_failed, numbers
from tests.world import UntetherError, World, WorldDevice

from untether.base.identifiers import DAY_MS, UnixMillis
from untether.base.limits import CLOCK_WARNING_MS, LINK_ANSWER_MS, LINK_POLL_MS, LINK_SLOT_MS
from untether.device import events, inputs
from untether.device.store import links


@pytest.fixture
def alice() -> WorldDevice:
    """Return Alice's phone."""
    return World().register("alice")


def test_a_code_that_nobody_scans_expires(alice: WorldDevice) -> None:
    """The new device says so by itself; who scans the old code later hears it too."""
    story = LinkStory.begin(alice)
    alice.world.pass_time(LINK_SLOT_MS + LINK_POLL_MS)
    story.scan()
    assert_failed(story, "link-expired", "link-expired")


def test_a_question_that_nobody_answers_expires(alice: WorldDevice) -> None:
    """A phone whose user never decides, and a new device whose user never does, give up."""
    story = LinkStory.begin(alice)
    story.scan()
    alice.world.pass_time(LINK_SLOT_MS + LINK_POLL_MS)
    assert_failed(story, "link-expired", "link-expired")
    other = LinkStory.begin(alice, "tablet").until_answered()
    other.phone.disconnect()
    other.companion.disconnect()
    alice.world.now = UnixMillis(alice.world.now + LINK_SLOT_MS + 1)
    other.accept()
    for device in (other.phone, other.companion):
        device.connect()
    assert other.failures()[1] == ["link-expired"]
    assert other.is_forgotten()


@pytest.mark.parametrize(("days", "shown"), [(-1, "link-clock"), (1, "link-expired")])
def test_a_phone_of_another_day(alice: WorldDevice, days: int, shown: str) -> None:
    """The new device hears at once that a clock is wrong, and works when it is put right."""
    alice.clock_ahead_ms = days * DAY_MS
    story = LinkStory.begin(alice)
    story.scan()
    assert_failed(story, shown, "link-clock")
    alice.clock_ahead_ms = 0
    assert alice.world.link(alice, "tablet").own.device == 1


def test_a_code_can_be_used_by_one_phone_only(alice: WorldDevice) -> None:
    """Bob scanned Alice's screen first: her phone says so, and his gets no further alone."""
    bob = alice.world.register("bob")
    story = LinkStory.begin(alice)
    bob.feed(inputs.ApproveLink(story.text))
    alice.world.settle()
    story.scan()
    assert story.failures() == (["link-used"], [])
    bob.feed(inputs.ConfirmLink(accept=True))
    alice.world.settle()
    (answered,) = story.companion.happened(events.LinkAnswered)
    assert answered.account_name == "bob"
    story.companion.feed(inputs.ConfirmAccount(accept=False))
    alice.world.settle()
    assert [event.code for event in bob.happened(events.LinkFailed)] == ["link-declined"]


def test_a_code_links_once(alice: WorldDevice) -> None:
    """Approved again, a code is said to be used, whether its device is linked or was refused."""
    story = LinkStory.begin(alice).until_answered()
    story.accept()
    story.scan()
    assert story.failures() == (["link-used"], [])
    assert len(alice.happened(events.LinkRequested)) == 1
    assert story.companion.own.device == 1
    other = LinkStory.begin(alice, "tablet")
    other.scan()
    alice.feed(inputs.ConfirmLink(accept=False))
    alice.world.settle()
    other.until_answered()
    assert other.failures()[0] == ["link-used", "link-cancelled", "link-used"]


def test_a_code_stays_used_when_its_device_is_logged_out(alice: WorldDevice) -> None:
    """The slot still has the answers of the first time: that is no tampering of the relay's."""
    story = LinkStory.begin(alice).until_answered()
    story.accept()
    alice.log_out(story.companion)
    story.scan()
    assert story.failures()[0] == ["link-used"]


def test_the_owner_says_not_mine(alice: WorldDevice) -> None:
    """The phone hears that the account was not its owner's; the number is skipped."""
    story = LinkStory.begin(alice).until_answered()
    story.companion.feed(inputs.ConfirmAccount(accept=False))
    alice.world.settle()
    assert_failed(story, "link-declined", "link-declined")
    assert alice.world.link(alice, "laptop again").own.device == 2


def test_without_consuming_numbers_one_is_certified_twice(
    alice: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twin: with the durable consumption switched off, two devices get one number."""
    monkeypatch.setattr(links, "consume_number", lambda _database, _number: None)
    story = LinkStory.begin(alice).until_answered()
    story.companion.feed(inputs.ConfirmAccount(accept=False))
    alice.world.settle()
    assert alice.world.link(alice, "laptop again").own.device == 1


def test_user_verification_is_refused(alice: WorldDevice) -> None:
    """Without the owner's passphrase nothing is signed, and both screens say why."""
    story = LinkStory.begin(alice)
    alice.verification_refused = True
    story.until_answered()
    assert_failed(story, "link-verification-refused", "link-verification-refused")


def test_the_phone_s_user_says_no(alice: WorldDevice) -> None:
    """The new device hears at once that it was not wanted."""
    story = LinkStory.begin(alice)
    story.scan()
    alice.feed(inputs.ConfirmLink(accept=False))
    alice.world.settle()
    assert_failed(story, "link-cancelled", "link-cancelled")


def test_cancelled_on_the_phone(alice: WorldDevice) -> None:
    """The new device hears of it with its next item: the answer, or the result."""
    story = LinkStory.begin(alice)
    story.scan()
    alice.feed(inputs.CancelLink())
    alice.world.settle()
    assert_failed(story, "link-cancelled", "link-cancelled")
    other = LinkStory.begin(alice, "tablet").until_answered()
    alice.feed(inputs.CancelLink())
    other.accept()  # it was asked already; the result says what happened
    assert other.failures()[1] == ["link-cancelled"]
    assert other.companion.own_or_none is None
    assert other.is_forgotten()


def test_cancelled_on_the_new_device(alice: WorldDevice) -> None:
    """Before “yes, mine” it can cancel, and the phone hears it: asked or not, answered or not."""
    story = LinkStory.begin(alice)
    story.companion.feed(inputs.CancelLink())
    alice.world.settle()
    story.scan()
    assert_failed(story, "link-cancelled", "link-cancelled")
    asked = LinkStory.begin(alice, "tablet")
    asked.scan()
    asked.companion.feed(inputs.CancelLink())
    alice.world.settle()
    assert asked.failures() == (["link-cancelled"] * 2, ["link-cancelled"])
    with pytest.raises(UntetherError):
        asked.approve()
    answered = LinkStory.begin(alice, "desktop").until_answered()
    answered.companion.feed(inputs.CancelLink())
    alice.world.settle()
    assert answered.failures() == (["link-cancelled"] * 3, ["link-cancelled"])
    assert answered.is_forgotten()
    assert numbers(alice) == [0]


def test_a_new_device_that_gave_up_without_a_connection_says_so_later(alice: WorldDevice) -> None:
    """What it has to say is a row, and leaves with the next connection."""
    story = LinkStory.begin(alice)
    story.companion.disconnect()
    story.companion.feed(inputs.CancelLink())
    story.until_answered()
    assert story.failures() == ([], ["link-cancelled"])
    story.companion.connect()
    assert_failed(story, "link-cancelled", "link-cancelled")


def test_a_code_of_a_short_life_ends_on_both_sides(alice: WorldDevice) -> None:
    """Where nobody waits any more, the phone is told, long before the slot ends."""
    companion = alice.world.offer_link("laptop", lifetime_ms=LINK_POLL_MS)
    story = LinkStory(alice.world, alice, companion)
    story.until_answered()
    alice.world.pass_time(2 * LINK_POLL_MS)
    assert_failed(story, "link-expired", "link-expired")


def test_a_new_device_that_was_killed_keeps_the_phone_for_minutes_only(
    alice: WorldDevice,
) -> None:
    """It says nothing; when it comes back it hears that it came too late."""
    story = LinkStory.begin(alice).until_answered()
    story.companion.disconnect()
    alice.world.pass_time(LINK_ANSWER_MS)
    assert story.failures() == ([], [])
    alice.world.pass_time(2 * LINK_POLL_MS)
    assert story.failures() == (["link-unanswered"], [])
    story.companion.connect()
    story.accept()
    assert_failed(story, "link-unanswered", "link-expired")


def test_an_answer_in_time_counts_when_it_is_found_late(alice: WorldDevice) -> None:
    """The phone was away for longer than it waits; the new device had said yes before."""
    story = LinkStory.begin(alice).until_answered()
    alice.disconnect()
    story.accept()
    alice.world.pass_time(LINK_ANSWER_MS + 2 * LINK_POLL_MS)
    assert min(alice.wake_times) > alice.world.now + LINK_SLOT_MS  # it does not poll in vain
    alice.connect()
    assert story.failures() == ([], [])
    assert numbers(alice) == [0, 1]


def test_after_yes_mine_the_new_device_waits(alice: WorldDevice) -> None:
    """What was signed can't be taken back: cancelling works only when no phone goes on."""
    story = LinkStory.begin(alice).until_answered()
    alice.disconnect()
    story.accept()
    with pytest.raises(UntetherError) as caught:
        story.companion.feed(inputs.CancelLink())
    assert caught.value.code == "link-wrong-moment"
    story.companion.disconnect()
    alice.world.now = UnixMillis(alice.world.now + LINK_SLOT_MS + CLOCK_WARNING_MS + 1)
    story.companion.feed(inputs.CancelLink())
    assert story.companion.own_or_none is None


def test_a_phone_that_stays_away_ends_the_link(alice: WorldDevice) -> None:
    """The new device asks for the signed lists, and gives up when they stay without it."""
    story = LinkStory.begin(alice).until_answered()
    alice.disconnect()
    story.accept()
    alice.world.pass_time(LINK_SLOT_MS + CLOCK_WARNING_MS)
    assert story.failures()[1] == []
    alice.world.pass_time(2 * LINK_POLL_MS)
    assert story.failures()[1] == ["link-expired"]
    alice.connect()
    assert_failed(story, "link-expired", "link-expired")


def test_a_new_scan_gives_up_the_link_before(alice: WorldDevice) -> None:
    """A phone decides about one device at a time; its user knows, the other device is told."""
    first = LinkStory.begin(alice)
    first.scan()
    second = LinkStory.begin(alice, "tablet").until_answered()
    second.accept()
    assert first.failures() == ([], ["link-cancelled"])
    assert second.companion.own.device == 1
