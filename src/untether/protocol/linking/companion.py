"""The companion's side of linking (spec 03, "Companion").

A pure machine like :mod:`.phone`: each function takes a link and returns the next one. The
companion trusts nothing but what its own screen showed to a camera; whose device it becomes is
settled by the owner's “yes, mine” (:func:`accept`), before any key of its own is signed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Final

from msgspec.structs import replace

from untether.base.errors import UntetherError
from untether.base.identifiers import RelayId, SlotId, UnixMillis
from untether.base.limits import LINK_SLOT_MS
from untether.base.names import check_device_name, check_device_platform
from untether.base.randomness import Randomness
from untether.base.secret_bytes import SecretBytes
from untether.crypto.provider import X25519_LENGTH, provider
from untether.protocol.identity.certificate import (
    CertificateBody,
    Role,
    open_account_signature,
    sign_as_device,
)
from untether.protocol.identity.device_list import DeviceList
from untether.protocol.identity.keys import DevicePublicKeys, DeviceSecrets
from untether.protocol.identity.list_rules import follow
from untether.protocol.linking.channel import (
    LinkChannel,
    companion_channel,
    split_answer,
    withdrawal_channel,
)
from untether.protocol.linking.failures import link_error, refusal_code
from untether.protocol.linking.link_text import LinkText
from untether.protocol.linking.machine import StoredLink, known, next_state
from untether.protocol.linking.offer import offer_hash, seal_offer
from untether.wire.fields import Bytes32
from untether.wire.link_offer import (
    CompanionKind,
    LinkAcceptance,
    LinkAdmission,
    LinkAnswer,
    LinkIndex,
    LinkOffer,
    LinkRefusal,
    RefusalCode,
)
from untether.wire.records import PrekeyStock, SignedCertificate, SignedObject

_SLOT_ID_LENGTH: Final = 16
_LINK_SECRET_LENGTH: Final = 32


class CompanionState(Enum):
    """How far the link has come, as the companion knows it."""

    PREPARED = "prepared"
    """Keys and offer are made; the slot is to be opened."""
    OFFERED = "offered"
    """The relay has the offer; the text is shown."""
    ANSWERED = "answered"
    """Account and phone are shown; the owner says “yes, mine” or no."""
    ACCEPTED = "accepted"
    """The own signature has left; whether the relay admitted the device is awaited."""
    LINKED = "linked"
    FAILED = "failed"


class CompanionInput(Enum):
    """What moves the companion's side on."""

    SLOT_OPENED = "slot-opened"
    ANSWER = "answer"
    YES_MINE = "yes-mine"
    ADMISSION = "admission"
    FAILURE = "failure"


COMPANION_TRANSITIONS: Final[Mapping[tuple[CompanionState, CompanionInput], CompanionState]] = {
    (CompanionState.PREPARED, CompanionInput.SLOT_OPENED): CompanionState.OFFERED,
    (CompanionState.OFFERED, CompanionInput.ANSWER): CompanionState.ANSWERED,
    (CompanionState.ANSWERED, CompanionInput.YES_MINE): CompanionState.ACCEPTED,
    (CompanionState.ACCEPTED, CompanionInput.ADMISSION): CompanionState.LINKED,
    (CompanionState.PREPARED, CompanionInput.FAILURE): CompanionState.FAILED,
    (CompanionState.OFFERED, CompanionInput.FAILURE): CompanionState.FAILED,
    (CompanionState.ANSWERED, CompanionInput.FAILURE): CompanionState.FAILED,
    (CompanionState.ACCEPTED, CompanionInput.FAILURE): CompanionState.FAILED,
}

_AWAITED: Final[Mapping[CompanionState, LinkIndex]] = {
    CompanionState.OFFERED: LinkIndex.ANSWER,
    CompanionState.ACCEPTED: LinkIndex.RESULT,
}


