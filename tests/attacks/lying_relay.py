"""A relay that lies: each verb is a script of lies, told until its ``with`` block ends.

The relay of the small world goes on deciding honestly. A lie changes what it says to a device,
keeps it back, or adds to it; blocks nest, and an inner lie is told of what the outer one left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from msgspec import structs
from tests.world import World, WorldDevice
from tests.world_relay import Answering, Link, run

from untether.base.identifiers import AccountId
from untether.device import inputs
from untether.relay.lists import account_lists
from untether.relay.transaction import RelayTransaction
from untether.wire.client_frames import ClaimPrekeys, ClientFrame, ResolveName
from untether.wire.records import AccountLists, PrekeyBundle, SignedObject, Stamp
from untether.wire.server_frames import (
    Bundles,
    Deliveries,
    Entry,
    Lists,
    ListsChanged,
    ServerFrame,
    Submitted,
)

Tell = Callable[[Link, ServerFrame], ServerFrame | None]
"""What is said in place of a frame; None keeps it back."""


@contextmanager
def telling(world: World, tell: Tell) -> Iterator[None]:
    """Let the relay say something else in place of any frame."""
    before = world.relay.lie

    def lie(link: Link, frame: ServerFrame) -> ServerFrame | None:
        said = before(link, frame)
        return None if said is None else tell(link, said)

    world.relay.lie = lie
    try:
        yield
    finally:
        world.relay.lie = before


@contextmanager
def answering(world: World, answer: Answering) -> Iterator[None]:
    """Let the relay give another answer to requests that it has decided honestly."""
    before = world.relay.answering
    world.relay.answering = lambda link, request, true: answer(
        link, request, before(link, request, true)
    )
    try:
        yield
    finally:
        world.relay.answering = before


# --- Withholding --------------------------------------------------------------------------


@contextmanager
def withhold(
    world: World, *kinds: type[ServerFrame], device: WorldDevice | None = None
) -> Iterator[None]:
    """Keep back frames of some kinds, from one device or from all."""

    def tell(link: Link, frame: ServerFrame) -> ServerFrame | None:
        is_meant = device is None or link.device is device
        return None if is_meant and isinstance(frame, kinds) else frame

    with telling(world, tell):
        yield


@contextmanager
def lose_answers(world: World, kind: type[ClientFrame]) -> Iterator[None]:
    """Carry out requests of a kind, but cut the connection before the answer."""

    def lose(link: Link, request: ClientFrame, answer: ServerFrame) -> ServerFrame:
        if isinstance(request, kind):
            link.device.disconnect()
        return answer

    with answering(world, lose):
        yield


# --- Device lists -------------------------------------------------------------------------


def served_lists(world: World, account: AccountId) -> AccountLists:
    """Return what the honest relay serves of an account now: its newest list."""

    async def read(tx: RelayTransaction) -> AccountLists:
        row = await tx.account(account)
        assert row is not None
        return await account_lists(tx, row, after=None)

    return run(world.relay.store.transact(read))


@contextmanager
def roll_back(world: World, account: AccountId, to: AccountLists) -> Iterator[None]:
    """Serve only ``to`` of an account wherever its lists would be served, verdicts included."""

    def lie(_link: Link, _request: ClientFrame, answer: ServerFrame) -> ServerFrame:
        match answer:
            case Lists(account_id) if account_id == account:
                return Lists(account, to)
            case Submitted(message_id, verdicts):
                return Submitted(
                    message_id,
                    tuple(
                        ListsChanged(account, to)
                        if isinstance(verdict, ListsChanged) and verdict.account_id == account
                        else verdict
                        for verdict in verdicts
                    ),
                )
        return answer

    with answering(world, lie):
        yield


@contextmanager
def say_nothing_of(world: World, account: AccountId) -> Iterator[None]:
    """Answer questions for an account's lists with nothing."""
    with roll_back(world, account, AccountLists(name="nobody", lists=())):
        yield


@contextmanager
def fork(world: World, phone: WorldDevice, other: SignedObject) -> Iterator[None]:
    """Serve another history of a phone's account, which its stolen key has signed."""
    with roll_back(world, phone.own.account_id, AccountLists(phone.own.name, (other,))):
        yield


@contextmanager
def promise_more(world: World) -> Iterator[None]:
    """Say that more lists follow, whatever was asked."""

    def lie(_link: Link, _request: ClientFrame, answer: ServerFrame) -> ServerFrame:
        if not isinstance(answer, Lists):
            return answer
        return Lists(answer.account_id, structs.replace(answer.account, more=True))

    with answering(world, lie):
        yield


@contextmanager
def give_name(world: World, name: str, thief: WorldDevice) -> Iterator[None]:
    """Give somebody else's account to everybody who asks for a name."""

    def lie(_link: Link, request: ClientFrame, answer: ServerFrame) -> ServerFrame:
        if not isinstance(request, ResolveName) or request.name != name:
            return answer
        account = thief.own.account_id
        return Lists(account, structs.replace(served_lists(world, account), name=name))

    with answering(world, lie):
        yield


# --- Prekeys ------------------------------------------------------------------------------


@contextmanager
def hand_out(world: World, change: Callable[[PrekeyBundle], PrekeyBundle | None]) -> Iterator[None]:
    """Change the prekeys that are handed out; None leaves a device out."""

    def lie(_link: Link, request: ClientFrame, answer: ServerFrame) -> ServerFrame:
        if not isinstance(request, ClaimPrekeys) or not isinstance(answer, Bundles):
            return answer
        changed = (change(bundle) for bundle in answer.bundles)
        return Bundles(tuple(bundle for bundle in changed if bundle is not None))

    with answering(world, lie):
        yield


# --- Mail ---------------------------------------------------------------------------------


def push(device: WorldDevice, *entries: Entry) -> None:
    """Bring a device any entries, as if they came next in its mailbox."""
    acknowledged = device.own.acknowledged or Stamp(1, 0)
    stamped = tuple(
        structs.replace(entry, stamp=Stamp(acknowledged.incarnation, acknowledged.number + place))
        for place, entry in enumerate(entries, start=1)
    )
    device.feed(inputs.RelayPushed(Deliveries(stamped, remaining=1)))


def entries_of(frame: ServerFrame) -> tuple[Entry, ...]:
    """Return the mail in a frame."""
    return frame.entries if isinstance(frame, Deliveries) else ()


@contextmanager
def overhear_mail(world: World, device: WorldDevice) -> Iterator[list[Entry]]:
    """Keep a copy of all mail that is brought to a device."""
    heard: list[Entry] = []

    def tell(link: Link, frame: ServerFrame) -> ServerFrame:
        if link.device is device:
            heard.extend(entries_of(frame))
        return frame

    with telling(world, tell):
        yield heard


@contextmanager
def take_mail(world: World, device: WorldDevice) -> Iterator[list[Entry]]:
    """Keep all mail of a device back, and have it to do with it what one likes."""
    with overhear_mail(world, device) as taken, withhold(world, Deliveries, device=device):
        yield taken


@contextmanager
def say_mailboxes_are_full(world: World) -> Iterator[None]:
    """Say of every mailbox that more is waiting, so that none is ever drained."""
    with telling(
        world,
        lambda _link, frame: (
            structs.replace(frame, remaining=1) if isinstance(frame, Deliveries) else frame
        ),
    ):
        yield


@contextmanager
def say_mailboxes_are_empty(world: World) -> Iterator[None]:
    """Say of every mailbox that nothing is in it."""
    with telling(
        world, lambda _link, frame: Deliveries((), 0) if isinstance(frame, Deliveries) else frame
    ):
        yield
