"""Alice's phone links Alice's laptop: every step, seen from both ends."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace
from tests.unit.linking.link_walk import (
    NOW,
    PREKEYS,
    RELAY_ADDRESS,
    RELAY_ID,
    Alice,
    Linking,
    make_account,
    seeded,
)

from untether.base.errors import LocalError, TrustError, UntetherError, VerificationError
from untether.base.identifiers import DeviceNumber, RelayId, UnixMillis
from untether.base.limits import (
    CLOCK_WARNING_MS,
    COMPANIONS_MAX,
    DEVICE_NAME_MAX,
    DEVICE_PLATFORM_MAX,
    LINK_ITEM_MAX,
    LINK_ITEM_PADDED_MIN,
    LINK_OFFER_MAX,
    LINK_SLOT_MS,
)
from untether.protocol.identity.certificate import Role, verify_certificate
from untether.protocol.identity.keys import DeviceSecrets
from untether.protocol.linking import companion, phone
from untether.protocol.linking.companion import CompanionLink, CompanionState
from untether.protocol.linking.failures import FAILURES, link_error
from untether.protocol.linking.machine import known
from untether.protocol.linking.phone import PhoneLink, PhoneState
from untether.wire.link_offer import LinkIndex, RefusalCode
from untether.wire.records import PrekeyStock, SignedPrekey

OVER = UnixMillis(NOW + LINK_SLOT_MS + CLOCK_WARNING_MS + 1)


def code_of(error: pytest.ExceptionInfo[UntetherError]) -> str:
    """Return the code of a caught error, after checking that it says what to do."""
    assert error.value.message
    assert error.value.hint
    return error.value.code


def test_laptop_is_linked_and_both_ends_agree(linking: Linking) -> None:
    """The laptop ends with its certificate in a list of the phone's account."""
    result = linking.until_admitted()
    linking.laptop = companion.read_result(linking.laptop, result, NOW)

    assert linking.phone.state is PhoneState.ADMITTED
    assert linking.laptop.state is CompanionState.LINKED
    assert linking.laptop.certificate == linking.phone.certificate
    assert linking.laptop.lists == tuple(held.signed for held in linking.alice.lists)
    assert linking.phone.prekeys == PREKEYS
    assert linking.phone.certificate is not None
    verified = verify_certificate(linking.phone.certificate, linking.alice.account_key)
    assert verified.role is Role.COMPANION
    assert verified.public_keys == linking.laptop.secrets.public_keys


def test_each_side_sees_whom_it_links_before_it_decides(linking: Linking) -> None:
    """The phone shows name and kind; the laptop shows account, phone and the other devices."""
    linking.until_answered()

    assert linking.phone.offer is not None
    assert (linking.phone.offer.name, linking.phone.offer.kind) == ("Alice's laptop", "desktop")
    assert linking.laptop.answer is not None
    assert linking.laptop.answer.account_name == "alice"
    assert linking.laptop.answer.phone_name == "Alice's phone"
    assert linking.laptop.answer.notices == linking.alice.notices()
    assert linking.laptop.certificate is None, "no own signature before “yes, mine”"


def test_states_and_awaited_places_follow_the_walk(alice: Alice) -> None:
    """Each side names the place in the slot that would move it on."""
    linking = Linking(alice)
    assert (linking.phone.state, linking.phone.awaits) == (PhoneState.SCANNED, LinkIndex.OFFER)
    assert linking.laptop.awaits is LinkIndex.ANSWER

    linking.until_verifying()
    assert linking.phone.state is PhoneState.VERIFYING
    assert linking.phone.awaits is LinkIndex.ACCEPTANCE, "a withdrawal may come"

    linking = Linking(alice)
    linking.until_answered()
    assert linking.phone.awaits is LinkIndex.ACCEPTANCE
    assert (linking.laptop.state, linking.laptop.awaits) == (CompanionState.ANSWERED, None)

    linking = Linking(alice)
    linking.until_accepted()
    assert (linking.phone.state, linking.phone.awaits) == (PhoneState.ACCEPTED, None)
    assert linking.laptop.awaits is LinkIndex.RESULT


