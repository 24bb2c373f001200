"""Decoders of what travels and of what is stored (spec 00, 05, 08, 09)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from tests.unit.linking.link_walk import NOW, Linking, make_account

from fuzz import script, story
from fuzz.harness import Case, expect
from fuzz.script import Script
from untether.base.errors import RemoteError
from untether.base.identifiers import AccountId, DeviceNumber, MessageId
from untether.base.limits import BODY_MAX, FRAME_MAX, FRAMES_PER_PACKET_MAX, HEADER_MAX
from untether.client.relay_line import _answer
from untether.protocol.linking.companion import CompanionLink
from untether.protocol.linking.phone import PhoneLink
from untether.protocol.pairwise.prekeys import PrekeyPairSecret, PrekeyType, PublicPrekeyPair
from untether.wire import content
from untether.wire.client_frames import Copy, Request
from untether.wire.codec import decode, encode
from untether.wire.link_offer import LinkOffer
from untether.wire.packets import Unreadable, frames_of, packet_of, requests_of
from untether.wire.records import (
    ListHead,
    PrekeyStock,
    SignedCertificate,
    SignedObject,
    SignedPrekey,
    Stamp,
)
from untether.wire.server_frames import Entry

HEAD = ListHead(0, 3, b"h" * 32)


def decode_twice(data: bytes, schema: type[Any], size_max: int) -> Any:
    """Decode, and check that what was read is spelled and read again as the same."""
    value = decode(data, schema, size_max=size_max)
    again = decode(encode(value), schema, size_max=size_max)
    expect(again == value, "a value changed when it was spelled and read again")
    return value


@contextmanager
def client_frames() -> Iterator[Case]:
    """A relay reads a frame, alone in its packet; of a malformed one at most the token."""
    genuine = story.tell().requests

    def read(frame: bytes) -> object:
        try:
            value = decode_twice(frame, Request, FRAME_MAX)
        except RemoteError:
            (refused,) = check_requests(packet_of([frame]))
            expect(isinstance(refused, Unreadable), "a packet makes a frame readable")
            raise
        expect(check_requests(packet_of([frame])) == [value], "a packet changes a frame")
        return value

    yield Case(script.messages(genuine), read, script.seeds(genuine), script.variant)


@contextmanager
def packets() -> Iterator[Case]:
    """A relay and a device read a packet: what is malformed in it changes nothing beside it."""
    frames = story.tell().requests
    genuine = [packet_of(frames[at : at + 3]) for at in range(0, len(frames), 3)]

    def read(packet: bytes) -> object:
        found = check_requests(packet)
        cut = frames_of(packet)
        alone = [check_requests(packet_of([frame])) for frame in cut]
        expect([[one] for one in found] == alone, "a frame is read otherwise beside others")
        return found

    yield Case(script.messages(genuine), read, script.seeds(genuine), script.variant)


def check_requests(packet: bytes) -> Sequence[Request | Unreadable]:
    """Read a packet as a relay does; it never raises, and tokens are tokens."""
    found = requests_of(packet)
    expect(0 < len(found) <= FRAMES_PER_PACKET_MAX, "a packet has no or too many frames")
    tokens = [one.token for one in found if one.token is not None]
    expect(all(0 <= token < 2**53 for token in tokens), "a token is no token")
    return found


@contextmanager
def server_frames() -> Iterator[Case]:
    """A device reads a frame."""
    genuine = story.tell().answers

    def read(frame: bytes) -> object:
        value = _answer(frame)
        expect(_answer(encode(value)) == value, "a frame changed when it was spelled again")
        return value

    yield Case(script.messages(genuine), read, script.seeds(genuine), script.variant)


def contents(
    one: AccountId, other: AccountId, evidence: tuple[SignedObject, ...]
) -> list[content.Content]:
    """Return one content of each kind in the conversation of two accounts."""
    kinds: tuple[content.Kind, ...] = (
        content.Text("hello"),
        content.DeliveryReceipt((MessageId(b"m" * 16), MessageId(b"n" * 16))),
        content.RatchetTurn(),
        content.ListClaimQuestion(HEAD),
        content.ListEvidence(evidence),
        content.DeviceNotice(DeviceNumber(1), b"c" * 32, "laptop", "desktop", NOW),
    )
    conversation = content.DirectConversation(*sorted((one, other)))
    return [
        content.Content(MessageId(b"i" * 16), conversation, kind, 1, NOW, HEAD, bytes(16))
        for kind in kinds
    ]


@contextmanager
def sealed_content() -> Iterator[Case]:
    """A device reads what was inside the encryption: the content, or the key of a body."""
    key = content.BodyKey(b"k" * 32, b"h" * 32, HEAD)
    signed = SignedObject(b"list body", bytes(64))
    people = AccountId(b"a" * 16), AccountId(b"b" * 16)
    genuine = [encode(key), *(encode(one) for one in contents(*people, (signed, signed)))]

    def build(data: bytes) -> tuple[int, bytes]:
        steps = Script(data)
        return steps.byte() % 2, script.message(steps, genuine)

    def read(built: tuple[int, bytes]) -> object:
        of_key, inside = built
        if of_key:
            return decode_twice(inside, content.BodyKey, HEADER_MAX)
        return decode_twice(inside, content.Content, BODY_MAX)

    found = script.seeds(genuine)
    kinds = [kind + one for kind in (b"\0", b"\1") for one in found]
    yield Case(build, read, kinds, script.variant_of_second)


def _stored_examples() -> list[tuple[type[Any], Any]]:
    signed = SignedObject(b"body", bytes(64))
    prekey = SignedPrekey(b"body", bytes(64))
    walk = Linking(make_account("alice"))
    answer = walk.until_phone_answered()
    walk.read_answer(answer).accept()
    secret = PrekeyPairSecret(PrekeyType.ROTATING, b"i" * 8, b"x" * 32, b"k" * 64, NOW, 7)
    copies = (Copy(DeviceNumber(1), b"header"), Copy(DeviceNumber(2), None, "asleep"))
    return [
        (cast("type[Any]", PrekeyStock), PrekeyStock(prekey, (prekey, prekey))),
        (SignedObject, signed),
        (SignedCertificate, SignedCertificate(b"body", bytes(64), bytes(64))),
        (Stamp, Stamp(1, 2)),
        (ListHead, HEAD),
        (cast("type[Any]", tuple[Copy, ...]), copies),
        (cast("type[Any]", tuple[DeviceNumber, ...]), (1, 2, 3)),
        (PrekeyPairSecret, secret),
        (
            PublicPrekeyPair,
            PublicPrekeyPair(PrekeyType.ONE_TIME, b"i" * 8, b"x" * 32, b"k" * 1184, NOW, 0),
        ),
        (CompanionLink, walk.laptop),
        (PhoneLink, walk.phone),
        (LinkOffer, LinkOffer(b"s" * 32, b"a" * 32, b"e" * 32, "laptop", "desktop", NOW)),
        (
            Entry,
            Entry(
                Stamp(1, 1),
                AccountId(b"a" * 16),
                DeviceNumber(0),
                NOW,
                MessageId(b"m" * 16),
                b"h",
                b"b",
            ),
        ),
    ]


@contextmanager
def stored_records() -> Iterator[Case]:
    """A device or a relay reads a record of its own database, which somebody damaged."""
    examples = _stored_examples()
    genuine = [encode(example) for _, example in examples]

    def build(data: bytes) -> tuple[type[Any], bytes]:
        steps = Script(data)
        schema, _ = examples[steps.byte() % len(examples)]
        return schema, script.message(steps, genuine)

    def read(built: tuple[type[Any], bytes]) -> object:
        schema, stored = built
        return decode_twice(stored, schema, FRAME_MAX)

    plain = [
        bytes([number]) + script.plain(number, mode)
        for number in range(len(examples))
        for mode in (script.BYTES, script.TREE)
    ]
    yield Case(build, read, plain, script.variant_of_second)
