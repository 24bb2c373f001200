"""List heads as columns of other rows (spec 06, "Directory")."""

from __future__ import annotations

from untether.wire import codec
from untether.wire.records import ListHead


def to_column(head: ListHead | None) -> bytes | None:
    """Encode a head for the device's own database."""
    return None if head is None else codec.encode(head)


def from_column(stored: bytes | None) -> ListHead | None:
    """Read what :func:`to_column` wrote."""
    return None if stored is None else codec.decode(stored, ListHead, size_max=len(stored))
