"""Alice loses her phone: a new one takes over, and everybody notices what concerns them."""

from __future__ import annotations

import pytest
from tests.attacks.lying_relay import lose_answers, served_lists, withhold
from tests.conversations.list_views import context_of
from tests.conversations.mishaps import (
    begin_recovery,
    confirm_recovery,
    found_companions,
    query,
    recover,
    state,
)
from tests.world import ORIGIN, World, WorldDevice

from untether.base.errors import LocalError, RefusedError, RemoteError
from untether.base.identifiers import DeviceNumber
from untether.device import directory, events, inputs, outgoing, recovery, senders
from untether.device.context import Context
from untether.device.own_devices import overview
from untether.device.store import contacts
from untether.device.store.own_device import State
from untether.protocol.identity.next_list import first_number_of_generation
from untether.wire import client_frames
from untether.wire.client_frames import ClaimPrekeys, Recover
from untether.wire.content import ListEvidence
from untether.wire.records import PrekeyStock, SignedPrekey
from untether.wire.server_frames import Lists, NotListed, Refused


def test_a_new_phone_takes_over_while_the_laptop_keeps_working(
    world: World, alice: WorldDevice, bob: WorldDevice, laptop: WorldDevice
) -> None:
    """The kept companion goes on in its sessions; contacts keep pin and verified mark."""
    bob.send("alice", "before")
    laptop.send("bob", "from the laptop")
    bob.feed(inputs.MarkVerified("alice"))
    with_bob = "SELECT id FROM sessions JOIN peers USING (peer) WHERE account_id = ? AND place = 0"
    session = query(laptop, with_bob, bob.own.account_id)
    alice.disconnect()

    phone = recover(world, alice, keep=(laptop,))
    assert state(phone) is State.ACTIVE
    assert phone.own.generation == 1
    assert phone.own.device == first_number_of_generation(1, DeviceNumber(1)) == 1024
    assert phone.happened(events.AccountActivated)
    assert "own-new-phone" in laptop.notices()

    laptop.send("bob", "still here")
    world.pass_time(1)
    bob.send("alice", "welcome back")
    assert phone.texts() == ["still here", "welcome back"]
    assert laptop.texts()[-1] == "welcome back"
    assert "still here" in bob.texts()
    assert "contact-new-phone" in bob.notices()
    assert "identity-changed" not in bob.notices()
    with bob.database.transaction():
        contact = contacts.by_name(bob.database, "alice")
    assert contact is not None
    assert contact.verified
    assert query(laptop, with_bob, bob.own.account_id) == session
    phone.send("bob", "from the new phone")
    assert bob.texts()[-1] == "from the new phone"
    assert "possible-copy" not in bob.notices() + laptop.notices()


