"""What keeps a message from being opened: lost rows, and a relay that changes what it brings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from msgspec import structs
from tests.conversations.forgeries import Forger
from tests.conversations.list_views import sender_of
from tests.conversations.mishaps import query
from tests.world import World, WorldDevice
from tests.world_relay import Link

from untether.base.identifiers import MessageId
from untether.base.limits import REPAIR_JITTER_MS
from untether.device import events, outgoing
from untether.device.store import sessions
from untether.device.store.sessions import PeerKey
from untether.wire import codec
from untether.wire.content import Content, is_repaired
from untether.wire.records import Stamp
from untether.wire.server_frames import Deliveries, Entry, ServerFrame

A_MOMENT_MS = 4 * REPAIR_JITTER_MS
"""For a request, its answer and the receipt."""

Change = Callable[[WorldDevice, Entry], Entry | None]


def acquainted(world: World) -> tuple[WorldDevice, WorldDevice]:
    """Return the phones of Alice and Bob, who have written to each other."""
    alice, bob = world.register("alice"), world.register("bob")
    alice.send("bob", "hello")
    bob.send("alice", "hi")
    world.pass_time(A_MOMENT_MS)
    return alice, bob


def lose_sessions(device: WorldDevice, other: WorldDevice) -> None:
    """Let a device lose all that it needs to open what another one seals."""
    peer = sender_of(device, other)
    with device.database.transaction():
        key = PeerKey(peer.row, peer.account_id, peer.device)
        sessions.delete_with(device.database, key)


def damaged(entry: Entry) -> Entry:
    """Flip one bit of the sealed header."""
    assert entry.header is not None
    return structs.replace(entry, header=entry.header[:-1] + bytes([entry.header[-1] ^ 1]))


@contextmanager
def changed_mail(world: World, change: Change) -> Iterator[list[Entry]]:
    """Let the relay change entries that it pushes to a device; yields these, as they were."""
    honest = world.relay.lie
    true: list[Entry] = []

    def lie(link: Link, frame: ServerFrame) -> ServerFrame | None:
        if not isinstance(frame, Deliveries):
            return honest(link, frame)
        changed = [change(link.device, entry) for entry in frame.entries]
        true.extend(one for one, said in zip(frame.entries, changed, strict=True) if one != said)
        left = tuple(entry for entry in changed if entry is not None)
        return honest(link, structs.replace(frame, entries=left))

    world.relay.lie = lie
    try:
        yield true
    finally:
        world.relay.lie = honest


@contextmanager
def messages_damaged(world: World, receiver: WorldDevice) -> Iterator[list[Entry]]:
    """Let the relay damage what is written to a device, but not what repairs it."""

    def change(device: WorldDevice, entry: Entry) -> Entry:
        return damaged(entry) if device is receiver and is_repaired(entry.message_id) else entry

    with changed_mail(world, change) as seen:
        yield seen


@contextmanager
def mail_lost(world: World, receiver: WorldDevice) -> Iterator[list[Entry]]:
    """Let the relay keep back all mail of a device for ever."""
    with changed_mail(world, lambda device, entry: None if device is receiver else entry) as seen:
        yield seen


def push(receiver: WorldDevice, entry: Entry) -> None:
    """Let the relay bring an entry once more, under a stamp that it never gave."""
    again = structs.replace(entry, stamp=Stamp(0, receiver.world.count()))
    link = receiver.link
    assert link is not None
    receiver.world.relay._send(link, 0, Deliveries((again,), remaining=1))
    receiver.world.settle()


def say(forger: Forger, content: Content) -> None:
    """Seal a content of a device's choice, and let the relay bring it."""
    push(forger.receiver, forger.entry(codec.encode(content), content.message_id))


def told(device: WorldDevice, code: str) -> list[dict[str, int | str]]:
    """Return the details of all notices of a code so far."""
    return [one.details for one in device.happened(events.NoticePosted) if one.code == code]


def reasons(device: WorldDevice) -> list[object]:
    """Return how repairs of a device ended that have ended badly."""
    return [details.get("reason") for details in told(device, "message-not-readable")]


def repairs_open(device: WorldDevice) -> int:
    """Return how many messages a device waits to open."""
    return len(query(device, "SELECT row FROM repairs"))


def recovered_texts(device: WorldDevice) -> list[str]:
    """Return the texts that could not be opened when they first came."""
    return [message.text for message in device.history() if message.recovered]


def asked_in_vain(
    world: World, alice: WorldDevice, bob: WorldDevice, text: str = "one"
) -> MessageId:
    """Let Bob ask for a message that Alice wrote, while his request gets lost."""
    with messages_damaged(world, bob), mail_lost(world, alice):
        message = alice.send("bob", text)
        world.pass_time(A_MOMENT_MS)
    assert repairs_open(bob) == 1
    return message.message_id


def kinds_sent(device: WorldDevice, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, object]]:
    """Collect what a device says to single devices from now on: (device, kind)."""
    said: list[tuple[int, object]] = []
    send = outgoing.send_direct

    def listen(context, to, number, kind, **rest):  # type: ignore[no-untyped-def]
        if context.database is device.database:
            said.append((number, kind))
        return send(context, to, number, kind, **rest)

    monkeypatch.setattr(outgoing, "send_direct", listen)
    return said
