"""A relay or a stranger that never stops: work and rows stay bounded."""

from __future__ import annotations

import pytest
from tests.attacks.lying_relay import promise_more
from tests.world import World

from untether.base.identifiers import AccountId, DeviceNumber, MessageId
from untether.base.limits import GIVEN_UP_KEPT_MAX
from untether.device.store import inbox
from untether.wire.client_frames import FetchLists, ResolveName
from untether.wire.records import Stamp
from untether.wire.server_frames import Entry


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
    with alice.database.transaction():
        for number in range(GIVEN_UP_KEPT_MAX + more):
            entry = Entry(
                stamp=Stamp(1, number),
                sender=AccountId(bytes(16)),
                sender_device=DeviceNumber(0),
                accepted_at=alice.world.now,
                message_id=MessageId(number.to_bytes(16, "big")),
                header=b"x",
                body=b"x",
            )
            inbox.park(alice.database, entry, "bad-message", inbox.GIVEN_UP, alice.world.now)
        assert inbox.count_given_up(alice.database) == GIVEN_UP_KEPT_MAX
        newest = alice.database.rows("SELECT message_id FROM parked ORDER BY row DESC LIMIT 1")
    assert newest == [((GIVEN_UP_KEPT_MAX + more - 1).to_bytes(16, "big"),)]
