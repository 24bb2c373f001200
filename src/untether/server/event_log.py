"""The relay's log: JSON lines for its operator (docs/operating.md, "Logs").

They never hold content, names, network addresses or whole identifiers. That is kept by
construction: a log line takes only the fields of :data:`FIELDS`, whose values are numbers,
codes of our own, or identifiers that are shortened here.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, Final, TextIO

import structlog
from aiohttp.http import HttpProcessingError
from aiohttp.log import ws_logger

from untether.base.identifiers import short_id

FIELDS: Final = frozenset(
    {"account", "code", "connection", "count", "device", "error", "port", "trace"}
)
"""Every field that a log line may have beside event, level and timestamp."""

_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_PLACE = re.compile(r"[A-Za-z0-9_.<>-]{1,64}")


class Log:
    """JSON lines about transitions; ``log.info("login", account=account_id, device=1)``."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._logger = structlog.wrap_logger(
            structlog.WriteLogger(stream or sys.stderr),
            processors=[
                _only_known_fields,
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.JSONRenderer(),
            ],
            wrapper_class=structlog.BoundLogger,
            cache_logger_on_first_use=True,
        )

    def info(self, event: str, **fields: int | str | bytes) -> None:
        """Tell of something that belongs to a relay's life."""
        self._logger.info(event, **fields)

    def warning(self, event: str, **fields: int | str | bytes) -> None:
        """Tell of something that the operator should look at."""
        self._logger.warning(event, **fields)

    def error(self, event: str, **fields: int | str | bytes) -> None:
        """Tell of a failure of this relay itself."""
        self._logger.error(event, **fields)

    def failure(self, event: str, error: BaseException) -> None:
        """Tell where an exception came from: its type and places, never its text."""
        frames = traceback.extract_tb(error.__traceback__)
        places = [f"{Path(frame.filename).stem}.{frame.name}.{frame.lineno}" for frame in frames]
        self._logger.error(event, error=type(error).__name__, trace=places)


def report_libraries(log: Log) -> None:
    """Turn warnings of libraries (aiohttp, asyncio) into lines without their text.

    What only a peer did wrong makes no line: anybody could fill a disk with them.
    """

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            error = record.exc_info[1] if record.exc_info else None
            if isinstance(error, HttpProcessingError) or record.name == ws_logger.name:
                return
            log.failure(f"library-{record.name.partition('.')[0]}", error or Warning())

    logging.basicConfig(level=logging.WARNING, handlers=[Handler()], force=True)


def _only_known_fields(
    _logger: Any, _method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Refuse unknown fields and free text; shorten identifiers."""
    for key, value in line.items():
        if key != "event" and key not in FIELDS:
            raise ValueError(f"a log line has no field {key!r}")
        if isinstance(value, bytes):
            line[key] = short_id(value)
        elif isinstance(value, str) and not _pattern(key).fullmatch(value):
            raise ValueError(f"the log field {key!r} holds text that is no code")
    return line


def _pattern(key: str) -> re.Pattern[str]:
    return _PLACE if key == "error" else _CODE