def test_both_ends_survive_being_stored_at_every_step(alice: Alice) -> None:
    """What is read back is what was stored, in every state, and shows no secret."""
    for walk in (
        Linking.until_offer_read,
        Linking.until_verifying,
        Linking.until_answered,
        Linking.until_laptop_accepted,
        Linking.until_accepted,
    ):
        linking = Linking(alice)
        walk(linking)
        assert PhoneLink.from_bytes(linking.phone.to_bytes()) == linking.phone
        assert CompanionLink.from_bytes(linking.laptop.to_bytes()) == linking.laptop
        assert repr(linking.phone) == f"<PhoneLink {linking.phone.state.value}>"
        assert repr(linking.laptop) == f"<CompanionLink {linking.laptop.state.value}>"


def test_laptop_that_crashed_finishes_by_the_relays_lists(linking: Linking) -> None:
    """Without the result the account's own lists say whether the laptop was admitted."""
    linking.until_accepted()
    with pytest.raises(UntetherError) as not_yet:
        companion.admitted(linking.laptop, (), NOW)
    assert code_of(not_yet) == "link-list-moved-on"

    lists = (linking.alice.publish(linking.phone.certificate), linking.alice.publish())
    laptop = companion.admitted(linking.laptop, lists, NOW)

    assert laptop.state is CompanionState.LINKED
    assert laptop.lists[1:] == lists


def test_list_that_the_phone_renewed_meanwhile_does_not_disturb(linking: Linking) -> None:
    """The result may carry more than one list."""
    linking.until_accepted()
    lists = (linking.alice.publish(), linking.alice.publish(linking.phone.certificate))
    linking.phone = phone.admit(linking.phone, lists, linking.randomness)
    item = linking.carried(linking.phone, LinkIndex.RESULT)

    assert companion.read_result(linking.laptop, item, NOW).state is CompanionState.LINKED


@pytest.mark.parametrize(
    "address", ["https://" + "r" * 59, "https://relay.example.org/chat", "HTTPS://RELAY.EXAMPLE"]
)
def test_address_that_can_not_stand_in_a_code_is_named(linking: Linking, address: str) -> None:
    """The laptop says so before it shows a code that no camera reads."""
    with pytest.raises(LocalError) as refusal:
        companion.prepare(
            linking.laptop.secrets,
            relay_address=address,
            relay_id=RELAY_ID,
            name="Alice's laptop",
            kind="desktop",
            now=NOW,
            randomness=linking.randomness,
        )
    assert code_of(refusal) == "bad-relay-address"


def test_device_that_is_not_the_phone_links_nobody(linking: Linking) -> None:
    """A companion that scans the code is told to use the phone."""
    keys = DeviceSecrets.generate(seeded("tablet"))
    tablet = verify_certificate(
        linking.alice.certify(keys, DeviceNumber(1), Role.COMPANION), linking.alice.account_key
    )
    with pytest.raises(LocalError) as refusal:
        phone.scan(
            linking.laptop.text,
            own=tablet,
            own_list=linking.alice.current,
            relay_id=RELAY_ID,
            randomness=linking.randomness,
        )
    assert code_of(refusal) == "link-not-the-phone"


def test_code_of_another_relay_is_refused_before_any_connection(linking: Linking) -> None:
    """Only ids count: the same address with another relay id is another relay."""
    assert linking.laptop.link_text.relay_address == RELAY_ADDRESS
    with pytest.raises(LocalError) as refusal:
        phone.scan(
            linking.laptop.text,
            own=linking.alice.certificate,
            own_list=linking.alice.current,
            relay_id=RelayId(b"another relay id"),
            randomness=linking.randomness,
        )
    assert code_of(refusal) == "link-wrong-relay"


def test_fifth_companion_is_refused_at_the_scan_and_at_the_approval(alice: Alice) -> None:
    """The limit is named early, and again when the list filled up in between."""
    early = Linking(alice, "early").until_offer_read()
    for position in range(COMPANIONS_MAX):
        Linking(alice, f"laptop {position}").until_admitted()
    with pytest.raises(LocalError) as at_scan:
        Linking(alice, "fifth")
    with pytest.raises(LocalError) as at_approval:
        phone.approve(early.phone, alice.current, DeviceNumber(9))

    assert code_of(at_scan) == code_of(at_approval) == "link-limit-reached"


def test_offer_with_a_listed_devices_key_is_refused(alice: Alice) -> None:
    """Such a list no verifier would take, so the phone never signs it."""
    own = alice.secrets
    for secrets in (
        DeviceSecrets(own.signing_seed, DeviceSecrets.generate(seeded("x")).agreement_seed),
        DeviceSecrets(DeviceSecrets.generate(seeded("x")).signing_seed, own.agreement_seed),
        DeviceSecrets(
            type(own.signing_seed)(alice.account_seed),
            DeviceSecrets.generate(seeded("x")).agreement_seed,
        ),
    ):
        linking = Linking(alice)
        linking.offer_keys(secrets)
        linking.until_offer_read()
        with pytest.raises(UntetherError) as refusal:
            phone.approve(linking.phone, alice.current, DeviceNumber(1))
        assert code_of(refusal) == "link-tampered"


