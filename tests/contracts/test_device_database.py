"""What the engine may rely on, whichever adapter carries its database (spec 09)."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from tests.browser_parts import MountedFolder

from untether.adapters.browser.sealed_database import SealedDatabase
from untether.adapters.storage.device_apsw import ApswDeviceDatabase
from untether.adapters.storage.device_sqlite3 import Sqlite3DeviceDatabase
from untether.adapters.storage.sqlite_database import SqliteDatabase
from untether.base.errors import PlatformError
from untether.base.secret_bytes import SecretBytes
from untether.device.store.database import DeviceDatabase, SqlValue, row

KEY = SecretBytes(bytes(range(32)))
OTHER_KEY = SecretBytes(bytes(32))
Open = Callable[[Path, int], DeviceDatabase]


def open_apsw(path: Path, busy_ms: int = 5_000) -> DeviceDatabase:
    """Open with pages encrypted."""
    return ApswDeviceDatabase.open(path, KEY, busy_ms=busy_ms)


def open_sqlite3(path: Path, busy_ms: int = 5_000) -> DeviceDatabase:
    """Open without encryption."""
    return Sqlite3DeviceDatabase.open(str(path), busy_ms=busy_ms)


def open_sealed(path: Path, busy_ms: int = 5_000) -> DeviceDatabase:
    """Open as in a browser, whose worker is alone with its files; nothing seals them here."""
    del busy_ms  # nobody to be waited for
    return SealedDatabase.open_in(MountedFolder(path.parent))


OPENERS: dict[str, Open] = {"apsw": open_apsw, "sealed": open_sealed, "sqlite3": open_sqlite3}
several = pytest.mark.parametrize("adapter", ["apsw", "sqlite3"], indirect=True)
"""For what takes a second connection: in a browser there is but one."""
HOLDER = """
import importlib.util, sys, time
from pathlib import Path
spec = importlib.util.spec_from_file_location("contract", sys.argv[1])
contract = importlib.util.module_from_spec(spec)
spec.loader.exec_module(contract)
database = contract.OPENERS[sys.argv[2]](Path(sys.argv[3]), 5_000)
with database.transaction():
    database.run("INSERT INTO notes VALUES (1, 'the other process')")
    print("holding", flush=True)
    time.sleep(0.3)
"""


@pytest.fixture(params=sorted(OPENERS))
def adapter(request: pytest.FixtureRequest) -> str:
    """Name of the adapter under test."""
    return str(request.param)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Path of a database that does not exist yet."""
    return tmp_path / "device.db"


@pytest.fixture
def database(adapter: str, path: Path) -> Iterator[DeviceDatabase]:
    """Return an open database with one table."""
    opened = OPENERS[adapter](path, 5_000)
    opened.script("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;")
    yield opened
    opened.close()


def notes(database: DeviceDatabase) -> list[str]:
    """Return the texts of all notes."""
    return [text for (text,) in database.rows("SELECT text FROM notes ORDER BY id")]


def write(database: DeviceDatabase, text: str) -> None:
    """Add one note."""
    database.run("INSERT INTO notes (text) VALUES (?)", text)


@several
def test_a_committed_transaction_stays(adapter: str, path: Path, database: DeviceDatabase) -> None:
    """What was committed is there for another connection."""
    with database.transaction():
        write(database, "kept")
    again = OPENERS[adapter](path, 5_000)
    assert notes(again) == ["kept"]
    again.close()


def test_a_transaction_that_raises_leaves_nothing(database: DeviceDatabase) -> None:
    """An exception inside undoes everything and comes out unchanged."""
    with pytest.raises(KeyError, match="inside"), database.transaction():
        write(database, "lost")
        raise KeyError("inside")
    assert notes(database) == []
    with database.transaction():
        write(database, "works again")
    assert notes(database) == ["works again"]