class CompanionLink(StoredLink[CompanionState], frozen=True):
    """One link as the companion stores it; fields fill up as the state moves on."""

    signing_seed: Bytes32
    agreement_seed: Bytes32
    ephemeral_seed: Bytes32
    expires_at: UnixMillis
    phone_ephemeral: Bytes32 | None = None
    answer: LinkAnswer | None = None
    """From state ANSWERED on: what the owner is asked about."""
    certificate: SignedCertificate | None = None
    """The own certificate, from state ACCEPTED on."""
    lists: tuple[SignedObject, ...] = ()
    """From state LINKED on: the answered list and those after it, the own device in the last."""
    outgoing: tuple[LinkIndex, bytes] | None = None
    """The item to put into the slot, the same bytes until the relay has it."""
    failure: str | None = None

    @property
    def secrets(self) -> DeviceSecrets:
        """The device's own keys."""
        return DeviceSecrets(SecretBytes(self.signing_seed), SecretBytes(self.agreement_seed))

    @property
    def awaits(self) -> LinkIndex | None:
        """The place in the slot whose item would move the link on."""
        return _AWAITED.get(self.state)


def prepare(
    secrets: DeviceSecrets,
    *,
    relay_address: str,
    relay_id: RelayId,
    name: str,
    kind: CompanionKind,
    now: UnixMillis,
    randomness: Randomness,
    lifetime_ms: int = LINK_SLOT_MS,
    platform: str = "",
) -> CompanionLink:
    """Make an offer for a slot of a relay; it may be answered for ``lifetime_ms``.

    A screen that renews its code prepares a new link with the same ``secrets``.
    """
    ephemeral_seed = randomness(X25519_LENGTH)
    slot_id = SlotId(randomness(_SLOT_ID_LENGTH))
    link_secret = SecretBytes.generate(_LINK_SECRET_LENGTH, randomness)
    offer = LinkOffer(
        signing_key=secrets.signing_key,
        agreement_key=secrets.agreement_key,
        ephemeral=provider().x25519_public(ephemeral_seed),
        name=check_device_name(name),
        kind=kind,
        expires_at=UnixMillis(now + lifetime_ms),
        platform=check_device_platform(platform),
    )
    sealed = seal_offer(offer, relay_id, slot_id, link_secret, randomness)
    text = LinkText(relay_address, relay_id, slot_id, link_secret, offer_hash(sealed))
    return CompanionLink(
        state=CompanionState.PREPARED,
        text=text.to_text(),
        signing_seed=bytes(secrets.signing_seed),
        agreement_seed=bytes(secrets.agreement_seed),
        ephemeral_seed=ephemeral_seed,
        expires_at=offer.expires_at,
        outgoing=(LinkIndex.OFFER, sealed),
    )


def slot_opened(link: CompanionLink) -> CompanionLink:
    """Note that the relay has the offer: the text may be shown."""
    return replace(link, state=_next(link, CompanionInput.SLOT_OPENED), outgoing=None)


def read_answer(
    link: CompanionLink, item: bytes, now: UnixMillis, randomness: Randomness
) -> CompanionLink:
    """Take the phone's answer; a wrong one ends the link, and the phone is told if it can be."""
    state = _next(link, CompanionInput.ANSWER)
    phone_ephemeral, sealed = split_answer(item)
    if len(phone_ephemeral) != X25519_LENGTH:
        return refuse(link, "link-tampered", randomness)
    met = replace(link, phone_ephemeral=phone_ephemeral)
    try:
        record = _channel(met).open(LinkIndex.ANSWER, sealed)
    except UntetherError as error:
        return refuse(link, refusal_code(error), randomness)
    if isinstance(record, LinkRefusal):
        return fail(link, record.code)
    try:
        if not isinstance(record, LinkAnswer):
            raise link_error("link-tampered")
        if now > link.expires_at:
            raise link_error("link-expired")
        check_answer(record, link.secrets.public_keys, now)
    except UntetherError as error:
        return refuse(met, refusal_code(error), randomness)
    return replace(met, state=state, answer=record)


def check_answer(
    record: LinkAnswer, own_keys: DevicePublicKeys, now: UnixMillis
) -> CertificateBody:
    """Check what an answer claims, all against the account key in it; returns the own body.

    The owner judges the account itself. ``now`` bounds the list's issue time, not its lease:
    the phone is about to sign a new one.
    """
    body = open_account_signature(record.certificate, record.account_signature, record.account_key)
    if (body.signing_key, body.agreement_key) != (own_keys.signing_key, own_keys.agreement_key):
        raise link_error("link-tampered")
    if body.role is not Role.COMPANION:
        raise link_error("link-tampered")
    current = follow(None, (record.current_list,), record.account_key, now)
    if body.device < current.next_number:
        raise link_error("link-tampered")
    for notice in record.notices:
        device = current.device(notice.device)
        if device is None or device.hash != notice.certificate_hash:
            raise link_error("link-tampered")
    return body


