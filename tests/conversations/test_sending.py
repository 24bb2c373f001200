"""Sending under trouble: verdicts, queues, repeats; both ends checked."""

from __future__ import annotations

import pytest
from msgspec import structs
from tests.attacks.lying_relay import hand_out, served_lists, withhold
from tests.attacks.wiretap import Wiretap
from tests.conversations.list_views import head_of, question
from tests.world import World, WorldDevice
from tests.world_relay import Link

from untether.base.errors import LocalError
from untether.base.identifiers import DAY_MS, AccountId, UnixMillis
from untether.base.limits import QUEUED_RETRY_MS, REFUSED_RETRY_MS, TEXT_MAX
from untether.device import events, inputs
from untether.relay import submission
from untether.wire import codec
from untether.wire.client_frames import ClaimPrekeys, ClientFrame, FetchLists, Request, Submit
from untether.wire.server_frames import (
    Accepted,
    AccountRefused,
    ListsChanged,
    Refused,
    ServerFrame,
    Submitted,
)


@pytest.fixture
def world() -> World:
    """Alice and Bob with a phone each."""
    world = World()
    world.register("alice")
    world.register("bob")
    return world


def causes(device: WorldDevice) -> list[str]:
    """Return why messages of a device have had to wait, in order."""
    return [one.cause for one in device.happened(events.MessageProgressed) if one.cause]


def test_a_message_written_offline_leaves_with_the_next_connection(world: World) -> None:
    """Queued is not lost, even over days and a restart."""
    alice, bob = world.devices
    alice.send("bob", "first")
    alice.disconnect()
    message = alice.send_to(bob.own.account_id, "offline")
    assert message.state == "queued"
    world.pass_time(3 * DAY_MS)
    alice.connect()
    assert bob.texts() == ["first", "offline"]
    assert [message.state for message in alice.history()] == ["sent", "sent"]


def test_a_lost_answer_is_asked_for_again_with_the_same_bytes(world: World) -> None:
    """The relay takes the repeat for what it is; Bob sees the message once."""
    alice, bob = world.devices
    alice.send("bob", "first")
    with withhold(world, Submitted):
        message = alice.send_to(bob.own.account_id, "once")
    assert message.state == "queued"
    alice.connect()
    assert bob.texts() == ["first", "once"]
    submissions = [
        request.frame
        for request in (_request(frame) for frame in world.relay.frames)
        if request is not None
        and isinstance(request.frame, Submit)
        and request.frame.message_id == message.message_id
    ]
    assert len(submissions) == 2
    assert submissions[0] == submissions[1]


def _request(frame: bytes) -> Request | None:
    try:
        return codec.decode(frame, Request, size_max=1 << 20)
    except Exception:
        return None


def test_a_full_mailbox_is_named_and_tried_again(world: World) -> None:
    """The cause is told, and when the mailbox has room the message leaves by itself."""
    alice, bob = world.devices
    alice.send("bob", "first")
    full = _refusing(world, bob.own.account_id, "mailbox-full", retry_after_ms=60_000)
    message = alice.send_to(bob.own.account_id, "second")
    assert (message.state, causes(alice)) == ("queued", ["mailbox-full"])
    full.clear()
    world.pass_time(61_000)
    assert bob.texts() == ["first", "second"]


def test_a_late_verdict_on_dropped_copies_stops_nothing(world: World) -> None:
    """Sealed anew for a list that came by another way, the message has a verdict of its own."""
    alice, bob = world.devices
    alice.send("bob", "first")
    world.link(bob, "bob's laptop")
    account, wiretap = bob.own.account_id, Wiretap(world)
    with withhold(world, Submitted):
        message = alice.send_to(account, "second")
        alice.ask(question(account, head_of(alice, account)))
        alice.feed(inputs.Tick())
        world.settle()
    first, second = wiretap.asked(Submit)
    changed = ListsChanged(account, served_lists(world, account))
    accepted = Accepted(account, world.now)
    for request, verdict in ((first, changed), (second, accepted)):
        answer = Submitted(message.message_id, (verdict,))
        alice.feed(inputs.RelayAnswered(request, answer))
    assert "relay-behind" not in causes(alice)
    assert [(one.state, one.devices) for one in alice.history()][-1] == ("sent", 2)