@several
def test_a_closed_connection_leaves_nothing_open(
    adapter: str, path: Path, database: DeviceDatabase
) -> None:
    """Closing in the middle of a transaction undoes it."""
    other = OPENERS[adapter](path, 5_000)
    other.script("BEGIN IMMEDIATE")
    write(other, "lost")
    other.close()
    assert notes(database) == []


def test_transactions_do_not_nest(database: DeviceDatabase) -> None:
    """A transaction inside a transaction is a mistake, not a second commit point."""
    with pytest.raises(PlatformError) as refused, database.transaction(), database.transaction():
        pass
    assert refused.value.code == "database-statement"


@several
def test_a_reader_sees_one_state_beside_a_writer(
    adapter: str, path: Path, database: DeviceDatabase
) -> None:
    """A reader waits for no writer, and what is committed meanwhile is seen the next time."""
    write(database, "before")
    reader = OPENERS[adapter](path, 50)
    with database.transaction():
        write(database, "later")
        with reader.reading():
            assert notes(reader) == ["before"]
    with reader.reading():
        assert notes(reader) == ["before", "later"]
        write(database, "in between")
        assert notes(reader) == ["before", "later"]
    reader.close()


def test_a_reader_changes_nothing(database: DeviceDatabase) -> None:
    """A write while reading is refused, whatever method it comes by; later ones are not."""
    insert = "INSERT INTO notes (text) VALUES"
    changes: list[Callable[[], object]] = [
        lambda: database.run(f"{insert} ('no')"),
        lambda: database.many(f"{insert} (?)", [("no",)]),
        lambda: database.script(f"{insert} ('no')"),
    ]
    for change in changes:
        with pytest.raises(PlatformError), database.reading():
            change()
    with pytest.raises(KeyError), database.reading():
        raise KeyError
    with database.transaction():
        write(database, "yes")
    assert notes(database) == ["yes"]


def test_a_savepoint_undoes_only_itself(database: DeviceDatabase) -> None:
    """Nested savepoints undo from the inside, the transaction goes on."""
    with database.transaction():
        write(database, "before")
        with database.savepoint():
            write(database, "kept")
            with pytest.raises(KeyError), database.savepoint():
                write(database, "lost")
                raise KeyError
            write(database, "kept too")
        with pytest.raises(KeyError), database.savepoint():
            write(database, "lost as well")
            with database.savepoint():
                write(database, "released into the lost one")
            raise KeyError
    assert notes(database) == ["before", "kept", "kept too"]


def test_a_script_does_not_commit(database: DeviceDatabase) -> None:
    """Several statements, and semicolons inside texts and triggers, stay in the transaction."""
    with pytest.raises(KeyError), database.transaction():
        database.script(
            """
            -- a comment; with a semicolon
            CREATE TABLE log (text TEXT) STRICT;
            CREATE TRIGGER noted AFTER INSERT ON notes BEGIN
                INSERT INTO log VALUES ('one; two');
                INSERT INTO log VALUES (new.text);
            END;
            INSERT INTO notes (text) VALUES ('a;b') -- the last one needs no semicolon
            """
        )
        assert database.rows("SELECT text FROM log ORDER BY text") == [("a;b",), ("one; two",)]
        raise KeyError
    assert notes(database) == []
    assert database.rows("SELECT name FROM sqlite_schema WHERE name = 'log'") == []


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"\x00\xff blob",
        "",
        "text with \x00 and ö 😀",
        0,
        -(2**63),
        2**63 - 1,
        1.5,
        SecretBytes(b"seed"),
    ],
)
def test_values_come_back_as_they_went(database: DeviceDatabase, value: SqlValue) -> None:
    """Each kind of value survives, and a blob comes back as plain bytes."""
    database.script("CREATE TABLE kept (value ANY) STRICT")
    database.run("INSERT INTO kept VALUES (?)", value)
    ((found,),) = database.rows("SELECT value FROM kept")
    assert found == value
    assert type(found) is (bytes if isinstance(value, bytes) else type(value))


