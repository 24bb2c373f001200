"""Base32, names, short ids and error texts (spec 00, spec 02)."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from untether.base import base32
from untether.base.errors import ExitStatus, LocalError, RateLimitedError, VerificationError
from untether.base.identifiers import short_id
from untether.base.names import check_device_platform, check_name


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=80))
def test_base32_comes_back(data: bytes) -> None:
    """The text is RFC 4648 in lower case without padding, and reads back."""
    text = base32.encode(data)
    assert base64.b32decode(text.upper() + "=" * (-len(text) % 8)) == data
    assert base32.decode(text) == data


@settings(max_examples=300, deadline=None)
@given(text=st.text(alphabet="abcdefghijklmnopqrstuvwxyz234567ABZ018= \n", max_size=24))
def test_base32_has_one_spelling(text: str) -> None:
    """What is read would be written the same way; all else is refused."""
    try:
        data = base32.decode(text)
    except LocalError as error:
        assert error.code == "bad-base32"
    else:
        assert base32.encode(data) == text


@pytest.mark.parametrize("text", ["MY", "mz", "my======", "m", "m1", "my ", "mÿ", "ſy"])
def test_second_spellings_are_refused(text: str) -> None:
    """Upper case, loose bits, padding, impossible lengths, foreign characters."""
    assert base32.decode("my") == b"f"
    with pytest.raises(LocalError) as refused:
        base32.decode(text)
    assert refused.value.code == "bad-base32"


@pytest.mark.parametrize("name", ["al", "alice", "0", "a" * 32, "a.b-c_d", "7up"])
def test_names(name: str) -> None:
    """Two to 32 characters pass, a single one does not."""
    if len(name) > 1:
        assert check_name(name) == name
    else:
        with pytest.raises(LocalError):
            check_name(name)


@pytest.mark.parametrize(
    "name", ["", "Alice", ".alice", "-alice", "_a", "a" * 33, "al ice", "alice\n", "älice", "а1"]
)
def test_what_is_no_name(name: str) -> None:
    """Upper case, leading marks, length, blanks, line ends and look-alikes are refused."""
    with pytest.raises(LocalError) as refused:
        check_name(name)
    assert refused.value.code == "bad-name"
    assert refused.value.hint


def test_what_a_device_runs_on() -> None:
    """A short line or nothing; what could steer a terminal is refused."""
    for good in ("", "Linux", "Firefox on Windows", "x" * 24):
        assert check_device_platform(good) == good
    for bad in ("x" * 25, "two\nlines", "\x1b[2J", "\u202eturned"):
        with pytest.raises(LocalError) as refused:
            check_device_platform(bad)
        assert refused.value.code == "bad-platform"
        assert refused.value.hint


def test_short_ids() -> None:
    """Eight hexadecimal digits are enough for people and logs."""
    assert short_id(bytes(range(16))) == "00010203"


def test_errors_say_what_happened_and_what_to_do() -> None:
    """The text is message and hint; numbers are apart; the class gives the exit status."""
    error = RateLimitedError("slow-down", "Too fast.", "Wait a minute.", retry_after_s=60)
    assert str(error) == "Too fast. Wait a minute."
    assert error.details == {"retry_after_s": 60}
    assert error.exit_status is ExitStatus.RATE_LIMITED
    assert str(LocalError("x", "Only this.")) == "Only this."
    assert VerificationError("x", "y").exit_status == 7