def test_a_contact_who_never_wrote_learns_of_the_new_phone(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """He holds the list of the lost phone alone; no prekeys of it tell him to look again."""
    no_prekeys = lambda request: Refused("busy") if isinstance(request, ClaimPrekeys) else None  # noqa: E731
    world.relay.refusing = no_prekeys
    assert bob.send("alice", "are you there?").state == "queued"
    bob.disconnect()
    world.relay.refusing = lambda _request: None
    alice.disconnect()
    phone = recover(world, alice, keep=())
    bob.connect()
    assert phone.texts() == ["are you there?"]


def test_everybody_knows_the_names_after_a_recovery(
    world: World, alice: WorldDevice, laptop: WorldDevice
) -> None:
    """The new phone introduces itself, and the companions that it kept do so to it."""
    tablet = world.link(alice, "alice's tablet")
    alice.disconnect()
    phone = recover(world, alice, keep=(laptop, tablet))
    world.pass_time(10_000)
    names = ["alice's laptop", "alice's tablet", "alice's new phone"]
    for device in (phone, laptop, tablet):
        with device.database.transaction():
            assert [one.name for one in overview(device.database)] == names


def test_who_learns_of_the_new_phone_from_a_message_introduces_itself(
    world: World, alice: WorldDevice, bob: WorldDevice, laptop: WorldDevice
) -> None:
    """The relay keeps the list from the laptop; Bob shows it, and the phone learns a name."""
    bob.send("alice", "hello")
    laptop.send("bob", "hello")
    for device in (alice, laptop):
        device.disconnect()
    phone = recover(world, alice, keep=(laptop,))
    with bob.database.transaction():
        shown = ListEvidence(served_lists(world, alice.own.account_id).lists[-1:])
        outgoing.send_direct(context_of(bob), alice.own.account_id, laptop.own.device, shown)
    bob.connect()
    with withhold(world, Lists, NotListed, device=laptop):
        laptop.connect()
        world.pass_time(10_000)
    phone.connect()
    with phone.database.transaction():
        assert "alice's laptop" in [one.name for one in overview(phone.database)]


def test_what_a_lost_phone_told_of_others_is_no_alarm(
    world: World, alice: WorldDevice, laptop: WorldDevice
) -> None:
    """The laptop was off when its phone linked the tablet, and when that phone was replaced."""
    laptop.disconnect()
    tablet = world.link(alice, "alice's tablet")
    alice.disconnect()
    recover(world, alice, keep=(laptop, tablet))
    laptop.connect()
    world.pass_time(10_000)
    assert "message-not-readable" not in laptop.notices()
    assert query(laptop, "SELECT count(*) FROM parked") == [(0,)]
    with laptop.database.transaction():
        assert "alice's tablet" in [one.name for one in overview(laptop.database)]


def test_a_companion_that_is_not_kept_is_out(
    world: World, alice: WorldDevice, bob: WorldDevice, laptop: WorldDevice
) -> None:
    """Its keys are erased and its credentials end; nothing sent later reaches it."""
    tablet = world.link(alice, "alice's tablet")
    alice.disconnect()
    recover(world, alice, keep=(tablet,))
    assert state(laptop) is State.LOGGED_OUT
    assert query(laptop, "SELECT count(*) FROM sessions") == [(0,)]
    bob.send("alice", "who reads this?")
    assert laptop.texts() == []
    assert tablet.texts() == ["who reads this?"]


def test_the_owner_sees_the_codes_that_the_companions_show(
    world: World, alice: WorldDevice, laptop: WorldDevice
) -> None:
    """Number and short code of each companion, so that a stranger's device is not kept."""
    linked = alice.happened(events.DeviceLinked)[-1]
    assert alice.account_seed is not None
    phone = begin_recovery(world, "alice", alice.account_seed)
    found = phone.happened(events.RecoveryFound)[-1]
    assert found.companions == ((laptop.own.device, linked.certificate_code),)
    with pytest.raises(LocalError, match="no companion 7"):
        phone.feed(inputs.ConfirmRecovery((DeviceNumber(7),)))


def test_a_displaced_phone_keeps_everything_and_may_recover_again(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """Its seal and messages stay; the red notice is shown; it comes back as a new phone."""
    bob.send("alice", "hello")
    thief = recover(world, alice)
    assert alice.notices().count("phone-displaced") == 1
    assert state(alice) is State.SUSPENDED
    assert alice.own.sealed_account_seed is not None
    assert alice.texts() == ["hello"]
    with pytest.raises(RefusedError) as caught:
        alice.feed(inputs.SetLease(10 * 24 * 3_600_000))
    assert caught.value.code == "phone-displaced"
    alice.connect()
    assert alice.notices().count("phone-displaced") == 1

    alice.feed(inputs.RecoverSamePhone())
    alice.connect(receiving=False)
    assert found_companions(alice) == []
    confirm_recovery(world, alice)
    assert state(alice) is State.ACTIVE
    assert alice.own.generation == 2
    assert state(thief) is State.SUSPENDED
    bob.send("alice", "is it you?")
    assert alice.texts() == ["hello", "is it you?"]
    assert thief.texts() == []


def test_what_a_displaced_phone_had_queued_leaves_after_its_recovery(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """A message written meanwhile is sealed again under the new number."""
    alice.send("bob", "first")
    alice.disconnect()
    recover(world, alice)
    alice.feed(inputs.SendText(bob.own.account_id, "written while displaced"))
    alice.connect()
    assert bob.texts() == ["first"]
    alice.feed(inputs.RecoverSamePhone())
    alice.connect(receiving=False)
    confirm_recovery(world, alice)
    assert bob.texts() == ["first", "written while displaced"]
    assert alice.history()[-1].state == "sent"


def test_the_number_of_the_old_phone_is_refused_for_ever(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """Its sessions end once Bob's mailbox is drained; what it sends later opens no new one."""
    alice.send("bob", "hello")
    bob.send("alice", "hello")
    old, account = alice.own.device, alice.own.account_id
    recover(world, alice)
    bob.send("alice", "to the new one")
    bob.connect()
    sessions_with = "SELECT count(*) FROM sessions JOIN peers USING (peer) WHERE device = ?"
    assert query(bob, sessions_with, old) == [(0,)]
    with bob.database.transaction():
        context = Context(bob.database, world.now, world.randomness)
        held = directory.held_list(context, account)
        assert held is not None
        assert held.was_removed(old)
        for number in (old, DeviceNumber(old + 1)):
            with pytest.raises(RemoteError) as caught:
                senders.find(context, account, number)
            assert caught.value.code == "device-removed"


def test_a_lost_answer_is_asked_for_with_the_same_bytes(world: World, alice: WorldDevice) -> None:
    """Nobody knows whether the relay took it: the repetition changes nothing there."""
    assert alice.account_seed is not None
    phone = begin_recovery(world, "alice", alice.account_seed)
    with lose_answers(world, Recover):
        phone.feed(inputs.ConfirmRecovery(()))
        world.settle()
    assert state(phone) is State.RECOVERING
    lists = query(phone, "SELECT body FROM own_lists")
    phone.connect()
    phone.connect()
    assert state(phone) is State.ACTIVE
    assert query(phone, "SELECT body FROM own_lists WHERE version = 1") == lists
    assert query(phone, "SELECT count(*) FROM prekeys WHERE uploaded = 0") == [(0,)]


def test_confirming_twice_signs_no_second_list(
    world: World, alice: WorldDevice, laptop: WorldDevice
) -> None:
    """A list of this generation exists already: it is sent again, never made anew."""
    assert alice.account_seed is not None
    phone = begin_recovery(world, "alice", alice.account_seed)
    with lose_answers(world, Recover):
        phone.feed(inputs.ConfirmRecovery(()))
        world.settle()
    lists = query(phone, "SELECT body FROM own_lists")
    phone.feed(inputs.ConfirmRecovery((laptop.own_or_none.device,)))  # type: ignore[union-attr]
    assert query(phone, "SELECT body FROM own_lists") == lists


def test_a_list_that_moved_on_is_shown_again_under_a_higher_generation(
    world: World, alice: WorldDevice
) -> None:
    """Two phones recover at once: the slower one drops its list and its whole generation."""
    assert alice.account_seed is not None
    slow = begin_recovery(world, "alice", alice.account_seed)
    quick = recover(world, alice)
    slow.feed(inputs.ConfirmRecovery(()))
    world.settle()
    assert slow.happened(events.RequestRefused)[-1].request == "recover"
    assert state(slow) is State.RECOVERING
    assert len(slow.happened(events.RecoveryFound)) == 2
    confirm_recovery(world, slow)
    assert state(slow) is State.ACTIVE
    assert slow.own.generation == 2
    assert state(quick) is State.SUSPENDED


@pytest.mark.parametrize(("name", "code"), [("bob", "recovery-wrong-name"), ("ALICE", "bad-name")])
def test_a_wrong_name_leaves_the_profile_unused(
    world: World, alice: WorldDevice, name: str, code: str
) -> None:
    """The recovery code of one account does not open another name."""
    assert alice.account_seed is not None
    if code == "bad-name":
        with pytest.raises(LocalError):
            begin_recovery(world, name, alice.account_seed)
        return
    phone = begin_recovery(world, name, alice.account_seed)
    assert phone.happened(events.RequestRefused)[-1].code == code
    assert phone.own_or_none is None


def test_an_unknown_account_is_named_and_a_used_profile_is_refused() -> None:
    """No account with that key: the profile is unused again; a used one is left alone."""
    world = World()
    phone = begin_recovery(world, "nobody", bytes(32))
    assert phone.happened(events.RequestRefused)[-1].code == "no-such-account"
    assert phone.own_or_none is None
    alice = world.register("alice")
    with pytest.raises(LocalError) as caught:
        alice.feed(
            inputs.BeginRecovery(
                "alice", bytes(32), b"", ORIGIN, world.relay.rules.relay_id, "phone"
            )
        )
    assert caught.value.code == "already-registered"
    for command in (inputs.ConfirmRecovery(()), inputs.RecoverSamePhone()):
        with pytest.raises(LocalError):
            alice.feed(command)


def test_a_relay_that_is_busy_is_asked_again(world: World, alice: WorldDevice) -> None:
    """A refusal that will pass keeps the signed list for the next connection."""
    assert alice.account_seed is not None
    phone = begin_recovery(world, "alice", alice.account_seed)
    honest = world.relay.answering
    world.relay.answering = lambda _link, frame, answer: (
        Refused("rate-limited", 5) if isinstance(frame, Recover) else answer
    )
    phone.feed(inputs.ConfirmRecovery(()))
    world.settle()
    refused = phone.happened(events.RequestRefused)[-1]
    assert (refused.code, refused.retry_after_ms) == ("rate-limited", 5)
    world.relay.answering = lambda _link, frame, answer: (
        Refused("lease-too-long") if isinstance(frame, Recover) else answer
    )
    phone.connect(receiving=False)
    assert phone.happened(events.RequestRefused)[-1].code == "lease-too-long"
    world.relay.answering = honest
    confirm_recovery(world, phone)
    assert state(phone) is State.ACTIVE


@pytest.mark.parametrize("lie", ["another account", "no lists", "relay-failure", "garbage"])
def test_bad_answers_to_the_first_question_end_nothing_else(
    world: World, alice: WorldDevice, bob: WorldDevice, lie: str
) -> None:
    """Lists of another account say nothing; none, or forged ones, end the recovery."""
    assert alice.account_seed is not None
    others = Lists(bob.own.account_id, served_lists(world, bob.own.account_id))

    def answering(_link: object, frame: object, answer: object) -> object:
        if not isinstance(frame, client_frames.FetchLists):
            return answer
        assert isinstance(answer, Lists)
        if lie == "another account":
            return others
        if lie == "relay-failure":
            return Refused("relay-failure")
        shown = answer.account
        lists = () if lie == "no lists" else others.account.lists
        return Lists(answer.account_id, type(shown)(name=shown.name, lists=lists))

    world.relay.answering = answering  # type: ignore[assignment]
    phone = begin_recovery(world, "alice", alice.account_seed)
    assert not phone.happened(events.RecoveryFound)
    if lie in ("another account", "relay-failure"):
        assert state(phone) is State.RECOVERING
    else:
        assert phone.own_or_none is None


def test_only_the_certificate_that_was_asked_for_is_taken(world: World, alice: WorldDevice) -> None:
    """A certificate of an earlier try names another generation or other keys."""
    assert alice.account_seed is not None
    phone = begin_recovery(world, "alice", alice.account_seed)
    with pytest.raises(LocalError) as caught:
        phone.feed(inputs.CertificateSigned(b"whatever", bytes(64)))
    assert caught.value.code == "nothing-to-confirm"
    phone.account_seed = None
    phone.feed(inputs.ConfirmRecovery(()))
    with pytest.raises(LocalError) as caught:
        phone.feed(inputs.CertificateSigned(b"whatever", bytes(64)))
    assert caught.value.code == "certificate-outdated"


def test_refused_verification_leaves_the_recovery_open(world: World, alice: WorldDevice) -> None:
    """The owner may confirm again after a wrong passphrase."""
    assert alice.account_seed is not None
    phone = begin_recovery(world, "alice", alice.account_seed)
    phone.verification_refused = True
    phone.feed(inputs.ConfirmRecovery(()))
    assert phone.happened(events.RequestRefused)[-1].code == "verification-refused"
    phone.verification_refused = False
    confirm_recovery(world, phone)
    assert state(phone) is State.ACTIVE


def test_late_answers_and_signatures_change_nothing(world: World, alice: WorldDevice) -> None:
    """Whatever comes a second time finds the recovery further on, or finished."""
    assert alice.account_seed is not None
    phone = begin_recovery(world, "alice", alice.account_seed)
    with lose_answers(world, Recover):
        phone.feed(inputs.ConfirmRecovery(()))
        world.settle()
    account, certificate = alice.own.account_id, phone.own.certificate
    assert certificate is not None
    lists = query(phone, "SELECT body FROM own_lists")
    shown = len(phone.happened(events.RecoveryFound))
    question = client_frames.FetchLists(account)
    answer = Lists(account, served_lists(world, account))
    phone.feed(inputs.RelayAnswered(question, answer))
    phone.feed(inputs.CertificateSigned(certificate.body, certificate.account_signature))
    assert len(phone.happened(events.RecoveryFound)) == shown
    assert query(phone, "SELECT body FROM own_lists") == lists
    phone.connect()
    phone.connect()
    recovered = phone.own
    nothing = PrekeyStock(SignedPrekey(b"\0", bytes(64)))
    frame = Recover(account, answer.account.lists, nothing)
    phone.feed(inputs.RelayAnswered(frame, Refused("generation-not-higher")))
    assert phone.own == recovered


def test_twin_without_the_name_check_recovers_under_any_name(
    world: World, alice: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Switched off: the relay could give the phone of one account another one's name."""
    assert alice.account_seed is not None

    def on_lists(context, request, answer):  # type: ignore[no-untyped-def]
        from untether.device import directory

        directory.learn(context, request.account_id, answer.account)
        recovery._show_companions(context)

    monkeypatch.setattr(recovery, "on_lists", on_lists)
    phone = begin_recovery(world, "mallory", alice.account_seed)
    confirm_recovery(world, phone)
    assert state(phone) is State.ACTIVE
    assert phone.own.name == "mallory"
