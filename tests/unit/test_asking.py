"""Where a passphrase comes from (spec 09, "Asking for a passphrase")."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from untether.adapters.vault.asking import (
    FILE_VARIABLE,
    FilePassphrases,
    NoPassphrases,
    TerminalPassphrases,
    has_terminal,
    open_with,
    passphrase_source,
)
from untether.base.errors import ExitStatus, LocalError, PlatformError, VerificationError
from untether.base.secret_bytes import SecretBytes


def written(path: Path, content: bytes, mode: int = 0o600) -> FilePassphrases:
    """Return a source over a file with this content."""
    path.write_bytes(content)
    path.chmod(mode)
    return FilePassphrases(path)


def typing(*answers: str) -> Callable[[str], str]:
    """Return a prompt that is answered with these texts, one after the other."""
    left = iter(answers)

    def prompt(_text: str) -> str:
        try:
            return next(left)
        except StopIteration:
            raise EOFError from None

    return prompt


@pytest.mark.parametrize(
    ("content", "passphrase"),
    [
        (b"correct horse", b"correct horse"),
        (b"correct horse\n", b"correct horse"),
        (b"correct horse\r\n", b"correct horse"),
        (b"correct horse\n\n", b"correct horse\n"),
        (b"  blanks count ", b"  blanks count "),
    ],
)
async def test_one_line_end_is_cut(tmp_path: Path, content: bytes, passphrase: bytes) -> None:
    """Editors add one line end; nothing else is taken away."""
    source = written(tmp_path / "p", content)
    assert await source.existing("") == passphrase
    assert await source.new("") == passphrase


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"x" * 2_000])
async def test_what_is_no_passphrase_is_refused(tmp_path: Path, content: bytes) -> None:
    """Empty, binary and huge files are mistakes."""
    with pytest.raises(VerificationError) as refused:
        await written(tmp_path / "p", content).existing("")
    assert refused.value.code == "passphrase-file-unreadable"


async def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The message says which file."""
    with pytest.raises(VerificationError, match="nowhere") as refused:
        await FilePassphrases(tmp_path / "nowhere").existing("")
    assert refused.value.code == "passphrase-file-unreadable"


