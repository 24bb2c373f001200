"""The genuine material: what a relay and some devices said to each other in one story.

Alice and Bob register, link devices, write, log devices out and recover; everything that
travelled is kept. The story is drawn from one seed, so that an input means the same each time.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import NamedTuple, TypeVar

from msgspec.structs import replace
from tests.conversations.mishaps import recover
from tests.world import World, WorldDevice
from tests.world_relay import ORIGIN, Link, run

from fuzz.shortcuts import same_encapsulations
from untether.base.errors import RemoteError
from untether.base.identifiers import DAY_MS, DeviceAddress
from untether.base.limits import FRAME_MAX, UNACKNOWLEDGED_MAX
from untether.crypto.provider import provider
from untether.device import inputs
from untether.relay.delivery import next_deliveries
from untether.wire import codec
from untether.wire.client_frames import ClientFrame, FetchStatus, Request
from untether.wire.records import AccountLists
from untether.wire.server_frames import (
    Answer,
    Challenge,
    Deliveries,
    Displaced,
    LoggedOut,
    NotListed,
    ServerFrame,
)

Frame = TypeVar("Frame", Request, Answer)

OF_A_KIND_MAX = 3
"""Frames of one kind that are kept: the shortest, the longest, and one between."""


FRAME_OF_STORY_MAX = 16_384
"""Bytes: a longer frame says nothing that a shorter one of its kind does not, but slowly."""

FEW_PREKEYS = 2


class Story(NamedTuple):
    """One world at rest, and what was said in it.

    Bob's phone is offline; ``mail`` is what waits for it. Alice's laptop was logged out, her
    tablet is a companion; Carol is a stranger to Bob. ``unfinished`` are devices in the midst of
    registering, linking and recovering, and one of an unused profile.
    """

    world: World
    alice: WorldDevice
    tablet: WorldDevice
    laptop: WorldDevice
    bob: WorldDevice
    desktop: WorldDevice
    carol: WorldDevice
    unfinished: tuple[WorldDevice, ...]
    mail: Deliveries
    asked: list[tuple[ClientFrame, ServerFrame]]

    @property
    def devices(self) -> tuple[WorldDevice, ...]:
        """Devices in every state there is."""
        return (self.bob, self.desktop, self.alice, self.tablet, self.laptop, *self.unfinished)

    @property
    def requests(self) -> list[bytes]:
        """Some frames of each kind that went to the relay."""
        frames = [Request(one.token, _short(one.frame)) for one in _decoded(self.world, Request)]
        return _sample([(type(one.frame), codec.encode(one)) for one in frames])

    @property
    def answers(self) -> list[bytes]:
        """Some frames of each kind that came from the relay, the waiting mail among them."""
        rules = self.world.relay.rules
        challenge = Challenge(
            rules.relay_id, bytes(32), self.world.now, rules.registration, rules.lease_max_ms
        )
        made: list[ServerFrame] = [challenge, self.mail, Displaced(), NotListed(self._of_laptop())]
        frames = [*_decoded(self.world, Answer), *(Answer(0, frame) for frame in made)]
        return _sample([(type(one.frame), codec.encode(one)) for one in frames])

    def _of_laptop(self) -> AccountLists:
        pushed = [one.frame for one in _decoded(self.world, Answer)]
        return next(frame.account for frame in pushed if isinstance(frame, LoggedOut))

    def sampled_asked(self) -> list[tuple[ClientFrame, ServerFrame]]:
        """Some pairs of question and answer for each kind of question and of answer."""
        by_kind = defaultdict(list)
        for request, answer in self.asked:
            by_kind[type(request), type(answer)].append((request, answer))
        return [pair for pairs in by_kind.values() for pair in pairs[-OF_A_KIND_MAX:]]


@cache
def tell() -> Story:
    """Play the story; the same world is given to every case of a process."""
    with same_encapsulations():
        return _play()


def _play() -> Story:
    world = World(seed=5)
    asked: list[tuple[ClientFrame, ServerFrame]] = []

    def listen(_link: Link, request: ClientFrame, answer: ServerFrame) -> ServerFrame:
        asked.append((request, answer))
        return answer

    world.relay.answering = listen
    old_phone, bob = world.register("alice"), world.register("bob")
    carol = world.register("carol")
    laptop, tablet = world.link(old_phone, "alice's laptop"), world.link(old_phone, "tablet")
    desktop, web = world.link(bob, "bob's desktop"), world.link(bob, "bob's web app")
    for day in range(9):
        old_phone.send("bob", f"day {day}")
        bob.send("alice", f"answer {day}")
        tablet.send("bob", "from the tablet")
        world.pass_time(DAY_MS)
    web.feed(inputs.Resign())
    world.settle()
    old_phone.log_out(laptop, wipe=True)
    laptop.connect()
    desktop.ask(FetchStatus())
    desktop.connect()
    bob.disconnect()
    alice = recover(world, old_phone, keep=(tablet,))
    _write_to_bob(world, alice, tablet, desktop, carol)
    unfinished = _unfinished(world)
    address = DeviceAddress(bob.own.account_id, bob.own.device)
    mail = run(next_deliveries(world.relay.store, address, None, UNACKNOWLEDGED_MAX))
    return Story(world, alice, tablet, laptop, bob, desktop, carol, unfinished, mail, asked)


def _write_to_bob(world: World, *writers: WorldDevice) -> None:
    """Let mail wait for Bob: on held sessions, on new ones, from his own device, a stranger."""
    for writer in writers:
        for text in ("first", "second", "third"):
            writer.send("bob", text)
    world.settle()


def _unfinished(world: World) -> tuple[WorldDevice, ...]:
    """Make devices in the states that end soon in honest stories."""
    registering = world.new_device("registering", world.randomness(32))
    registering.feed(
        inputs.BeginRegistration(
            name="dave",
            account_key=_key_of(registering),
            sealed_account_seed=b"sealed elsewhere",
            origin=ORIGIN,
            relay_id=world.relay.rules.relay_id,
            device_name="dave's phone",
            invitation=None,
        )
    )
    linking = world.offer_link("linking")
    recovering = world.new_device("recovering", world.randomness(32))
    recovering.feed(
        inputs.BeginRecovery(
            name="carol",
            account_key=_key_of(recovering),
            sealed_account_seed=b"sealed elsewhere",
            origin=ORIGIN,
            relay_id=world.relay.rules.relay_id,
            device_name="carol's phone",
        )
    )
    return (registering, linking, recovering, world.new_device("unused"))


def _key_of(device: WorldDevice) -> bytes:
    assert device.account_seed is not None
    return provider().ed25519_public(device.account_seed)


def _decoded(world: World, kind: type[Frame]) -> list[Frame]:
    found = []
    for data in world.relay.frames:
        try:
            found.append(codec.decode(data, kind, size_max=FRAME_MAX))
        except RemoteError:
            continue
    return found


def _short(frame: ClientFrame) -> ClientFrame:
    """Leave a frame as it is, but for prekeys: two are as good as fifty."""
    stock = getattr(frame, "prekeys", None)
    if stock is None:
        return frame
    return replace(frame, prekeys=replace(stock, one_time=stock.one_time[:FEW_PREKEYS]))


def _sample(frames: list[tuple[type, bytes]]) -> list[bytes]:
    by_kind: dict[type, list[bytes]] = defaultdict(list)
    for kind, data in frames:
        if len(data) <= FRAME_OF_STORY_MAX and data not in by_kind[kind]:
            by_kind[kind].append(data)
    sample: list[bytes] = []
    for found in by_kind.values():
        found.sort(key=len)
        sample += dict.fromkeys((found[0], found[len(found) // 2], found[-1]))
    return sample
