"""A copy of Bob's laptop in other hands: what it reads, what it can say, and for how long."""

from __future__ import annotations

import pytest
from tests.attacks.defences import COPIES_ARE_TOLD, FRESH_RATCHET_KEYS, PREKEYS_ROTATE
from tests.attacks.lying_relay import overhear_mail, push
from tests.conversations.forgeries import Forger
from tests.conversations.list_views import context_of, head_of, held_by
from tests.conversations.mishaps import copy_database, put_back
from tests.world import World, WorldDevice

from untether.base.identifiers import DAY_MS, SECOND_MS, UnixMillis
from untether.base.limits import PREKEY_RETIRED_MS, PREKEY_ROTATION_MS
from untether.crypto.provider import provider
from untether.device.parties import own_party, party_of
from untether.device.store import peers, prekeys
from untether.protocol.body import seal_body
from untether.protocol.pairwise import handshake as handshakes
from untether.protocol.pairwise import ratchet
from untether.protocol.pairwise.handshake import Handshake
from untether.protocol.pairwise.parties import Ends
from untether.protocol.pairwise.session import Session
from untether.wire import codec
from untether.wire.content import BodyKey, Text
from untether.wire.records import Stamp
from untether.wire.server_frames import Entry

SECRETS = [f"secret {number}" for number in range(5)]


@pytest.fixture
def laptop(world: World, alice: WorldDevice, bob: WorldDevice) -> WorldDevice:
    """Return Bob's laptop, which talks with Alice."""
    linked = world.link(bob, "laptop")
    talk(alice, linked)
    return linked


def talk(alice: WorldDevice, laptop: WorldDevice) -> None:
    """Let both write to each other twice: each sees new keys of the other."""
    for _ in range(2):
        alice.send("bob", "how are you?")
        laptop.send("alice", "well")
    alice.world.pass_time(10 * SECOND_MS)


def stolen_copy(laptop: WorldDevice) -> WorldDevice:
    """Copy a device's disk, keys and all; its owner notices nothing."""
    clone = laptop.world.new_device("the thief's copy")
    put_back(clone, copy_database(laptop))
    return clone


# --- What the copy reads ------------------------------------------------------------------------


def read_on(alice: WorldDevice, laptop: WorldDevice) -> WorldDevice:
    """Bring a copy all that its original gets after one more talk; return the copy."""
    clone = stolen_copy(laptop)
    with overhear_mail(laptop.world, laptop) as heard:
        talk(alice, laptop)
        for text in SECRETS:
            alice.send("bob", text)
    push(clone, *heard)
    return clone


def test_a_copy_reads_nothing_after_the_next_talk(alice: WorldDevice, laptop: WorldDevice) -> None:
    """Fresh keys of both sides heal the session; the original goes on."""
    clone = read_on(alice, laptop)
    assert [text for text in laptop.texts() if text in SECRETS] == SECRETS
    assert [text for text in clone.texts() if text in SECRETS] == []


