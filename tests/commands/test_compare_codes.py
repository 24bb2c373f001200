"""Comparing security codes by their QR codes, on two people's own command lines."""

from __future__ import annotations

from pathlib import Path

from tests.commands.conftest import MakeDevice


def test_two_people_verify_each_other_by_pictures(person: MakeDevice, tmp_path: Path) -> None:
    """Each takes a picture of the other's code; both are verified, whoever asks."""
    alice, bob = person("alice"), person("bob")
    for own, other in ((alice, bob), (bob, alice)):
        own.run("send", other.name, "-m", "shall we compare?")
        own.run("security-code", other.name, "--qr-png", tmp_path / own.name)
    for own, other in ((alice, bob), (bob, alice)):
        verified = own.run("verify", other.name, "--qr-image", tmp_path / other.name).line
        assert verified == {"name": other.name, "verified": True}
        assert own.run("security-code", other.name).line["verified"] is True


def test_the_code_of_somebody_else_verifies_nobody(person: MakeDevice, tmp_path: Path) -> None:
    """A picture of a code with another person is exit 4, and nobody is marked."""
    alice, bob, mallory = person("alice"), person("bob"), person("mallory")
    alice.run("send", bob.name, "-m", "hello")
    mallory.run("send", bob.name, "-m", "hello")
    mallory.run("security-code", bob.name, "--qr-png", tmp_path / "picture")
    refused = alice.run("verify", bob.name, "--qr-image", tmp_path / "picture")
    assert (refused.status, refused.error["error"]) == (4, "security-code-differs")
    assert alice.run("security-code", bob.name).line["verified"] is False


def test_a_link_code_is_no_security_code(person: MakeDevice, tmp_path: Path) -> None:
    """A picture of another kind of code, or of none, is named."""
    alice, bob = person("alice"), person("bob")
    alice.run("send", bob.name, "-m", "hello")
    missing = alice.run("verify", bob.name, "--qr-image", tmp_path / "missing")
    assert (missing.status, missing.error["error"]) == (1, "qr-file-missing")
    (tmp_path / "text").write_text("no picture")
    unreadable = alice.run("verify", bob.name, "--qr-image", tmp_path / "text")
    assert (unreadable.status, unreadable.error["error"]) == (1, "qr-unreadable")
