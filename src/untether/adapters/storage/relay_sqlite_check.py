"""Whether a relay's database is whole, before it is served (spec 08, "Storage").

SQLite finds out that a page is missing only when it comes to it, so a relay would serve the half
of a database, and write into it. A look at the header tells a file that was cut off. The pages of
a small database are looked at too; of a large one that would keep its devices waiting.

Looking changes nothing: what is damaged may be all that is left.
"""

from __future__ import annotations

import struct
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

import apsw

from untether.base.errors import PlatformError
from untether.base.limits import RELAY_DATABASE_CHECKED_MAX

_MAGIC: Final = b"SQLite format 3\x00"
_HEADER: Final = struct.Struct(">16sH6xII60xI4x")
_LARGEST_PAGE: Final = 65_536
"""It does not fit the header's two bytes, and stands there as 1."""


class _Header(NamedTuple):
    """The beginning of a database file; the number of pages counts if both changes are one."""

    magic: bytes
    page_size: int
    change: int
    pages: int
    change_of_pages: int


def check_whole(path: Path) -> None:
    """Refuse a database that is cut off or damaged: PlatformError ``relay-database-damaged``.

    What is missing or empty is no matter for this check, nor what only SQLite can refuse.
    """
    try:
        size = path.stat().st_size if path.is_file() else 0
        if size < _HEADER.size:
            return
        has_log = _has_log(path)
        if not has_log:  # pages that are in the log need not be in the file yet
            _check_size(path, size)
        if size <= RELAY_DATABASE_CHECKED_MAX:
            _check_pages(path, has_log=has_log)
    except OSError as error:
        raise PlatformError(
            "io-error",
            f"The relay's database {path} can't be read: {error.strerror}.",
            "Check the disk, and that the directory belongs to this user and is writable.",
        ) from error


def _has_log(path: Path) -> bool:
    log = path.with_name(f"{path.name}-wal")
    return log.exists() and log.stat().st_size > 0


def _check_size(path: Path, size: int) -> None:
    with path.open("rb") as file:
        header = _Header(*_HEADER.unpack(file.read(_HEADER.size)))
    if header.magic != _MAGIC or header.change != header.change_of_pages:
        return
    whole = header.pages * (_LARGEST_PAGE if header.page_size == 1 else header.page_size)
    if size < whole:
        raise _damaged(path, f"it has {size} of its {whole} bytes")


def _check_pages(path: Path, *, has_log: bool) -> None:
    """Have SQLite look at each page; without a log it need not make any file beside it."""
    uri = f"{path.absolute().as_uri()}?{'mode=ro' if has_log else 'immutable=1'}"
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    try:
        with closing(apsw.Connection(uri, flags=flags)) as connection:
            connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            ((found,),) = connection.execute("PRAGMA quick_check(1)").fetchall()
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise _damaged(path, str(error)) from error
    except apsw.Error:
        return  # not readable so, for example on a full disk: opening it says why
    if found != "ok":
        raise _damaged(path, " ".join(str(found).split()))


def _damaged(path: Path, why: str) -> PlatformError:
    return PlatformError(
        "relay-database-damaged",
        f"The relay's database {path} is damaged: {why}.",
        "Nothing was changed. Put it back from a copy (docs/operating.md, “Backup and restore”).",
    )
