"""The relay's data directory: private to its user, and used by one relay at a time.

The kernel holds the lock and lets it go with the process, however that ends. ``invite``
does not take it: it works beside a running relay, as another user of the database.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from untether.adapters.paths import make_private
from untether.base.errors import LocalError, PlatformError
from untether.base.identifiers import RelayId
from untether.base.secret_bytes import SecretBytes

LOCK_NAME = "relay.lock"
IDENTITY_NAME = "relay.id"
PUSH_KEY_NAME = "push.key"


def prepare(directory: Path) -> None:
    """Create the directory for this user only; PlatformError ``io-error`` if it can't be."""
    try:
        make_private(directory)
        probe = os.access(directory, os.R_OK | os.W_OK | os.X_OK)
    except OSError as error:
        raise _unusable(directory, error.strerror or "unknown cause") from error
    if not probe:
        raise _unusable(directory, "permission denied")


def confirm_identity(directory: Path, relay_id: RelayId) -> None:
    """Note which relay's data this is; PlatformError ``relay-storage`` when it was another's.

    A database that is lost, or was emptied, would silently become another relay, which no device
    of the first one would speak to.
    """
    path, shown = directory / IDENTITY_NAME, relay_id.hex()
    if path.exists() and not path.is_file():  # a pipe would be waited for without end
        raise _unusable(directory, f"{IDENTITY_NAME} is no file")
    try:
        known = path.read_text().strip() if path.exists() else ""
        if not known:  # new, or cut off while it was written
            path.write_text(f"{shown}\n")
        elif known != shown:
            raise _another_relay(path)
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(directory, str(error)) from error


def own_secret(directory: Path, name: str, fresh: SecretBytes) -> SecretBytes:
    """Return a secret of this relay; the first call of a directory's life makes ``fresh`` the one.

    PlatformError ``io-error`` for a file that holds something else.
    """
    path = directory / name
    if path.exists() and not path.is_file():
        raise _unusable(directory, f"{name} is no file")
    try:
        if not path.exists():
            unfinished = path.with_suffix(".new")
            unfinished.unlink(missing_ok=True)
            with open(unfinished, "xb", opener=_private_opener) as file:
                file.write(fresh)
                file.flush()
                os.fsync(file.fileno())
            unfinished.rename(path)
        with path.open("rb") as file:
            kept = SecretBytes(file.read(len(fresh) + 1))
    except OSError as error:
        raise _unusable(directory, error.strerror or "unknown cause") from error
    if len(kept) != len(fresh):
        raise _unusable(directory, f"{name} does not have {len(fresh)} bytes")
    return kept


def _private_opener(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


@contextmanager
def serve_alone(directory: Path) -> Iterator[None]:
    """Hold the directory's lock inside; LocalError ``already-serving`` when another does."""
    prepare(directory)
    # The file is never deleted: a second process might hold the deleted one.
    descriptor = os.open(directory / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LocalError(
                "already-serving",
                f"Another relay is serving {directory} already.",
                "End it first, or give this one another --data directory.",
            ) from error
        yield
    finally:
        os.close(descriptor)


def _another_relay(path: Path) -> PlatformError:
    return PlatformError(
        "relay-storage",
        "The database here is not the one of the relay that used this directory.",
        f"Put its database back from a copy; to begin a new relay all the same, remove {path}.",
    )


def _unusable(directory: Path, why: str) -> PlatformError:
    return PlatformError(
        "io-error",
        f"The data directory {directory} can't be used: {why}.",
        "Check the disk, and that the directory belongs to this user and is writable.",
    )
