"""The storage port of the relay: rows and what can be done to them (spec 08, "Storage").

Theory of operation
-------------------
Every decision of the relay is a coroutine ``async def decide(tx, …)`` that reads and writes
rows through :class:`RelayTransaction`, and a store runs it as one transaction by
``await store.transact(decide, …)``. The rules stand in the decisions and exist once; a store
holds rows and knows none of the rules. What a store promises:

- **Isolation.** A decision sees the rows as if it ran alone.
- **Durability before the answer.** ``transact`` returns after the commit is on disk.
- **All or nothing.** A decision that raises leaves no trace, and harms no other decision
  even when a store commits many together.
- **It may run a decision again** from its start, when another one came in between or a
  neighbour in the same commit failed. So decisions have no effect but their rows and their
  result, and they *check first and write afterwards*: a refusal then has nothing to undo.

Rows of an account have keys that start with its id, so that accounts can be spread over
databases. The exceptions are few and small: names, device keys, bodies, invitations, link
slots and the settings of the relay itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Concatenate, ParamSpec, Protocol, TypeVar

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

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class RelayTransaction(Protocol):
    """Rows of one transaction. ``put`` writes over, ``add`` writes a new row."""

    # --- accounts and lists ---------------------------------------------------------------
    async def account(self, account_id: AccountId) -> AccountRow | None:
        """Return the account row."""
        ...

    async def account_named(self, name: str) -> AccountId | None:
        """Return the account that a name was given to."""
        ...

    async def put_account(self, row: AccountRow) -> None:
        """Write an account row; its name is unique and never changes."""
        ...

    async def list_at(self, account_id: AccountId, generation: int, version: int) -> ListRow | None:
        """Return one list."""
        ...

    async def list_by_hash(self, account_id: AccountId, list_hash: bytes) -> ListRow | None:
        """Return the list that a hash names."""
        ...

    async def lists_after(
        self, account_id: AccountId, generation: int, version: int, limit: int
    ) -> Sequence[ListRow]:
        """Return up to ``limit`` lists behind (generation, version), ascending."""
        ...

    async def add_list(self, row: ListRow) -> None:
        """Write a list."""
        ...

    async def statements(
        self, account_id: AccountId, devices: Collection[DeviceNumber]
    ) -> Sequence[StatementRow]:
        """Return the resignations and wipe orders of some devices, ascending by kind and device."""
        ...

    async def put_statement(self, row: StatementRow) -> None:
        """Write a resignation or wipe order."""
        ...

    async def key_owner(self, key: bytes) -> DeviceAddress | None:
        """Return the device that a public device key was first listed for."""
        ...

    async def put_key_owner(self, key: bytes, address: DeviceAddress) -> None:
        """Remember for ever whose key it is."""
        ...

    # --- devices and mailboxes ------------------------------------------------------------
    async def device(self, address: DeviceAddress) -> DeviceRow | None:
        """Return a device's row."""
        ...

    async def devices(self, account_id: AccountId) -> Sequence[DeviceRow]:
        """Return the rows of all devices of an account, ascending."""
        ...

    async def devices_after(self, address: DeviceAddress | None, limit: int) -> Sequence[DeviceRow]:
        """Return rows of all accounts in the order of their addresses, for housekeeping."""
        ...

    async def put_device(self, row: DeviceRow) -> None:
        """Write a device's row."""
        ...

    async def delete_device(self, address: DeviceAddress) -> None:
        """Delete a device's row."""
        ...

    async def add_entry(self, row: EntryRow) -> None:
        """Write a mailbox entry."""
        ...

    async def entries(
        self, address: DeviceAddress, after: int, *, count_max: int, bytes_max: int
    ) -> Sequence[StoredEntry]:
        """Return entries behind a number, ascending; the first one even when it is large."""
        ...

    async def count_entries(self, address: DeviceAddress, up_to: int) -> int:
        """Count the entries up to and with a number."""
        ...

    async def delete_entries(self, address: DeviceAddress, up_to: int) -> RemovedEntries:
        """Delete the entries up to and with a number."""
        ...

    async def last_entry_before(
        self, address: DeviceAddress, accepted_before: int, limit: int
    ) -> int:
        """Of the first ``limit`` entries, return the last one accepted before a time, else 0."""
        ...

    async def sender_load(self, address: DeviceAddress, sender: AccountId) -> SenderLoad:
        """Sum up what one account has in a mailbox."""
        ...

    async def add_body(self, body: bytes, references: int) -> int:
        """Write a body and return its id."""
        ...

    async def release_bodies(self, references: Mapping[int, int]) -> None:
        """Take references away; a body without any is deleted."""
        ...

    async def submission(self, key: SubmissionKey) -> UnixMillis | None:
        """Return when a submission was accepted, if it is remembered."""
        ...

    async def add_submission(self, key: SubmissionKey, accepted_at: UnixMillis) -> None:
        """Remember an accepted submission."""
        ...

    async def delete_submissions(self, accepted_before: int, limit: int) -> int:
        """Forget up to ``limit`` old submissions; returns how many."""
        ...

    # --- prekeys --------------------------------------------------------------------------
    async def rotating_prekey(self, address: DeviceAddress) -> PrekeyRow | None:
        """Return the rotating pair."""
        ...

    async def put_rotating_prekey(self, row: PrekeyRow) -> None:
        """Write the rotating pair."""
        ...

    async def count_one_time_prekeys(self, address: DeviceAddress) -> int:
        """Count the one-time pairs in stock."""
        ...

    async def first_one_time_prekey(self, address: DeviceAddress) -> PrekeyRow | None:
        """Return the one-time pair that was deposited first."""
        ...

    async def known_prekey_ids(
        self, address: DeviceAddress, ids: Iterable[bytes]
    ) -> frozenset[bytes]:
        """Return those of ``ids`` that are in stock or are remembered as handed out."""
        ...

    async def add_one_time_prekey(self, row: PrekeyRow) -> None:
        """Write a one-time pair."""
        ...

    async def delete_one_time_prekey(
        self, address: DeviceAddress, prekey_id: bytes, handed_out_at: UnixMillis
    ) -> None:
        """Delete a one-time pair and remember its id."""
        ...

    async def delete_prekeys(self, address: DeviceAddress) -> None:
        """Delete all of a device: pairs, remembered ids, claim limits."""
        ...

    async def delete_handed_out_prekeys(self, before: int, limit: int) -> int:
        """Forget up to ``limit`` ids handed out before a time; returns how many."""
        ...

    async def claim_due_at(self, target: DeviceAddress, requester: AccountId) -> int:
        """Return the state of a claim limit, 0 when there is none."""
        ...

    async def put_claim_due_at(
        self, target: DeviceAddress, requester: AccountId, due_at: int
    ) -> None:
        """Write the state of a claim limit."""
        ...

    async def delete_claim_limits(self, due_before: int, limit: int) -> int:
        """Forget up to ``limit`` claim limits that are full again; returns how many."""
        ...

    # --- push endpoints -------------------------------------------------------------------
    async def push_endpoint(self, address: DeviceAddress) -> str | None:
        """Return where a device wants to be woken."""
        ...

    async def put_push_endpoint(self, address: DeviceAddress, endpoint: str) -> None:
        """Write where a device wants to be woken; it is one place."""
        ...

    async def delete_push_endpoint(self, address: DeviceAddress) -> None:
        """Delete it."""
        ...

    # --- link slots, invitations, settings ------------------------------------------------
    async def slot(self, slot_id: SlotId) -> SlotRow | None:
        """Return a link slot."""
        ...

    async def count_slots(self, expiring_after: int) -> int:
        """Count the link slots that end later than a time."""
        ...

    async def put_slot(self, row: SlotRow) -> None:
        """Write a link slot."""
        ...

    async def slot_item(self, slot_id: SlotId, index: int) -> bytes | None:
        """Return an item of a slot."""
        ...

    async def add_slot_item(self, slot_id: SlotId, index: int, item: bytes) -> None:
        """Write an item of a slot."""
        ...

    async def delete_slots(self, expired_before: int, limit: int) -> int:
        """Delete up to ``limit`` expired slots with their items; returns how many."""
        ...

    async def invitation_expires_at(self, code_hash: bytes) -> UnixMillis | None:
        """Return when an invitation ends, if there is such a one."""
        ...

    async def add_invitation(self, code_hash: bytes, expires_at: UnixMillis) -> None:
        """Write an invitation."""
        ...

    async def delete_invitation(self, code_hash: bytes) -> None:
        """Delete an invitation."""
        ...

    async def delete_invitations(self, expired_before: int, limit: int) -> int:
        """Delete up to ``limit`` expired invitations; returns how many."""
        ...

    async def setting(self, name: str) -> bytes | None:
        """Return a setting of the relay itself, e.g. its id."""
        ...

    async def put_setting(self, name: str, value: bytes) -> None:
        """Write a setting."""
        ...


class RelayStore(Protocol):
    """Runs decisions as transactions; returns after the commit is durable."""

    def transact(
        self,
        decision: Callable[Concatenate[RelayTransaction, Parameters], Awaitable[Result]],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Awaitable[Result]:
        """Run one decision; raises what it raises, having changed nothing then.

        A store may begin at the call, before anybody waits for the result.
        """
        ...
