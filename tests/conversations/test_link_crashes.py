"""A crash at any point of a link: in the end both sides agree, and no number comes twice."""

from __future__ import annotations

import pytest
from tests.conversations.link_steps import LinkStory, numbers, state_of
from tests.world import World, WorldDevice

from untether.base.limits import LINK_POLL_MS, LINK_SLOT_MS
from untether.device.store.own_device import State

ROUNDS = 12


def live_through(world: World, *, phone_after: int = 0, companion_after: int = 0) -> LinkStory:
    """Link with a crash of either side after so many of its inputs; then come back."""
    alice = world.register("alice")
    story = LinkStory.begin(alice)
    alice.inputs_until_crash = phone_after or None
    story.companion.inputs_until_crash = companion_after or None
    story.scan()
    for _ in range(ROUNDS):
        story.go_on()
        world.pass_time(LINK_POLL_MS)
    alice.inputs_until_crash = story.companion.inputs_until_crash = None
    return story


def assert_settled(story: LinkStory) -> bool:
    """Check that both sides agree once the slot has ended; tell whether the link was made."""
    world, phone, companion = story.world, story.phone, story.companion
    world.pass_time(2 * LINK_SLOT_MS)
    assert story.is_forgotten()
    made = companion.own_or_none is not None
    assert numbers(phone) == ([0, 1] if made else [0])
    if made:
        assert state_of(companion) is State.ACTIVE
        companion.connect()
        phone.connect()
        assert numbers(companion) == [0, 1]
        can_talk(phone, companion)
    else:
        told = {*story.failures()[0], *story.failures()[1]}
        assert told & {"link-expired", "link-unanswered"}
    return made


def can_talk(phone: WorldDevice, companion: WorldDevice) -> None:
    """Check that notes travel both ways between the own devices."""
    account = phone.own.account_id
    companion.send_to(account, "from the laptop")
    phone.send_to(account, "from the phone")
    assert (
        sorted(phone.texts())
        == sorted(companion.texts())
        == [
            "from the laptop",
            "from the phone",
        ]
    )


@pytest.mark.parametrize("after", range(1, 12))
def test_the_phone_crashes(after: int) -> None:
    """The same command goes on with the link, also when it is to ask for verification again."""
    story = live_through(World(), phone_after=after)
    assert assert_settled(story)


@pytest.mark.parametrize("after", range(1, 8))
def test_the_new_device_crashes(after: int) -> None:
    """It goes on from its rows, or from the account's signed lists."""
    assert assert_settled(live_through(World(), companion_after=after))


@pytest.mark.parametrize("seed", range(6))
def test_both_crash(seed: int) -> None:
    """Also two crashes leave both sides with one truth."""
    world = World(seed)
    phone_after, companion_after = 1 + seed % 5, 1 + seed % 4
    assert_settled(live_through(world, phone_after=phone_after, companion_after=companion_after))


def test_a_result_that_never_comes_is_replaced_by_the_lists() -> None:
    """The phone dies right after the relay took the list: the new device finds itself on it."""
    world = World()
    alice = world.register("alice")
    story = LinkStory.begin(alice).until_answered()
    alice.inputs_until_crash = 3  # news, acceptance, publication confirmed: then nothing
    story.accept()
    assert alice.link is None
    assert state_of(story.companion) is State.LINKING
    world.pass_time(LINK_SLOT_MS + 2 * LINK_POLL_MS)
    assert state_of(story.companion) is State.ACTIVE
    alice.connect()
    story.companion.connect()
    can_talk(alice, story.companion)