def test_expired_offer_is_named_on_the_phone(linking: Linking) -> None:
    """An offer ends by its own time, with room for clocks that differ a little."""
    at_the_end = UnixMillis(OVER - 1)

    assert (
        phone.read_offer(linking.phone, linking.offer, OVER, linking.randomness).failure
        == "link-expired"
    )
    still = phone.read_offer(linking.phone, linking.offer, at_the_end, linking.randomness)
    assert still.state is PhoneState.OFFER_READ


def test_clocks_far_apart_are_named_on_the_phone(linking: Linking) -> None:
    """An offer that ends later than any slot lives comes from a wrong clock."""
    early = UnixMillis(NOW - CLOCK_WARNING_MS - 1)

    assert (
        phone.read_offer(linking.phone, linking.offer, early, linking.randomness).failure
        == "link-clock"
    )


def test_late_answer_is_named_on_both_ends(linking: Linking) -> None:
    """The laptop refuses an answer after the end of its offer and tells the phone."""
    item = linking.until_phone_answered()
    linking.laptop = companion.read_answer(linking.laptop, item, OVER, linking.randomness)
    refusal = linking.carried(linking.laptop, LinkIndex.ACCEPTANCE)
    linking.phone = phone.read_acceptance(linking.phone, refusal, linking.randomness)

    assert linking.laptop.failure == linking.phone.failure == "link-expired"


def test_list_from_the_future_is_a_clock_failure(linking: Linking) -> None:
    """The laptop, whose clock is days behind, says that the clocks differ."""
    item = linking.until_phone_answered()
    days_behind = UnixMillis(NOW - 2 * 24 * 3_600_000)
    linking.laptop = companion.read_answer(linking.laptop, item, days_behind, linking.randomness)

    assert linking.laptop.failure == "link-clock"


def test_wrong_account_signature_never_leaves_the_phone(linking: Linking) -> None:
    """A vault that unlocked another key is noticed before anything is sealed."""
    linking.until_verifying()
    with pytest.raises(UntetherError, match="signature"):
        linking.answer(bytes(64))
    assert linking.phone.outgoing is None


def test_owner_who_says_not_mine_ends_both_sides(linking: Linking) -> None:
    """“Not mine” on the laptop reaches the phone as a named failure."""
    linking.until_answered()
    linking.laptop = companion.refuse(linking.laptop, "link-declined", linking.randomness)
    item = linking.carried(linking.laptop, LinkIndex.ACCEPTANCE)
    linking.phone = phone.read_acceptance(linking.phone, item, linking.randomness)

    assert linking.laptop.failure == linking.phone.failure == "link-declined"
    assert linking.phone.state is PhoneState.FAILED
    assert linking.phone.certificate is None


@pytest.mark.parametrize("walk", [Linking.until_offer_read, Linking.until_verifying])
def test_phone_that_refuses_before_its_answer_tells_the_laptop(
    alice: Alice, walk: Callable[[Linking], Linking]
) -> None:
    """A refused user verification or a cancelled approval stands where the answer would."""
    linking = Linking(alice)
    walk(linking)
    linking.phone = phone.refuse(linking.phone, "link-verification-refused", linking.randomness)
    item = linking.carried(linking.phone, LinkIndex.ANSWER)
    linking.laptop = companion.read_answer(linking.laptop, item, NOW, linking.randomness)

    assert linking.laptop.failure == linking.phone.failure == "link-verification-refused"


@pytest.mark.parametrize("code", ["link-list-moved-on", "link-cancelled", "link-limit-reached"])
def test_phone_that_refuses_after_its_answer_tells_the_laptop(
    linking: Linking, code: RefusalCode
) -> None:
    """A list that moved on stands where the result would."""
    linking.until_accepted()
    linking.phone = phone.refuse(linking.phone, code, linking.randomness)
    item = linking.carried(linking.phone, LinkIndex.RESULT)
    linking.laptop = companion.read_result(linking.laptop, item, NOW)

    assert linking.laptop.failure == linking.phone.failure == code
    assert linking.laptop.state is CompanionState.FAILED


