"""The two ends of a pairwise session, as plain keys (spec 04, "Parties").

Callers take these four values from a *verified* device certificate; nothing here verifies
one, and nothing else of a certificate matters to a session.
"""

from __future__ import annotations

from typing import NamedTuple

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
    """Both ends as one device sees them: itself, its secret agreement key, and its peer."""

    own: Party
    agreement_seed: SecretBytes
    peer: Party

    @property
    def outgoing(self) -> bytes:
        """Associated data, up to the header, of messages from here to the peer."""
        return account_associated(self.own, self.peer.account_key) + self.peer.address[32:]

    @property
    def incoming(self) -> bytes:
        """Associated data, up to the header, of messages from the peer to here."""
        return account_associated(self.peer, self.own.account_key) + self.own.address[32:]


def account_associated(sender: Party, recipient_account_key: bytes) -> bytes:
    """Associated data up to the recipient's device number: equal for all devices of a contact."""
    return labels.PAIRWISE_MESSAGE + sender.address + recipient_account_key
