"""The relay's store on SQLite: one file, one process, group commit (spec 08, "Storage").

Theory of operation
-------------------
Waiting decisions are run together, one after the other, in one SQLite transaction, and get
their answers when its commit is on disk. A commit costs a wait for the disk however much it
holds, so the busier the relay, the more decisions share one.

Two threads take turns and never use the connection at once:

- The event loop's thread steps the decisions, since each is a few statements of microseconds.
  Stepping them in another thread would cost milliseconds a statement under load: SQLite lets
  go of the interpreter's lock around every statement, and a busy event loop takes it.
- A committing thread runs ``COMMIT``, waits for the disk, and checkpoints. Meanwhile decisions
  queue up for the next batch.

A decision can't suspend here, since no method of the transaction does; it is stepped to its
end by hand. One that raises having written nothing gets its exception, and the batch goes on.
One that fails after its first write (a defect, decisions check first) undoes the batch, and the
others are run again without it. When SQLite itself fails, the whole batch is told.

Erasure: ``secure_delete`` overwrites what is deleted, and the write-ahead log is emptied when
the relay pauses for a second, and each minute at the latest.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import apsw
from msgspec import Struct

from untether.adapters.storage.relay_sqlite_rows import SqliteRelayTransaction
from untether.base.errors import PlatformError
from untether.base.identifiers import SECOND_MS
from untether.base.limits import (
    DECISIONS_PER_COMMIT_MAX,
    LOG_AGE_MAX_MS,
    LOG_PAUSE_MS,
    RELAY_DATABASE_BUSY_MS,
)
from untether.relay.transaction import RelayTransaction

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_SETTINGS: Final = """
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA secure_delete = ON;
    PRAGMA foreign_keys = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA temp_store = MEMORY;
    PRAGMA cache_size = -65536;
    PRAGMA wal_autocheckpoint = 4000;
