"""Choosing how long companions go on without the phone."""

from __future__ import annotations

from datetime import datetime

from tests.commands.conftest import Link, MakeDevice


def test_the_owner_chooses_the_lease_on_the_phone(person: MakeDevice, link: Link) -> None:
    """The new list ends so many days from now on every own device; others can't choose."""
    alice = person("alice")
    laptop = link(alice, "laptop")
    chosen = alice.run("devices", "lease", "90").line
    assert chosen["days"] == 90
    ends_at = datetime.fromisoformat(chosen["lease_ends_at"])
    assert 89 <= (ends_at - datetime.now(ends_at.tzinfo)).days <= 90
    laptop.receive()
    assert laptop.run("status").line["lease_ends_at"] == chosen["lease_ends_at"]
    refused = laptop.run("devices", "lease", "90")
    assert (refused.status, refused.error["error"]) == (1, "not-the-phone")


def test_a_lease_has_bounds(person: MakeDevice) -> None:
    """What verifiers would refuse is refused before it is signed."""
    alice = person("alice")
    for days in ("1", "181"):
        refused = alice.run("devices", "lease", days)
        assert refused.error["error"] in ("bad-lease", "lease-too-long")
        assert "180 days" in refused.error["hint"]
    assert alice.run("devices", "lease", "no-number").status == 2
