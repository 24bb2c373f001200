"""What the world knows of a relay, fact by fact, and whether its database agrees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apsw
from tests.crashes.disks import Disk, mounted
from tests.crashes.relay_run import DATABASE, Acknowledged, Answered, Pushed

from untether.adapters.storage.relay_sqlite import SqliteRelayStore
from untether.base.identifiers import DeviceAddress, MessageId
from untether.base.limits import LIST_BODY_MAX
from untether.protocol.pairwise.prekeys import PublicPrekeyPair
from untether.wire import codec
from untether.wire.server_frames import Bundles, Submitted


class RelayLedger:
    """What the world knows of the relay, fact by fact, and whether an image agrees."""

    def __init__(self, targets: dict[MessageId, tuple[DeviceAddress, ...]]) -> None:
        self._targets = targets
        self.answered: set[MessageId] = set()
        self._waiting: dict[DeviceAddress, set[MessageId]] = {}
        self._pushed: dict[DeviceAddress, dict[int, MessageId]] = {}
        self._confirmed: dict[DeviceAddress, int] = {}
        self._handed_out: set[bytes] = set()

    def learn(self, fact: Answered | Pushed | Acknowledged) -> None:
        """Take in one fact."""
        match fact:
            case Answered(Submitted(message_id)):
                for address in self._targets[message_id]:  # a note to a single device has none
                    self.answered.add(message_id)
                    self._waiting.setdefault(address, set()).add(message_id)
            case Answered(Bundles(bundles)):
                self._handed_out |= {
                    codec.decode(one.one_time.body, PublicPrekeyPair, size_max=LIST_BODY_MAX).id
                    for one in bundles
                    if one.one_time is not None
                }
            case Pushed(address, entries):
                self._pushed.setdefault(address, {}).update(entries)
            case Acknowledged(address, number, confirmed):
                gone = {id_ for at, id_ in self._pushed[address].items() if at <= number}
                self._waiting.setdefault(address, set()).difference_update(gone)
                if confirmed:
                    self._confirmed[address] = number

    def check(self, folder: Path) -> None:
        """Start a relay on an image; raises AssertionError where it contradicts the facts."""
        with mounted(Disk(folder)):
            store = SqliteRelayStore.open(folder / DATABASE)
            try:
                self.compare(store._connection)
            finally:
                store._committer.shutdown()
                store._connection.close()

    def compare(self, database: apsw.Connection) -> None:
        """Compare an open database; raises AssertionError where it contradicts the facts."""

        def rows(sql: str) -> list[Any]:
            return database.execute(sql).fetchall()

        assert rows("PRAGMA integrity_check") == [("ok",)]
        assert rows("PRAGMA foreign_key_check") == []
        entries: dict[DeviceAddress, dict[int, MessageId]] = {}
        for account, device, number, message_id in rows(
            "SELECT account_id, device, number, message_id FROM entries"
        ):
            entries.setdefault(DeviceAddress(account, device), {})[number] = message_id
        known = {row[0] for row in rows("SELECT message_id FROM submissions")}
        assert self.answered <= known, "an answered submission is not remembered"
        for address, waiting in self._waiting.items():
            assert waiting <= set(entries.get(address, {}).values()), "an answered message is lost"
        for address, found in entries.items():
            assert len(set(found.values())) == len(found), "a message is there twice"
            assert min(found) > self._confirmed.get(address, 0), "acknowledged mail is back"
            pushed = self._pushed.get(address, {})
            assert all(pushed.get(at, id_) == id_ for at, id_ in found.items()), "a stamp is reused"
        self._compare_counts(rows)
        stock = {row[0] for row in rows("SELECT prekey_id FROM one_time_prekeys")}
        remembered = {row[0] for row in rows("SELECT prekey_id FROM handed_out_prekeys")}
        assert not self._handed_out & stock, "a prekey that was handed out is in stock"
        assert self._handed_out <= remembered

    def _compare_counts(self, rows: Any) -> None:
        counted = rows(
            """SELECT devices.entries, devices.bytes, count(number), coalesce(sum(size), 0),
            last_number, coalesce(max(number), 0), account_id, device
            FROM devices LEFT JOIN entries USING (account_id, device) GROUP BY account_id, device"""
        )
        for entries, size, count, total, last, highest, account, device in counted:
            pushed = self._pushed.get(DeviceAddress(account, device), {})
            assert (entries, size) == (count, total), "a mailbox is miscounted"
            assert last >= max(highest, *pushed, 0), "a stamp would be given again"
        assert not rows(
            """SELECT 1 FROM bodies LEFT JOIN entries USING (body_id) GROUP BY body_id
            HAVING count(number) <> reference_count"""
        ), "a body has another number of references"
