"""The two ends of a pairwise session, as plain keys (spec 04, "Parties").

Callers take these four values from a *verified* device certificate; nothing here verifies
one, and nothing else of a certificate matters to a session.
"""

from __future__ import annotations

from typing import NamedTuple, Self

from untether.base.identifiers import DeviceNumber
from untether.base.secret_bytes import SecretBytes
from untether.crypto import labels

DEVICE_NUMBER_LENGTH = 4


class Party(NamedTuple):
    """One device: its account's pinned key, its number and its two device keys (each 32 B)."""

    account_key: bytes
    device: DeviceNumber
    signing_key: bytes
    agreement_key: bytes

    @property
    def address(self) -> bytes:
        """Account key ‖ device number, as it stands in signatures and associated data."""
        return self.account_key + self.device.to_bytes(DEVICE_NUMBER_LENGTH, "big")


class Ends(NamedTuple):
    """Both ends as one device sees them; make it with :meth:`between`, once per remote device.

    ``outgoing`` and ``incoming`` are the associated data, up to the header, of messages to and
    from the peer.
    """

    own: Party
    agreement_seed: SecretBytes
    peer: Party
    outgoing: bytes
    incoming: bytes

    @classmethod
    def between(cls, own: Party, agreement_seed: SecretBytes, peer: Party) -> Self:
        """Take this device, the seed of its agreement key, and the remote device."""
        outgoing = account_associated(own, peer.account_key) + peer.address[-DEVICE_NUMBER_LENGTH:]
        incoming = account_associated(peer, own.account_key) + own.address[-DEVICE_NUMBER_LENGTH:]
        return cls(own, agreement_seed, peer, outgoing, incoming)


def account_associated(sender: Party, recipient_account_key: bytes) -> bytes:
    """Return the part of the associated data that all devices of the recipient share."""
    return sender_associated(sender) + recipient_account_key


def sender_associated(sender: Party) -> bytes:
    """Return the part of the associated data that all that a device seals has in common."""
    return labels.PAIRWISE_MESSAGE + sender.address