async def test_a_file_that_others_can_read_warns(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is used all the same: container secrets are mounted so. A private file is silent."""
    with caplog.at_level(logging.WARNING):
        await written(tmp_path / "p", b"correct horse").existing("")
        assert not caplog.records
        await written(tmp_path / "p", b"correct horse", 0o644).existing("")
        assert "correct horse" not in caplog.text
        assert caplog.text.count("chmod 600") == 1


async def test_one_file_warns_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A registration reads it for the messages and for the account; one warning will do."""
    source = written(tmp_path / "p", b"correct horse", 0o644)
    with caplog.at_level(logging.WARNING):
        await source.new("")
        await source.new("")
        await source.existing("")
    (warned,) = caplog.records
    assert isinstance(warned.msg, PlatformError)
    assert warned.msg.code == "passphrase-file-open"


def _opens_with(right: bytes, typed: SecretBytes) -> str:
    if typed != right:
        raise VerificationError("passphrase-wrong", "The passphrase is wrong.", "Try again.")
    return "opened"


async def test_a_wrong_passphrase_can_be_typed_again() -> None:
    """Who mistypes is told and asked again; the third slip is the last."""
    opened = partial(_opens_with, b"right")
    prompts: list[str] = []
    answer = typing("wrong", "wrong", "right", "right")

    def prompt(text: str) -> str:
        prompts.append(text)
        return answer(text)

    terminal = TerminalPassphrases(prompt)
    assert await open_with(terminal, "This opens it.", opened) == "opened"
    assert "This opens it." in prompts[0]
    assert all("passphrase is wrong. Once more." in text for text in prompts[1:])
    assert len(prompts) == 3
    with pytest.raises(VerificationError) as refused:
        await open_with(TerminalPassphrases(typing(*["wrong"] * 3, "right")), "", opened)
    assert refused.value.code == "passphrase-wrong"
    with pytest.raises(VerificationError) as untyped:
        await open_with(TerminalPassphrases(typing("wrong")), "", opened)
    assert untyped.value.code == "passphrase-needed"


async def test_a_file_is_not_read_again(tmp_path: Path) -> None:
    """What stands in it stays the same; a try costs a second of the processor."""
    tries: list[bytes] = []

    def opened(typed: SecretBytes) -> str:
        tries.append(bytes(typed))
        return _opens_with(b"right", typed)

    with pytest.raises(VerificationError) as refused:
        await open_with(written(tmp_path / "p", b"wrong"), "", opened)
    assert (refused.value.code, tries) == ("passphrase-wrong", [b"wrong"])


async def test_a_new_passphrase_has_a_length(tmp_path: Path) -> None:
    """Seven characters are refused when new; an old short one still opens."""
    source = written(tmp_path / "p", b"1234567")
    assert await source.existing("") == b"1234567"
    with pytest.raises(LocalError) as refused:
        await source.new("")
    assert refused.value.code == "passphrase-short"
    assert refused.value.details == {"characters": 7}


async def test_the_terminal_asks_twice_for_a_new_one() -> None:
    """A slip of the finger does not lock anybody out."""
    assert await TerminalPassphrases(typing("correct horse", "correct horse")).new("") == (
        b"correct horse"
    )


async def test_a_slip_does_not_start_everything_over() -> None:
    """Whatever went wrong is said, and it is asked again; after three times it is enough."""
    slips = ("short", "correct horse", "correct house")
    typed = TerminalPassphrases(typing(*slips, "correct horse", "correct horse"))
    assert await typed.new("") == b"correct horse"
    for slip, code in ((("short",), "passphrase-short"), (slips[1:], "passphrases-differ")):
        with pytest.raises(LocalError) as refused:
            await TerminalPassphrases(typing(*slip * 3, "correct horse", "correct horse")).new("")
        assert refused.value.code == code


async def test_the_terminal_says_what_is_typed_and_why() -> None:
    """People see which passphrase it is, that it is typed twice, and that two may be one."""
    prompts: list[str] = []

    def prompt(text: str) -> str:
        prompts.append(text)
        return "house" if len(prompts) == 1 else "correct horse"

    terminal = TerminalPassphrases(prompt)
    await terminal.new("protects the messages")
    await terminal.new("protects the account")
    first, again, repeated, second, _ = prompts
    assert "protects the messages." in first
    assert "typed twice, so that a slip" in first
    assert first.endswith("(1 of 2): ")
    assert "has 5 characters" in again
    assert repeated == "The same again (2 of 2): "
    assert "protects the account." in second
    assert "may be the same" in second
    assert "may be the same" not in first


async def test_the_terminal_asks_once_for_an_old_one() -> None:
    """The prompt carries the reason; an end of input is an answer too."""
    prompts: list[str] = []

    def prompt(text: str) -> str:
        prompts.append(text)
        return "correct horse"

    assert await TerminalPassphrases(prompt).existing("Link the laptop?") == b"correct horse"
    assert prompts == ["Link the laptop?\nPassphrase: "]
    with pytest.raises(VerificationError) as refused:
        await TerminalPassphrases(typing()).existing("")
    assert refused.value.code == "passphrase-needed"


async def test_nowhere_to_ask() -> None:
    """Exit status 7 and a hint with both ways out."""
    for ask in (NoPassphrases().existing, NoPassphrases().new):
        with pytest.raises(VerificationError) as refused:
            await ask("protects the account")
        assert refused.value.code == "passphrase-needed"
        assert refused.value.exit_status is ExitStatus.VERIFICATION
        assert "--passphrase-file" in refused.value.hint
        assert FILE_VARIABLE in refused.value.hint


async def test_the_option_comes_before_the_environment(tmp_path: Path) -> None:
    """What is named closest wins; an empty variable names nothing."""
    written(tmp_path / "option", b"from the option")
    written(tmp_path / "variable", b"from the variable")
    environment = {FILE_VARIABLE: str(tmp_path / "variable")}
    source = passphrase_source(tmp_path / "option", environment)
    assert await source.existing("") == b"from the option"
    assert await passphrase_source(None, environment).existing("") == b"from the variable"
    assert not isinstance(passphrase_source(None, {FILE_VARIABLE: ""}), FilePassphrases)


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("device", "found"), [(os.devnull, True), ("/nowhere/tty", False)])
def test_a_terminal_is_one_that_opens(
    monkeypatch: pytest.MonkeyPatch, device: str, found: bool
) -> None:
    """A prompt needs a terminal for the answer besides one for the question."""
    monkeypatch.setattr(sys, "stderr", _Terminal())
    monkeypatch.setattr("untether.adapters.vault.asking._TERMINAL", device)
    assert has_terminal() is found
    source = passphrase_source(None, {})
    assert isinstance(source, TerminalPassphrases if found else NoPassphrases)


def test_a_script_is_never_asked() -> None:
    """With errors going into a pipe nobody would see the prompt, so there is no terminal."""
    code = "from untether.adapters.vault.asking import has_terminal; print(has_terminal())"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=20
    )
    assert done.stdout == "False\n"
