"""Relay addresses: one spelling for each relay, and plain HTTP for this machine only."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from untether.adapters.transport import address
from untether.adapters.transport.address import is_loopback, relay_address
from untether.adapters.transport.socket_url import socket_url
from untether.base.errors import LocalError


@pytest.mark.parametrize(
    ("typed", "origin"),
    [
        ("https://relay.example.org", "https://relay.example.org"),
        ("relay.example.org", "https://relay.example.org"),
        (" HTTPS://Relay.Example.ORG:443/ ", "https://relay.example.org"),
        ("https://relay.example.org:8443", "https://relay.example.org:8443"),
        ("http://localhost:8080/", "http://localhost:8080"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://[2001:DB8:0::1]", "https://[2001:db8::1]"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ],
)
def test_what_people_type_becomes_one_origin(typed: str, origin: str) -> None:
    """Both ends of a login spell the relay alike."""
    assert relay_address(typed) == origin
    assert relay_address(origin) == origin


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ftp://relay.example.org",
        "https://",
        "https://alice:secret@relay.example.org",
        "https://relay.example.org/path",
        "https://relay.example.org/?x=1",
        "https://relay.example.org:99999",
        "https://[::zz]",
        "https://[v1.x]",
        "https://a..b",
        "https://relay example",
        "https://relay*.example",
        "https://" + ".".join(["a" * 60] * 5),
    ],
)
def test_what_is_no_relay_address_is_refused(typed: str) -> None:
    """The refusal shows how to write one."""
    with pytest.raises(LocalError) as refusal:
        relay_address(typed)
    assert refusal.value.code == "bad-address"
    assert "https://relay.example.org" in refusal.value.hint


def test_plain_http_is_for_loopback() -> None:
    """A login never crosses the network in the clear."""
    with pytest.raises(LocalError) as refusal:
        relay_address("http://relay.example.org")
    assert refusal.value.code == "plain-http"
    assert relay_address("http://relay.lan", plain_http=True) == "http://relay.lan"


def test_without_the_loopback_check_plain_http_would_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twin: the check is what refuses."""
    monkeypatch.setattr(address, "is_loopback", lambda _host: True)
    assert relay_address("http://relay.example.org") == "http://relay.example.org"


@pytest.mark.parametrize("host", ["localhost", "a.localhost.", "127.9.9.9", "[::1]", "LOCALHOST"])
def test_loopback_hosts(host: str) -> None:
    """Names and addresses of this machine."""
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["192.0.2.1", "localhost.example.org", "10.0.0.1", "", "::"])
def test_other_hosts(host: str) -> None:
    """Everything else is the network."""
    assert not is_loopback(host)


def test_socket_urls() -> None:
    """The WebSocket lives at one path, with TLS exactly when the origin has it."""
    assert socket_url("https://r.example:1") == "wss://r.example:1/v1/socket"
    assert socket_url("http://localhost") == "ws://localhost/v1/socket"


@given(st.text(max_size=40))
@settings(max_examples=100, deadline=None)
def test_any_text_gives_an_origin_or_a_clear_refusal(typed: str) -> None:
    """Nothing else is ever raised, and an accepted origin is its own normal form."""
    try:
        origin = relay_address(typed)
    except LocalError:
        return
    assert relay_address(origin) == origin