def test_run_counts_its_own_rows(database: DeviceDatabase) -> None:
    """The count is of this statement: not of an earlier one, a trigger or a cascade."""
    database.script(
        """
        CREATE TABLE parts (note INTEGER REFERENCES notes ON DELETE CASCADE) STRICT;
        INSERT INTO notes (id, text) VALUES (1, 'a'), (2, 'b'), (3, 'c');
        INSERT INTO parts VALUES (1), (1), (1);
        """
    )
    assert database.run("UPDATE notes SET text = 'x' WHERE id < 3") == 2
    assert database.run("UPDATE notes SET text = 'x' WHERE id > 3") == 0
    assert database.run("CREATE TABLE other (id INTEGER) STRICT") == 0
    assert database.run("WITH old(i) AS (SELECT 1) DELETE FROM notes WHERE id IN old") == 1
    assert database.rows("SELECT count(*) FROM parts") == [(0,)]


def test_many_runs_once_for_each_row(database: DeviceDatabase) -> None:
    """An iterator of parameters is enough."""
    database.many("INSERT INTO notes VALUES (?, ?)", ((i, str(i)) for i in range(3)))
    assert notes(database) == ["0", "1", "2"]


def test_row_takes_the_first_or_none(database: DeviceDatabase) -> None:
    """The helper answers with one row or None."""
    assert row(database, "SELECT text FROM notes WHERE id = ?", 1) is None
    write(database, "first")
    assert row(database, "SELECT text FROM notes WHERE id = ?", 1) == ("first",)


@pytest.mark.parametrize(
    ("sql", "parameters"),
    [
        ("SELEC 1", ()),
        ("SELECT * FROM nowhere", ()),
        ("INSERT INTO notes VALUES (?, ?)", (1, None)),
        ("INSERT INTO notes VALUES (?, ?)", (1, b"a blob in a text column")),
        ("INSERT INTO notes VALUES (?, ?)", (1,)),
    ],
)
def test_a_wrong_statement_is_our_defect(
    database: DeviceDatabase, sql: str, parameters: tuple[SqlValue, ...]
) -> None:
    """Syntax, constraint and binding mistakes carry one code, and end the transaction."""
    for call in (database.run, database.rows):
        with pytest.raises(PlatformError) as refused, database.transaction():
            write(database, "before")
            call(sql, *parameters)
        assert refused.value.code == "database-statement"
        assert refused.value.hint
    assert notes(database) == []


def test_wrong_statements_in_many_and_script(database: DeviceDatabase) -> None:
    """The other two methods speak of mistakes alike."""
    with pytest.raises(PlatformError, match="refused a statement"):
        database.many("INSERT INTO notes VALUES (?, ?)", [(1, "a"), (1, "b")])
    with pytest.raises(PlatformError, match="refused a statement"):
        database.script("INSERT INTO notes VALUES (7, 'a'); SELECT 'no end")


def test_foreign_keys_hold(database: DeviceDatabase) -> None:
    """References are enforced."""
    database.script("CREATE TABLE parts (note INTEGER NOT NULL REFERENCES notes) STRICT")
    with pytest.raises(PlatformError) as refused:
        database.run("INSERT INTO parts VALUES (99)")
    assert refused.value.code == "database-statement"


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("secure_delete", 1),
        ("foreign_keys", 1),
        ("trusted_schema", 0),
        ("temp_store", 2),
    ],
)
def test_settings(database: DeviceDatabase, setting: str, value: int | str) -> None:
    """Durable before answered; deleted means overwritten; nothing temporary on the disk."""
    assert database.rows(f"PRAGMA {setting}") == [(value,)]


