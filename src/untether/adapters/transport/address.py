"""Relay addresses: what a person types becomes the one origin that a login signs (spec 08).

An origin is ``scheme://host`` or ``scheme://host:port`` in lower case, without the scheme's
own port, so that both ends spell the same relay in the same way.
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from untether.base.errors import LocalError
from untether.base.limits import ORIGIN_MAX

_PORTS = {"http": 80, "https": 443}


def is_loopback(host: str) -> bool:
    """Tell whether a host (name or address, brackets allowed) is this machine."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def relay_address(url: str, *, plain_http: bool = False) -> str:
    """Return the origin of a relay's address; ``https://`` is assumed when no scheme is given.

    ``http://`` is for loopback hosts only (LocalError ``plain-http``) unless ``plain_http``;
    anything that is not a relay's address is LocalError ``bad-address``.
    """
    text = url.strip()
    if len(text) > ORIGIN_MAX:
        raise _bad(text, "it is too long")
    parts, port = _split(text if "://" in text else f"https://{text}", text)
    host = parts.hostname or ""
    if parts.scheme not in _PORTS:
        raise _bad(text, "it must begin with https:// (or http:// for this machine)")
    if not host or ("[" in parts.netloc) != (":" in host):
        raise _bad(text, "its host is missing or malformed")
    if parts.username is not None or parts.password is not None:
        raise _bad(text, "it holds a user name or password")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise _bad(text, "a relay is named by scheme, host and port only")
    if parts.scheme == "http" and not plain_http and not is_loopback(host):
        raise _plain_http(_normal_host(host, text), port, text)
    return _origin(parts.scheme, _normal_host(host, text), port, text)


def _split(text: str, shown: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(text)
        return parts, parts.port
    except ValueError as error:
        raise _bad(shown, "its host or port is malformed") from error


def _normal_host(host: str, shown: str) -> str:
    """Spell a host in ASCII and lower case; an IPv6 address in brackets, compressed."""
    if ":" in host:
        try:
            return f"[{ip_address(host).compressed}]"
        except ValueError as error:
            raise _bad(shown, "its IPv6 address is malformed") from error
    try:
        name = host.encode("idna").decode().lower()
    except UnicodeError as error:
        raise _bad(shown, "its host name is malformed") from error
    if not all(character.isalnum() or character in ".-_" for character in name):
        raise _bad(shown, "its host name is malformed")
    return name


def _origin(scheme: str, host: str, port: int | None, shown: str) -> str:
    origin = f"{scheme}://{host}"
    if port is not None and port != _PORTS[scheme]:
        origin += f":{port}"
    if len(origin) > ORIGIN_MAX:
        raise _bad(shown, "it is too long")
    return origin


def _plain_http(host: str, port: int | None, shown: str) -> LocalError:
    encrypted = _origin("https", host, None if port == _PORTS["http"] else port, shown)
    return LocalError(
        "plain-http",
        f"{_origin('http', host, port, shown)} would send logins over the network in the clear.",
        f"Use {encrypted}; http:// is for relays on this machine.",
    )


def _bad(shown: str, why: str) -> LocalError:
    return LocalError(
        "bad-address",
        f"“{shown[:80]}” is not a relay's address: {why}.",
        "Write it like https://relay.example.org or http://localhost:8080.",
    )
