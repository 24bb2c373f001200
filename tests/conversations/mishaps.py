"""What befalls people's devices: lost phones, copies put back."""

from __future__ import annotations

import sqlite3

from tests.world import World, WorldDevice
from tests.world_relay import ORIGIN

from untether.adapters.storage.device_sqlite3 import Sqlite3DeviceDatabase
from untether.base.identifiers import DeviceNumber
from untether.crypto.provider import provider
from untether.device import events, inputs
from untether.device.store.own_device import State


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
