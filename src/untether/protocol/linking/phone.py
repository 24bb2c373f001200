"""The phone's side of linking (spec 03, "Phone").

A pure machine: each function takes a link and returns the next one; the engine stores it,
carries ``outgoing`` to the relay and fetches the item that the link ``awaits``. What came
through the relay and is not right ends the link (state FAILED with a code) instead of raising:
an item can't be put twice, so there is no second try. A step that the own side takes at a wrong
moment raises ``link-wrong-moment`` and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

from msgspec.structs import replace

from untether.base.errors import UntetherError
from untether.base.identifiers import DeviceNumber, RelayId, UnixMillis
from untether.base.limits import COMPANIONS_MAX
from untether.base.randomness import Randomness
from untether.crypto.provider import X25519_LENGTH, provider
from untether.protocol.identity.certificate import (
    DeviceCertificate,
    Role,
    issue_certificate_body,
    open_account_signature,
    verify_certificate,
)
from untether.protocol.identity.device_list import DeviceList
from untether.protocol.identity.keys import (
    DevicePublicKeys,
    check_agreement_key,
    check_signing_key,
)
from untether.protocol.linking.channel import LinkChannel, phone_channel, withdrawal_channel
from untether.protocol.linking.failures import link_error, refusal_code
from untether.protocol.linking.link_text import LinkText
from untether.protocol.linking.machine import StoredLink, known, next_state
from untether.protocol.linking.offer import check_offer_time, open_offer
from untether.wire.content import DeviceNotice
from untether.wire.fields import Bytes32, Signature, SignedBytes
from untether.wire.link_offer import (
    LinkAcceptance,
    LinkAdmission,
    LinkAnswer,
    LinkIndex,
    LinkOffer,
    LinkRefusal,
    RefusalCode,
)
from untether.wire.records import PrekeyStock, SignedCertificate, SignedObject


class PhoneState(Enum):
    """How far the link has come, as the phone knows it."""

    SCANNED = "scanned"
    """The text is read and fits; the slot is to be claimed."""
    OFFER_READ = "offer-read"
    """Name and kind are shown; the owner decides."""
    VERIFYING = "verifying"
    """The number is consumed; the account key has yet to sign the certificate."""
    ANSWERED = "answered"
    """The companion's “yes, mine” is awaited."""
    ACCEPTED = "accepted"
    """The certificate is complete; the phone signs and publishes the next list."""
    ADMITTED = "admitted"
    """The relay has the list; the companion is told."""
    FAILED = "failed"


class PhoneInput(Enum):
    """What moves the phone's side on."""

    OFFER = "offer"
    APPROVAL = "approval"
    ACCOUNT_SIGNATURE = "account-signature"
    ACCEPTANCE = "acceptance"
    ADMISSION = "admission"
    FAILURE = "failure"


PHONE_TRANSITIONS: Final[Mapping[tuple[PhoneState, PhoneInput], PhoneState]] = {
    (PhoneState.SCANNED, PhoneInput.OFFER): PhoneState.OFFER_READ,
    (PhoneState.OFFER_READ, PhoneInput.APPROVAL): PhoneState.VERIFYING,
    (PhoneState.VERIFYING, PhoneInput.ACCOUNT_SIGNATURE): PhoneState.ANSWERED,
    (PhoneState.ANSWERED, PhoneInput.ACCEPTANCE): PhoneState.ACCEPTED,
    (PhoneState.ACCEPTED, PhoneInput.ADMISSION): PhoneState.ADMITTED,
    (PhoneState.SCANNED, PhoneInput.FAILURE): PhoneState.FAILED,
    (PhoneState.OFFER_READ, PhoneInput.FAILURE): PhoneState.FAILED,
    (PhoneState.VERIFYING, PhoneInput.FAILURE): PhoneState.FAILED,
    (PhoneState.ANSWERED, PhoneInput.FAILURE): PhoneState.FAILED,
    (PhoneState.ACCEPTED, PhoneInput.FAILURE): PhoneState.FAILED,
}

_AWAITED: Final[Mapping[PhoneState, LinkIndex]] = {
    PhoneState.SCANNED: LinkIndex.OFFER,
    PhoneState.OFFER_READ: LinkIndex.ACCEPTANCE,
    PhoneState.VERIFYING: LinkIndex.ACCEPTANCE,
    PhoneState.ANSWERED: LinkIndex.ACCEPTANCE,
}
"""Before the phone has answered, only a withdrawal can stand where the acceptance is to be."""


