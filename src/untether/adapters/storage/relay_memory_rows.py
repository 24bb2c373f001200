"""The relay's rows in memory: each method of the port on partitions (spec 08, "Storage")."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice
from typing import Final, NamedTuple

from untether.adapters.storage.relay_memory_partitions import PartitionedTransaction
from untether.base.identifiers import AccountId, DeviceAddress, DeviceNumber, SlotId, UnixMillis
from untether.relay.rows import (
    AccountRow,
    DeviceRow,
    EntryRow,
    ListRow,
    PrekeyRow,
    RemovedEntries,
    SenderLoad,
    SlotRow,
    StatementRow,
    StoredEntry,
    SubmissionKey,
)

_ONLY: Final = "only row"


class StoredBody(NamedTuple):
    """A body and how many entries name it."""

    body: bytes
    references: int


class MemoryRelayTransaction(PartitionedTransaction):
    """See the port, :class:`untether.relay.transaction.RelayTransaction`."""

    # --- accounts and lists ---------------------------------------------------------------
    async def account(self, account_id: AccountId) -> AccountRow | None:
        """See the port."""
        return (await self._rows("account", account_id)).get(_ONLY)

    async def account_named(self, name: str) -> AccountId | None:
        """See the port."""
        return (await self._rows("name", name)).get(_ONLY)

    async def put_account(self, row: AccountRow) -> None:
        """See the port."""
        (await self._writable("account", row.account_id))[_ONLY] = row
        (await self._writable("name", row.name))[_ONLY] = row.account_id

    async def list_at(self, account_id: AccountId, generation: int, version: int) -> ListRow | None:
        """See the port."""
        return (await self._rows("lists", account_id)).get((generation, version))

    async def list_by_hash(self, account_id: AccountId, list_hash: bytes) -> ListRow | None:
        """See the port."""
        rows: Iterable[ListRow] = (await self._rows("lists", account_id)).values()
        return next((row for row in rows if row.hash == list_hash), None)

    async def lists_after(
        self, account_id: AccountId, generation: int, version: int, limit: int
    ) -> Sequence[ListRow]:
        """See the port."""
        rows = await self._rows("lists", account_id)
        places = sorted(place for place in rows if place > (generation, version))
        return [rows[place] for place in places[:limit]]

    async def add_list(self, row: ListRow) -> None:
        """See the port."""
        rows = await self._writable("lists", row.account_id)
        rows[row.generation, row.version] = row

    async def statements(
        self, account_id: AccountId, devices: Collection[DeviceNumber]
    ) -> Sequence[StatementRow]:
        """See the port."""
        rows = await self._rows("statements", account_id)
        return [rows[key] for key in sorted(rows) if key[1] in devices]

    async def put_statement(self, row: StatementRow) -> None:
        """See the port."""
        (await self._writable("statements", row.account_id))[row.kind, row.device] = row

    async def key_owner(self, key: bytes) -> DeviceAddress | None:
        """See the port."""
        return (await self._rows("device key", key)).get(_ONLY)

    async def put_key_owner(self, key: bytes, address: DeviceAddress) -> None:
        """See the port."""
        (await self._writable("device key", key))[_ONLY] = address

    # --- devices and mailboxes ------------------------------------------------------------
    async def device(self, address: DeviceAddress) -> DeviceRow | None:
        """See the port."""
        return (await self._rows("devices", address.account_id)).get(address.device)

    async def devices(self, account_id: AccountId) -> Sequence[DeviceRow]:
        """See the port."""
        rows = await self._rows("devices", account_id)
        return [rows[device] for device in sorted(rows)]

    async def devices_after(self, address: DeviceAddress | None, limit: int) -> Sequence[DeviceRow]:
        """See the port."""
        found: list[DeviceRow] = []
        for partition in await self._partitions("devices"):
            rows = self._peek(partition)
            found += [rows[device] for device in sorted(rows)]
        return [row for row in found if address is None or row.address > address][:limit]

    async def put_device(self, row: DeviceRow) -> None:
        """See the port."""
        (await self._writable("devices", row.account_id))[row.device] = row

    async def delete_device(self, address: DeviceAddress) -> None:
        """See the port."""
        (await self._writable("devices", address.account_id)).pop(address.device, None)

    async def add_entry(self, row: EntryRow) -> None:
        """See the port."""
        (await self._writable("entries", row.account_id, row.device))[row.number] = row

    async def entries(
        self, address: DeviceAddress, after: int, *, count_max: int, bytes_max: int
    ) -> Sequence[StoredEntry]:
        """See the port."""
        rows = await self._rows("entries", *address)
        found: list[StoredEntry] = []
        for number in islice((number for number in sorted(rows) if number > after), count_max):
            row: EntryRow = rows[number]
            bytes_max -= row.size
            if bytes_max < 0 and found:
                break
            found.append(StoredEntry(row, await self._body(row)))
        return found

    async def _body(self, row: EntryRow) -> bytes | None:
        if row.body_id is None:
            return None
        stored: StoredBody = (await self._rows("body", row.body_id))[_ONLY]
        return stored.body

    async def count_entries(self, address: DeviceAddress, up_to: int) -> int:
        """See the port."""
        return sum(number <= up_to for number in await self._rows("entries", *address))

    async def delete_entries(self, address: DeviceAddress, up_to: int) -> RemovedEntries:
        """See the port."""
        rows = await self._writable("entries", *address)
        removed: list[EntryRow] = [rows.pop(number) for number in sorted(rows) if number <= up_to]
        bodies: dict[int, int] = {}
        for row in removed:
            if row.body_id is not None:
                bodies[row.body_id] = bodies.get(row.body_id, 0) + 1
        return RemovedEntries(len(removed), sum(row.size for row in removed), bodies)

    async def last_entry_before(
        self, address: DeviceAddress, accepted_before: int, limit: int
    ) -> int:
        """See the port."""
        rows = await self._rows("entries", *address)
        last = 0
        for number in sorted(rows)[:limit]:
            if rows[number].accepted_at >= accepted_before:
                break
            last = number
        return last

    async def sender_load(self, address: DeviceAddress, sender: AccountId) -> SenderLoad:
        """See the port."""
        rows = (await self._rows("entries", *address)).values()
        sizes = [row.size for row in rows if row.sender == sender]
        return SenderLoad(len(sizes), sum(sizes))

    async def add_body(self, body: bytes, references: int) -> int:
        """See the port."""
        body_id = next(self._body_ids)
        (await self._writable("body", body_id))[_ONLY] = StoredBody(body, references)
        return body_id

    async def release_bodies(self, references: Mapping[int, int]) -> None:
        """See the port."""
        for body_id, released in references.items():
            rows = await self._writable("body", body_id)
            stored: StoredBody = rows.pop(_ONLY)
            if stored.references > released:
                rows[_ONLY] = stored._replace(references=stored.references - released)

    async def submission(self, key: SubmissionKey) -> UnixMillis | None:
        """See the port."""
        return (await self._rows("submissions", key.account_id)).get(key)

    async def add_submission(self, key: SubmissionKey, accepted_at: UnixMillis) -> None:
        """See the port."""
        (await self._writable("submissions", key.account_id))[key] = accepted_at

    async def delete_submissions(self, accepted_before: int, limit: int) -> int:
        """See the port."""
        return len(
            await self._delete_where("submissions", lambda at: bool(at < accepted_before), limit)
        )

    # --- prekeys --------------------------------------------------------------------------
    async def rotating_prekey(self, address: DeviceAddress) -> PrekeyRow | None:
        """See the port."""
        return (await self._rows("rotating prekey", *address)).get(_ONLY)

    async def put_rotating_prekey(self, row: PrekeyRow) -> None:
        """See the port."""
        (await self._writable("rotating prekey", row.account_id, row.device))[_ONLY] = row

    async def count_one_time_prekeys(self, address: DeviceAddress) -> int:
        """See the port."""
        return len(await self._rows("one-time prekeys", *address))

    async def first_one_time_prekey(self, address: DeviceAddress) -> PrekeyRow | None:
        """See the port."""
        return next(iter((await self._rows("one-time prekeys", *address)).values()), None)

    async def known_prekey_ids(
        self, address: DeviceAddress, ids: Iterable[bytes]
    ) -> frozenset[bytes]:
        """See the port."""
        stock = await self._rows("one-time prekeys", *address)
        handed_out = await self._rows("handed-out prekeys", *address)
        return frozenset(one for one in ids if one in stock or one in handed_out)

    async def add_one_time_prekey(self, row: PrekeyRow) -> None:
        """See the port."""
        rows = await self._writable("one-time prekeys", row.account_id, row.device)
        rows[row.prekey_id] = row

    async def delete_one_time_prekey(
        self, address: DeviceAddress, prekey_id: bytes, handed_out_at: UnixMillis
    ) -> None:
        """See the port."""
        del (await self._writable("one-time prekeys", *address))[prekey_id]
        (await self._writable("handed-out prekeys", *address))[prekey_id] = handed_out_at

    async def delete_prekeys(self, address: DeviceAddress) -> None:
        """See the port."""
        for noun in ("rotating prekey", "one-time prekeys", "handed-out prekeys", "claims"):
            (await self._writable(noun, *address)).clear()

    async def delete_handed_out_prekeys(self, before: int, limit: int) -> int:
        """See the port."""
        return len(
            await self._delete_where("handed-out prekeys", lambda at: bool(at < before), limit)
        )

    async def claim_due_at(self, target: DeviceAddress, requester: AccountId) -> int:
        """See the port."""
        due_at: int = (await self._rows("claims", *target)).get(requester, 0)
        return due_at

    async def put_claim_due_at(
        self, target: DeviceAddress, requester: AccountId, due_at: int
    ) -> None:
        """See the port."""
        (await self._writable("claims", *target))[requester] = due_at

    async def delete_claim_limits(self, due_before: int, limit: int) -> int:
        """See the port."""
        return len(await self._delete_where("claims", lambda at: bool(at < due_before), limit))

    # --- push endpoints -------------------------------------------------------------------
    async def push_endpoint(self, address: DeviceAddress) -> str | None:
        """See the port."""
        return (await self._rows("push endpoint", *address)).get(_ONLY)

    async def put_push_endpoint(self, address: DeviceAddress, endpoint: str) -> None:
        """See the port."""
        (await self._writable("push endpoint", *address))[_ONLY] = endpoint

    async def delete_push_endpoint(self, address: DeviceAddress) -> None:
        """See the port."""
        (await self._writable("push endpoint", *address)).clear()

    # --- link slots, invitations, settings ------------------------------------------------
    async def slot(self, slot_id: SlotId) -> SlotRow | None:
        """See the port."""
        return (await self._rows("slots")).get(slot_id)

    async def count_slots(self, expiring_after: int) -> int:
        """See the port."""
        rows = await self._rows("slots")
        return sum(row.expires_at > expiring_after for row in rows.values())

    async def put_slot(self, row: SlotRow) -> None:
        """See the port."""
        (await self._writable("slots"))[row.slot_id] = row

    async def slot_item(self, slot_id: SlotId, index: int) -> bytes | None:
        """See the port."""
        return (await self._rows("slot items", slot_id)).get(index)

    async def add_slot_item(self, slot_id: SlotId, index: int, item: bytes) -> None:
        """See the port."""
        (await self._writable("slot items", slot_id))[index] = item

    async def delete_slots(self, expired_before: int, limit: int) -> int:
        """See the port."""
        deleted = await self._delete_where(
            "slots", lambda row: bool(row.expires_at < expired_before), limit
        )
        for slot_id in deleted:
            (await self._writable("slot items", slot_id)).clear()
        return len(deleted)

    async def invitation_expires_at(self, code_hash: bytes) -> UnixMillis | None:
        """See the port."""
        return (await self._rows("invitation", code_hash)).get(_ONLY)

    async def add_invitation(self, code_hash: bytes, expires_at: UnixMillis) -> None:
        """See the port."""
        (await self._writable("invitation", code_hash))[_ONLY] = expires_at

    async def delete_invitation(self, code_hash: bytes) -> None:
        """See the port."""
        (await self._writable("invitation", code_hash)).clear()

    async def delete_invitations(self, expired_before: int, limit: int) -> int:
        """See the port."""
        return len(
            await self._delete_where("invitation", lambda at: bool(at < expired_before), limit)
        )

    async def setting(self, name: str) -> bytes | None:
        """See the port."""
        return (await self._rows("setting", name)).get(_ONLY)

    async def put_setting(self, name: str, value: bytes) -> None:
        """See the port."""
        (await self._writable("setting", name))[_ONLY] = value
