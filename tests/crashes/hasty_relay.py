"""Twin of a relay process: it answers before it commits, and then takes its time."""

from __future__ import annotations

import sys
import threading
import time

from untether.adapters.storage.relay_sqlite import SqliteRelayStore
from untether.adapters.storage.relay_sqlite_mailboxes import SqliteStatements
from untether.cli.main import main

_step = SqliteRelayStore._step
_control = SqliteStatements.control


def _answer_at_once(store: SqliteRelayStore, jobs: list[object]) -> None:
    _step(store, jobs)  # type: ignore[arg-type]
    store._answer(jobs)  # type: ignore[arg-type]


def _commit_late(statements: SqliteStatements, sql: str) -> None:
    if sql == "COMMIT" and threading.current_thread() is not threading.main_thread():
        time.sleep(0.05)  # only where something was written
    _control(statements, sql)


if __name__ == "__main__":
    SqliteRelayStore._step = _answer_at_once  # type: ignore[assignment, method-assign]
    SqliteStatements.control = _commit_late  # type: ignore[assignment, method-assign]
    sys.exit(main(sys.argv[1:]))
