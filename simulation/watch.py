"""What checkers know that no engine tells them: seen at the relay and at the primitives.

It sees every frame, every decision that was made, and every key that sealed something. It never
influences anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from untether.base.identifiers import AccountId, DeviceAddress, DeviceNumber, MessageId
from untether.base.limits import CERTIFICATE_BODY_MAX, LIST_BODY_MAX
from untether.crypto.labels import PAIRWISE_MESSAGE
from untether.crypto.native import NativeProvider
from untether.device.store import inbox, messages, notices
from untether.protocol.identity.certificate import CertificateBody, Role
from untether.protocol.identity.device_list import DeviceListBody, device_list_hash
from untether.protocol.pairwise import handshake
from untether.protocol.pairwise.handshake import Handshake
from untether.wire import codec
from untether.wire.client_frames import (
    ClientFrame,
    Copy,
    PublishLists,
    Recipient,
    Recover,
    Resign,
    Submit,
    SubmitDirect,
)
from untether.wire.server_frames import (
    Accepted,
    Bundles,
    Done,
    Refused,
    ServerFrame,
    Submitted,
)

TOLD: Final = frozenset({"message-lost", "message-not-readable"})
"""Notices that name a message given up."""

PLANTED = b"planted-"
"""Begins every text that people write here."""


@dataclass
class Delivery:
    """What the relay took for one account: when, and for which devices a sealed header.

    ``accepted_at`` is by the clock of the relay's node, ``taken_at`` the true time. ``list_hash``
    names the list that it was sealed for. ``one_time`` are the devices' one-time prekeys that the
    headers use. ``named`` are the devices with a header or a reason why there is none; ``to_all``
    says that it went to a whole account.
    """

    sender: DeviceAddress
    accepted_at: int
    taken_at: int
    devices: frozenset[DeviceNumber]
    list_hash: bytes
    one_time: dict[DeviceNumber, bytes]
    named: frozenset[DeviceNumber]
    to_all: bool


@dataclass
class Watch:
    """The record of one world."""

    plaintext_frames: int = 0
    frames: int = 0
    deliveries: dict[tuple[MessageId, AccountId], list[Delivery]] = field(default_factory=dict)
    """What the relay accepted; more than once only if it had forgotten the first time."""
    handed_out: set[bytes] = field(default_factory=set)
    handed_out_twice: list[bytes] = field(default_factory=list)
    keys: set[bytes] = field(default_factory=set)
    keys_used_twice: int = 0
    key_nonces_used_twice: int = 0
    key_nonces: set[bytes] = field(default_factory=set)
    _pending: list[tuple[bytes, bytes, bool]] = field(default_factory=list)
    given_up: dict[str, dict[MessageId, str]] = field(default_factory=dict)
    """Name of a device → what it gave up, and why; also what it has forgotten since."""
    given_up_untold: int = 0
    """How many messages were given up without a notice in the same transaction."""
    _given_up: list[tuple[MessageId, str]] = field(default_factory=list)
    _told: int = 0
    list_times: dict[bytes, int] = field(default_factory=dict)
    """Hash of a device list → when the relay had taken it (true time)."""
    resigned: set[DeviceAddress] = field(default_factory=set)
    """Devices that have resigned, whatever lists say."""
    last_served: dict[DeviceAddress, int] = field(default_factory=dict)
    """Logged-in device → when the relay last did what it asked for (true time)."""
    certified_keys: dict[tuple[bytes, DeviceNumber], set[bytes]] = field(default_factory=dict)
    """Account key and device number → the signing keys of companions certified for it."""
    listed_keys: dict[tuple[AccountId, DeviceNumber], set[bytes]] = field(default_factory=dict)
    """Account and device number → the signing keys on lists that the relay took."""

    def frame(self, data: bytes) -> None:
        """See one frame on its way."""
        self.frames += 1
        if PLANTED in data:
            self.plaintext_frames += 1

    def decided(
        self, now: int, sender: DeviceAddress | None, request: ClientFrame, answer: ServerFrame
    ) -> None:
        """See what the relay made of one request; ``sender`` is the device that has logged in."""
        if sender is not None and not isinstance(answer, Refused):
            self.last_served[sender] = now
            if isinstance(request, Resign):
                self.resigned.add(sender)
        if sender and isinstance(request, Submit | SubmitDirect) and isinstance(answer, Submitted):
            self._submitted(now, sender, request, answer)
        elif isinstance(answer, Bundles):
            self._handed_out(answer)
        elif isinstance(request, PublishLists | Recover) and isinstance(answer, Done):
            for signed in request.lists:
                self._listed(now, signed.body)

    def accepted(self) -> Iterator[tuple[MessageId, AccountId, Delivery]]:
        """Yield all that the relay accepted for one account each."""
        for (message_id, account), deliveries in self.deliveries.items():
            for delivery in deliveries:
                yield message_id, account, delivery

    def _listed(self, now: int, body: bytes) -> None:
        self.list_times.setdefault(device_list_hash(body), now)
        taken = codec.decode(body, DeviceListBody, size_max=LIST_BODY_MAX)
        for one in taken.certificates:
            signed = codec.decode(one.body, CertificateBody, size_max=CERTIFICATE_BODY_MAX)
            keys = self.listed_keys.setdefault((taken.account_id, signed.device), set())
            keys.add(signed.signing_key)

    def _submitted(
        self, now: int, sender: DeviceAddress, request: Submit | SubmitDirect, answer: Submitted
    ) -> None:
        recipients = {one.account_id: one for one in _recipients(request)}
        for verdict in answer.verdicts:
            if not isinstance(verdict, Accepted):
                continue
            known = self.deliveries.setdefault((answer.message_id, verdict.account_id), [])
            if all(verdict.accepted_at != one.accepted_at for one in known):
                if known and not known[-1].devices:
                    known.pop()  # the relay does not remember what it took for nobody
                recipient = recipients[verdict.account_id]
                known.append(_delivery(sender, now, verdict.accepted_at, request, recipient))

    def _handed_out(self, answer: Bundles) -> None:
        for bundle in answer.bundles:
            if bundle.one_time is None:
                continue
            if bundle.one_time.body in self.handed_out:
                self.handed_out_twice.append(bundle.one_time.body)
            self.handed_out.add(bundle.one_time.body)

    def certified(self, body: bytes) -> None:
        """See what an account key signs for companions.

        Two new phones may begin on the same list, and then have one number; only one gets listed.
        """
        signed = codec.decode(body, CertificateBody, size_max=CERTIFICATE_BODY_MAX)
        if signed.role is Role.PRIMARY:
            return
        keys = self.certified_keys.setdefault((signed.account_key, signed.device), set())
        keys.add(signed.signing_key)

    def gave_up(self, message_id: MessageId, cause: str) -> None:
        """See a device end a message that it does not show; it counts like an encryption."""
        self._given_up.append((message_id, cause))

    def told(self, code: str) -> None:
        """See a device post a notice."""
        self._told += code in TOLD

    def sealed(self, key: bytes, nonce: bytes, associated: bytes) -> None:
        """See one encryption; it counts once its transaction is committed."""
        self._pending.append((key, nonce, associated.startswith(PAIRWISE_MESSAGE)))

    def committed(self, device: str, *, happened: bool) -> None:
        """Count what a device did since the last call, or forget it: it never left the device."""
        if happened:
            self.given_up.setdefault(device, {}).update(self._given_up)
            self.given_up_untold += max(0, len(self._given_up) - self._told)
        self._given_up.clear()
        self._told = 0
        for key, nonce, is_message_key in self._pending if happened else ():
            pair = key + nonce
            self.key_nonces_used_twice += pair in self.key_nonces
            self.key_nonces.add(pair)
            if is_message_key:
                self.keys_used_twice += key in self.keys
                self.keys.add(key)
        self._pending.clear()


def _recipients(request: Submit | SubmitDirect) -> tuple[Recipient, ...]:
    if isinstance(request, Submit):
        return request.recipients
    copy = Copy(request.device, request.header)
    return (Recipient(request.account_id, request.head, (copy,)),)


def _delivery(
    sender: DeviceAddress,
    now: int,
    accepted_at: int,
    request: Submit | SubmitDirect,
    recipient: Recipient,
) -> Delivery:
    sealed = {copy.device: copy.header for copy in recipient.copies if copy.header}
    return Delivery(
        sender=sender,
        accepted_at=accepted_at,
        taken_at=now,
        devices=frozenset(sealed),
        list_hash=recipient.head.hash,
        one_time=_one_time_prekeys(sealed),
        named=frozenset(copy.device for copy in recipient.copies),
        to_all=isinstance(request, Submit),
    )


def _one_time_prekeys(headers: dict[DeviceNumber, bytes]) -> dict[DeviceNumber, bytes]:
    used = {}
    for device, header in headers.items():
        if header.startswith(handshake.VERSION):
            start = Handshake.from_bytes(header[: handshake.PREFIX_LENGTH])
            if start.one_time_id is not None:
                used[device] = start.one_time_id
    return used


@contextmanager
def watching_keys(watch: Watch) -> Iterator[None]:
    """Let ``watch`` see every key and nonce that seals inside."""
    seal = NativeProvider.aead_seal

    def watched(self: Any, key: bytes, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
        watch.sealed(bytes(key), nonce, associated)
        return seal(self, key, nonce, plaintext, associated)

    NativeProvider.aead_seal = watched  # type: ignore[method-assign]
    try:
        yield
    finally:
        NativeProvider.aead_seal = seal  # type: ignore[method-assign]


@contextmanager
def watching_endings(watch: Watch) -> Iterator[None]:
    """Let ``watch`` see every message that is given up inside, and every notice.

    A device keeps the newest of both only, and forgets what it gave up after a month.
    """
    add, forget, post = inbox.add_given_up, messages.forget, notices.post

    def adding(database: Any, message: Any, *rest: Any) -> None:
        watch.gave_up(message.message_id, message.cause)
        add(database, message, *rest)

    def forgetting(database: Any, message: Any) -> None:
        watch.gave_up(message.message_id, "device-removed")  # it was held, and its device is gone
        forget(database, message)

    def posting(database: Any, code: str, *rest: Any) -> int:
        watch.told(code)
        return post(database, code, *rest)

    inbox.add_given_up = adding  # type: ignore[assignment]
    messages.forget = forgetting
    notices.post = posting  # type: ignore[assignment]
    try:
        yield
    finally:
        inbox.add_given_up, messages.forget, notices.post = add, forget, post
