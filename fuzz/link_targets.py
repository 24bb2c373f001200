"""Decoders of what passes through a link slot (spec 03): the items and the offer.

The fuzzer seals what it made with the right keys, since the other side of a link, or whoever
photographed its code, can do so too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from msgspec.structs import replace
from tests.unit.linking.link_walk import Linking, make_account

from fuzz import script
from fuzz.harness import Case
from fuzz.script import Script
from untether.base.padding import pad
from untether.crypto.provider import provider
from untether.protocol.linking.channel import (
    LinkChannel,
    companion_channel,
    phone_channel,
    withdrawal_channel,
)
from untether.protocol.linking.link_text import LinkText
from untether.protocol.linking.offer import _PADDED, _offer_key, offer_hash, open_offer
from untether.wire.codec import encode
from untether.wire.link_offer import LinkIndex

NONCE = bytes(12)
PADDING_MIN = 2


class End(NamedTuple):
    """A channel that opens, and the key of whoever seals for it."""

    channel: LinkChannel
    key: bytes


@contextmanager
def link_items() -> Iterator[Case]:
    """Both sides of a link read what lies in the slot, sealed by somebody with the keys."""
    walk = Linking(make_account("alice"))
    answer = walk.until_phone_answered()
    acceptance = walk.read_answer(answer).accept()
    ends = _ends(walk, answer)
    genuine = [answer[32:], acceptance, walk.offer, *_plaintexts(ends, walk, answer, acceptance)]

    def build(data: bytes) -> tuple[LinkChannel, LinkIndex, bytes]:
        steps = Script(data)
        place = LinkIndex(1 + steps.byte() % 3)
        end, form = ends[steps.byte() % len(ends)], steps.byte() % 3
        item = script.message(steps, genuine)
        if form:
            padded = item if form == 1 else pad(item, PADDING_MIN)
            item = NONCE + provider().aead_seal(end.key, NONCE, padded, bytes([place]))
        return end.channel, place, item

    def read(built: tuple[LinkChannel, LinkIndex, bytes]) -> object:
        channel, place, item = built
        return channel.open(place, item)

    starts = [bytes([place, end, form]) for place in range(3) for end in (0, 1) for form in (0, 2)]
    plain = [script.plain(number, script.BYTES) for number in range(len(genuine))]
    yield Case(build, read, [start + one for start in starts for one in plain])


def _ends(walk: Linking, answer: bytes) -> list[End]:
    """Return the companion's end, the phone's, and the one for withdrawals."""
    text = walk.phone.link_text
    companion_ephemeral = provider().x25519_public(walk.laptop.ephemeral_seed)
    companion = companion_channel(text, walk.laptop.ephemeral_seed, answer[:32])
    phone = phone_channel(text, walk.phone.ephemeral_seed, companion_ephemeral)
    channels = (companion, phone, withdrawal_channel(text))
    return [End(one, one.receiving_key) for one in channels]


def _plaintexts(
    ends: Sequence[End], walk: Linking, answer: bytes, acceptance: bytes
) -> list[bytes]:
    """Return one plain item of each kind."""
    lists = [[one.signed.body, one.signed.signature] for one in walk.alice.lists]
    return [
        encode(ends[0].channel.open(LinkIndex.ANSWER, answer[32:])),
        encode(ends[1].channel.open(LinkIndex.ACCEPTANCE, acceptance)),
        encode(["refusal", "link-declined"]),
        encode(["admission", lists]),
    ]


@contextmanager
def link_offers() -> Iterator[Case]:
    """A phone reads an offer: what lies in the slot, or what its maker sealed."""
    walk = Linking(make_account("alice"))
    text = walk.phone.link_text
    key = _offer_key(text.relay_id, text.slot_id, text.link_secret)
    offer = open_offer(walk.offer, text)
    genuine = [walk.offer, encode(offer), pad(encode(offer), _PADDED)]

    def build(data: bytes) -> tuple[bytes, LinkText]:
        steps = Script(data)
        kind = steps.byte() % 3
        sealed = script.message(steps, genuine)
        if kind:
            padded = sealed if kind == 1 else pad(sealed, _PADDED)
            sealed = NONCE + provider().aead_seal(key, NONCE, padded, b"")
        shown = text if kind == 0 else replace(text, offer_hash=offer_hash(sealed))
        return sealed, shown

    def read(built: tuple[bytes, LinkText]) -> object:
        sealed, shown = built
        return open_offer(sealed, shown)

    found = [script.plain(0, script.BYTES), script.plain(1), script.plain(2, script.BYTES)]
    yield Case(build, read, [bytes([kind]) + one for kind in range(3) for one in found])