@several
def test_a_second_process_waits(adapter: str, path: Path, database: DeviceDatabase) -> None:
    """BEGIN IMMEDIATE of two processes: one waits, none fails, both are there."""
    other = subprocess.Popen(
        [sys.executable, "-c", HOLDER, __file__, adapter, str(path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "holding\n"
    started = time.monotonic()
    with database.transaction():
        write(database, "this process")
    assert time.monotonic() - started > 0.1
    assert other.wait(10) == 0
    other.stdout.close()
    assert notes(database) == ["the other process", "this process"]


@several
def test_waiting_ends(adapter: str, path: Path, database: DeviceDatabase) -> None:
    """A writer that never ends is named, and the reader beside it is not disturbed."""
    impatient = OPENERS[adapter](path, 50)
    with database.transaction():
        write(database, "mine")
        with pytest.raises(PlatformError) as locked, impatient.transaction():
            pass
        assert notes(impatient) == []
    assert locked.value.code == "database-locked"
    assert locked.value.hint
    impatient.close()


def fill(database: DeviceDatabase) -> None:
    """Write far more than a few pages can hold."""
    with database.transaction():
        for _ in range(200):
            with database.savepoint():
                write(database, "x" * 4_000)


def test_a_full_disk_undoes_the_transaction(database: DeviceDatabase) -> None:
    """SQLite ends the transaction by itself; the error says so and nothing is half done."""
    write(database, "before")
    database.script("PRAGMA max_page_count = 20")
    with pytest.raises(PlatformError) as full:
        fill(database)
    assert full.value.code == "disk-full"
    assert full.value.hint
    assert notes(database) == ["before"]


def pass_over_a_full_disk(database: DeviceDatabase) -> str:
    """Write on after the disk was full, as a careless caller might; return the error's code."""
    write(database, "before")
    database.script("PRAGMA max_page_count = 20")
    with pytest.raises(PlatformError) as failed, database.transaction():
        with suppress(PlatformError):
            for _ in range(200):
                write(database, "x" * 4_000)
        with suppress(PlatformError), database.savepoint():
            write(database, "half")
        write(database, "another half")
    return failed.value.code


def test_a_failure_that_is_passed_over_leaves_nothing(database: DeviceDatabase) -> None:
    """Whoever catches the error can't commit what comes after it; the next transaction can."""
    assert pass_over_a_full_disk(database) == "disk-full"
    assert notes(database) == ["before"]
    with database.transaction():
        write(database, "after")
    assert notes(database) == ["before", "after"]


def test_twin_that_forgets_a_failure_commits_a_half(
    database: DeviceDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Switched off: SQLite has ended the transaction, and each later statement stands alone."""
    forgotten = property(lambda _: None, lambda _, __: None)
    monkeypatch.setattr(SqliteDatabase, "_failure", forgotten)
    assert pass_over_a_full_disk(database) == "database-statement"
    assert notes(database) == ["before", "half", "another half"]


def test_a_damaged_page_is_noticed(adapter: str, path: Path, database: DeviceDatabase) -> None:
    """Garbage in the middle of the file is named as damage, not read as data."""
    fill(database)
    database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    content = bytearray(path.read_bytes())
    for page in range(4096, len(content), 4096):
        content[page : page + 100] = b"\x5a" * 100
    path.write_bytes(content)
    with (
        pytest.raises(PlatformError) as damaged,
        closing(OPENERS[adapter](path, 5_000)) as again,
    ):
        notes(again)
    assert damaged.value.code == "database-corrupt"
    assert damaged.value.hint


def test_a_file_that_is_no_database(adapter: str, path: Path) -> None:
    """An encrypted database can't be told from a foreign file; an open one can."""
    path.write_bytes(b"this is a text, not a database. " * 1_000)
    with pytest.raises(PlatformError) as refused:
        OPENERS[adapter](path, 5_000)
    expected = "database-key-wrong" if adapter == "apsw" else "database-corrupt"
    assert refused.value.code == expected


def test_a_path_that_can_not_be_opened(adapter: str, tmp_path: Path) -> None:
    """A missing directory is a failure of the platform, with a next step."""
    with pytest.raises(PlatformError) as refused:
        OPENERS[adapter](tmp_path / "missing" / "device.db", 5_000)
    assert refused.value.code == "io-error"
    assert refused.value.hint


class TestEncryption:
    """What only the native adapter promises."""

    SECRET = "the plans of alice and bob"

    def test_nothing_readable_reaches_the_disk(self, path: Path) -> None:
        """Neither header, text, schema nor key appear in the database or its log."""
        database = open_apsw(path)
        database.script("CREATE TABLE diary (text TEXT) STRICT")
        database.run("INSERT INTO diary VALUES (?)", self.SECRET)
        log = path.with_name("device.db-wal").read_bytes()
        database.rows("PRAGMA wal_checkpoint(FULL)")
        for content in (log, path.read_bytes()):
            assert content
            for readable in (b"SQLite format 3", self.SECRET.encode(), b"diary", KEY, b"CREATE"):
                assert readable not in content
        database.close()

    def test_without_encryption_this_check_would_fail(self, path: Path) -> None:
        """The twin: the same search finds everything in an unencrypted file."""
        database = open_sqlite3(path)
        database.script("CREATE TABLE diary (text TEXT) STRICT")
        database.run("INSERT INTO diary VALUES (?)", self.SECRET)
        database.close()
        content = path.read_bytes()
        assert b"SQLite format 3" in content
        assert self.SECRET.encode() in content

    def test_another_key_opens_nothing(self, path: Path) -> None:
        """A wrong key is named at opening, and leaves the file as it was."""
        database = open_apsw(path)
        database.script("CREATE TABLE diary (text TEXT) STRICT")
        database.close()
        before = path.read_bytes()
        with pytest.raises(PlatformError) as refused:
            ApswDeviceDatabase.open(path, OTHER_KEY)
        assert refused.value.code == "database-key-wrong"
        assert path.read_bytes() == before

    def test_a_short_key_never_becomes_a_passphrase(self, path: Path) -> None:
        """The cipher would quietly take it for a passphrase."""
        with pytest.raises(ValueError, match="32 bytes"):
            ApswDeviceDatabase.open(path, SecretBytes(b"short"))
        assert not path.exists()

    def test_a_single_changed_bit_is_noticed(self, path: Path) -> None:
        """Pages are authenticated: even a bit inside a text is not read as text."""
        database = open_apsw(path)
        database.script("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT) STRICT")
        fill(database)
        database.close()
        content = bytearray(path.read_bytes())
        content[4096 * 100 + 2000] ^= 1
        path.write_bytes(content)
        again = open_apsw(path)
        with pytest.raises(PlatformError) as damaged:
            notes(again)
        again.close()
        assert damaged.value.code == "database-corrupt"

    def test_each_changed_byte_of_a_first_page_is_noticed(self, path: Path) -> None:
        """Also the readable bytes of the header, and the tag at the end of the page."""
        database = open_apsw(path)
        database.script("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT) STRICT")
        database.close()
        good = path.read_bytes()
        for position in [*range(64), *range(4096 - 40, 4096)]:
            content = bytearray(good)
            content[position] ^= 0x10
            path.write_bytes(content)
            with pytest.raises(PlatformError):
                open_apsw(path)

    def test_files_belong_to_the_owner_alone(self, path: Path) -> None:
        """Database, log and index are 0600 although the process would let others read."""
        path.touch(mode=0o644)
        database = open_apsw(path)
        database.script("CREATE TABLE diary (text TEXT) STRICT")
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
        database.close()
        assert modes == {"device.db": 0o600, "device.db-wal": 0o600, "device.db-shm": 0o600}


def test_the_memory_database_is_private_to_its_connection() -> None:
    """Two databases in memory share nothing."""
    first, second = Sqlite3DeviceDatabase.open(), Sqlite3DeviceDatabase.open()
    first.script("CREATE TABLE notes (id INTEGER) STRICT")
    assert second.rows("SELECT name FROM sqlite_schema") == []
    first.close()
    second.close()
