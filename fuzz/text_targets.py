"""Decoders of what people type, scan and write into files (spec 02, 03, 08, 09)."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import segno
from PIL import Image
from yarl import URL

from fuzz import script
from fuzz.harness import Case, expect
from fuzz.script import Script
from fuzz.shortcuts import remembered_fingerprints, small_pictures
from untether.adapters import qr
from untether.adapters.storage import profile
from untether.adapters.transport.address import relay_address
from untether.base.errors import PlatformError, RemoteError
from untether.base.names import check_device_name, check_name
from untether.base.secret_bytes import SecretBytes
from untether.protocol.identity.recovery_code import decode_recovery_code, encode_recovery_code
from untether.protocol.identity.security_code import Side, compare_security_qr
from untether.protocol.linking.link_text import LinkText
from untether.relay.push import host_of
from untether.server import config
from untether.server.web_manifest import read_manifest, sign_manifest
from untether.wire.codec import decode
from untether.wire.records import ListHead

CONFIGURATIONS = (
    """
    host = "0.0.0.0"
    port = 8443
    data = "mail"
    public_origins = ["https://relay.example.org"]
    registration = "invitation"
    [tls]
    certificate = "a.pem"
    key = "/b.pem"
    [quotas]
    guests_per_address = 7
    """,
    'trusted_proxies = ["192.0.2.0/24"]\nallow_plain_http = true\n',
    "data = 1979-05-27T07:32:00Z\nhost = '''\n'''\nport = 0x1F90\n",
    "quotas = { requests_burst = 1, submits_per_second = 1e3 }\n",
    "a.b.c = [[[{}, 1], inf], nan]\n",
)
PROFILES = (
    """{"format":1,"profile_id":"00112233","database_key":{"method":"keyring"}}""",
    """{"format":1,"profile_id":"00","database_key":{"method":"passphrase","sealed":"AAAA"}}""",
    """{"format":2,"more":[{"a":null},1.5e300,true]}""",
)
VECTORS = Path(__file__).parents[1] / "vectors"


def vectors(name: str) -> Any:
    """Return a file of the test vectors."""
    return json.loads((VECTORS / f"{name}.json").read_text())


class MemoryFile:
    """As much of a path as readers use, without a disk."""

    parent = Path()

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __str__(self) -> str:
        return "the file"

    def open(self, _mode: str) -> io.BytesIO:
        """Open for reading."""
        return io.BytesIO(self._content)


def a_file(content: bytes) -> Path:
    """Return a file that is not on a disk."""
    return cast("Path", MemoryFile(content))


def texts(read: Callable[[str], object], genuine: Sequence[str]) -> Case:
    """Make a case of a reader of texts."""
    encoded = [one.encode("utf-8", "surrogateescape") for one in genuine]

    def build(data: bytes) -> str:
        return script.text(Script(data), encoded)

    raw = [bytes([script.RAW]) + one for one in encoded]
    return Case(build, read, raw + [script.plain(n, script.BYTES) for n in range(len(encoded))])


@contextmanager
def recovery_codes() -> Iterator[Case]:
    """A person types a recovery code."""
    found = vectors("recovery_code")
    genuine = [one["code"] for one in found["codes"]]
    genuine += [one["text"] for part in ("spellings", "refused") for one in found[part]]

    def read(text: str) -> object:
        seed = decode_recovery_code(text)
        expect(decode_recovery_code(encode_recovery_code(seed)) == seed, "a code changed")
        return seed

    yield texts(read, genuine)


@contextmanager
def link_texts() -> Iterator[Case]:
    """A phone scans a link text; each link has one spelling."""
    found = vectors("link_text")

    def read(text: str) -> object:
        link = LinkText.from_text(text)
        expect(link.to_text() == text, "a link text has a second spelling")
        return link

    yield texts(read, [one["text"] for part in ("valid", "refused") for one in found[part]])


@contextmanager
def security_texts() -> Iterator[Case]:
    """A person scans somebody's security code."""
    found = vectors("security_code")
    alice, bob = (_side(found[name]) for name in ("alice", "bob"))

    def read(text: str) -> object:
        return compare_security_qr(text, alice, bob)

    with remembered_fingerprints():
        yield texts(read, [one["text"] for one in found["comparisons"]])


def _side(described: dict[str, str]) -> Side:
    head = decode(bytes.fromhex(described["head"]), ListHead, size_max=64)
    return Side(bytes.fromhex(described["account_key"]), head)


