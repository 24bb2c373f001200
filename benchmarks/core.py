"""The cryptographic core beside vodozemac and Twomemo, in one run (docs/spec/04-pairwise.md).

Every contender gives the bytes to store after each operation. Ours opens through the session
book, with all its checks. Run it alone: ``python benchmarks core``.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from secrets import token_bytes
from typing import Any

import vodozemac

from core_ours import HEAD, ChainPair, Device, FanOut, Pair
from core_peers import (
    MemoryStorage,
    OlmFanOut,
    OlmPair,
    OmemoFanOut,
    OmemoPair,
    olm_handshake,
    omemo_device,
    omemo_start,
    wait,
)
from measure import Contender, Row, alone, compare, repeated, timed
from untether.adapters.storage.device_apsw import ApswDeviceDatabase
from untether.base.errors import RemoteError
from untether.base.secret_bytes import SecretBytes
from untether.protocol.body import open_body, seal_body
from untether.protocol.pairwise import session_book
from untether.wire.codec import decode, encode
from untether.wire.content import BodyKey

ROUNDS = 9
BATCH = 200
WRAP, TEXT, LARGEST = token_bytes(64), token_bytes(200), token_bytes(63_000)
OLM, OMEMO = "vodozemac", "twomemo"


def rows() -> list[Row]:
    """Measure everything; one row for each figure and peer."""
    return [
        *wrap_rows(),
        *body_rows(),
        *ping_pong_rows(),
        *start_rows(),
        *large_rows(),
        *fan_out_rows(),
        *forged_rows(),
    ]


def wrap_rows() -> list[Row]:
    """Sealing and opening 64 bytes in one direction: on one session, then through the book."""
    chain, book = ChainPair(), Pair()
    on_one = _wrap_rows("64 B", chain.send_next, chain.receive_next, ">= 4", ">= 2")
    through_book = _wrap_rows("64 B through the session book", book.send, book.receive, "", "")
    return on_one + through_book


def _wrap_rows(
    item: str,
    our_send: Callable[[bytes], bytes],
    our_receive: Callable[[bytes], bytes],
    *olm_targets: str,
) -> list[Row]:
    olm, omemo = OlmPair(), OmemoPair()
    sealed: dict[str, list[Any]] = {}

    def send(name: str, work: Callable[[], list[Any]]) -> float:
        return timed(lambda: sealed.update({name: work()}), BATCH)

    def receive(name: str, work: Callable[[Any], object]) -> float:
        messages = sealed[name]
        return timed(lambda: [work(message) for message in messages], BATCH)

    def repeat(work: Callable[[bytes], Any]) -> Callable[[], list[Any]]:
        return lambda: [work(WRAP) for _ in range(BATCH)]

    contenders: dict[str, tuple[Contender, Contender]] = {
        "ours": (
            lambda: send("ours", repeat(our_send)),
            lambda: receive("ours", our_receive),
        ),
        OLM: (lambda: send(OLM, repeat(olm.send)), lambda: receive(OLM, olm.receive)),
        OMEMO: (
            lambda: send(OMEMO, lambda: wait(omemo.send(BATCH, WRAP))),
            lambda: timed(lambda: wait(omemo.receive(sealed[OMEMO])), BATCH),
        ),
    }
    return _both_ways(item, contenders, olm_targets, (">= 2", ">= 2"))


def _both_ways(
    size: str,
    contenders: dict[str, tuple[Contender, Contender]],
    olm_targets: Sequence[str],
    omemo_targets: Sequence[str],
) -> list[Row]:
    """Compare sending and receiving, where each round receives what it has sent."""
    opened: dict[str, list[float]] = {name: [] for name in contenders}

    def both(name: str) -> float:
        send, receive = contenders[name]
        figure = send()
        opened[name].append(receive())
        return figure

    def later(name: str) -> Contender:
        figures = iter(opened[name])
        return lambda: next(figures)

    encrypt = compare(
        f"encrypt {size}, state bytes",
        lambda: both("ours"),
        {
            OLM: (lambda: both(OLM), olm_targets[0]),
            OMEMO: (lambda: both(OMEMO), omemo_targets[0]),
        },
        rounds=ROUNDS,
    )
    decrypt = compare(
        f"decrypt {size}, state bytes",
        later("ours"),
        {OLM: (later(OLM), olm_targets[1]), OMEMO: (later(OMEMO), omemo_targets[1])},
        rounds=ROUNDS,
    )
    return encrypt + decrypt


def body_rows() -> list[Row]:
    """A message of 200 bytes to one device: body, key and all, the dearest case for wrapping."""
    ours, olm, omemo = Pair(), OlmPair(), OmemoPair()
    sealed: dict[str, list[Any]] = {}

    def send() -> tuple[bytes, bytes]:
        body = seal_body(TEXT, token_bytes)
        key = BodyKey(body_key=bytes(body.body_key), body_hash=body.body_hash, assumed_head=HEAD)
        return body.sealed, ours.send(encode(key))

    def receive(sent: tuple[bytes, bytes]) -> bytes:
        key = decode(ours.receive(sent[1]), BodyKey, size_max=1_000)
        return open_body(sent[0], body_key=key.body_key, body_hash=key.body_hash)

    def keep(name: str, work: Callable[[], list[Any]]) -> float:
        return timed(lambda: sealed.update({name: work()}), BATCH)

    contenders: dict[str, tuple[Contender, Contender]] = {
        "ours": (
            lambda: keep("ours", lambda: [send() for _ in range(BATCH)]),
            lambda: timed(lambda: [receive(sent) for sent in sealed["ours"]], BATCH),
        ),
        OLM: (
            lambda: keep(OLM, lambda: [olm.send(TEXT) for _ in range(BATCH)]),
            lambda: timed(lambda: [olm.receive(sent) for sent in sealed[OLM]], BATCH),
        ),
        OMEMO: (
            lambda: keep(OMEMO, lambda: wait(omemo.send(BATCH, TEXT))),
            lambda: timed(lambda: wait(omemo.receive(sealed[OMEMO])), BATCH),
        ),
    }
    return _both_ways("200 B with its body", contenders, ("", ""), (">= 2", ">= 2"))


def ping_pong_rows() -> list[Row]:
    """Alternating turns: each message is a Diffie-Hellman step, sealed, opened and stored."""
    ours, olm, omemo = Pair(), OlmPair(), OmemoPair()
    turns = 40
    return compare(
        "ping-pong, per message",
        lambda: repeated(lambda: ours.turn(WRAP), turns) / 2,
        {
            OLM: (
                lambda: repeated(lambda: olm.turn(WRAP), turns) / 2,
                ">= 0.9",
            ),
            OMEMO: (lambda: timed(lambda: wait(omemo.turns(turns, WRAP)), 2 * turns), ">= 2"),
        },
        rounds=ROUNDS,
    )


def start_rows() -> list[Row]:
    """A session: prekeys verified, started, first message sealed and opened.

    Olm has no post-quantum part and verifies nothing.
    """
    alice, bob = Device(), Device(1)
    to_bob, at_bob = alice.ends(bob), bob.arrival(alice)
    starts = 20

    def start() -> None:
        _, message = session_book.seal(alice.start(bob), WRAP, to_bob, token_bytes)
        session_book.open_message((), message, at_bob)

    def olm() -> float:
        accounts = [vodozemac.Account() for _ in range(starts)]
        for account in accounts:
            account.generate_one_time_keys(1)
        own = vodozemac.Account()
        return timed(lambda: [olm_handshake(own, account) for account in accounts], starts)

    def omemo() -> float:
        storages = [MemoryStorage() for _ in range(2 * starts)]
        devices = [wait(omemo_device(storage)) for storage in storages]

        async def handshakes() -> None:
            for one, other in zip(devices[:starts], devices[starts:], strict=True):
                await omemo_start(one, other)

        return timed(lambda: wait(handshakes()), starts)

    return compare(
        "session start with ML-KEM-768",
        lambda: repeated(start, starts),
        {OLM: (olm, ""), OMEMO: (omemo, ">= 2")},
        rounds=ROUNDS,
    )


def large_rows() -> list[Row]:
    """The largest body to 500 devices, sealing only."""
    with _database() as mine, _database() as olms, _database() as omemos:
        ours, olm, omemo = FanOut(500, mine), OlmFanOut(500, olms), OmemoFanOut(500, omemos)
        return compare(
            "63 KB to 500 devices, sealing",
            lambda: repeated(lambda: ours.seal(LARGEST, ours.rows), 20) / 1e3,
            {
                OLM: (lambda: repeated(lambda: olm.seal(LARGEST), 2) / 1e3, ">= 30"),
                OMEMO: (lambda: repeated(lambda: wait(omemo.seal(LARGEST)), 2) / 1e3, ">= 2"),
            },
            rounds=ROUNDS,
            unit="ms",
        )


def fan_out_rows() -> list[Row]:
    """One message to 5, 50 and 500 devices, in one committed transaction for everybody."""
    result: list[Row] = []
    commits: list[float] = []
    for devices in (5, 50, 500):
        with _database() as mine, _database() as olms, _database() as omemos:
            ours, olm = FanOut(devices, mine), OlmFanOut(devices, olms)
            omemo = OmemoFanOut(devices, omemos)
            result += compare(
                f"fan-out to {devices} devices, durable",
                partial(_durable, ours.write, mine, commits),
                {
                    OLM: (partial(_durable, olm.write, olms), ">= 4" if devices == 500 else ""),
                    OMEMO: (
                        partial(_durable, omemo.write, omemos),
                        ">= 20" if devices == 500 else "",
                    ),
                },
                rounds=ROUNDS,
                unit="ms",
            )
    figures = iter(commits)
    result.append(
        alone("of which our commit", lambda: next(figures), "", rounds=len(commits), unit="ms")
    )
    result.append(alone("raw fdatasync of 4 KiB", _fdatasync, "", rounds=51, unit="ms"))
    return result


def forged_rows() -> list[Row]:
    """The dearest forgery that we found: unknown ratchet key, six sessions, long jump."""
    pair = Pair()
    for _ in range(5):
        other = Pair()
        pair.bob_book = (*pair.bob_book, *other.bob_book)
    genuine = pair.send(WRAP)
    lengths = (9).to_bytes(4, "big") + (1_990).to_bytes(4, "big")
    plain = genuine[:1] + bytes([9]) * 32 + lengths + genuine[41:]
    start, _ = session_book.seal(pair.alice.start(pair.bob), WRAP, pair.to_bob, token_bytes)
    first = start[0].prefix + genuine[:33] + bytes(4) + (1_990).to_bytes(4, "big") + genuine[41:]

    def refuse(message: bytes) -> float:
        before = time.process_time()
        with suppress(RemoteError):
            session_book.open_message(pair.bob_book, message, pair.at_bob)
        return (time.process_time() - before) * 1e3

    return [
        alone("forged message, CPU", lambda: refuse(plain), "<= 20", rounds=25, unit="ms"),
        alone("forged start, CPU", lambda: refuse(first), "<= 20", rounds=25, unit="ms"),
    ]


def _durable(
    write: Callable[[bytes], None],
    database: ApswDeviceDatabase,
    commits: list[float] | None = None,
) -> float:
    """Return the milliseconds of one transaction, and note those of its commit."""
    work = 0.0

    def transact() -> None:
        nonlocal work
        with database.transaction():
            begun = time.perf_counter()
            write(TEXT)
            work = (time.perf_counter() - begun) * 1e3

    total = timed(transact, 1) / 1e3
    if commits is not None:
        commits.append(total - work)
    return total


def _fdatasync() -> float:
    with tempfile.TemporaryFile() as file:
        file.write(bytes(4_096))
        file.flush()
        start = time.perf_counter()
        os.fdatasync(file.fileno())
        return (time.perf_counter() - start) * 1e3


@contextmanager
def _database() -> Iterator[ApswDeviceDatabase]:
    """Open an empty, encrypted device database with its pragmas."""
    with tempfile.TemporaryDirectory() as directory:
        database = ApswDeviceDatabase.open(
            Path(directory) / "bench.db", SecretBytes.generate(32, token_bytes)
        )
        try:
            yield database
        finally:
            database.close()
