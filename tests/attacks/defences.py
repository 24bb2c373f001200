"""The defences, by name, and the one way to switch one off for a twin.

A twin is the same attack without the defence: it must succeed, else the test of the defence
proves nothing about it.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from untether.device import fan_out, outbox, senders
from untether.device.store import claims
from untether.protocol.identity import certificate, device_list, list_rules
from untether.protocol.identity.lease import LeaseState


def nothing(*_: object, **__: object) -> None:
    """Stand in for a check."""


@dataclass(frozen=True)
class Defence:
    """One check of the product: where it stands, and what does not defend in its place."""

    owner: object
    name: str
    instead: object = nothing

    def switch_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put the stand-in there until the test ends."""
        monkeypatch.setattr(self.owner, self.name, self.instead)


LIST_SIGNATURE = Defence(device_list, "check_signature")
CERTIFICATE_SIGNATURES = Defence(certificate, "check_signature")
LIST_ORDER = Defence(list_rules, "_step", lambda _current, following: following)
LEASE = Defence(fan_out, "lease_state", lambda *_: LeaseState.RUNNING)
CHECK_BEFORE_LEAVING = Defence(outbox, "is_outdated", lambda *_: False)
NO_WORD_TO_STRANGERS = Defence(senders, "is_stranger", lambda *_: False)
CLAIM_PAUSE = Defence(claims, "CLAIM_PAUSE_MS", 0)
