"""Where a passphrase comes from (spec 09, "Asking for a passphrase").

A file that the caller names, else the terminal, else nowhere: then the answer is
VerificationError ``passphrase-needed``, and never a key that lies unprotected on the disk.
"""

from __future__ import annotations

import asyncio
import getpass
import logging
import os
import shlex
import stat
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Protocol, TypeVar

from untether.adapters.vault.passphrase_seal import passphrase_from_text
from untether.base.errors import LocalError, PlatformError, VerificationError
from untether.base.limits import PASSPHRASE_FILE_MAX, PASSPHRASE_MIN, PASSPHRASE_TRIES_MAX
from untether.base.secret_bytes import SecretBytes

FILE_VARIABLE: Final = "UNTETHER_PASSPHRASE_FILE"
_TERMINAL: Final = "/dev/tty"
_log = logging.getLogger(__name__)
_Opened = TypeVar("_Opened")


class PassphraseSource(Protocol):
    """Answers with a passphrase, or raises why there is none.

    ``tries``: how often it makes sense to ask it for one passphrase.
    """

    tries: int

    async def existing(self, reason: str) -> SecretBytes:
        """Return the passphrase that was chosen before; ``reason`` says what it does now."""
        ...

    async def new(self, purpose: str) -> SecretBytes:
        """Return a newly chosen passphrase; ``purpose`` completes "a passphrase that …"."""
        ...


async def open_with(
    source: PassphraseSource, reason: str, opened: Callable[[SecretBytes], _Opened]
) -> _Opened:
    """Return what the passphrase opens; whoever can type it again may, a few times."""
    for _ in range(source.tries - 1):
        try:
            return opened(await source.existing(reason))
        except VerificationError as error:
            if error.code != "passphrase-wrong":
                raise
            reason = f"{error.message} Once more."
    return opened(await source.existing(reason))


def passphrase_source(file: Path | None, environment: Mapping[str, str]) -> PassphraseSource:
    """Choose: the named file, the file named in the environment, the terminal, none."""
    named = file or environment.get(FILE_VARIABLE)
    if named:
        return FilePassphrases(Path(named))
    return TerminalPassphrases() if has_terminal() else NoPassphrases()


def has_terminal() -> bool:
    """Whether a person sees a prompt now: a terminal exists and errors are shown on one."""
    if not sys.stderr.isatty():
        return False
    try:
        os.close(os.open(_TERMINAL, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True


class FilePassphrases:
    """Reads the passphrase from a file, less one line end."""

    tries = 1

    def __init__(self, path: Path) -> None:
        self._path = path
        self._has_warned = False

    async def existing(self, reason: str) -> SecretBytes:
        """See the port; nobody is there to read the reason."""
        del reason
        return passphrase_from_text(self._read())

    async def new(self, purpose: str) -> SecretBytes:
        """See the port."""
        del purpose
        return passphrase_from_text(_check_length(self._read()))

    def _read(self) -> str:
        try:
            with self._path.open("rb") as file:
                self._warn_when_others_can_read(os.fstat(file.fileno()).st_mode)
                data = file.read(PASSPHRASE_FILE_MAX + 1)
            text = data.decode()
        except (OSError, UnicodeDecodeError) as error:
            raise VerificationError(
                "passphrase-file-unreadable",
                f"The passphrase file {self._path} can't be read.",
                "Name a text file that you may read.",
            ) from error
        text = text.removesuffix("\n").removesuffix("\r")
        if not text or len(data) > PASSPHRASE_FILE_MAX:
            raise VerificationError(
                "passphrase-file-unreadable",
                f"The passphrase file {self._path} is empty or far too long.",
                "It must hold the passphrase and nothing else.",
            )
        return text

    def _warn_when_others_can_read(self, mode: int) -> None:
        is_open = stat.S_ISREG(mode) and mode & (stat.S_IRWXG | stat.S_IRWXO)
        if is_open and not self._has_warned:
            self._has_warned = True
            _log.warning(
                PlatformError(
                    "passphrase-file-open",
                    f"Other users can read the passphrase file {self._path}.",
                    f"Run `chmod 600 {shlex.quote(str(self._path))}`.",
                )
            )


class TerminalPassphrases:
    """Asks the person at the terminal, without showing what they type."""

    tries = PASSPHRASE_TRIES_MAX

    def __init__(self, prompt: Callable[[str], str] = getpass.getpass) -> None:
        self._prompt = prompt
        self._chosen = 0

    async def existing(self, reason: str) -> SecretBytes:
        """See the port."""
        return passphrase_from_text(await self._ask(f"{reason}\nPassphrase: "))

    async def new(self, purpose: str) -> SecretBytes:
        """See the port; asks twice, and anew after a slip, for a few times."""
        before = f"Choose a passphrase of {PASSPHRASE_MIN} characters or more that {purpose}.\n"
        if self._chosen:
            before += "It may be the same as the one before.\n"
        before += "It is typed twice, so that a slip of the finger locks nobody out.\n"
        for _ in range(PASSPHRASE_TRIES_MAX - 1):
            try:
                return await self._chosen_twice(before)
            except LocalError as error:
                before = f"{error.message} Once more from the beginning.\n"
        return await self._chosen_twice(before)

    async def _chosen_twice(self, before: str) -> SecretBytes:
        first = _check_length(await self._ask(f"{before}New passphrase (1 of 2): "))
        if await self._ask("The same again (2 of 2): ") != first:
            raise LocalError(
                "passphrases-differ",
                "The two passphrases differ.",
                "Run the command again; nothing changed.",
            )
        self._chosen += 1
        return passphrase_from_text(first)

    async def _ask(self, prompt: str) -> str:
        try:
            return await asyncio.to_thread(self._prompt, prompt)
        except EOFError as error:
            raise VerificationError(
                "passphrase-needed", "No passphrase was typed.", "Try again and type it."
            ) from error


class NoPassphrases:
    """Refuses, with the ways out."""

    tries = 1

    async def existing(self, reason: str) -> SecretBytes:
        """See the port."""
        raise _needed(reason)

    async def new(self, purpose: str) -> SecretBytes:
        """See the port."""
        raise _needed(f"A passphrase that {purpose} must be chosen.")


def _check_length(text: str) -> str:
    if len(text) < PASSPHRASE_MIN:
        raise LocalError(
            "passphrase-short",
            f"The passphrase has {len(text)} characters.",
            f"Choose one of at least {PASSPHRASE_MIN}; several words are easy to keep in mind.",
            characters=len(text),
        )
    return text


def _needed(what_for: str) -> VerificationError:
    return VerificationError(
        "passphrase-needed",
        f"A passphrase is needed, and nobody can be asked here. {what_for}",
        f"Use --passphrase-file FILE or {FILE_VARIABLE}, or run it in a terminal.",
    )
