"""What a relay tells its operator: JSON log lines and Prometheus metrics (docs/operating.md).

Neither ever holds content, names, network addresses or whole identifiers. That is kept by
construction: a log line takes only the fields of :data:`FIELDS`, whose values are numbers,
codes of our own, or identifiers that are shortened here.
"""

from __future__ import annotations

import re
import sys
from collections.abc import MutableMapping
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

FIELDS: Final = frozenset(
    {"account", "close_code", "code", "connection", "count", "device", "port", "seconds"}
)
"""Every field that a log line may have beside event, level and timestamp."""

_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
_LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


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


def _only_known_fields(
    _logger: Any, _method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Refuse unknown fields and free text; shorten identifiers."""
    for key, value in line.items():
        if key != "event" and key not in FIELDS:
            raise ValueError(f"a log line has no field {key!r}")
        if isinstance(value, bytes):
            line[key] = short_id(value)
        elif isinstance(value, str) and not _CODE.fullmatch(value):
            raise ValueError(f"the log field {key!r} holds text that is no code")
    return line
