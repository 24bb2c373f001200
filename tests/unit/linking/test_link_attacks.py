"""A relay that lies, and someone who photographed the code, against Alice's link.

Each defence has a twin: the same attack with that one defence switched off must succeed.
"""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from msgspec.structs import replace
from tests.unit.linking.link_walk import (
    NOW,
    PREKEYS,
    Alice,
    Linking,
    make_account,
    seeded,
)

from untether.base.errors import LocalError, UntetherError
from untether.base.identifiers import DeviceNumber, RelayId, SlotId, UnixMillis
from untether.base.limits import CLOCK_WARNING_MS, COMPANIONS_MAX, LINK_SLOT_MS
from untether.base.names import check_device_name
from untether.base.secret_bytes import SecretBytes
from untether.crypto.provider import provider
from untether.protocol.identity.certificate import (
    CertificateBody,
    Role,
    issue_certificate_body,
    sign_as_account,
)
from untether.protocol.identity.keys import DevicePublicKeys, DeviceSecrets
from untether.protocol.linking import channel, companion, offer, phone
from untether.protocol.linking.channel import LinkChannel, companion_channel, phone_channel
from untether.protocol.linking.companion import CompanionState
from untether.protocol.linking.phone import PhoneState
from untether.wire.codec import decode, encode
from untether.wire.link_offer import (
    LinkAcceptance,
    LinkAdmission,
    LinkAnswer,
    LinkIndex,
    LinkOffer,
    LinkRefusal,
)

TAMPERED = "link-tampered"


def skip(*_: object) -> None:
    """Stand in for a check that is switched off."""


def phone_end(linking: Linking) -> LinkChannel:
    """Return the phone's end of the channel, to seal what an honest phone never would."""
    assert linking.phone.offer is not None
    return phone_channel(
        linking.phone.link_text, linking.phone.ephemeral_seed, linking.phone.offer.ephemeral
    )


def companion_end(linking: Linking) -> LinkChannel:
    """Return the companion's end of the channel."""
    phone_ephemeral = provider().x25519_public(linking.phone.ephemeral_seed)
    return companion_channel(
        linking.laptop.link_text, linking.laptop.ephemeral_seed, phone_ephemeral
    )


def answered_with(linking: Linking, record: LinkAnswer) -> str | None:
    """Let the laptop read a record sealed by the phone; returns how the link failed."""
    sealed = phone_end(linking).seal(LinkIndex.ANSWER, record, linking.randomness)
    item = provider().x25519_public(linking.phone.ephemeral_seed) + sealed
    return companion.read_answer(linking.laptop, item, NOW, linking.randomness).failure


def honest_answer(linking: Linking) -> LinkAnswer:
    """Return the answer that the phone sealed."""
    sealed = linking.until_phone_answered()[32:]
    record = companion_end(linking).open(LinkIndex.ANSWER, sealed)
    assert isinstance(record, LinkAnswer)
    return record


def certified(linking: Linking, record: LinkAnswer, **changes: object) -> LinkAnswer:
    """Return the answer with a changed certificate that the account key did sign."""
    body = decode(record.certificate, CertificateBody, size_max=1000)
    changed = encode(replace(body, **changes))
    return replace(
        record,
        certificate=changed,
        account_signature=sign_as_account(linking.alice.account_seed, changed),
    )


def photographers_offer(linking: Linking) -> tuple[DeviceSecrets, bytes]:
    """Seal mallory's keys under the secret that mallory read from the screen."""
    mallory = DeviceSecrets.generate(seeded("mallory"))
    text = linking.laptop.link_text
    record = LinkOffer(
        signing_key=mallory.signing_key,
        agreement_key=mallory.agreement_key,
        ephemeral=provider().x25519_public(bytes(range(32))),
        name="Alice's laptop",
        kind="desktop",
        expires_at=UnixMillis(NOW + LINK_SLOT_MS),
    )
    sealed = offer.seal_offer(
        record, text.relay_id, text.slot_id, text.link_secret, linking.randomness
    )
    return mallory, sealed


# --- The offer ----------------------------------------------------------------------------


def test_offer_of_the_photographer_is_refused(linking: Linking) -> None:
    """Who has read the code and owns the relay still can't put another device there."""
    _, sealed = photographers_offer(linking)
    read = phone.read_offer(linking.phone, sealed, NOW, linking.randomness)

    assert (read.state, read.failure) == (PhoneState.FAILED, TAMPERED)


