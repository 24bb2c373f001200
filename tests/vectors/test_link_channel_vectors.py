"""The sealed offer and the channel of the specification (spec 03, "Offer" and "Channel")."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from untether.base.identifiers import RelayId, SlotId, UnixMillis
from untether.base.secret_bytes import SecretBytes
from untether.crypto.provider import provider
from untether.protocol.linking.channel import (
    LinkChannel,
    companion_channel,
    phone_channel,
    withdrawal_channel,
)
from untether.protocol.linking.link_text import LinkText
from untether.protocol.linking.offer import offer_hash, open_offer, seal_offer
from untether.wire.codec import decode, encode
from untether.wire.link_offer import LinkIndex, LinkOffer

VECTORS = Path(__file__).parents[2] / "vectors"
CASES = json.loads((VECTORS / "link_channel.json").read_text())
NOW = UnixMillis(1_790_000_000_000)


def value(name: str) -> bytes:
    """Return a value of the file."""
    return bytes.fromhex(CASES[name])


def offer_value(name: str) -> bytes:
    """Return a value of the offer."""
    return bytes.fromhex(CASES["offer"][name])


TEXT = LinkText(
    relay_address="https://relay.example.org",
    relay_id=RelayId(value("relay_id")),
    slot_id=SlotId(value("slot_id")),
    link_secret=SecretBytes(value("link_secret")),
    offer_hash=offer_value("hash"),
)


def channels() -> dict[int, tuple[LinkChannel, LinkChannel]]:
    """Return (sealing end, opening end) for each direction."""
    crypto = provider()
    phone_seed, companion_seed = value("phone_ephemeral_seed"), value("companion_ephemeral_seed")
    phone = phone_channel(TEXT, phone_seed, crypto.x25519_public(companion_seed))
    companion = companion_channel(TEXT, companion_seed, crypto.x25519_public(phone_seed))
    return {1: (phone, companion), 2: (companion, phone)}


def test_offer_is_sealed_and_opened_as_specified() -> None:
    """The sealed bytes, their hash and the opened offer are those of the file."""
    sealed, plaintext = offer_value("sealed"), offer_value("plaintext")
    offer = decode(plaintext, LinkOffer, size_max=len(plaintext))
    sealed_here = seal_offer(
        offer, TEXT.relay_id, TEXT.slot_id, TEXT.link_secret, lambda _: offer_value("nonce")
    )

    assert sealed_here == sealed
    assert offer_hash(sealed) == TEXT.offer_hash
    assert open_offer(sealed, TEXT) == offer


def test_both_ends_derive_the_keys_of_the_file() -> None:
    """One key per direction, the same on both ends."""
    phone, companion = channels()[1]

    assert phone.sending_key == companion.receiving_key == value("phone_to_companion_key")
    assert companion.sending_key == phone.receiving_key == value("companion_to_phone_key")


@pytest.mark.parametrize("case", CASES["items"], ids=lambda case: case["record"])
def test_items_are_sealed_and_opened_as_specified(case: dict[str, Any]) -> None:
    """Each item opens to its record, and the record seals to the same item."""
    sealing, opening = channels()[case["direction"]]
    index = LinkIndex(case["place"])
    record = opening.open(index, bytes.fromhex(case["sealed"]))

    assert encode(record).hex() == case["plaintext"]
    assert (
        sealing.seal(index, record, lambda _: bytes.fromhex(case["nonce"])).hex() == case["sealed"]
    )


def test_a_withdrawal_is_sealed_and_opened_as_specified() -> None:
    """Its key follows from the text alone, and it stands at the place of the acceptance."""
    case = {name: bytes.fromhex(text) for name, text in CASES["withdrawal"].items()}
    channel = withdrawal_channel(TEXT)
    record = channel.open(LinkIndex.ACCEPTANCE, case["sealed"])

    assert channel.sending_key == channel.receiving_key == case["key"]
    assert encode(record) == case["plaintext"]
    assert channel.seal(LinkIndex.ACCEPTANCE, record, lambda _: case["nonce"]) == case["sealed"]


def test_the_generator_reproduces_the_file(tmp_path: Path) -> None:
    """The committed vectors are what the independent generator writes."""
    again = tmp_path / "again.json"
    subprocess.run([sys.executable, VECTORS / "generate_link_channel.py", again], check=True)

    assert again.read_bytes() == (VECTORS / "link_channel.json").read_bytes()
