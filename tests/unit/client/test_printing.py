"""Printing what came: everything once, in order, and nothing lost when printing fails."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.unit.client.scripted_relay import NOW, ScriptedConnector

from untether.adapters.storage.device_sqlite3 import Sqlite3DeviceDatabase
from untether.base.identifiers import AccountId, DeviceNumber, MessageId, UnixMillis
from untether.client import receiving
from untether.client.driver import Driver
from untether.client.people import NamedMessage
from untether.client.receiving import print_unprinted
from untether.device.store import messages
from untether.device.store.messages import Message
from untether.device.store.upgrade import bring_up_to_date, packaged_upgrades

BOB = AccountId(bytes([2]) * 16)


@pytest.fixture
def driver() -> Iterator[Driver]:
    """A device with an empty history."""
    database = Sqlite3DeviceDatabase.open()
    bring_up_to_date(database, packaged_upgrades())
    yield Driver(database, ScriptedConnector(), bytes, clock=lambda: NOW)
    database.close()


def received(driver: Driver, number: int, *, held: bool = False) -> None:
    """Store a message of bob."""
    with driver.writing() as database:
        messages.add(
            database,
            Message(
                message_id=MessageId(number.to_bytes(16, "big")),
                author=BOB,
                author_device=DeviceNumber(0),
                other=BOB,
                outgoing=False,
                text=str(number),
                counter=number,
                sent_at=NOW,
                accepted_at=UnixMillis(NOW + number),
                state="sent",
                devices=0,
                held=held,
            ),
            printed=False,
        )


def show_into(texts: list[str], *, fail_at: str = "") -> receiving.Show:
    """Collect what is shown; one text can't be shown."""

    def show(shown: NamedMessage) -> None:
        if shown.message.text == fail_at:
            raise OSError("disk full")
        texts.append(shown.message.text)

    return show


def test_everything_is_printed_once_in_order(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than a batch comes out whole, and a second time there is nothing."""
    monkeypatch.setattr(receiving, "BATCH_MAX", 3)
    for number in range(7):
        received(driver, number)
    texts: list[str] = []
    assert print_unprinted(driver, show_into(texts)) == 7
    assert texts == ["0", "1", "2", "3", "4", "5", "6"]
    assert print_unprinted(driver, show_into(texts)) == 0


@pytest.mark.parametrize("limit", [1, 3, 4])
def test_a_limit_is_kept(driver: Driver, monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    """What is beyond the limit waits for the next command."""
    monkeypatch.setattr(receiving, "BATCH_MAX", 2)
    for number in range(4):
        received(driver, number)
    texts: list[str] = []
    assert print_unprinted(driver, show_into(texts), limit) == limit
    assert len(texts) == limit
    assert print_unprinted(driver, show_into(texts)) == 4 - limit
    assert texts == ["0", "1", "2", "3"]


def test_what_could_not_be_printed_waits(driver: Driver) -> None:
    """A failure in the middle of a batch: what was shown counts, the rest comes next time."""
    for number in range(4):
        received(driver, number)
    texts: list[str] = []
    with pytest.raises(OSError, match="disk full"):
        print_unprinted(driver, show_into(texts, fail_at="2"))
    assert texts == ["0", "1"]
    print_unprinted(driver, show_into(texts))
    assert texts == ["0", "1", "2", "3"]


def test_held_messages_are_not_printed(driver: Driver) -> None:
    """Mail that waits for its sender's phone is shown to nobody."""
    received(driver, 1, held=True)
    assert print_unprinted(driver, show_into([])) == 0


def test_twin_that_counts_before_it_shows_loses_mail(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Marked first, a message that could not be shown is never shown."""
    received(driver, 1)
    honest = messages.unprinted

    def marked_first(database: Sqlite3DeviceDatabase, limit: int) -> list[Message]:
        found = honest(database, limit)
        messages.mark_printed(database, found)
        return found

    monkeypatch.setattr(messages, "unprinted", marked_first)
    monkeypatch.setattr(driver, "reading", driver.writing)
    with pytest.raises(OSError, match="disk full"):
        print_unprinted(driver, show_into([], fail_at="1"))
    assert print_unprinted(driver, show_into([])) == 0