def test_twin_without_fresh_keys_the_copy_reads_for_ever(
    alice: WorldDevice, laptop: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were ratchet keys made from what is there already, the copy would make the same."""
    FRESH_RATCHET_KEYS.switch_off(monkeypatch)
    clone = read_on(alice, laptop)
    assert [text for text in clone.texts() if text in SECRETS] == SECRETS


# --- What the copy says -------------------------------------------------------------------------


def speak_up(alice: WorldDevice, laptop: WorldDevice) -> None:
    """Let the copy write to Alice: in the session that it stole, and then in a new one."""
    clone = stolen_copy(laptop)
    talk(alice, laptop)
    forger = Forger(clone, alice)
    forger.say(forger.content(Text("send money")))
    alice.connect()
    assert "send money" not in alice.texts()
    with clone.database.transaction():
        peers.ask_to_renew(clone.database)
    clone.connect()
    clone.send_to(alice.own.account_id, "send money, please")


def test_a_copy_that_speaks_gives_itself_away(alice: WorldDevice, laptop: WorldDevice) -> None:
    """The old session opens nothing any more; a new one has no cause, and Alice is told so."""
    speak_up(alice, laptop)
    assert alice.texts()[-1] == "send money, please"
    assert alice.notices().count("possible-copy") == 1


def test_twin_without_the_alarm_the_copy_is_taken_for_the_laptop(
    alice: WorldDevice, laptop: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new session is a new session."""
    COPIES_ARE_TOLD.switch_off(monkeypatch)
    speak_up(alice, laptop)
    assert alice.texts()[-1] == "send money, please"
    assert "possible-copy" not in alice.notices()


# --- Others' names ------------------------------------------------------------------------------


def write_as_alice(clone: WorldDevice, alice: WorldDevice, laptop: WorldDevice) -> None:
    """Start a session with Bob's laptop as Alice, by the prekey secrets on its stolen disk.

    Whoever has them derives what the laptop will derive, whosever name is in it.
    """
    world = clone.world
    with clone.database.transaction():
        newest = prekeys.newest_rotating(clone.database)
        own = own_party(context_of(clone))
    assert newest is not None
    peer = party_of(held_by(clone, alice.own.account_id).primary)
    ends = Ends.between(own, clone.own.secrets.agreement_seed, peer)
    crypto, rotating = provider(), newest.secret
    _, ciphertext = crypto.mlkem768_encapsulate(crypto.mlkem768_public(rotating.kem_seed))
    base_key = crypto.x25519_public(world.randomness(32))
    number = world.now // SECOND_MS + 1
    started = Handshake(rotating.id, None, base_key, ciphertext, number)
    root = handshakes.respond(ends, rotating, None, started)
    public = crypto.x25519_public(rotating.x25519_seed)
    session = Session.build(
        handshakes.session_id(started.to_bytes()),
        ratchet.start_sending(root.root_key, public, world.randomness),
        base_key=base_key,
        number=number,
        created_at=world.now,
    )
    content = Forger(alice, laptop).content(Text("it is me, Alice"))
    body = seal_body(codec.encode(content), world.randomness)
    key = BodyKey(bytes(body.body_key), body.body_hash, head_of(clone, clone.own.account_id))
    nonce = world.randomness(12)
    _, message = ratchet.seal_next(session.sending, codec.encode(key), ends.incoming, nonce)
    forged = Entry(
        stamp=Stamp(1, 1),
        sender=alice.own.account_id,
        sender_device=alice.own.device,
        accepted_at=world.now,
        message_id=content.message_id,
        header=started.to_bytes() + message,
        body=body.sealed,
    )
    push(laptop, forged)


def let_weeks_pass(world: World, *devices: WorldDevice) -> None:
    """Let the prekeys of that day be replaced, and be deleted, while devices are used daily."""
    end = UnixMillis(world.now + PREKEY_ROTATION_MS + PREKEY_RETIRED_MS + 2 * DAY_MS)
    while world.now < end:
        world.pass_time(DAY_MS)
        for device in devices:
            device.connect()


def test_a_stolen_disk_speaks_for_others_for_three_weeks_at_most(
    world: World, alice: WorldDevice, bob: WorldDevice, laptop: WorldDevice
) -> None:
    """At first the owner is told of a copy; when the prekeys are gone nothing opens any more."""
    clone = stolen_copy(laptop)
    write_as_alice(clone, alice, laptop)
    assert laptop.notices().count("possible-copy") == 1
    before = laptop.texts().count("it is me, Alice")
    let_weeks_pass(world, alice, bob, laptop)
    waiting = laptop.notices().count("message-waits")
    write_as_alice(clone, alice, laptop)
    assert laptop.texts().count("it is me, Alice") == before
    assert laptop.notices().count("message-waits") == waiting + 1


def test_twin_without_rotation_it_speaks_for_ever(
    world: World,
    alice: WorldDevice,
    bob: WorldDevice,
    laptop: WorldDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One disk, copied once, and everybody's name with it."""
    PREKEYS_ROTATE.switch_off(monkeypatch)
    clone = stolen_copy(laptop)
    let_weeks_pass(world, alice, bob, laptop)
    write_as_alice(clone, alice, laptop)
    assert "it is me, Alice" in laptop.texts()