def test_twin_without_the_offer_hash_certifies_the_photographer(
    linking: Linking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the hash unchecked the phone issues a certificate for mallory's keys."""
    monkeypatch.setattr(offer, "check_offer_hash", skip)
    mallory, sealed = photographers_offer(linking)
    read = phone.read_offer(linking.phone, sealed, NOW, linking.randomness)
    approved = phone.approve(read, linking.alice.current, DeviceNumber(1))

    assert approved.certificate_body is not None
    body = decode(approved.certificate_body, CertificateBody, size_max=1000)
    assert body.signing_key == mallory.signing_key


def test_offer_of_another_slot_is_refused(linking: Linking) -> None:
    """The relay can't exchange the offers of two links."""
    other = Linking(linking.alice, "other laptop")

    assert phone.read_offer(linking.phone, other.offer, NOW, linking.randomness).failure == TAMPERED


def test_offer_that_the_code_does_not_open_is_refused(linking: Linking) -> None:
    """A code with another secret, slot or relay names an offer that it can't open."""
    text = linking.laptop.link_text
    for wrong in (
        structs.replace(text, link_secret=SecretBytes(32)),
        structs.replace(text, slot_id=SlotId(bytes(16))),
        structs.replace(text, relay_id=RelayId(bytes(16))),
    ):
        scanned = replace(linking.phone, text=wrong.to_text())
        assert phone.read_offer(scanned, linking.offer, NOW, linking.randomness).failure == TAMPERED


@pytest.mark.parametrize("name", ["Laptop\x1b[2K", "Laptop\r", "\u202epotpaL", "\x9b2J", ""])
def test_name_that_rewrites_the_screen_is_refused(linking: Linking, name: str) -> None:
    """What Alice reads before she approves is one plain line, on either end."""
    honest = linking.until_offer_read().phone.offer
    assert honest is not None
    text = linking.laptop.link_text
    sealed = offer.seal_offer(
        replace(honest, name=name),
        text.relay_id,
        text.slot_id,
        text.link_secret,
        linking.randomness,
    )
    named = structs.replace(text, offer_hash=offer.offer_hash(sealed))
    scanned = replace(linking.phone, state=PhoneState.SCANNED, text=named.to_text())
    assert phone.read_offer(scanned, sealed, NOW, linking.randomness).failure == TAMPERED

    with pytest.raises(LocalError) as refusal:
        check_device_name(name)
    assert refusal.value.code == "bad-device-name"


def test_offer_with_a_key_that_protects_nothing_is_refused(linking: Linking) -> None:
    """A companion can't bring keys of small order, and no ephemeral either."""
    honest = linking.until_offer_read().phone.offer
    assert honest is not None
    weak = bytes(32)
    for record in (
        replace(honest, signing_key=weak),
        replace(honest, agreement_key=weak),
        replace(honest, ephemeral=weak),
    ):
        text = linking.laptop.link_text
        sealed = offer.seal_offer(
            record, text.relay_id, text.slot_id, text.link_secret, linking.randomness
        )
        named = structs.replace(text, offer_hash=offer.offer_hash(sealed))
        scanned = replace(linking.phone, state=PhoneState.SCANNED, text=named.to_text())
        assert phone.read_offer(scanned, sealed, NOW, linking.randomness).failure == TAMPERED


def test_twin_without_the_offers_end_takes_a_year_old_code(
    linking: Linking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the time check keeps a code that somebody kept from being used."""
    late = UnixMillis(NOW + LINK_SLOT_MS + CLOCK_WARNING_MS + 365 * 24 * 3_600_000)
    assert (
        phone.read_offer(linking.phone, linking.offer, late, linking.randomness).failure
        == "link-expired"
    )

    monkeypatch.setattr(phone, "check_offer_time", skip)
    read = phone.read_offer(linking.phone, linking.offer, late, linking.randomness)
    assert read.state is PhoneState.OFFER_READ


def test_twin_without_the_relay_check_scans_a_foreign_code(
    linking: Linking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the comparison of relay ids keeps the phone from looking for a foreign slot."""
    monkeypatch.setattr(phone, "check_relay", skip)
    scanned = phone.scan(
        linking.laptop.text,
        own=linking.alice.certificate,
        own_list=linking.alice.current,
        relay_id=RelayId(b"another relay id"),
        randomness=linking.randomness,
    )
    assert scanned.state is PhoneState.SCANNED


def test_twin_without_the_limit_begins_a_fifth_companion(
    alice: Alice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the count keeps the phone from certifying a device that no list can name."""
    for position in range(COMPANIONS_MAX):
        Linking(alice, f"laptop {position}").until_admitted()
    monkeypatch.setattr(phone, "check_limit", skip)

    fifth = Linking(alice, "fifth").until_verifying()
    assert fifth.phone.state is PhoneState.VERIFYING


def test_twin_without_the_key_check_certifies_a_listed_devices_key(
    linking: Linking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the comparison with the list keeps a second device from having the phone's key."""
    monkeypatch.setattr(phone, "check_fresh_keys", skip)
    linking.offer_keys(
        DeviceSecrets(
            DeviceSecrets.generate(seeded("x")).signing_seed, linking.alice.secrets.agreement_seed
        )
    )
    assert linking.until_verifying().phone.state is PhoneState.VERIFYING


# --- The channel --------------------------------------------------------------------------


def test_answer_of_another_slot_is_refused(linking: Linking) -> None:
    """The relay can't exchange the answers of two links of one phone."""
    other = Linking(linking.alice, "other laptop").until_phone_answered()
    read = companion.read_answer(linking.laptop, other, NOW, linking.randomness)

    assert (read.state, read.failure) == (CompanionState.FAILED, TAMPERED)


def test_acceptance_of_another_slot_is_refused(linking: Linking) -> None:
    """The relay can't exchange the acceptances of two links, and the laptop is told."""
    other = Linking(linking.alice, "other laptop").until_laptop_accepted()
    linking.until_laptop_accepted()
    linking.phone = phone.read_acceptance(linking.phone, other, linking.randomness)
    told = linking.carried(linking.phone, LinkIndex.RESULT)

    assert linking.phone.failure == TAMPERED
    assert companion.read_result(linking.laptop, told, NOW).failure == TAMPERED


def test_replayed_answer_is_no_result(linking: Linking) -> None:
    """The phone's first item does not open at the place of its second."""
    answer = linking.until_phone_answered()
    linking.until_accepted_by(answer)

    for item in (answer, answer[32:]):
        assert companion.read_result(linking.laptop, item, NOW).failure == TAMPERED


def test_twin_without_places_opens_a_replayed_item(
    linking: Linking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the place in the associated data tells the phone's two items apart."""
    monkeypatch.setattr(channel, "_place", lambda _index: b"")
    record = honest_answer(linking)
    sealed = phone_end(linking).seal(LinkIndex.ANSWER, record, linking.randomness)

    assert companion_end(linking).open(LinkIndex.RESULT, sealed) == record


def test_reflected_item_is_refused(linking: Linking) -> None:
    """An item sent back to its sender opens at no place."""
    acceptance = linking.until_laptop_accepted()

    assert companion.read_result(linking.laptop, acceptance, NOW).failure == TAMPERED
    for index in LinkIndex:
        with pytest.raises(UntetherError) as refusal:
            companion_end(linking).open(index, acceptance)
        assert refusal.value.code == TAMPERED


def test_twin_with_one_key_for_both_directions_opens_a_reflected_item(
    linking: Linking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the direction in the key keeps a side from talking to itself."""
    monkeypatch.setattr(channel, "_direction", lambda _direction: b"")
    acceptance = linking.until_laptop_accepted()

    reflected = companion_end(linking).open(LinkIndex.ACCEPTANCE, acceptance)
    assert isinstance(reflected, LinkAcceptance)


def test_photographer_cannot_read_the_answer(linking: Linking) -> None:
    """The link secret alone opens nothing: the companion's ephemeral stays in the laptop."""
    answer = linking.until_phone_answered()
    guessed = companion_channel(linking.laptop.link_text, bytes(range(32)), answer[:32])

    with pytest.raises(UntetherError) as refusal:
        guessed.open(LinkIndex.ANSWER, answer[32:])
    assert refusal.value.code == TAMPERED


@pytest.mark.parametrize("ephemeral", [bytes(32), b"\1" + bytes(31)])
def test_ephemeral_of_small_order_is_refused(linking: Linking, ephemeral: bytes) -> None:
    """A relay that sets the phone's ephemeral so that the X25519 secret is known gets nowhere."""
    item = ephemeral + linking.until_phone_answered()[32:]
    read = companion.read_answer(linking.laptop, item, NOW, linking.randomness)

    assert read.failure == TAMPERED


# --- What the other side claims -----------------------------------------------------------


def test_certificate_of_other_keys_is_refused(linking: Linking) -> None:
    """A phone that certifies another device in this slot is found out by the laptop."""
    record = honest_answer(linking)
    other = DeviceSecrets.generate(seeded("other")).public_keys

    changed = certified(linking, record, signing_key=other.signing_key)
    assert answered_with(linking, changed) == TAMPERED
    changed = certified(linking, record, agreement_key=other.agreement_key)
    assert answered_with(linking, changed) == TAMPERED


def test_certificate_of_another_role_or_number_is_refused(linking: Linking) -> None:
    """The laptop becomes a companion under a number that nobody had, or nothing."""
    record = honest_answer(linking)

    assert answered_with(linking, record) is None
    assert answered_with(linking, certified(linking, record, role=Role.PRIMARY)) == TAMPERED
    assert answered_with(linking, certified(linking, record, device=0)) == TAMPERED


def test_answer_whose_parts_are_of_two_accounts_is_refused(linking: Linking) -> None:
    """Key, signature and list must be of one account."""
    record, bob = honest_answer(linking), make_account("bob")

    for changed in (
        replace(record, account_key=bob.account_key),
        replace(record, current_list=bob.current.signed),
        replace(record, account_signature=sign_as_account(bob.account_seed, record.certificate)),
        replace(record, account_signature=bytes(64)),
    ):
        assert answered_with(linking, changed) == TAMPERED


def test_notice_of_a_device_that_is_not_listed_is_refused(linking: Linking) -> None:
    """The names that the laptop shows belong to devices of the list."""
    record = honest_answer(linking)
    notice = record.notices[0]

    for wrong in (
        replace(notice, device=DeviceNumber(7)),
        replace(notice, certificate_hash=bytes(32)),
    ):
        assert answered_with(linking, replace(record, notices=(wrong,))) == TAMPERED


def test_twin_without_the_answers_check_accepts_a_stolen_slot(
    linking: Linking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the laptop's own check keeps it from signing a certificate of other keys."""
    monkeypatch.setattr(companion, "check_answer", skip)
    record = honest_answer(linking)
    other = DeviceSecrets.generate(seeded("other")).public_keys

    assert answered_with(linking, certified(linking, record, signing_key=other.signing_key)) is None


def test_acceptance_without_the_device_key_is_refused(linking: Linking) -> None:
    """Who holds the channel but not the device's signing key is not certified."""
    linking.until_answered()
    forged = companion_end(linking).seal(
        LinkIndex.ACCEPTANCE, LinkAcceptance(bytes(64), PREKEYS), linking.randomness
    )
    read = phone.read_acceptance(linking.phone, forged, linking.randomness)

    assert (read.failure, read.certificate) == (TAMPERED, None)


def test_twin_without_certificate_check_completes_a_forged_certificate(
    linking: Linking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the device signature ties the acceptance to the offered key."""
    monkeypatch.setattr(phone, "verify_certificate", skip)
    linking.until_answered()
    forged = companion_end(linking).seal(
        LinkIndex.ACCEPTANCE, LinkAcceptance(bytes(64), PREKEYS), linking.randomness
    )
    read = phone.read_acceptance(linking.phone, forged, linking.randomness)

    assert read.state is PhoneState.ACCEPTED


def test_record_of_another_kind_is_refused_at_every_place(linking: Linking) -> None:
    """A well-sealed record at the wrong place ends the link on either side."""
    answer = linking.until_phone_answered()
    stray = LinkAdmission((linking.alice.current.signed,))
    sealed = phone_end(linking).seal(LinkIndex.ANSWER, stray, linking.randomness)
    read = companion.read_answer(linking.laptop, answer[:32] + sealed, NOW, linking.randomness)
    assert read.failure == TAMPERED

    sealed = companion_end(linking).seal(LinkIndex.ACCEPTANCE, stray, linking.randomness)
    assert phone.read_acceptance(linking.phone, sealed, seeded("x")).failure == TAMPERED

    linking.until_accepted_by(answer)
    wrong = LinkAcceptance(bytes(64), PREKEYS)
    sealed = phone_end(linking).seal(LinkIndex.RESULT, wrong, linking.randomness)
    assert companion.read_result(linking.laptop, sealed, NOW).failure == TAMPERED


def test_result_must_follow_the_answered_list_and_name_the_laptop(linking: Linking) -> None:
    """A result without this device, of another account or with a gap does not link."""
    linking.until_accepted()
    renewed = linking.alice.publish()
    stranger = make_account("bob").publish()
    linking.alice.publish()
    gap = linking.alice.publish(linking.phone.certificate)
    for lists, code in (
        ((renewed,), "link-list-moved-on"),
        ((stranger,), TAMPERED),
        ((gap,), TAMPERED),
    ):
        record = LinkAdmission(lists)
        sealed = phone_end(linking).seal(LinkIndex.RESULT, record, linking.randomness)
        assert companion.read_result(linking.laptop, sealed, NOW).failure == code


# --- Bytes --------------------------------------------------------------------------------


def _read_offer(linking: Linking, changed: Callable[[bytes], bytes]) -> str | None:
    return phone.read_offer(linking.phone, changed(linking.offer), NOW, linking.randomness).failure


def _read_answer(linking: Linking, changed: Callable[[bytes], bytes]) -> str | None:
    item = changed(linking.until_phone_answered())
    return companion.read_answer(linking.laptop, item, NOW, linking.randomness).failure


def _read_acceptance(linking: Linking, changed: Callable[[bytes], bytes]) -> str | None:
    item = changed(linking.until_laptop_accepted())
    return phone.read_acceptance(linking.phone, item, linking.randomness).failure


def _read_result(linking: Linking, changed: Callable[[bytes], bytes]) -> str | None:
    item = changed(linking.until_admitted())
    return companion.read_result(linking.laptop, item, NOW).failure


READERS = (_read_offer, _read_answer, _read_acceptance, _read_result)


@pytest.mark.parametrize("read", READERS, ids=("offer", "answer", "acceptance", "result"))
@settings(max_examples=25, deadline=None)
@given(position=st.integers(0, 2**16), bit=st.integers(0, 7))
def test_a_changed_bit_anywhere_ends_the_link(
    read: Callable[[Linking, Callable[[bytes], bytes]], str | None], position: int, bit: int
) -> None:
    """No byte of any item is without protection."""

    def flip(item: bytes) -> bytes:
        changed = bytearray(item)
        changed[position % len(item)] ^= 1 << bit
        return bytes(changed)

    assert read(Linking(make_account("alice")), flip) == TAMPERED


@pytest.mark.parametrize("read", READERS, ids=("offer", "answer", "acceptance", "result"))
@pytest.mark.parametrize("length", [0, 5, 12, 20, 31, 32, 40, 60, -1])
def test_a_cut_item_ends_the_link(
    alice: Alice,
    read: Callable[[Linking, Callable[[bytes], bytes]], str | None],
    length: int,
) -> None:
    """Whatever is left of an item after a cut is refused."""
    assert read(Linking(alice), lambda item: item[:length]) == TAMPERED


def test_unreadable_plaintext_is_refused(linking: Linking) -> None:
    """A sealed record of an unknown kind, or an offer that is none, ends the link."""
    sealed = linking.until_phone_answered()[:32] + phone_end(linking).seal(
        LinkIndex.ANSWER,
        LinkRefusal("link-of-tomorrow"),  # type: ignore[arg-type]
        linking.randomness,
    )
    read = companion.read_answer(linking.laptop, sealed, NOW, linking.randomness)
    assert read.failure == TAMPERED


def test_certificate_bodies_of_the_tests_are_the_products(linking: Linking) -> None:
    """The forged certificates above differ from honest ones in the changed field only."""
    record = honest_answer(linking)
    keys = linking.laptop.secrets
    body = issue_certificate_body(
        account_key=linking.alice.account_key,
        device=DeviceNumber(1),
        role=Role.COMPANION,
        generation=0,
        keys=DevicePublicKeys(keys.signing_key, keys.agreement_key),
    )
    assert certified(linking, record).certificate == record.certificate == body
