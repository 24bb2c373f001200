"""First messages between devices: prekeys that are forged, old, used up, or asked for too late."""

from __future__ import annotations

from msgspec import structs
from tests.attacks.lying_relay import hand_out, push, take_mail
from tests.conversations.mishaps import query, state
from tests.world import World, WorldDevice
from tests.world_relay import Link

from untether.base.identifiers import DAY_MS
from untether.base.limits import PREKEY_AGE_MAX_MS, PREKEY_RETIRED_MS, PREKEY_ROTATION_MS
from untether.device import events
from untether.device.inputs import RelayAnswered
from untether.device.store import sessions
from untether.device.store.own_device import State
from untether.protocol.pairwise.prekeys import PrekeyType
from untether.wire.client_frames import ClientFrame, PublishLists
from untether.wire.records import PrekeyBundle
from untether.wire.server_frames import Bundles, Refused, ServerFrame


def _unsigned(bundle: PrekeyBundle) -> PrekeyBundle:
    return structs.replace(bundle, rotating=structs.replace(bundle.rotating, signature=bytes(64)))


def _causes(device: WorldDevice) -> list[str]:
    return [one.cause for one in device.happened(events.MessageProgressed) if one.cause]


def test_forged_prekeys_start_nothing() -> None:
    """The relay can't put its own keys under Bob's name; the message waits and people hear."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    with hand_out(world, _unsigned):
        assert alice.send("bob", "hello").state == "queued"
    assert "prekeys-refused" in alice.notices()
    assert _causes(alice) == ["unsealable"]
    assert query(alice, "SELECT count(*) FROM sessions") == [(0,)]
    world.pass_time(DAY_MS + 1)
    assert bob.texts() == ["hello"]


def test_a_device_that_did_not_rotate_for_weeks_is_asleep() -> None:
    """Its old keys protect too little for a first message; it is named, and tried again."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    bob.disconnect()
    alice.disconnect()
    world.pass_time(PREKEY_AGE_MAX_MS + DAY_MS)
    alice.connect()
    assert alice.send("bob", "are you there?").state == "queued"
    assert "asleep" in _causes(alice)
    bob.connect()
    world.pass_time(DAY_MS + 1)
    assert bob.texts() == ["are you there?"]


def test_without_one_time_pairs_the_last_resort_works_once_for_each_start() -> None:
    """The conversation begins all the same, and its first message can't be replayed."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    with hand_out(world, lambda bundle: structs.replace(bundle, one_time=None)):
        alice.send("bob", "hello")
    assert bob.texts() == ["hello"]
    assert query(bob, "SELECT count(*) FROM used_base_keys") == [(1,)]


def test_a_start_without_a_one_time_pair_is_not_repeated() -> None:
    """Bob has lost his sessions; the relay brings Alice's first message again, and starts none."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    with (
        hand_out(world, lambda bundle: structs.replace(bundle, one_time=None)),
        take_mail(world, bob) as taken,
    ):
        alice.send("bob", "hello")
    push(bob, *taken)
    bob.connect()
    assert bob.texts() == ["hello"]
    with bob.database.transaction():
        sessions.delete_all(bob.database)
    push(bob, *taken)
    assert query(bob, "SELECT count(*) FROM sessions") == [(0,)]


def test_replaced_prekeys_are_deleted() -> None:
    """Who steals the device after two months finds the newest rotating pairs only."""
    world = World()
    bob = world.register("bob")
    for _ in range(9):
        world.pass_time(PREKEY_ROTATION_MS)
        bob.connect()
    rotating = "SELECT count(*) FROM prekeys WHERE type = ?"
    with bob.database.transaction():
        ((count,),) = bob.database.rows(rotating, PrekeyType.ROTATING.value)
    assert 1 <= count <= 2 + PREKEY_RETIRED_MS // PREKEY_ROTATION_MS


def test_no_bundle_is_no_session() -> None:
    """A relay that hands out nothing leaves the message queued with its cause."""
    world = World()
    alice = world.register("alice")
    world.register("bob")
    with hand_out(world, lambda _: None):
        assert alice.send("bob", "hello").state == "queued"
    assert _causes(alice) == ["unsealable"]


def test_prekeys_that_come_twice_start_one_session() -> None:
    """Two processes of a device may ask at once; Bob must not take the second for a copy."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    heard: list[RelayAnswered] = []

    def listen(_link: Link, request: ClientFrame, answer: ServerFrame) -> ServerFrame:
        if isinstance(answer, Bundles):
            heard.append(RelayAnswered(request, answer))
        return answer

    world.relay.answering = listen
    alice.send("bob", "hello")
    [answered] = heard
    alice.feed(answered)
    alice.send("bob", "are you there?")
    assert query(alice, "SELECT count(*) FROM sessions") == [(1,)]
    assert bob.texts() == ["hello", "are you there?"]
    assert "possible-copy" not in bob.notices()


def test_a_phone_that_writes_before_the_relay_has_its_list_misses_nobody() -> None:
    """The laptop's prekeys travel with the list; its copy leaves a moment after Bob's."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    alice.send("bob", "hello")
    late: list[ClientFrame] = []

    def publication_is_late(request: ClientFrame) -> Refused | None:
        if isinstance(request, PublishLists) and not late:
            late.append(request)
            return Refused("relay-failure")
        return None

    world.relay.refusing = publication_is_late
    laptop = world.link(alice, "laptop")
    assert state(laptop) is State.LINKING
    assert alice.send("bob", "from the phone").state == "sent"
    assert bob.texts() == ["hello", "from the phone"]
    alice.connect()
    laptop.connect()
    assert state(laptop) is State.ACTIVE
    laptop.connect()
    assert laptop.texts() == ["from the phone"]
    assert not {"message-waits", "message-not-readable"} & {*laptop.notices()}
