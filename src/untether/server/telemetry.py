"""What a relay tells its operator: JSON log lines and Prometheus metrics (docs/operating.md).

Neither ever holds content, names, network addresses or whole identifiers. That is kept by
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
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from untether.base.identifiers import short_id
from untether.wire.server_frames import (
    Accepted,
    AccountRefused,
    ListsChanged,
    NotListed,
    Refused,
    ServerFrame,
    Submitted,
    Welcome,
)

FIELDS: Final = frozenset(
    {"account", "code", "connection", "count", "device", "error", "port", "trace"}
)
"""Every field that a log line may have beside event, level and timestamp."""

_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_PLACE = re.compile(r"[A-Za-z0-9_.<>-]{1,64}")
_BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
_LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


_VERDICTS = {Accepted: "accepted", ListsChanged: "lists-changed", AccountRefused: "refused"}


class Metrics:
    """The relay's metrics on a registry of their own, so that tests and processes stay apart."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        ProcessCollector(registry=registry)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"untether_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"untether_{name}", text, labels, registry=registry)

        self.connections = gauge("connections", "Open sockets.", "principal")
        self.logins = counter("logins", "Finished logins.", "result")
        self.requests = counter("requests", "Requests answered.")
        self.submissions = counter("submissions", "Submissions answered.")
        self.verdicts = counter("verdicts", "Verdicts per account of submissions.", "verdict")
        self.deliveries = counter("deliveries", "Mailbox entries pushed to devices.")
        self.acknowledgements = counter("acknowledgements", "Acknowledgements carried out.")
        self.refusals = counter("refusals", "Requests refused.", "code")
        self.cuts = counter("cuts", "Sockets that the relay closed.", "cause")
        self.mailbox_entries = gauge("mailbox_entries", "Entries waiting in all mailboxes.")
        self.mailbox_bytes = gauge("mailbox_bytes", "Bytes waiting in all mailboxes.")
        self.commit_batch = Histogram(
            "untether_commit_batch_size",
            "Transactions made durable by one commit.",
            buckets=_BATCHES,
            registry=registry,
        )
        self.request_seconds = Histogram(
            "untether_request_seconds",
            "From a request's arrival to its answer.",
            buckets=_LATENCIES,
            registry=registry,
        )

    def count_answer(self, answer: ServerFrame, seconds: float) -> None:
        """Count one answered request by what it was answered."""
        self.requests.inc()
        self.request_seconds.observe(seconds)
        match answer:
            case Submitted(verdicts=verdicts):
                self.submissions.inc()
                for verdict in verdicts:
                    self.verdicts.labels(_VERDICTS[type(verdict)]).inc()
            case Refused(code=code):
                self.refusals.labels(code).inc()
            case Welcome():
                self.logins.labels("welcome").inc()
            case NotListed():
                self.logins.labels("not-listed").inc()
            case _:
                pass

    def exposition(self) -> bytes:
        """Render everything in Prometheus' text format."""
        return generate_latest(self.registry)


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
    """Turn warnings of libraries (aiohttp, asyncio) into lines without their text."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            error = record.exc_info[1] if record.exc_info else None
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
