"""A relay or a stranger that never stops: work and rows stay bounded."""

from __future__ import annotations

import pytest
from tests.attacks.lying_relay import promise_more
from tests.world import World

from untether.base.identifiers import AccountId, DeviceNumber, MessageId
from untether.base.limits import GIVEN_UP_KEPT_MAX
from untether.device.store import inbox
from untether.device.store.inbox import GivenUp
from untether.wire.client_frames import FetchLists, ResolveName


def test_a_relay_that_always_promises_more_is_not_asked_for_ever() -> None:
    """Lists that bring nothing new end the questions until the next connection."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    asked: list[FetchLists] = []
    request = alice._carry_out

    def count(effect: object) -> None:
        frame = getattr(effect, "frame", None)
        if isinstance(frame, FetchLists):
            asked.append(frame)
        request(effect)  # type: ignore[arg-type]

    alice._carry_out = count  # type: ignore[method-assign]
    with promise_more(world):
        alice.ask(ResolveName("bob"))
    assert 1 <= len(asked) <= 3
    alice.send_to(bob.own.account_id, "hello")
    assert bob.texts() == ["hello"]


@pytest.mark.parametrize("more", [1, 50])
def test_unreadable_mail_is_remembered_up_to_a_bound(more: int) -> None:
    """The newest are kept; a flood of rubbish fills no disk."""
    alice = World().register("alice")
    now = alice.world.now
    with alice.database.transaction():
        for number in range(GIVEN_UP_KEPT_MAX + more):
            message_id = MessageId(number.to_bytes(16, "big"))
            given_up = GivenUp(
                AccountId(bytes(16)), DeviceNumber(0), message_id, "bad-message", now
            )
            inbox.add_given_up(alice.database, given_up, now)
        assert inbox.count_given_up(alice.database) == GIVEN_UP_KEPT_MAX
        newest = alice.database.rows("SELECT message_id FROM parked ORDER BY row DESC LIMIT 1")
    assert newest == [((GIVEN_UP_KEPT_MAX + more - 1).to_bytes(16, "big"),)]
