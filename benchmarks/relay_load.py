"""The one load generator of the relay benchmark, a process of its own.

``relay_load.py raw|untether PORT ACCOUNTS CONNECTIONS WINDOW SECONDS`` pairs connections; each
keeps WINDOW envelopes in flight to its partner, and an envelope counts when the partner got
it. Beside the raw relay that is one frame. Beside ours it is a login, a submission with list
heads for both accounts, its durable answer, a pushed delivery and an acknowledgement. What a
sender collects in one tick leaves in one write. Beside ours it is joined to packets too, as any
client of our protocol does; a raw relay has none, each of its messages is an envelope. Prints one
JSON object: rate, latencies, the generator's own CPU share, and what is left over.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import deque
from itertools import count
from pathlib import Path

import msgspec
import uvloop

from lean_socket import LeanSocket
from relay_accounts import BenchAccount, login_frame, read_accounts
from untether.wire.client_frames import (
    Acknowledge,
    Copy,
    FetchStatus,
    Recipient,
    Request,
    StartReceiving,
    Submit,
)
from untether.wire.codec import encode
from untether.wire.packets import packet_of, take_frames
from untether.wire.server_frames import (
    Accepted,
    Answer,
    Challenge,
    Deliveries,
    ServerFrame,
    Status,
    Submitted,
    Welcome,
)

BODY = bytes(236)
HEADER = bytes(64)
WARM_UP_S = 1.0
DRAIN_S = 10.0

_TOKEN = 0x7EEDFACE
_MESSAGE_ID = b"message id place"
_answers = msgspec.msgpack.Decoder(list[Answer])
_clock = time.perf_counter


class Measure:
    """What was delivered, when."""

    def __init__(self) -> None:
        self.delivered = 0
        self.latencies: list[float] = []
        self.dirty: set[Sender] = set()
        self.running = True

    def arrived(self, sender: Sender, entries: int) -> None:
        """Count envelopes of ``sender`` that its partner just got, and let it send as many."""
        now = _clock()
        self.delivered += entries
        times = sender.times
        self.latencies.extend(now - times.popleft() for _ in range(entries))
        if self.running:
            sender.send_envelopes(entries)

    def flush_soon(self, sender: Sender) -> None:
        """Write what a sender collected, once in this tick."""
        if not self.dirty:
            asyncio.get_running_loop().call_soon(self._flush)
        self.dirty.add(sender)

    def _flush(self) -> None:
        for sender in self.dirty:
            sender.flush()
        self.dirty.clear()


class Sender:
    """One connection to the raw relay."""

    partner: Sender

    def __init__(self, measure: Measure, port: int, number: int) -> None:
        self.measure = measure
        self.port = port
        self.times: deque[float] = deque()
        self.collected: deque[bytes] = deque()
        self.socket = LeanSocket(f"127.0.0.1:{port}", f"/{number}", self.on_frame)

    async def open(self) -> None:
        """Connect and upgrade."""
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self.socket, "127.0.0.1", self.port)
        await self.socket.opened

    def on_frame(self, _payload: bytes) -> None:
        """Take one forwarded envelope."""
        self.measure.arrived(self.partner, 1)

    def send_envelopes(self, number: int) -> None:
        """Send some envelopes to the partner."""
        now = _clock()
        for _ in range(number):
            self.times.append(now)
            self.collected.append(self.envelope())
        self.measure.flush_soon(self)

    def flush(self) -> None:
        """Write what was collected, one message for each frame."""
        while self.collected:
            self.socket.send(self.collected.popleft())
        self.socket.flush()

    def envelope(self) -> bytes:
        """Make one frame."""
        return BODY + HEADER


class RelaySender(Sender):
    """One logged-in, receiving device on our relay."""

    partner: RelaySender

    def __init__(
        self, measure: Measure, port: int, number: int, account: BenchAccount, partner: BenchAccount
    ) -> None:
        super().__init__(measure, port, number)
        self.socket = LeanSocket(f"127.0.0.1:{port}", "/v1/socket", self.on_frame)
        self.account = account
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.left: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.accepted = 0
        self._numbers = count(1)
        frame = Submit(
            message_id=_MESSAGE_ID,  # type: ignore[arg-type]
            body=BODY,
            recipients=(
                Recipient(partner.account_id, partner.head, (Copy(partner.device, HEADER),)),
                Recipient(account.account_id, account.head, ()),
            ),
        )
        self._before, rest = encode(Request(_TOKEN, frame)).split(_TOKEN.to_bytes(4, "big"))
        self._between, self._after = rest.split(_MESSAGE_ID)

    def envelope(self) -> bytes:
        """Make one submission with a message id of its own."""
        number = next(self._numbers)
        message_id = self.account.account_id[:8] + number.to_bytes(8, "big")
        token = (number | 0x40000000).to_bytes(4, "big")
        return self._before + token + self._between + message_id + self._after

    def flush(self) -> None:
        """Write what was collected, joined to packets."""
        while self.collected:
            self.socket.send(packet_of(take_frames(self.collected)))
        self.socket.flush()

    def on_frame(self, payload: bytes) -> None:
        """Take the frames of one packet."""
        for answer in _answers.decode(payload):
            self._take(answer.frame)

    def _take(self, frame: ServerFrame) -> None:
        """Log in, take answers and deliveries, acknowledge."""
        if isinstance(frame, Submitted):
            self.accepted += 1
            if any(type(verdict) is not Accepted for verdict in frame.verdicts):
                raise ValueError(f"a submission was not accepted: {frame}")
        elif isinstance(frame, Deliveries):
            if not self.ready.done():
                self.ready.set_result(None)
            if frame.entries:
                self._send(Request(0, Acknowledge(frame.entries[-1].stamp)))
                self.measure.arrived(self.partner, len(frame.entries))
        elif isinstance(frame, Challenge):
            self._send(Request(1, login_frame(self.account, frame, self.port)))
        elif isinstance(frame, Welcome):
            self._send(Request(2, StartReceiving()))
        elif isinstance(frame, Status):
            self.left.set_result(frame.mailbox_entries)

    async def count_left(self) -> int:
        """Ask how many entries the mailbox still holds."""
        self._send(Request(3, FetchStatus()))
        return await self.left

    def _send(self, request: Request) -> None:
        self.collected.append(encode(request))
        self.measure.flush_soon(self)


def _senders(
    measure: Measure, kind: str, port: int, accounts: Path, connections: int
) -> list[Sender]:
    if kind == "raw":
        senders = [Sender(measure, port, number) for number in range(connections)]
    else:
        known = read_accounts(accounts)
        senders = [
            RelaySender(measure, port, number, known[number], known[number ^ 1])
            for number in range(connections)
        ]
    for number, sender in enumerate(senders):
        sender.partner = senders[number ^ 1]
    return senders


async def run(
    kind: str, port: int, accounts: Path, *, connections: int, window: int, seconds: float
) -> dict[str, float]:
    """Drive one server and return the figures."""
    measure = Measure()
    senders = _senders(measure, kind, port, accounts, connections)
    for sender in senders:
        await sender.open()
        if isinstance(sender, RelaySender):
            await asyncio.wait_for(sender.ready, 10)
    for sender in senders:
        sender.send_envelopes(window)
    await asyncio.sleep(WARM_UP_S)
    measure.latencies.clear()
    delivered, began, cpu = measure.delivered, _clock(), time.process_time()
    await asyncio.sleep(seconds)
    delivered, took = measure.delivered - delivered, _clock() - began
    cpu = time.process_time() - cpu
    latencies = sorted(measure.latencies)
    measure.running = False
    async with asyncio.timeout(DRAIN_S):
        while any(sender.times for sender in senders):  # noqa: ASYNC110 (a poll is enough)
            await asyncio.sleep(0.05)
    left = [await sender.count_left() for sender in senders if isinstance(sender, RelaySender)]
    return {
        "delivered_per_second": delivered / took,
        "p50_ms": 1000 * latencies[len(latencies) // 2],
        "p99_ms": 1000 * latencies[len(latencies) * 99 // 100],
        "generator_cpu": cpu / took,
        "delivered": measure.delivered,
        "left_in_mailboxes": sum(left),
        "unanswered": sum(len(sender.times) for sender in senders),
    }


def main(arguments: list[str]) -> None:
    """Run and print."""
    kind, port, accounts, connections, window, seconds = arguments
    figures = uvloop.run(
        run(
            kind,
            int(port),
            Path(accounts),
            connections=int(connections),
            window=int(window),
            seconds=float(seconds),
        )
    )
    print(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1:])