def accept(link: CompanionLink, prekeys: PrekeyStock, randomness: Randomness) -> CompanionLink:
    """Sign the own certificate and seal it with the prekeys, after the owner's “yes, mine”."""
    state = _next(link, CompanionInput.YES_MINE)
    answered = known(link.answer)
    certificate = SignedCertificate(
        body=answered.certificate,
        account_signature=answered.account_signature,
        device_signature=sign_as_device(
            link.signing_seed, answered.certificate, answered.account_key
        ),
    )
    record = LinkAcceptance(certificate.device_signature, prekeys)
    item = _channel(link).seal(LinkIndex.ACCEPTANCE, record, randomness)
    return replace(
        link, state=state, certificate=certificate, outgoing=(LinkIndex.ACCEPTANCE, item)
    )


def read_result(link: CompanionLink, item: bytes, now: UnixMillis) -> CompanionLink:
    """Take the phone's result; a wrong one ends the link."""
    _next(link, CompanionInput.ADMISSION)
    try:
        record = _channel(link).open(LinkIndex.RESULT, item)
        if isinstance(record, LinkRefusal):
            return fail(link, record.code)
        if not isinstance(record, LinkAdmission):
            raise link_error("link-tampered")
        return admitted(link, record.lists, now)
    except UntetherError as error:
        return fail(link, refusal_code(error))


def admitted(link: CompanionLink, lists: Sequence[SignedObject], now: UnixMillis) -> CompanionLink:
    """Finish by the account's lists from the answered one on, whoever delivered them.

    A companion that crashed, or whose result got lost, asks the relay for them. Raises and
    changes nothing when they do not follow the answered list (RemoteError or TrustError), or
    when the newest lacks this device (``link-list-moved-on``): not admitted yet, or not any more.
    """
    state = _next(link, CompanionInput.ADMISSION)
    newest = _follow_answered(known(link.answer), lists, now)
    if all(device.signed != link.certificate for device in newest.companions):
        raise link_error("link-list-moved-on")
    chain = (known(link.answer).current_list, *lists)
    return replace(link, state=state, lists=chain, outgoing=None)


def refuse(link: CompanionLink, code: RefusalCode, randomness: Randomness) -> CompanionLink:
    """End the link and tell the phone why; without an answer that opened, by a withdrawal.

    Before the text was shown nobody is to be told, and after the acceptance there is no place
    left to put a refusal: then this is :func:`fail`.
    """
    failed = fail(link, code)
    if link.state in {CompanionState.PREPARED, CompanionState.ACCEPTED}:
        return failed
    met = link.phone_ephemeral is not None
    channel = _channel(link) if met else withdrawal_channel(link.link_text)
    item = channel.seal(LinkIndex.ACCEPTANCE, LinkRefusal(code), randomness)
    return replace(failed, outgoing=(LinkIndex.ACCEPTANCE, item))


def delivered(link: CompanionLink) -> CompanionLink:
    """Note that the relay keeps the item that was put."""
    return replace(link, outgoing=None)


def fail(link: CompanionLink, code: str) -> CompanionLink:
    """End the link for a reason of the failure table that the phone need not be told."""
    state = _next(link, CompanionInput.FAILURE)
    return replace(link, state=state, failure=code, outgoing=None)


def _next(link: CompanionLink, moved_by: CompanionInput) -> CompanionState:
    return next_state(COMPANION_TRANSITIONS, link.state, moved_by)


def _channel(link: CompanionLink) -> LinkChannel:
    return companion_channel(link.link_text, link.ephemeral_seed, known(link.phone_ephemeral))


def _follow_answered(
    answered: LinkAnswer, lists: Sequence[SignedObject], now: UnixMillis
) -> DeviceList:
    held = follow(None, (answered.current_list,), answered.account_key, now)
    return follow(held, lists, answered.account_key, now)