def test_a_verdict_without_room_for_lists_sends_the_device_to_fetch_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message waits for the answer to that, and not for a day."""
    alice, bob = world.devices
    alice.send("bob", "first")
    laptop = world.link(bob, "bob's laptop")
    monkeypatch.setattr(submission, "LISTS_OF_VERDICTS_BYTES_MAX", 0)
    message = alice.send_to(bob.own.account_id, "second")
    assert (message.state, message.devices, causes(alice)) == ("sent", 2, [])
    assert bob.texts() == ["first", "second"]
    assert laptop.texts() == ["second"]


def test_an_account_that_is_gone_fails_visibly(world: World) -> None:
    """A refusal for good ends the message; it is not tried for ever."""
    alice, bob = world.devices
    alice.send("bob", "first")
    _refusing(world, bob.own.account_id, "no-such-account")
    message = alice.send_to(bob.own.account_id, "second")
    assert message.state == "failed"
    assert alice.happened(events.MessageProgressed)[-1].cause == "no-such-account"
    submitted = len(world.relay.frames)
    alice.feed(inputs.Tick())
    world.settle()
    assert len(world.relay.frames) == submitted


def test_a_device_without_prekeys_is_named_and_tried_again(world: World) -> None:
    """Nobody can be sealed for: the message is kept, not submitted to nobody."""
    alice, bob = world.devices
    with hand_out(world, lambda _: None):
        message = alice.send("bob", "hello")
    assert (message.state, causes(alice)) == ("queued", ["unsealable"])
    world.pass_time(QUEUED_RETRY_MS + 1)
    assert bob.texts() == ["hello"]


def test_the_other_devices_get_theirs_when_one_can_t_be_sealed_for(world: World) -> None:
    """The laptop without prekeys gets a placeholder and a visible notice."""
    alice, bob = world.devices
    alice.send("bob", "first")
    laptop = world.link(bob, "bob's laptop")
    with hand_out(world, lambda _: None):
        message = alice.send_to(bob.own.account_id, "second")
    assert (message.state, message.devices) == ("sent", 1)
    assert bob.texts() == ["first", "second"]
    assert laptop.texts() == []
    assert laptop.notices() == ["message-waits"]


@pytest.mark.parametrize("length", [0, TEXT_MAX + 1])
def test_what_is_empty_or_too_long_is_refused_at_once(world: World, length: int) -> None:
    """The error tells the sizes, and nothing is queued."""
    alice, bob = world.devices
    with pytest.raises(LocalError) as refused:
        alice.feed(inputs.SendText(bob.own.account_id, "x" * length))
    assert refused.value.code == ("message-too-long" if length else "message-empty")
    assert alice.history() == []


def test_the_longest_text_arrives(world: World) -> None:
    """The bounds of text, padding and body fit each other."""
    alice, bob = world.devices
    text = "é" * (TEXT_MAX // 2)
    alice.send("bob", text)
    assert bob.texts() == [text]


def test_a_note_to_self_reaches_all_own_devices(world: World) -> None:
    """With one device the relay just tells the time; with two the other one shows it."""
    alice, _ = world.devices
    alone = alice.send_to(alice.own.account_id, "buy milk")
    assert (alone.state, alone.devices) == ("sent", 0)
    laptop = world.link(alice, "alice's laptop")
    both = alice.send_to(alice.own.account_id, "and bread")
    assert (both.state, both.devices) == ("sent", 1)
    assert laptop.texts() == ["and bread"]


@pytest.mark.parametrize("kind", [FetchLists, ClaimPrekeys, Submit])
@pytest.mark.parametrize("code", ["rate-limited", "relay-failure"])
def test_what_passes_is_named_and_tried_again(
    world: World, kind: type[ClientFrame], code: str
) -> None:
    """A relay that is busy or ill loses nothing, whichever request of a message it refuses."""
    alice, bob = world.devices
    world.relay.refusing = lambda request: Refused(code) if isinstance(request, kind) else None
    message = alice.send_to(bob.own.account_id, "first")
    assert (message.state, set(causes(alice))) == ("queued", {code})
    world.pass_time(REFUSED_RETRY_MS)
    assert bob.texts() == []
    world.relay.refusing = lambda _request: None
    world.pass_time(REFUSED_RETRY_MS)
    assert bob.texts() == ["first"]
    assert alice.history()[0].state == "sent"


def test_a_refused_submission_is_repeated_byte_for_byte(world: World) -> None:
    """Nobody knows what became of the first one, so the second must be the same."""
    alice, bob = world.devices
    seen: list[ClientFrame] = []

    def refuse(request: ClientFrame) -> Refused | None:
        if not isinstance(request, Submit):
            return None
        seen.append(request)
        return Refused("relay-failure") if len(seen) == 1 else None

    world.relay.refusing = refuse
    alice.send("bob", "once")
    world.pass_time(REFUSED_RETRY_MS)
    assert seen[0] == seen[1]
    assert bob.texts() == ["once"]


def test_any_other_refusal_waits_for_a_day(world: World) -> None:
    """What the relay has against the message may last: it is named, and not asked for ever."""
    alice, bob = world.devices
    world.relay.refusing = lambda request: (
        Refused("not-allowed") if isinstance(request, Submit) else None
    )
    alice.send("bob", "first")
    assert causes(alice) == ["not-allowed"]
    world.relay.refusing = lambda _request: None
    world.pass_time(QUEUED_RETRY_MS)
    assert bob.texts() == ["first"]


def _refusing(
    world: World, account: AccountId, code: str, *, retry_after_ms: int = 0
) -> dict[AccountId, str]:
    """Let the relay refuse submissions for an account until the result is emptied."""
    refused = {account: code}

    def answer(_link: Link, request: ClientFrame, answer: ServerFrame) -> ServerFrame:
        if not isinstance(request, Submit) or not isinstance(answer, Submitted) or not refused:
            return answer
        verdicts = tuple(
            AccountRefused(one.account_id, refused[one.account_id], retry_after_ms)
            if one.account_id in refused
            else one
            for one in answer.verdicts
        )
        return Submitted(answer.message_id, verdicts)

    world.relay.answering = answer
    return refused


def test_own_devices_order_a_message_by_one_time() -> None:
    """Bob's devices took it earlier than Alice's own: her devices must not tell two stories."""
    world = World()
    alice, _bob = world.register("alice"), world.register("bob")
    laptop = world.link(alice, "laptop")

    def earlier_for_others(link: Link, _request: object, answer: ServerFrame) -> ServerFrame:
        if not isinstance(answer, Submitted):
            return answer
        verdicts = tuple(
            structs.replace(one, accepted_at=UnixMillis(one.accepted_at - 10))
            if isinstance(one, Accepted) and one.account_id != link.account_id
            else one
            for one in answer.verdicts
        )
        return structs.replace(answer, verdicts=verdicts)

    world.relay.answering = earlier_for_others
    for device, other in ((alice, laptop), (laptop, alice)):
        sent = device.send("bob", f"from {device.label}")
        assert other.history()[-1].accepted_at == sent.accepted_at