"""


class _Job(Struct, eq=False):
    """One waiting decision, and later what became of it."""

    start: Callable[[], Any]
    waiter: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None

    def answer(self) -> None:
        """Wake up whoever waits, unless it has gone."""
        if self.waiter.done():
            return
        if self.error is not None:
            self.waiter.set_exception(self.error)
        else:
            self.waiter.set_result(self.result)


class SqliteRelayStore:
    """See the port, :class:`untether.relay.transaction.RelayStore`."""

    def __init__(
        self, connection: apsw.Connection, on_commit: Callable[[int], object] | None = None
    ) -> None:
        self._connection = connection
        self._on_commit = on_commit
        self._tx = SqliteRelayTransaction(connection)
        self._waiting: deque[_Job] = deque()
        self._committer = ThreadPoolExecutor(1, thread_name_prefix="relay-commit")
        self._is_busy = False
        self._idle = asyncio.Event()
        self._data_version = -1
        self._log_is_dirty = True
        self._log_emptied_at = 0.0
        self._pause: asyncio.TimerHandle | None = None

    @classmethod
    def open(cls, path: Path, on_commit: Callable[[int], object] | None = None) -> SqliteRelayStore:
        """Open or create the database file, mode 0600, and bring its tables up to date.

        ``on_commit`` hears how many decisions each commit made durable.
        """
        try:
            _create_private(path)
            connection = apsw.Connection(str(path), statementcachesize=256)
        except (OSError, apsw.Error) as error:
            raise _platform_error(error) from error
        try:
            connection.set_busy_timeout(RELAY_DATABASE_BUSY_MS)
            connection.execute(_SETTINGS).fetchall()
            _bring_up_to_date(connection)
        except apsw.Error as error:
            connection.close()
            raise _platform_error(error) from error
        except PlatformError:
            connection.close()
            raise
        return cls(connection, on_commit)

    def transact(
        self,
        decision: Callable[Concatenate[RelayTransaction, Parameters], Awaitable[Result]],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> asyncio.Future[Result]:
        """See the port; the decision is queued at the call."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Result] = loop.create_future()
        self._waiting.append(_Job(partial(decision, self._tx, *args, **kwargs), waiter))
        self._schedule(loop)
        return waiter

    async def close(self) -> None:
        """Finish what waits, empty the write-ahead log, close the file."""
        while self._is_busy:
            await self._idle.wait()
        if self._pause is not None:
            self._pause.cancel()
        self._committer.shutdown(wait=True)
        with suppress(apsw.Error):  # on a full disk the log stays, and the next start takes it
            self._empty_log()
        self._connection.close()

    async def checkpoint(self) -> None:
        """Empty the write-ahead log now: nothing deleted before is on disk afterwards."""
        while self._is_busy:
            await self._idle.wait()
        try:
            await asyncio.wrap_future(self._start_checkpoint(asyncio.get_running_loop()))
        except apsw.Error as error:
            raise _platform_error(error) from error

    # --- batches --------------------------------------------------------------------------

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start a batch in the next turn of the loop, so that this turn's frames join it."""
        if not self._is_busy and self._waiting:
            self._take_turn()
            loop.call_soon(self._run_batch, loop)

    def _take_turn(self) -> None:
        self._is_busy = True
        self._idle.clear()

    def _run_batch(self, loop: asyncio.AbstractEventLoop) -> None:
        count = min(len(self._waiting), DECISIONS_PER_COMMIT_MAX)
        jobs = [self._waiting.popleft() for _ in range(count)]
        before = self._tx.writes
        try:
            self._step(jobs)
            self._tx.flush()
        except apsw.Error as error:
            self._undo()
            self._fail(jobs, error)
            self._finish(loop)
            return
        if self._tx.writes == before:
            self._tx.control("COMMIT")  # nothing to make durable
            self._answer(jobs)
            self._finish(loop)
            return
        commit = self._committer.submit(self._tx.control, "COMMIT")
        commit.add_done_callback(
            lambda done: loop.call_soon_threadsafe(self._committed, loop, jobs, done)
        )

    def _step(self, jobs: Iterable[_Job]) -> None:
        """Run decisions in one transaction, again without each that fails after a write."""
        left = list(jobs)
        self._begin()
        position = 0
        while position < len(left):
            job = left[position]
            before = self._tx.writes
            job.error = None
            try:
                job.result = _run_to_end(job.start())
            except Exception as error:
                if isinstance(error, apsw.Error) and not isinstance(error, apsw.ConstraintError):
                    raise  # the disk's failure is everybody's
                job.error = error
                if self._tx.writes != before:
                    left.remove(job)
                    self._undo()
                    self._begin()
                    position = 0
                    continue
            position += 1

    def _begin(self) -> None:
        self._tx.control("BEGIN IMMEDIATE")
        version = self._connection.pragma("data_version")
        if version != self._data_version:
            self._data_version = version
            self._tx.forget()

    def _undo(self) -> None:
        self._tx.forget()
        if self._connection.in_transaction:
            self._tx.control("ROLLBACK")

    def _committed(
        self, loop: asyncio.AbstractEventLoop, jobs: list[_Job], commit: Future[Any]
    ) -> None:
        error = commit.exception()
        if error is None:
            self._log_is_dirty = True
            if self._on_commit is not None:
                self._on_commit(len(jobs))
            self._answer(jobs)
        else:
            self._undo()
            self._fail(jobs, error)
        self._finish(loop)

    @staticmethod
    def _answer(jobs: Iterable[_Job]) -> None:
        for job in jobs:
            job.answer()

    @staticmethod
    def _fail(jobs: Iterable[_Job], error: BaseException) -> None:
        for job in jobs:
            job.error = _platform_error(error)
            job.answer()

    def _finish(self, loop: asyncio.AbstractEventLoop) -> None:
        """Go on with the next batch, or empty the log when it is due."""
        self._is_busy = False
        self._idle.set()
        log_age_ms = (loop.time() - self._log_emptied_at) * SECOND_MS
        if self._log_is_dirty and log_age_ms > LOG_AGE_MAX_MS:
            self._start_checkpoint(loop)
        elif self._waiting:
            self._schedule(loop)
        elif self._log_is_dirty and self._pause is None:
            self._pause = loop.call_later(LOG_PAUSE_MS / SECOND_MS, self._paused, loop)

    # --- emptying the log -----------------------------------------------------------------

    def _paused(self, loop: asyncio.AbstractEventLoop) -> None:
        self._pause = None
        if not self._is_busy:
            self._start_checkpoint(loop)

    def _start_checkpoint(self, loop: asyncio.AbstractEventLoop) -> Future[None]:
        self._take_turn()
        self._log_emptied_at = loop.time()
        done = self._committer.submit(self._empty_log)
        done.add_done_callback(lambda _: loop.call_soon_threadsafe(self._finish, loop))
        return done

    def _empty_log(self) -> None:
        """Move the log into the database and cut it; it stays dirty while others read it."""
        is_read, _, _ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0]
        self._log_is_dirty = bool(is_read)


def _run_to_end(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Step a decision by hand; on this store nothing that it awaits suspends."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    coroutine.close()
    raise RuntimeError("a decision awaited something else than its transaction")


# --- tables ---------------------------------------------------------------------------------


def _create_private(path: Path) -> None:
    """Create a missing file as 0600 before SQLite does; its log takes the same mode.

    An existing file is not opened here: closing it would end the locks that another
    connection of this process holds.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    path.chmod(0o600)


def _bring_up_to_date(connection: apsw.Connection) -> None:
    """Apply the numbered upgrades that are missing, all or none."""
    folder = files("untether.adapters.storage") / "relay_upgrades"
    upgrades = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".sql")),
        key=lambda file: file.name,
    )
    done = int(connection.pragma("user_version"))
    if done > len(upgrades):
        raise PlatformError(
            "database-newer",
            "A newer release of Untether has upgraded this relay's database.",
            "Install that release or a later one.",
        )
    if done == len(upgrades):
        return
    with connection:
        for upgrade in upgrades[done:]:
            connection.execute(upgrade.read_text(encoding="utf-8")).fetchall()
        connection.pragma("user_version", len(upgrades))


def _platform_error(error: BaseException) -> PlatformError:
    code = getattr(error, "extendedresult", None)
    if isinstance(error, apsw.FullError) or code == apsw.SQLITE_IOERR_SHMSIZE:
        return PlatformError(
            "disk-full", "The relay's disk is full; nothing was changed.", "Free some space."
        )
    return PlatformError(
        "relay-storage",
        f"The relay's database can't be used: {error}.",
        "Check the disk and the data directory; no other relay may use it.",
    )
