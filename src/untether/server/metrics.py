"""The relay's metrics in Prometheus' format (docs/operating.md, "Metrics").

Counting happens for every message, so it is plain integers here; the text is only made when
somebody asks. Each relay has a registry of its own, so that tests and processes stay apart.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

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

_VERDICTS: Final[Mapping[type, str]] = {
    Accepted: "accepted",
    ListsChanged: "lists-changed",
    AccountRefused: "refused",
}
_BATCHES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_LATENCIES: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class Tally:
    """A histogram: how many observations fell into each bucket, and their sum."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count one observation."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def family(self, name: str, text: str) -> HistogramMetricFamily:
        """Express it for Prometheus, whose buckets are cumulative."""
        names = [*(str(float(bound)) for bound in self._bounds), "+Inf"]
        buckets = list(zip(names, accumulate(self._counts), strict=True))
        return HistogramMetricFamily(name, text, buckets=buckets, sum_value=self._sum)


class Metrics(Collector):
    """What a relay process counts."""

    def __init__(self) -> None:
        self.connections: Counter[str] = Counter(guest=0, bearer=0, device=0)
        self.logins: Counter[str] = Counter()
        self.verdicts: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.cuts: Counter[str] = Counter()
        self.web_pushes: Counter[str] = Counter()
        self.unfinished_upgrades = 0
        self.requests = 0
        self.rests = 0
        self.submissions = 0
        self.deliveries = 0
        self.acknowledgements = 0
        self.mailbox_entries = 0
        self.mailbox_bytes = 0
        self.commit_batch = Tally(_BATCHES)
        self.request_seconds = Tally(_LATENCIES)
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def count_answer(self, answer: ServerFrame, seconds: float) -> None:
        """Count one answered request by what it was answered."""
        self.requests += 1
        self.request_seconds.observe(seconds)
        kind = type(answer)
        if kind is Submitted:
            self.submissions += 1
            for verdict in answer.verdicts:  # type: ignore[union-attr]
                self.verdicts[_VERDICTS[type(verdict)]] += 1
        elif kind is Refused:
            self.refusals[answer.code] += 1  # type: ignore[union-attr]
        elif kind is Welcome:
            self.logins["welcome"] += 1
        elif kind is NotListed:
            self.logins["not-listed"] += 1

    def exposition(self) -> bytes:
        """Render everything in Prometheus' text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Give all families to the registry."""
        yield _labelled("connections", "Open sockets.", "principal", self.connections, gauge=True)
        yield _labelled("logins", "Finished logins.", "result", self.logins)
        yield _labelled("verdicts", "Verdicts of submissions.", "verdict", self.verdicts)
        yield _labelled("refusals", "Requests refused.", "code", self.refusals)
        yield _labelled("cuts", "Sockets that the relay closed.", "cause", self.cuts)
        yield _labelled("web_pushes", "Devices called.", "result", self.web_pushes)
        yield _counter(
            "unfinished_upgrades",
            "Peers that were gone before their socket was open.",
            self.unfinished_upgrades,
        )
        yield _counter("requests", "Requests answered.", self.requests)
        yield _counter("rests", "Packets behind which a connection was left unread.", self.rests)
        yield _counter("submissions", "Submissions answered.", self.submissions)
        yield _counter("deliveries", "Mailbox entries pushed.", self.deliveries)
        yield _counter("acknowledgements", "Carried out.", self.acknowledgements)
        yield _gauge("mailbox_entries", "Entries waiting in all mailboxes.", self.mailbox_entries)
        yield _gauge("mailbox_bytes", "Bytes waiting in all mailboxes.", self.mailbox_bytes)
        yield self.commit_batch.family("untether_commit_batch_size", "Transactions per commit.")
        yield self.request_seconds.family("untether_request_seconds", "From arrival to answer.")


def _counter(name: str, text: str, value: int) -> CounterMetricFamily:
    return CounterMetricFamily(f"untether_{name}", text, value=value)


def _gauge(name: str, text: str, value: int) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"untether_{name}", text, value=value)


def _labelled(
    name: str, text: str, label: str, counts: Counter[str], *, gauge: bool = False
) -> Metric:
    kind = GaugeMetricFamily if gauge else CounterMetricFamily
    family = kind(f"untether_{name}", text, labels=[label])
    for value, count in counts.items():
        family.add_metric([value], count)
    return family
