"""Sealing one payload for many devices (spec 04, "Fan-out").

The sending chains of a contact's devices lie side by side in one packed row, each as the
77 bytes ``device number ‖ version ‖ ratchet key ‖ previous length ‖ number ‖ chain key``. The
first 45 bytes are at once the end of the associated data and, without the device number, the
message header; so nothing is unpacked, and a device costs one hash and one encryption.
"""

from __future__ import annotations

from typing import Final

from untether.base.identifiers import DeviceNumber
from untether.base.randomness import Randomness
from untether.crypto import hashes, labels
from untether.crypto.provider import AEAD_NONCE_LENGTH, provider
from untether.protocol.pairwise.parties import DEVICE_NUMBER_LENGTH
from untether.protocol.pairwise.ratchet_state import (
    HEADER_LENGTH,
    SENDING_CHAIN_LENGTH,
    VERSION,
)

_KEY_LENGTH: Final = 32
_CHAIN_AT: Final = DEVICE_NUMBER_LENGTH + len(VERSION)
_CHAIN_KEY_AT: Final = DEVICE_NUMBER_LENGTH + HEADER_LENGTH
_NUMBER_AT: Final = _CHAIN_KEY_AT - 4

PACKED_CHAIN_LENGTH: Final = _CHAIN_AT + SENDING_CHAIN_LENGTH


def pack_chain(device: DeviceNumber, sending: bytes) -> bytes:
    """Put the sending column of one device's active session into the form of a contact's row."""
    return device.to_bytes(DEVICE_NUMBER_LENGTH, "big") + VERSION + sending


def unpack_chains(packed: bytes) -> dict[DeviceNumber, bytes]:
    """Take a contact's row apart: the sending column of each device, in order."""
    chains = {}
    for start in range(0, len(packed), PACKED_CHAIN_LENGTH):
        device = int.from_bytes(packed[start : start + DEVICE_NUMBER_LENGTH], "big")
        chains[DeviceNumber(device)] = packed[start + _CHAIN_AT : start + PACKED_CHAIN_LENGTH]
    return chains


def seal_for_devices(
    packed: bytes, payload: bytes, associated: bytes, randomness: Randomness
) -> tuple[bytes, list[bytes]]:
    """Seal ``payload`` on each chain of one contact; returns its new row, and the messages.

    ``associated`` is :attr:`Ends.outgoing`, the same for all devices of a contact. A session
    that the peer has not answered yet needs its prefix before the message.
    """
    aead_seal = provider().aead_seal
    step, label = hashes.keyed_blake2b_512, labels.RATCHET_CHAIN
    nonces = randomness(AEAD_NONCE_LENGTH * (len(packed) // PACKED_CHAIN_LENGTH))
    following, messages, nonce_at = [], [], 0
    for start in range(0, len(packed), PACKED_CHAIN_LENGTH):
        chain_key_at = start + _CHAIN_KEY_AT
        number_at = start + _NUMBER_AT
        bound = packed[start:chain_key_at]
        nonce = nonces[nonce_at : nonce_at + AEAD_NONCE_LENGTH]
        nonce_at += AEAD_NONCE_LENGTH
        stepped = step(packed[chain_key_at : chain_key_at + _KEY_LENGTH], label)
        ciphertext = aead_seal(stepped[_KEY_LENGTH:], nonce, payload, associated + bound)
        messages.append(bound[DEVICE_NUMBER_LENGTH:] + nonce + ciphertext)
        number = int.from_bytes(packed[number_at:chain_key_at], "big") + 1
        following.append(packed[start:number_at] + number.to_bytes(4, "big"))
        following.append(stepped[:_KEY_LENGTH])
    return b"".join(following), messages
