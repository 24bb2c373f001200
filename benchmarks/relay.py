"""The relay beside a raw ``websockets`` relay that stores nothing (docs/operating.md).

Both run in the same minutes on the same machine, driven by the same load generator in its own
process, in turns. Ours logs in, checks both device lists of every submission, makes it durable
before it answers and before it delivers, and deletes it at the acknowledgement. The peer
forwards. Run it alone: ``python benchmarks/relay.py``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from statistics import median

from measure import Row, report
from relay_accounts import prepare_accounts
from relay_processes import Server, our_relay, raw_relay

CONNECTIONS = 50
WINDOW = 32
SECONDS = 4.0
ROUNDS = 3
IDLE_CONNECTIONS = 1_000
IDLE_ACCOUNTS = 200  # five sockets each
SYNCS = 200

Figures = dict[str, float]

_HERE = Path(__file__).parent
_SCRATCH = _HERE.parent / "build"  # on a real disk, where /tmp may be memory


def rows() -> list[Row]:
    """Measure everything; one row for each figure."""
    return [*throughput_rows(), memory_row()]


def throughput_rows() -> list[Row]:
    """Durable delivered envelopes each second, and latencies, beside the raw relay."""
    _SCRATCH.mkdir(exist_ok=True)
    ours, peers = [], []
    for _ in range(ROUNDS):
        peers.append(_drive("raw", lambda _directory: raw_relay()))
        ours.append(_drive("untether", our_relay))
    ratios = [
        own["delivered_per_second"] / peer["delivered_per_second"]
        for own, peer in zip(ours, peers, strict=True)
    ]
    both = [*ours, *peers]
    return [
        _row(
            f"relay: durable envelopes, {CONNECTIONS} x {WINDOW}",
            unit="1/s",
            ours=median(one["delivered_per_second"] for one in ours),
            peer=median(one["delivered_per_second"] for one in peers),
            ratios=ratios,
            target=">= 0.25",
        ),
        _cost_row("latency p50", "ms", "p50_ms", ours, peers),
        _cost_row("latency p99", "ms", "p99_ms", ours, peers),
        _cost_row("server CPU of one envelope", "µs", "cpu_us", ours, peers),
        _plain_row("relay: the same, our server", "cores", (one["server_cpu"] for one in ours)),
        _plain_row("relay: load generator CPU", "cores", (one["generator_cpu"] for one in both)),
        _plain_row("relay: this disk, fdatasync p50", "ms", [_sync_p50_ms()]),
    ]


def memory_row() -> Row:
    """Resident bytes for each idle connection, logged in and receiving."""
    own = _idle_bytes("untether", our_relay) / 1024
    peer = _idle_bytes("raw", lambda _directory: raw_relay()) / 1024
    return _row(
        f"relay: memory of an idle connection, {IDLE_CONNECTIONS}",
        unit="KiB",
        ours=own,
        peer=peer,
        ratios=[peer / own],
        target="<= 25 KiB",
    )


def _cost_row(item: str, unit: str, figure: str, ours: list[Figures], peers: list[Figures]) -> Row:
    own, other = ([one[figure] for one in side] for side in (ours, peers))
    return _row(
        f"relay: {item}, {CONNECTIONS} x {WINDOW}",
        unit=unit,
        ours=median(own),
        peer=median(other),
        ratios=[theirs / mine for mine, theirs in zip(own, other, strict=True)],
        target="",
    )


def _row(
    item: str, *, unit: str, ours: float, peer: float, ratios: Sequence[float], target: str
) -> Row:
    """Make one row; a ratio above 1 is better than the peer."""
    return {
        "item": item,
        "unit": unit,
        "ours": round(ours, 1),
        "peer": "websockets, stores nothing",
        "peer_value": round(peer, 1),
        "ratio": round(median(ratios), 2),
        "spread": f"{min(ratios):.2f}-{max(ratios):.2f}",
        "target": target,
    }


def _plain_row(item: str, unit: str, figures: Iterable[float]) -> Row:
    return {"item": item, "unit": unit, "ours": round(max(figures), 2)}


Running = Callable[[Path], AbstractContextManager[Server]]


def _drive(kind: str, running: Running) -> Figures:
    with tempfile.TemporaryDirectory(dir=_SCRATCH) as name:
        directory, accounts = Path(name), Path(name) / "accounts"
        if kind == "untether":
            prepare_accounts(directory / "relay.sqlite3", accounts, CONNECTIONS)
        with running(directory) as server:
            cpu, began = server.cpu_seconds, time.monotonic()
            load = subprocess.run(
                [
                    *(sys.executable, str(_HERE / "relay_load.py"), kind, str(server.port)),
                    *(str(accounts), str(CONNECTIONS), str(WINDOW), str(SECONDS)),
                ],
                stdout=subprocess.PIPE,
                check=True,
            )
            figures: Figures = json.loads(load.stdout)
            cpu = server.cpu_seconds - cpu
            figures["server_cpu"] = cpu / (time.monotonic() - began)
            figures["cpu_us"] = 1e6 * cpu / figures["delivered"]
    if figures["left_in_mailboxes"] or figures["unanswered"]:
        raise RuntimeError(f"envelopes were lost: {figures}")
    return figures


def _idle_bytes(kind: str, running: Running) -> float:
    with tempfile.TemporaryDirectory(dir=_SCRATCH) as name:
        directory, accounts = Path(name), Path(name) / "accounts"
        if kind == "untether":
            prepare_accounts(directory / "relay.sqlite3", accounts, IDLE_ACCOUNTS)
        with running(directory) as server:
            _hold(kind, server, accounts, 100)  # what the first connections bring along
            before = server.resident_bytes
            return (_hold(kind, server, accounts, IDLE_CONNECTIONS) - before) / IDLE_CONNECTIONS


def _hold(kind: str, server: Server, accounts: Path, number: int) -> int:
    """Hold connections; returns the server's resident bytes meanwhile."""
    with subprocess.Popen(
        [
            *(sys.executable, str(_HERE / "relay_idle.py"), kind, str(server.port)),
            *(str(accounts), str(number)),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        if holder.stdout.readline() != "ready\n":
            raise RuntimeError("the idle connections were not opened")
        time.sleep(0.5)
        resident = server.resident_bytes
        holder.stdin.close()
    return resident


def _sync_p50_ms() -> float:
    """Return how long this disk takes for one small durable write."""
    took = []
    with tempfile.NamedTemporaryFile(dir=_SCRATCH) as file:
        for _ in range(SYNCS):
            file.write(bytes(4096))
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append(1000 * (time.perf_counter() - began))
    return median(took)


if __name__ == "__main__":
    report(rows())
