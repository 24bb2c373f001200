"""The relay's configuration: one TOML file and the command line (docs/operating.md).

The schema is the documentation of what may be written; msgspec refuses unknown keys and
wrong types and names the exact path. Everything else that would start an unsafe or useless
relay is refused by :func:`check`, with the line to change.
"""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from untether.adapters.paths import expanded
from untether.adapters.transport.address import is_loopback, relay_address
from untether.base import limits
from untether.base.errors import LocalError, PlatformError
from untether.base.identifiers import MINUTE_MS, SECOND_MS

DATABASE_NAME = "relay.sqlite3"

_REASON_MAX = 500  # characters: a wrong key stands in its refusal, however long it is

_CONTACT = re.compile(r"mailto:[!-~]+@[!-~]+|https://[!-~]+")

Positive = Annotated[int, Meta(ge=1)]
Port = Annotated[int, Meta(ge=0, le=65_535)]


class Tls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """PEM files: the certificate with its chain, and its private key."""

    certificate: str
    key: str


class Quotas(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The bounds that an operator may change; reasons stand in :mod:`untether.base.limits`."""

    requests_burst: Positive = limits.REQUESTS_BURST
    requests_per_second: Annotated[int, Meta(ge=limits.REQUESTS_PER_SECOND_MIN)] = (
        limits.REQUESTS_PER_SECOND
    )
    submit_burst: Positive = limits.SUBMIT_BURST
    submits_per_second: Positive = limits.SUBMITS_PER_SECOND
    recipients_burst: Annotated[int, Meta(ge=limits.ACCOUNTS_PER_SUBMIT_MAX)] = (
        limits.RECIPIENTS_BURST
    )
    recipients_per_second: Positive = limits.RECIPIENTS_PER_SECOND
    sockets_per_device: Positive = limits.SOCKETS_PER_DEVICE_MAX
    guests_per_address: Positive = limits.GUESTS_PER_ADDRESS_MAX
    logins_burst: Positive = limits.LOGINS_BURST
    logins_per_second: Positive = SECOND_MS // limits.LOGINS_REFILL_MS
    guest_requests_burst: Positive = limits.GUEST_REQUESTS_BURST
    guest_requests_per_minute: Positive = MINUTE_MS // limits.GUEST_REQUESTS_REFILL_MS
    link_slots_burst: Positive = limits.LINK_SLOTS_BURST
    link_slots_per_minute: Positive = MINUTE_MS // limits.LINK_SLOTS_REFILL_MS


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that ``serve`` can be told."""

    host: Annotated[str, Meta(min_length=1)] = "127.0.0.1"
    port: Port = 8080
    data: str = "~/.untether/relay"
    public_origins: tuple[str, ...] = ()
    registration: Literal["open", "invitation", "closed"] = "open"
    allow_plain_http: bool = False
    push_contact: Annotated[str, Meta(max_length=limits.ORIGIN_MAX)] = ""
    public_metrics: bool = False
    trusted_proxies: tuple[str, ...] = ()
    web_app: str = ""
    tls: Tls | None = None
    quotas: Quotas = Quotas()

    @property
    def data_directory(self) -> Path:
        """The directory that holds the relay's database."""
        return expanded(self.data)

    @property
    def database(self) -> Path:
        """The relay's SQLite file."""
        return self.data_directory / DATABASE_NAME

    @property
    def web_directory(self) -> Path | None:
        """The folder of another web app than the one that belongs to this release."""
        return expanded(self.web_app) if self.web_app else None

    @property
    def scheme(self) -> str:
        """What this process itself speaks: ``https`` with a certificate, else ``http``."""
        return "http" if self.tls is None else "https"

    def shown_address(self, port: int) -> str:
        """The address to tell people: the first public origin, else where it listens."""
        if self.public_origins:
            return self.public_origins[0]
        host = "localhost" if is_loopback(self.host) else _in_url(self.host)
        return relay_address(f"{self.scheme}://{host}:{port}", plain_http=True)

    def origins(self, port: int) -> frozenset[str]:
        """Origins that a login may have dialled, for a relay listening on ``port``.

        Without ``public_origins`` these are the loopback spellings and the bound host, so
        that a relay for one machine works without a file.
        """
        if self.public_origins:
            return frozenset(self.public_origins)
        hosts = {"localhost", "127.0.0.1", "[::1]"}
        if not is_wildcard(self.host):
            hosts.add(_in_url(self.host))
        return frozenset(
            relay_address(f"{self.scheme}://{host}:{port}", plain_http=True) for host in hosts
        )


def is_wildcard(host: str) -> bool:
    """Tell whether listening on ``host`` means every interface of the machine."""
    return host in {"0.0.0.0", "::"}  # noqa: S104 (recognised, not bound)


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def load(file: Path | None) -> Config:
    """Read a configuration file; without one the defaults count.

    Raises LocalError ``bad-config`` with the exact path of the wrong value.
    """
    if file is None:
        return Config()
    try:
        with file.open("rb") as opened:
            text = opened.read(limits.CONFIG_FILE_MAX + 1)
    except OSError as error:
        raise LocalError(
            "no-config",
            f"The configuration {file} can't be read: {error.strerror}.",
            "Give a file that the relay's user may read, or none for the defaults.",
        ) from error
    if len(text) > limits.CONFIG_FILE_MAX:
        raise LocalError(
            "bad-config",
            f"{file} has more than {limits.CONFIG_FILE_MAX // 1024} KiB; it is no configuration.",
            "Name a TOML file; docs/operating.md lists every key.",
        )
    try:
        config = msgspec.toml.decode(text, type=Config)
    except (ValueError, RecursionError) as error:  # of msgspec, of tomllib and of its numbers
        raise LocalError(
            "bad-config",
            f"{file}: {str(error)[:_REASON_MAX]}",
            "docs/operating.md lists every key with its type.",
        ) from error
    return _resolve(config, file.parent)


def override(
    config: Config, *, host: str | None = None, port: int | None = None, data: str | None = None
) -> Config:
    """Let the command line win over the file; None keeps what the file says."""
    given = {"host": host, "port": port, "data": data}
    changes = {key: value for key, value in given.items() if value is not None}
    try:
        return msgspec.convert({**msgspec.to_builtins(config), **changes}, Config)
    except msgspec.ValidationError as error:
        raise LocalError(
            "bad-config",
            f"The command line: {error}.",
            "`untether serve --help` lists the options.",
        ) from error


def check(config: Config) -> None:
    """Refuse what would be unsafe or could never work (LocalError), before anything starts."""
    if config.tls is None and not is_loopback(config.host) and not config.allow_plain_http:
        raise LocalError(
            "plain-http",
            f"Listening on {config.host} without TLS would send logins in the clear.",
            "Set [tls] certificate and key, listen on 127.0.0.1 behind a proxy that speaks TLS, "
            "or set allow_plain_http = true if a proxy on a private network does.",
        )
    for origin in config.public_origins:
        normal = relay_address(origin, plain_http=config.allow_plain_http)
        if normal != origin:
            raise LocalError(
                "bad-config",
                f"public_origins: “{origin}” is not spelled as devices spell it.",
                f"Write it as {normal}.",
            )
    if config.push_contact and not _CONTACT.fullmatch(config.push_contact):
        raise LocalError(
            "bad-config",
            "push_contact: push services need an address to write to.",
            'For example push_contact = "mailto:owner@example.org", or an https:// page.',
        )
    if is_wildcard(config.host) and not config.public_origins:
        raise LocalError(
            "no-public-origin",
            f"Listening on {config.host} needs public_origins, the addresses that devices dial.",
            'For example public_origins = ["https://relay.example.org"].',
        )


def tls_context(config: Config) -> ssl.SSLContext | None:
    """Load certificate and key; None without [tls]. Raises PlatformError ``tls-files``."""
    if config.tls is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(config.tls.certificate, config.tls.key)
    except (OSError, ssl.SSLError) as error:
        raise PlatformError(
            "tls-files",
            f"The certificate {config.tls.certificate} and its key can't be loaded: {error}.",
            "Both must be PEM files that this user may read and belong together.",
        ) from error
    return context


def _resolve(config: Config, base: Path) -> Config:
    """Make the file's relative paths count from the file, not from where one happens to be."""

    def located(path: str) -> str:
        return str(base / expanded(path))

    tls = config.tls and Tls(located(config.tls.certificate), located(config.tls.key))
    web_app = located(config.web_app) if config.web_app else ""
    return msgspec.structs.replace(config, data=located(config.data), web_app=web_app, tls=tls)