class PhoneLink(StoredLink[PhoneState], frozen=True):
    """One link as the phone stores it; fields fill up as the state moves on."""

    ephemeral_seed: Bytes32
    offer: LinkOffer | None = None
    account_key: Bytes32 | None = None
    certificate_body: SignedBytes | None = None
    account_signature: Signature | None = None
    certificate: SignedCertificate | None = None
    """Complete from state ACCEPTED on: what the next list names."""
    prekeys: PrekeyStock | None = None
    """What is published with that list."""
    outgoing: tuple[LinkIndex, bytes] | None = None
    """The item to put into the slot, the same bytes until the relay has it."""
    failure: str | None = None

    @property
    def awaits(self) -> LinkIndex | None:
        """The place in the slot whose item would move the link on."""
        return _AWAITED.get(self.state)


def scan(
    text: str,
    *,
    own: DeviceCertificate,
    own_list: DeviceList,
    relay_id: RelayId,
    randomness: Randomness,
) -> PhoneLink:
    """Begin with a scanned text; raises before any connection is made.

    ``link-text-malformed``, ``link-version-newer``, ``link-not-the-phone``,
    ``link-wrong-relay`` (the ids are compared; the address in the text is never dialled) or
    ``link-limit-reached``.
    """
    link_text = LinkText.from_text(text)
    if own.role is not Role.PRIMARY:
        raise link_error("link-not-the-phone")
    check_relay(link_text, relay_id)
    check_limit(own_list)
    seed = randomness(X25519_LENGTH)
    return PhoneLink(state=PhoneState.SCANNED, text=text, ephemeral_seed=seed)


def check_relay(link_text: LinkText, relay_id: RelayId) -> None:
    """Raise ``link-wrong-relay`` unless the companion waits at the phone's own relay."""
    if link_text.relay_id != relay_id:
        raise link_error("link-wrong-relay")


def check_limit(own_list: DeviceList) -> None:
    """Raise ``link-limit-reached`` when the account has all its companions."""
    if len(own_list.companions) >= COMPANIONS_MAX:
        raise link_error("link-limit-reached")


def is_used(link: PhoneLink, own_list: DeviceList) -> bool:
    """Tell whether the text has done its work: the device that showed it is a companion."""
    offer = known(link.offer)
    keys = DevicePublicKeys(offer.signing_key, offer.agreement_key)
    return any(device.public_keys == keys for device in own_list.companions)


def check_fresh_keys(offer: LinkOffer, own_list: DeviceList) -> None:
    """Raise ``link-tampered`` when a listed device or the account has one of the offered keys."""
    for device in own_list.devices:
        if offer.signing_key == device.signing_key or offer.agreement_key == device.agreement_key:
            raise link_error("link-tampered")
    if offer.signing_key == own_list.account_key:
        raise link_error("link-tampered")


def read_offer(
    link: PhoneLink, sealed: bytes, now: UnixMillis, randomness: Randomness
) -> PhoneLink:
    """Take the sealed offer out of the slot; a wrong one ends the link.

    Of a wrong time the companion is told: it still waits, so to it only clocks can be wrong.
    """
    state = _next(link, PhoneInput.OFFER)
    try:
        offer = open_offer(sealed, link.link_text)
        check_signing_key(offer.signing_key)
        check_agreement_key(offer.agreement_key)
        check_agreement_key(offer.ephemeral)
    except UntetherError as error:
        return fail(link, refusal_code(error))
    read = replace(link, state=state, offer=offer)
    try:
        check_offer_time(offer, now)
    except UntetherError as error:
        return refuse(read, "link-clock", randomness, shown=refusal_code(error))
    return read


def approve(link: PhoneLink, own_list: DeviceList, number: DeviceNumber) -> PhoneLink:
    """Issue the certificate body that the account key is to sign, after the owner said yes.

    ``number`` is consumed durably before this. ``link-limit-reached`` when the list has
    filled up since the scan; ``link-tampered`` when the offer shows a key of another device,
    since no verifier would take the list that the phone would then have to sign.
    """
    state = _next(link, PhoneInput.APPROVAL)
    check_limit(own_list)
    offer = known(link.offer)
    check_fresh_keys(offer, own_list)
    body = issue_certificate_body(
        account_key=own_list.account_key,
        device=number,
        role=Role.COMPANION,
        generation=0,
        keys=DevicePublicKeys(offer.signing_key, offer.agreement_key),
    )
    return replace(link, state=state, account_key=own_list.account_key, certificate_body=body)