@contextmanager
def relay_addresses() -> Iterator[Case]:
    """A person types a relay's address; what comes out is spelled once and for all."""
    genuine = [
        "relay.example.org",
        "https://relay.example.org:8443/",
        "http://localhost:8080",
        "http://[::1]:8080",
        "HTTPS://[2001:DB8:0:0:0:0:0:1]:443",
        "https://user:word@relay.example.org",
        "https://bücher.example.org/path?query#fragment",
        "http://127.0.0.1",
        "xn--bcher-kva.example",
    ]

    def read(text: str) -> object:
        address = relay_address(text, plain_http=text[:1] > "h")
        expect(relay_address(address, plain_http=True) == address, "an address has two spellings")
        return address

    yield texts(read, genuine)


@contextmanager
def push_endpoints() -> Iterator[Case]:
    """A device names where it wants to be woken; what is called is what was looked at."""
    genuine = [
        "https://push.example.org/send/cQ:APA91b-_x?y=%2b",
        "https://updates.push.example.com/wpush/v2/gAAAA_-==",
        "https://push.example",
        "https://user@push.example.org:8443/x#y",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://push.example.org\\@localhost/x",
    ]

    def read(text: str) -> object:
        host = host_of(text)
        if host is not None:
            url = URL(text, encoded=True)
            expect((url.scheme, url.host, url.port) == ("https", host, 443), "another host")
            expect(url.raw_host == host and url.user is None, "a host has two readings")
        return host

    yield texts(read, genuine)


@contextmanager
def web_manifests() -> Iterator[Case]:
    """Somebody compares a web app: its list comes from whoever serves it."""
    files = {"index.html": b"<!doctype html>", "assets/index-1a2b.js": b"let app;"}
    signed = sign_manifest(files, {}, "1.2.3", SecretBytes(bytes(32)))
    genuine = [signed, signed.replace(b"1.2.3", b"1.2.4"), b'{"files":{}}', b"[" * 2_000]

    def read(content: bytes) -> object:
        try:
            return read_manifest(content)
        except PlatformError as error:
            expect(error.code in {"web-damaged", "web-unsigned"}, "another error")
            raise RemoteError(error.code, error.message, error.hint) from error

    raw = [bytes([script.RAW]) + one for one in genuine]
    yield Case(
        script.messages(genuine),
        read,
        raw + [script.plain(n, script.BYTES) for n in range(len(genuine))],
    )


@contextmanager
def names() -> Iterator[Case]:
    """A person, or another device, names an account or a device."""

    def read(text: str) -> object:
        name = check_device_name(text)
        expect(name.isprintable() or not name.isascii(), "a name steers a terminal")
        return check_name(text)

    yield texts(read, ["alice", "a.b-c_d", "Alice's phone", "телефон", "x" * 64, "ab"])


@contextmanager
def configurations() -> Iterator[Case]:
    """An operator writes a configuration; what is read can be checked and shown."""
    genuine = [one.encode() for one in CONFIGURATIONS]

    def read(content: bytes) -> object:
        found = config.load(a_file(content))
        config.check(found)
        found.origins(8080)
        return found.shown_address(8080)

    raw = [bytes([script.RAW]) + one for one in genuine]
    yield Case(
        script.messages(genuine),
        read,
        raw + [script.plain(n, script.BYTES) for n in range(len(genuine))],
    )


@contextmanager
def profiles() -> Iterator[Case]:
    """A device reads ``profile.json``: a file on disk, because what kind of file it is counts."""
    genuine = [one.encode() for one in PROFILES]
    raw = [bytes([script.RAW]) + one for one in genuine]
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "profile.json")

        def read(content: bytes) -> object:
            path.write_bytes(content)
            return profile._parse(profile._content(path))

        yield Case(
            script.messages(genuine),
            read,
            raw + [script.plain(n, script.BYTES) for n in range(len(genuine))],
        )


@contextmanager
def pictures() -> Iterator[Case]:
    """A person gives a picture in which there should be a code."""
    genuine = []
    for form in ("png", "jpeg", "webp"):
        made = io.BytesIO()
        segno.make_qr("untether://link/1/x").save(made, kind="png", scale=2)
        again = io.BytesIO()
        Image.open(made).convert("RGB").save(again, format=form)
        genuine.append(again.getvalue())

    def read(content: bytes) -> object:
        return qr.read_link_text(a_file(content))

    with small_pictures():
        yield Case(
            script.messages(genuine),
            read,
            [script.plain(n, script.BYTES) for n in range(len(genuine))],
        )