def test_refusing_where_nobody_can_be_told_just_ends_the_link(alice: Alice) -> None:
    """The phone without an offer, the laptop without a text, and after its acceptance."""
    linking = Linking(alice)
    scanned = phone.refuse(linking.phone, "link-cancelled", linking.randomness)
    prepared = replace(linking.laptop, state=CompanionState.PREPARED)
    unseen = companion.refuse(prepared, "link-cancelled", linking.randomness)
    linking.until_laptop_accepted()
    accepted = companion.refuse(linking.laptop, "link-cancelled", linking.randomness)

    for side in (scanned, unseen, accepted):
        assert side.failure == "link-cancelled"
        assert side.outgoing is None
        assert side.awaits is None


def test_answer_of_a_stranger_shows_the_stranger(linking: Linking) -> None:
    """Whoever sees the code can answer; only “yes, mine” can tell, and no key is signed before."""
    mallory = make_account("mallory")
    attack = Linking(mallory)
    attack.laptop, attack.offer = linking.laptop, linking.offer
    attack.phone = attack.scanned()
    item = attack.until_phone_answered()
    linking.laptop = companion.read_answer(linking.laptop, item, NOW, linking.randomness)

    assert linking.laptop.state is CompanionState.ANSWERED
    assert linking.laptop.answer is not None
    assert linking.laptop.answer.account_key == mallory.account_key
    assert linking.laptop.certificate is None


def test_steps_at_a_wrong_moment_change_nothing(linking: Linking) -> None:
    """Every step but the next one is refused by its name."""
    randomness, item = linking.randomness, b""
    signature = bytes(64)
    for call in (
        lambda: phone.approve(linking.phone, linking.alice.current, DeviceNumber(1)),
        lambda: linking.answer(signature),
        lambda: phone.read_acceptance(linking.phone, item, randomness),
        lambda: phone.admit(linking.phone, (), randomness),
        lambda: companion.accept(linking.laptop, PREKEYS, randomness),
        lambda: companion.read_result(linking.laptop, item, NOW),
        lambda: companion.admitted(linking.laptop, (), NOW),
        lambda: companion.slot_opened(linking.laptop),
        lambda: companion.fail(companion.fail(linking.laptop, "link-used"), "link-used"),
        lambda: phone.fail(phone.fail(linking.phone, "link-used"), "link-used"),
        lambda: phone.approve(
            replace(linking.phone, state=PhoneState.OFFER_READ),
            linking.alice.current,
            DeviceNumber(1),
        ),
    ):
        with pytest.raises(LocalError) as refusal:
            call()
        assert code_of(refusal) == "link-wrong-moment"


def test_items_fit_their_places_and_look_alike(linking: Linking) -> None:
    """All offers have one size, a refusal has the size of an answer, full prekeys fit."""
    answer = linking.until_phone_answered()
    refused = phone.refuse(
        Linking(linking.alice).until_offer_read().phone, "link-cancelled", linking.randomness
    )
    assert refused.outgoing is not None
    assert len(linking.offer) == LINK_OFFER_MAX
    assert len(refused.outgoing[1]) == len(answer) == LINK_ITEM_PADDED_MIN + 32 + 12 + 16

    longest = companion.prepare(
        linking.laptop.secrets,
        relay_address=linking.laptop.link_text.relay_address,
        relay_id=linking.laptop.link_text.relay_id,
        name="\N{PERSONAL COMPUTER}" * DEVICE_NAME_MAX,
        kind="desktop",
        now=NOW,
        randomness=linking.randomness,
        platform="\N{PERSONAL COMPUTER}" * DEVICE_PLATFORM_MAX,
    )
    assert len(known(longest.outgoing)[1]) == LINK_OFFER_MAX

    linking.laptop = companion.read_answer(linking.laptop, answer, NOW, linking.randomness)
    pair = SignedPrekey(bytes(1300), bytes(64))
    full = PrekeyStock(pair, (pair,) * 50)
    laptop = companion.accept(linking.laptop, full, linking.randomness)
    assert len(linking.carried(laptop, LinkIndex.ACCEPTANCE)) <= LINK_ITEM_MAX


def test_every_failure_says_what_happened_and_what_to_do() -> None:
    """The table is complete sentences, and its classes give the exit statuses."""
    for code, failure in FAILURES.items():
        error = link_error(code)
        assert error.code == code
        assert failure.message.endswith(".")
        assert failure.hint.endswith(".")
    assert isinstance(link_error("link-tampered"), TrustError)
    assert isinstance(link_error("link-verification-refused"), VerificationError)