def answer(
    link: PhoneLink,
    account_signature: bytes,
    *,
    account_name: str,
    phone_name: str,
    current_list: SignedObject,
    notices: tuple[DeviceNotice, ...],
    randomness: Randomness,
) -> PhoneLink:
    """Seal the answer once the account key has signed the body.

    RemoteError ``bad-account-signature`` when another key signed; nothing leaves then.
    """
    state = _next(link, PhoneInput.ACCOUNT_SIGNATURE)
    account_key, body = known(link.account_key), known(link.certificate_body)
    open_account_signature(body, account_signature, account_key)
    record = LinkAnswer(
        account_key=account_key,
        account_name=account_name,
        phone_name=phone_name,
        certificate=body,
        account_signature=account_signature,
        current_list=current_list,
        notices=notices,
    )
    return replace(
        link,
        state=state,
        account_signature=account_signature,
        outgoing=(LinkIndex.ANSWER, _seal_first(link, record, randomness)),
    )


def read_acceptance(link: PhoneLink, item: bytes, randomness: Randomness) -> PhoneLink:
    """Take the companion's acceptance; a wrong one ends the link, and the companion is told."""
    if link.awaits is not LinkIndex.ACCEPTANCE:
        raise link_error("link-wrong-moment")
    try:
        record = _withdrawal(link, item) or _channel(link).open(LinkIndex.ACCEPTANCE, item)
        if isinstance(record, LinkRefusal):
            return fail(link, record.code)
        state = _next(link, PhoneInput.ACCEPTANCE)
        if not isinstance(record, LinkAcceptance):
            raise link_error("link-tampered")
        certificate = SignedCertificate(
            body=known(link.certificate_body),
            account_signature=known(link.account_signature),
            device_signature=record.device_signature,
        )
        verify_certificate(certificate, known(link.account_key))
    except UntetherError as error:
        return refuse(link, refusal_code(error), randomness)
    return replace(
        link, state=state, certificate=certificate, prekeys=record.prekeys, outgoing=None
    )


def admit(link: PhoneLink, lists: tuple[SignedObject, ...], randomness: Randomness) -> PhoneLink:
    """Tell the companion the lists after the answered one, once the relay has taken them."""
    state = _next(link, PhoneInput.ADMISSION)
    item = _channel(link).seal(LinkIndex.RESULT, LinkAdmission(lists), randomness)
    return replace(link, state=state, outgoing=(LinkIndex.RESULT, item))


def refuse(
    link: PhoneLink, code: RefusalCode, randomness: Randomness, *, shown: str | None = None
) -> PhoneLink:
    """End the link and tell the companion why, as far as there is a channel to tell it.

    ``shown`` is the failure on the phone where that has a name of its own.
    """
    failed = fail(link, shown or code)
    if link.offer is None:
        return failed
    record = LinkRefusal(code)
    if link.state in {PhoneState.OFFER_READ, PhoneState.VERIFYING}:
        item = (LinkIndex.ANSWER, _seal_first(link, record, randomness))
    else:
        item = (LinkIndex.RESULT, _channel(link).seal(LinkIndex.RESULT, record, randomness))
    return replace(failed, outgoing=item)


def delivered(link: PhoneLink) -> PhoneLink:
    """Note that the relay keeps the item that was put."""
    return replace(link, outgoing=None)


def fail(link: PhoneLink, code: str) -> PhoneLink:
    """End the link for a reason of the failure table that the companion need not be told."""
    state = _next(link, PhoneInput.FAILURE)
    return replace(link, state=state, failure=code, outgoing=None)


def _next(link: PhoneLink, moved_by: PhoneInput) -> PhoneState:
    return next_state(PHONE_TRANSITIONS, link.state, moved_by)


def _withdrawal(link: PhoneLink, item: bytes) -> LinkRefusal | None:
    try:
        record = withdrawal_channel(link.link_text).open(LinkIndex.ACCEPTANCE, item)
    except UntetherError:
        return None
    return record if isinstance(record, LinkRefusal) else None


def _channel(link: PhoneLink) -> LinkChannel:
    return phone_channel(link.link_text, link.ephemeral_seed, known(link.offer).ephemeral)


def _seal_first(link: PhoneLink, record: LinkAnswer | LinkRefusal, randomness: Randomness) -> bytes:
    """Seal the item at place 1: the phone's ephemeral stands before it in the clear."""
    ephemeral = provider().x25519_public(link.ephemeral_seed)
    return ephemeral + _channel(link).seal(LinkIndex.ANSWER, record, randomness)
