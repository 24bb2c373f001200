"""The database port of the device engine (spec 09, "Database port").

Five methods are all that the engine may use. An adapter offers them on a connection to the
device's own SQLite database; nothing newer than SQLite 3.39 may be said through them, since
that is what the browser has. Every failure arrives as PlatformError, whatever the adapter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

SqlValue = bytes | str | int | float | None
"""What a column can hold; a BLOB comes back as plain ``bytes``."""

Row = tuple[Any, ...]
"""One row in the order of the selected columns; the caller knows their types."""


class Database(Protocol):
    """What the engine may ask of the device's database, inside one transaction."""

    def run(self, sql: str, *parameters: SqlValue) -> int:
        """Run one statement; return how many rows it inserted, updated or deleted itself."""
        ...

    def rows(self, sql: str, *parameters: SqlValue) -> list[Row]:
        """Run one query; return all its rows."""
        ...

    def many(self, sql: str, parameter_rows: Iterable[Sequence[SqlValue]]) -> None:
        """Run one statement once for each row of parameters."""
        ...

    def script(self, sql: str) -> None:
        """Run several statements without parameters; never commits by itself."""
        ...

    def savepoint(self) -> AbstractContextManager[None]:
        """Keep what happens inside, or undo just that when it raises; may be nested."""
        ...


class DeviceDatabase(Database, Protocol):
    """What the driver holds: the port, its transactions and its end."""

    def transaction(self) -> AbstractContextManager[None]:
        """Commit what happens inside, or undo all of it when it raises; the only writer."""
        ...

    def reading(self) -> AbstractContextManager[None]:
        """See one state inside, beside a writer; a statement that writes is refused."""
        ...

    def close(self) -> None:
        """Close the connection; a transaction still open is undone."""
        ...


def row(database: Database, sql: str, *parameters: SqlValue) -> Row | None:
    """Return the first row of a query, or None when it has none."""
    found = database.rows(sql, *parameters)
    return found[0] if found else None
