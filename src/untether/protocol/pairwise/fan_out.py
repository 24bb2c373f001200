"""Sealing one payload for many devices (spec 04, "Fan-out").

The sending chains of a contact's devices lie side by side in one packed row, each as
``device number ‖ ratchet key ‖ previous length ‖ number ‖ chain key`` (76 bytes), so that a
store reads and writes one row per contact. A device costs one hash and one encryption.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

from untether.base.identifiers import DeviceNumber
from untether.base.randomness import Randomness
from untether.crypto import hashes
from untether.crypto.labels import RATCHET_CHAIN
from untether.crypto.provider import AEAD_NONCE_LENGTH, provider
from untether.protocol.pairwise.parties import DEVICE_NUMBER_LENGTH
from untether.protocol.pairwise.ratchet_state import SENDING_CHAIN_LENGTH, VERSION

_KEY_LENGTH: Final = 32
_record = Struct(f">{DEVICE_NUMBER_LENGTH}s36sI{_KEY_LENGTH}s")  # device, chain, number, key
_header = Struct(">c36sI")  # version, chain, number
_halves = Struct(f"{_KEY_LENGTH}s{_KEY_LENGTH}s")  # the next chain key, the message key

PACKED_CHAIN_LENGTH: Final = DEVICE_NUMBER_LENGTH + SENDING_CHAIN_LENGTH


def pack_chain(device: DeviceNumber, sending: bytes) -> bytes:
    """Put the sending column of one device's active session into the form of a contact's row."""
    return device.to_bytes(DEVICE_NUMBER_LENGTH, "big") + sending


def unpack_chains(packed: bytes) -> dict[DeviceNumber, bytes]:
    """Take a contact's row apart: the sending column of each device, in order."""
    chains = {}
    for start in range(0, len(packed), PACKED_CHAIN_LENGTH):
        chain_at = start + DEVICE_NUMBER_LENGTH
        device = DeviceNumber(int.from_bytes(packed[start:chain_at], "big"))
        chains[device] = packed[chain_at : start + PACKED_CHAIN_LENGTH]
    return chains


def seal_for_devices(
    packed: bytes, payload: bytes, associated: bytes, randomness: Randomness
) -> tuple[bytes, list[bytes]]:
    """Seal ``payload`` on each chain of one contact; returns its new row, and the messages.

    ``associated`` is :func:`account_associated` of this device and the contact. A session that
    the peer has not answered yet needs its prefix before the message. All copies have one nonce,
    since each has a key of its own. Each step is that of :func:`ratchet.seal_next`, spelled out,
    because calling it costs half as much again.
    """
    step, seal, pack = hashes.keyed_blake2b_512, provider().aead_seal, _record.pack
    head, halve = _header.pack, _halves.unpack
    nonce = randomness(AEAD_NONCE_LENGTH)
    records: list[bytes] = []
    messages: list[bytes] = []
    for device, chain, number, key in _record.iter_unpack(packed):
        header = head(VERSION, chain, number)
        following, message_key = halve(step(key, RATCHET_CHAIN))
        ciphertext = seal(message_key, nonce, payload, associated + device + header)
        records.append(pack(device, chain, number + 1, following))
        messages.append(header + nonce + ciphertext)
    return b"".join(records), messages
