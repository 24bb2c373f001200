"""What befalls people's devices and relays: lost phones, copies put back, relays that lie."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from tests.world import World, WorldDevice
from tests.world_relay import ORIGIN, Link, run

from untether.adapters.storage.device_sqlite3 import Sqlite3DeviceDatabase
from untether.base.identifiers import AccountId, DeviceNumber
from untether.crypto.provider import provider
from untether.device import events, inputs
from untether.device.store.own_device import State
from untether.relay.lists import account_lists
from untether.relay.transaction import RelayTransaction
from untether.wire.client_frames import ClientFrame
from untether.wire.records import AccountLists
from untether.wire.server_frames import Lists, ListsChanged, ServerFrame, Submitted


def begin_recovery(world: World, name: str, account_seed: bytes) -> WorldDevice:
    """Let a new phone find an account; its owner has confirmed nothing yet."""
    phone = world.new_device(f"{name}'s new phone", account_seed)
    phone.feed(
        inputs.BeginRecovery(
            name=name,
            account_key=provider().ed25519_public(account_seed),
            sealed_account_seed=b"sealed elsewhere",
            origin=ORIGIN,
            relay_id=world.relay.rules.relay_id,
            device_name=phone.label,
        )
    )
    phone.connect(receiving=False)
    return phone


def recover(world: World, lost: WorldDevice, keep: tuple[WorldDevice, ...] = ()) -> WorldDevice:
    """Recover the account of a lost phone on a new one, online at the end."""
    assert lost.account_seed is not None
    phone = begin_recovery(world, lost.own.name, lost.account_seed)
    confirm_recovery(world, phone, keep)
    return phone


def confirm_recovery(world: World, phone: WorldDevice, keep: tuple[WorldDevice, ...] = ()) -> None:
    """Let the owner confirm which companions stay."""
    phone.feed(inputs.ConfirmRecovery(tuple(one.own.device for one in keep)))
    world.settle()
    phone.connect()


def found_companions(phone: WorldDevice) -> list[DeviceNumber]:
    """Return the companions that were shown last."""
    found = phone.happened(events.RecoveryFound)[-1]
    return [device for device, _ in found.companions]


def copy_database(device: WorldDevice) -> bytes:
    """Return a backup of a device's database."""
    data: bytes = device.database._connection.serialize()
    return data


def put_back(device: WorldDevice, data: bytes) -> None:
    """Put a device's database back to a backup; nothing else of it remembers more."""
    device.disconnect()
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.deserialize(data)
    device.database = Sqlite3DeviceDatabase(connection)
    device.wake_times.clear()


def state(device: WorldDevice) -> State:
    """Return where a device stands now."""
    return device.own.state


def query(device: WorldDevice, sql: str, *parameters: object) -> list[tuple[object, ...]]:
    """Look into a device's database."""
    with device.database.transaction():
        return device.database.rows(sql, *parameters)  # type: ignore[arg-type]


def served_lists(world: World, account: AccountId) -> AccountLists:
    """Return what the relay serves of an account now: its newest list."""

    async def read(tx: RelayTransaction) -> AccountLists:
        row = await tx.account(account)
        assert row is not None
        return await account_lists(tx, row, after=None)

    return run(world.relay.store.transact(read))


@contextmanager
def withheld_lists(world: World, account: AccountId, shown: AccountLists) -> Iterator[None]:
    """Let the relay serve only ``shown`` of an account, wherever it would serve its lists.

    Submissions are judged by it too: the relay pretends that nothing newer exists.
    """
    honest = world.relay.answering

    def lie(_link: Link, _frame: ClientFrame, answer: ServerFrame) -> ServerFrame:
        match answer:
            case Lists(account_id) if account_id == account:
                return Lists(account, shown)
            case Submitted(message_id, verdicts):
                return Submitted(
                    message_id,
                    tuple(
                        ListsChanged(account, shown)
                        if isinstance(verdict, ListsChanged) and verdict.account_id == account
                        else verdict
                        for verdict in verdicts
                    ),
                )
        return answer

    world.relay.answering = lie
    try:
        yield
    finally:
        world.relay.answering = honest


@contextmanager
def silent_about(world: World, account: AccountId) -> Iterator[None]:
    """Let the relay answer questions for an account's lists with nothing."""
    with withheld_lists(world, account, AccountLists(name="nobody", lists=())):
        yield


@contextmanager
def answers_lost(world: World, kind: type[ClientFrame]) -> Iterator[None]:
    """Let the relay carry out requests of a kind while their answers get lost."""
    honest = world.relay.answering

    def lose(link: Link, frame: ClientFrame, answer: ServerFrame) -> ServerFrame:
        if isinstance(frame, kind):
            link.device.disconnect()
        return answer

    world.relay.answering = lose
    try:
        yield
    finally:
        world.relay.answering = honest
