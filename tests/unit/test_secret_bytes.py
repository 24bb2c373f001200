"""Secrets never print themselves (spec 01, "Secrets in memory")."""

from __future__ import annotations

import logging
import traceback
from dataclasses import dataclass

import pytest

from untether.base.secret_bytes import SecretBytes

SECRET = SecretBytes(b"hunter2hunter2")


@dataclass
class Holder:
    """Something that holds a secret and has the usual repr."""

    secret: SecretBytes


@pytest.mark.parametrize(
    "text",
    [
        repr(SECRET),
        str(SECRET),
        f"{SECRET}",
        f"{SECRET!r:>40}",
        f"{SECRET:>40}",
        "%r" % (SECRET,),  # noqa: UP031 (logging formats so)
        repr([SECRET]),
        repr({"seed": SECRET}),
        repr(Holder(SECRET)),
        str(ValueError(SECRET)),
    ],
)
def test_no_way_of_printing_shows_it(text: str) -> None:
    """Alone or inside a container, formatted or not: only the length appears."""
    assert "hunter2" not in text
    assert "14 bytes" in text


def test_a_traceback_does_not_show_it() -> None:
    """Not even a traceback with local variables."""

    def fails(seed: SecretBytes) -> None:
        raise ValueError(seed)

    with pytest.raises(ValueError) as caught:
        fails(SECRET)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    text = "".join(shown.format())
    assert "hunter2" not in text
    assert "seed = <secret, 14 bytes>" in text


def test_a_log_line_does_not_show_it(caplog: pytest.LogCaptureFixture) -> None:
    """As an argument of a logging call."""
    with caplog.at_level(logging.INFO):
        logging.getLogger("test").info("seed is %s", SECRET)
    assert caplog.messages == ["seed is <secret, 14 bytes>"]


def test_the_twin_prints() -> None:
    """Plain bytes do show themselves, so the checks above can fail."""
    assert "hunter2" in f"{bytes(SECRET)!r}"


def test_it_is_bytes_all_the_same() -> None:
    """It equals its bytes and is drawn from the given randomness."""
    assert SECRET == b"hunter2hunter2"
    drawn = SecretBytes.generate(32, lambda length: b"\7" * length)
    assert type(drawn) is SecretBytes
    assert drawn == b"\7" * 32
