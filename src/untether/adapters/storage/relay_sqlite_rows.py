"""The relay's rows in SQLite: one statement or two for each method (spec 08, "Storage")."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Final

import apsw

from untether.adapters.storage.relay_sqlite_mailboxes import SqliteMailboxes
from untether.base.identifiers import AccountId, DeviceAddress, DeviceNumber, SlotId, UnixMillis
from untether.relay.rows import AccountRow, ListRow, PrekeyRow, SlotRow, StatementRow
from untether.wire.codec import decode, encode

_CACHED_ACCOUNTS_MAX: Final = 10_000
"""Some 5 MiB; a submission reads the rows of its sender and of its recipient."""
_PRESENT_BYTES_MAX: Final = 1024  # our own rows: the numbers of one account's devices


class SqliteRelayTransaction(SqliteMailboxes):
    """See the port, :class:`untether.relay.transaction.RelayTransaction`.

    One object serves all transactions of a connection, one after the other. No method
    suspends. Account rows are kept between transactions until :meth:`forget`.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        super().__init__(connection)
        self._accounts: dict[AccountId, AccountRow] = {}

    def forget(self) -> None:
        """See the base: account rows are kept too."""
        super().forget()
        self._accounts.clear()

    # --- accounts and lists ---------------------------------------------------------------
    async def account(self, account_id: AccountId) -> AccountRow | None:
        """See the port."""
        kept = self._accounts.get(account_id)
        if kept is not None:
            return kept
        found = self._row("SELECT * FROM accounts WHERE account_id = ?", (account_id,))
        if found is None:
            return None
        *columns, present = found
        numbers = decode(present, tuple[DeviceNumber, ...], size_max=_PRESENT_BYTES_MAX)
        return self._keep(AccountRow._make((*columns, numbers)))

    def _keep(self, row: AccountRow) -> AccountRow:
        if len(self._accounts) >= _CACHED_ACCOUNTS_MAX:
            self._accounts.clear()
        self._accounts[row.account_id] = row
        return row

    async def account_named(self, name: str) -> AccountId | None:
        """See the port."""
        found = self._row("SELECT account_id FROM accounts WHERE name = ?", (name,))
        return found[0] if found else None

    async def put_account(self, row: AccountRow) -> None:
        """See the port."""
        self._write(
            """INSERT INTO accounts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (account_id) DO UPDATE SET generation = excluded.generation,
            version = excluded.version, list_hash = excluded.list_hash,
            expires_at = excluded.expires_at, primary_device = excluded.primary_device,
            present = excluded.present""",
            (*row[:-1], encode(row.present)),
        )
        self._keep(row)

    async def list_at(self, account_id: AccountId, generation: int, version: int) -> ListRow | None:
        """See the port."""
        found = self._row(
            "SELECT * FROM lists WHERE account_id = ? AND generation = ? AND version = ?",
            (account_id, generation, version),
        )
        return ListRow(*found) if found else None

    async def list_by_hash(self, account_id: AccountId, list_hash: bytes) -> ListRow | None:
        """See the port."""
        found = self._row(
            "SELECT * FROM lists WHERE account_id = ? AND hash = ?", (account_id, list_hash)
        )
        return ListRow(*found) if found else None

    async def lists_after(
        self, account_id: AccountId, generation: int, version: int, limit: int
    ) -> Sequence[ListRow]:
        """See the port."""
        found = self._rows(
            """SELECT * FROM lists WHERE account_id = ? AND (generation, version) > (?, ?)
            ORDER BY generation, version LIMIT ?""",
            (account_id, generation, version, limit),
        )
        return [ListRow(*row) for row in found]

    async def add_list(self, row: ListRow) -> None:
        """See the port."""
        self._write("INSERT INTO lists VALUES (?, ?, ?, ?, ?, ?)", row)

    async def statements(
        self, account_id: AccountId, devices: Collection[DeviceNumber]
    ) -> Sequence[StatementRow]:
        """See the port; an account may have signed thousands, so each is found by its key."""
        found = self._rows(
            """SELECT * FROM statements WHERE account_id = ?
            AND kind IN ('resignation', 'wipe-order')
            AND device IN (SELECT value FROM json_each(?)) ORDER BY kind, device""",
            (account_id, json.dumps(sorted(devices))),
        )
        return [StatementRow(*row) for row in found]

    async def put_statement(self, row: StatementRow) -> None:
        """See the port."""
        self._write("INSERT OR REPLACE INTO statements VALUES (?, ?, ?, ?, ?)", row)

    async def key_owner(self, key: bytes) -> DeviceAddress | None:
        """See the port."""
        found = self._row("SELECT account_id, device FROM device_keys WHERE key = ?", (key,))
        return DeviceAddress(*found) if found else None

    async def put_key_owner(self, key: bytes, address: DeviceAddress) -> None:
        """See the port."""
        self._write("INSERT OR REPLACE INTO device_keys VALUES (?, ?, ?)", (key, *address))

    # --- prekeys --------------------------------------------------------------------------
    async def rotating_prekey(self, address: DeviceAddress) -> PrekeyRow | None:
        """See the port."""
        found = self._row(
            "SELECT * FROM rotating_prekeys WHERE account_id = ? AND device = ?", address
        )
        return PrekeyRow(*found) if found else None

    async def put_rotating_prekey(self, row: PrekeyRow) -> None:
        """See the port."""
        self._write("INSERT OR REPLACE INTO rotating_prekeys VALUES (?, ?, ?, ?, ?, ?)", row)

    async def count_one_time_prekeys(self, address: DeviceAddress) -> int:
        """See the port."""
        return int(
            self._row(
                "SELECT count(*) FROM one_time_prekeys WHERE account_id = ? AND device = ?",
                address,
            )[0]
        )

    async def first_one_time_prekey(self, address: DeviceAddress) -> PrekeyRow | None:
        """See the port."""
        found = self._row(
            """SELECT account_id, device, prekey_id, serial, body, signature
            FROM one_time_prekeys WHERE account_id = ? AND device = ? ORDER BY place LIMIT 1""",
            address,
        )
        return PrekeyRow(*found) if found else None

    async def known_prekey_ids(
        self, address: DeviceAddress, ids: Iterable[bytes]
    ) -> frozenset[bytes]:
        """See the port."""
        asked = """SELECT 1 FROM one_time_prekeys
            WHERE account_id = ?1 AND device = ?2 AND prekey_id = ?3
            UNION ALL SELECT 1 FROM handed_out_prekeys
            WHERE account_id = ?1 AND device = ?2 AND prekey_id = ?3"""
        return frozenset(one for one in ids if self._row(asked, (*address, one)))

    async def add_one_time_prekey(self, row: PrekeyRow) -> None:
        """See the port."""
        self._write(
            """INSERT INTO one_time_prekeys
            (account_id, device, prekey_id, serial, body, signature)
            VALUES (?, ?, ?, ?, ?, ?)""",
            row,
        )

    async def delete_one_time_prekey(
        self, address: DeviceAddress, prekey_id: bytes, handed_out_at: UnixMillis
    ) -> None:
        """See the port."""
        self._write(
            "DELETE FROM one_time_prekeys WHERE account_id = ? AND device = ? AND prekey_id = ?",
            (*address, prekey_id),
        )
        self._write(
            "INSERT INTO handed_out_prekeys VALUES (?, ?, ?, ?)",
            (*address, prekey_id, handed_out_at),
        )

    async def delete_prekeys(self, address: DeviceAddress) -> None:
        """See the port."""
        for sql in (
            "DELETE FROM rotating_prekeys WHERE account_id = ? AND device = ?",
            "DELETE FROM one_time_prekeys WHERE account_id = ? AND device = ?",
            "DELETE FROM handed_out_prekeys WHERE account_id = ? AND device = ?",
            "DELETE FROM claim_limits WHERE account_id = ? AND device = ?",
        ):
            self._write(sql, address)

    async def delete_handed_out_prekeys(self, before: int, limit: int) -> int:
        """See the port."""
        return self._delete(
            """DELETE FROM handed_out_prekeys WHERE (account_id, device, prekey_id) IN (
              SELECT account_id, device, prekey_id
              FROM handed_out_prekeys WHERE handed_out_at < ? LIMIT ?)""",
            (before, limit),
        )

    async def claim_due_at(self, target: DeviceAddress, requester: AccountId) -> int:
        """See the port."""
        found = self._row(
            """SELECT due_at FROM claim_limits
            WHERE account_id = ? AND device = ? AND requester = ?""",
            (*target, requester),
        )
        return int(found[0]) if found else 0

    async def put_claim_due_at(
        self, target: DeviceAddress, requester: AccountId, due_at: int
    ) -> None:
        """See the port."""
        self._write(
            "INSERT OR REPLACE INTO claim_limits VALUES (?, ?, ?, ?)",
            (*target, requester, due_at),
        )

    async def delete_claim_limits(self, due_before: int, limit: int) -> int:
        """See the port."""
        return self._delete(
            """DELETE FROM claim_limits WHERE (account_id, device, requester) IN (
              SELECT account_id, device, requester
              FROM claim_limits WHERE due_at < ? LIMIT ?)""",
            (due_before, limit),
        )

    # --- push endpoints -------------------------------------------------------------------
    async def push_endpoint(self, address: DeviceAddress) -> str | None:
        """See the port."""
        found = self._row(
            "SELECT endpoint FROM push_endpoints WHERE account_id = ? AND device = ?", address
        )
        return found[0] if found else None

    async def put_push_endpoint(self, address: DeviceAddress, endpoint: str) -> None:
        """See the port."""
        self._write("INSERT OR REPLACE INTO push_endpoints VALUES (?, ?, ?)", (*address, endpoint))

    async def delete_push_endpoint(self, address: DeviceAddress) -> None:
        """See the port."""
        self._write("DELETE FROM push_endpoints WHERE account_id = ? AND device = ?", address)

    # --- link slots, invitations, settings ------------------------------------------------
    async def slot(self, slot_id: SlotId) -> SlotRow | None:
        """See the port."""
        found = self._row("SELECT * FROM slots WHERE slot_id = ?", (slot_id,))
        if found is None:
            return None
        _, expires_at, account_id, device = found
        claimed_by = None if account_id is None else DeviceAddress(account_id, device)
        return SlotRow(slot_id, expires_at, claimed_by)

    async def count_slots(self, expiring_after: int) -> int:
        """See the port."""
        return int(
            self._row("SELECT count(*) FROM slots WHERE expires_at > ?", (expiring_after,))[0]
        )

    async def put_slot(self, row: SlotRow) -> None:
        """See the port."""
        self._write(
            """INSERT INTO slots VALUES (?, ?, ?, ?) ON CONFLICT (slot_id) DO UPDATE SET
            account_id = excluded.account_id, device = excluded.device""",
            (row.slot_id, row.expires_at, *(row.claimed_by or (None, None))),
        )

    async def slot_item(self, slot_id: SlotId, index: int) -> bytes | None:
        """See the port."""
        found = self._row(
            "SELECT item FROM slot_items WHERE slot_id = ? AND item_index = ?", (slot_id, index)
        )
        return found[0] if found else None

    async def add_slot_item(self, slot_id: SlotId, index: int, item: bytes) -> None:
        """See the port."""
        self._write("INSERT INTO slot_items VALUES (?, ?, ?)", (slot_id, index, item))

    async def delete_slots(self, expired_before: int, limit: int) -> int:
        """See the port."""
        return self._delete(
            """DELETE FROM slots WHERE slot_id IN (
              SELECT slot_id FROM slots WHERE expires_at < ? LIMIT ?)""",
            (expired_before, limit),
        )

    async def invitation_expires_at(self, code_hash: bytes) -> UnixMillis | None:
        """See the port."""
        found = self._row("SELECT expires_at FROM invitations WHERE code_hash = ?", (code_hash,))
        return found[0] if found else None

    async def add_invitation(self, code_hash: bytes, expires_at: UnixMillis) -> None:
        """See the port."""
        self._write("INSERT INTO invitations VALUES (?, ?)", (code_hash, expires_at))

    async def delete_invitation(self, code_hash: bytes) -> None:
        """See the port."""
        self._write("DELETE FROM invitations WHERE code_hash = ?", (code_hash,))

    async def delete_invitations(self, expired_before: int, limit: int) -> int:
        """See the port."""
        return self._delete(
            """DELETE FROM invitations WHERE code_hash IN (
              SELECT code_hash FROM invitations WHERE expires_at < ? LIMIT ?)""",
            (expired_before, limit),
        )

    async def setting(self, name: str) -> bytes | None:
        """See the port."""
        found = self._row("SELECT value FROM settings WHERE name = ?", (name,))
        return found[0] if found else None

    async def put_setting(self, name: str, value: bytes) -> None:
        """See the port."""
        self._write("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))
