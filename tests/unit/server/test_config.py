"""Configuration: exact error paths, safe defaults, refusals with the line to change."""

from __future__ import annotations

from pathlib import Path

import pytest

from untether.base.errors import LocalError, PlatformError
from untether.base.limits import REQUESTS_BURST
from untether.server import config as configuration
from untether.server.config import Config, Quotas, Tls, check, load, override, tls_context

EVERY_INTERFACE = "0.0.0.0"  # noqa: S104


def _file(directory: Path, text: str) -> Path:
    path = directory / "relay.toml"
    path.write_text(text)
    return path


def test_defaults_serve_this_machine_only() -> None:
    """Without a file the relay listens on loopback, open for registration, and is allowed."""
    config = load(None)
    check(config)
    assert (config.host, config.port, config.registration) == ("127.0.0.1", 8080, "open")
    assert config.quotas.requests_burst == REQUESTS_BURST
    assert tls_context(config) is None


def test_a_complete_file_is_read(tmp_path: Path) -> None:
    """Every key of the reference is understood; relative paths count from the file."""
    path = _file(
        tmp_path,
        """
        host = "0.0.0.0"
        port = 8443
        data = "mail"
        public_origins = ["https://relay.example.org"]
        registration = "invitation"
        [tls]
        certificate = "chain.pem"
        key = "/etc/key.pem"
        [quotas]
        guests_per_address = 7
        """,
    )
    config = load(path)
    check(config)
    assert config.database == tmp_path / "mail" / "relay.sqlite3"
    assert config.tls == Tls(str(tmp_path / "chain.pem"), "/etc/key.pem")
    assert config.quotas == Quotas(guests_per_address=7)
    assert config.origins(8443) == {"https://relay.example.org"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("port = 'eighty'", "$.port"),
        ("port = 70000", "$.port"),
        ("[quotas]\nrequests_burst = 0", "$.quotas.requests_burst"),
        ("colour = 'blue'", "colour"),
        ("[tls]\ncertificate = 'a.pem'", "key"),
        ("registration = 'maybe'", "$.registration"),
        ("port = \nhost = 1", "line 1"),
        ("a = " + "[" * 4_000, "recursion"),
        ("port = " + "9" * 5_000, "digits"),
        ("k" * 5_000 + " = 1", "unknown field"),
    ],
)
def test_a_wrong_file_names_the_exact_place(tmp_path: Path, text: str, told: str) -> None:
    """The refusal says which key is wrong."""
    with pytest.raises(LocalError) as refusal:
        load(_file(tmp_path, text))
    assert refusal.value.code == "bad-config"
    assert told in refusal.value.message
    assert len(refusal.value.message) < 1_000


def test_a_file_that_takes_long_to_read_is_none(tmp_path: Path) -> None:
    """A long dotted key costs its length squared, so no file is long."""
    with pytest.raises(LocalError, match="no configuration"):
        load(_file(tmp_path, "a." * 30_000 + "a = 1"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A file that can't be read is not the same as no file."""
    with pytest.raises(LocalError, match=r"absent\.toml"):
        load(tmp_path / "absent.toml")


def test_the_command_line_wins() -> None:
    """What is typed overrides the file; what is not typed leaves it."""
    config = override(Config(host="::1", port=1), port=0, data="elsewhere")
    assert (config.host, config.port, config.data) == ("::1", 0, "elsewhere")


def test_plain_http_beyond_loopback_is_refused() -> None:
    """A relay on the network without TLS does not start unless it is told to, in words."""
    exposed = Config(host=EVERY_INTERFACE, public_origins=("https://relay.example.org",))
    with pytest.raises(LocalError) as refusal:
        check(exposed)
    assert refusal.value.code == "plain-http"
    assert "allow_plain_http" in refusal.value.hint
    check(
        Config(host=EVERY_INTERFACE, public_origins=exposed.public_origins, allow_plain_http=True)
    )


def test_without_the_check_plain_http_would_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twin: with the loopback test switched off, the exposed relay would be allowed."""
    monkeypatch.setattr(configuration, "is_loopback", lambda _host: True)
    check(Config(host=EVERY_INTERFACE, public_origins=("https://relay.example.org",)))


def test_every_interface_needs_a_public_origin() -> None:
    """A login signs the origin it dialled, so the relay must know its own."""
    with pytest.raises(LocalError) as refusal:
        check(Config(host=EVERY_INTERFACE, allow_plain_http=True))
    assert refusal.value.code == "no-public-origin"


@pytest.mark.parametrize("origin", ["https://Relay.example.org", "https://relay.example.org:443"])
def test_a_public_origin_has_one_spelling(origin: str) -> None:
    """Devices sign the normal form; another spelling in the file would refuse them all."""
    with pytest.raises(LocalError) as refusal:
        check(Config(public_origins=(origin,)))
    assert refusal.value.hint == "Write it as https://relay.example.org."


def test_loopback_origins_follow_the_port() -> None:
    """With port 0 the real port counts."""
    assert Config().origins(4711) == {
        "http://localhost:4711",
        "http://127.0.0.1:4711",
        "http://[::1]:4711",
    }
    assert "http://[::2]:1" in Config(host="::2").origins(1)


def test_unreadable_tls_files_are_named(tmp_path: Path) -> None:
    """A wrong certificate stops the start with its path."""
    with pytest.raises(PlatformError) as refusal:
        tls_context(Config(tls=Tls(str(tmp_path / "no.pem"), str(tmp_path / "no.key"))))
    assert refusal.value.code == "tls-files"
    assert "no.pem" in refusal.value.message
