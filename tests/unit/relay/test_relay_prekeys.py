"""Prekeys: deposited once, handed out once (spec 08, "Prekeys")."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from tests.unit.relay.relay_desk import RelayDesk, RelayDevice, link, register

from untether.adapters.storage.relay_memory import MemoryRelayStore
from untether.base.identifiers import DAY_MS, DeviceNumber
from untether.base.limits import (
    CLAIMS_PER_TARGET_BURST,
    CLAIMS_PER_TARGET_REFILL_MS,
    CLOCK_AHEAD_MAX_MS,
    PREKEY_AGE_MAX_MS,
)
from untether.relay import prekeys
from untether.relay.housekeeping import Sweep, expire
from untether.wire.client_frames import ClaimPrekeys, DepositPrekeys
from untether.wire.records import PrekeyBundle, SignedPrekey
from untether.wire.server_frames import Bundles, PrekeysStored, Refused


async def claim(asker: RelayDevice, target: RelayDevice) -> PrekeyBundle:
    """Claim prekeys of one device."""
    answer = await asker.ask(ClaimPrekeys(target.account_id, (target.address.device,)))
    assert isinstance(answer, Bundles), answer
    return answer.bundles[0]


async def test_a_one_time_pair_is_never_handed_out_twice(
    alice: RelayDevice, bob: RelayDevice
) -> None:
    """Claims at the same time, of two devices, and beyond the stock get different pairs."""
    laptop = await link(alice)
    bundles = await asyncio.gather(
        claim(alice, bob), claim(laptop, bob), claim(alice, bob), claim(laptop, bob)
    )
    handed_out = [bundle.one_time for bundle in bundles if bundle.one_time]
    assert len(handed_out) == len(set(handed_out)) == 2
    assert all(bundle.rotating == bundles[0].rotating for bundle in bundles)


async def test_a_repeated_upload_never_puts_a_used_pair_back(
    desk: RelayDesk, alice: RelayDevice, bob: RelayDevice
) -> None:
    """The answer to an upload may be lost; what was handed out meanwhile stays handed out."""
    stock = bob.stock(one_time=3)
    frame = DepositPrekeys(stock, replace=True)
    assert await bob.ask(frame) == PrekeysStored(3)
    first = (await claim(alice, bob)).one_time
    assert await bob.ask(DepositPrekeys(stock)) == PrekeysStored(2)
    assert await bob.ask(frame) == PrekeysStored(0)
    assert first == stock.one_time[0]
    assert (await claim(alice, bob)).one_time is None


async def test_without_the_memory_a_pair_goes_out_twice(
    desk: RelayDesk, alice: RelayDevice, bob: RelayDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twin: remembering ids is what keeps a repeated upload from reviving a pair."""
    if not isinstance(desk.store, MemoryRelayStore):
        pytest.skip("a unique key of the SQLite tables is a second defence")
    stock = bob.stock(one_time=1)
    await bob.ask(DepositPrekeys(stock, replace=True))
    first = (await claim(alice, bob)).one_time

    async def take_all(_tx: object, _address: object, pairs: object, _now: object) -> object:
        return pairs

    monkeypatch.setattr(prekeys, "_unknown", take_all)
    await bob.ask(DepositPrekeys(stock))
    assert (await claim(alice, bob)).one_time == first


async def test_an_upload_as_old_as_the_memory_is_not_taken(
    desk: RelayDesk, alice: RelayDevice, bob: RelayDevice
) -> None:
    """When ids are forgotten, pairs of that age are refused: there is no gap between both."""
    stock = bob.stock(one_time=1)
    await bob.ask(DepositPrekeys(stock, replace=True))
    assert (await claim(alice, bob)).one_time == stock.one_time[0]
    for step in (PREKEY_AGE_MAX_MS - 1, 1, 1, DAY_MS):
        desk.pass_time(step)
        await desk.store.transact(expire, desk.now, Sweep())
        assert await bob.ask(DepositPrekeys(stock)) == PrekeysStored(0)


async def test_a_pair_from_the_future_is_not_taken(desk: RelayDesk, bob: RelayDevice) -> None:
    """It would still be young when its id is forgotten."""
    stock = bob.stock(one_time=1)
    desk.pass_time(-CLOCK_AHEAD_MAX_MS - 1)
    assert await bob.ask(DepositPrekeys(stock)) == PrekeysStored(2)
    desk.pass_time(1)
    assert await bob.ask(DepositPrekeys(stock)) == PrekeysStored(3)


async def test_a_stock_is_bounded(bob: RelayDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device can't fill the relay's disk with prekeys."""
    monkeypatch.setattr(prekeys, "ONE_TIME_PREKEYS_STORED_MAX", 4)
    assert await bob.ask(DepositPrekeys(bob.stock(one_time=5))) == PrekeysStored(4)


async def test_a_claim_limit_per_account_and_device(
    desk: RelayDesk, alice: RelayDevice, bob: RelayDevice
) -> None:
    """Nobody drains another one's stock; a conversation still begins with the rotating pair."""
    carol = await register(desk, "carol")
    await bob.ask(DepositPrekeys(bob.stock(one_time=20), replace=True))
    bundles = [await claim(alice, bob) for _ in range(CLAIMS_PER_TARGET_BURST + 3)]
    taken = [bundle for bundle in bundles if bundle.one_time]
    assert len(taken) == CLAIMS_PER_TARGET_BURST
    assert (await claim(carol, bob)).one_time is not None
    desk.pass_time(CLAIMS_PER_TARGET_REFILL_MS + 1)
    assert (await claim(alice, bob)).one_time is not None
    assert (await claim(alice, bob)).one_time is None


async def test_the_newest_rotating_pair_stays(alice: RelayDevice, bob: RelayDevice) -> None:
    """An upload that was overtaken does not bring an older pair back."""
    old, new = bob.stock(one_time=0), bob.stock(one_time=0)
    await bob.ask(DepositPrekeys(new))
    await bob.ask(DepositPrekeys(old))
    assert (await claim(alice, bob)).rotating == new.rotating


async def test_only_the_device_s_own_signature_counts(alice: RelayDevice, bob: RelayDevice) -> None:
    """Neither somebody else's pairs nor a pair in the wrong place are stored."""
    assert await bob.ask(DepositPrekeys(alice.stock())) == Refused("prekey-signature")
    stock = bob.stock(one_time=1)
    swapped = msgspec.structs.replace(stock, rotating=stock.one_time[0])
    assert await bob.ask(DepositPrekeys(swapped)) == Refused("prekey-type")
    garbage = msgspec.structs.replace(stock, rotating=SignedPrekey(b"x", bytes(64)))
    assert await bob.ask(DepositPrekeys(garbage)) == Refused("prekey-signature")


async def test_claims_answer_for_present_devices_only(alice: RelayDevice, bob: RelayDevice) -> None:
    """Unknown numbers and repeats are left out; an unknown account is named."""
    tablet = await link(bob)
    numbers = (tablet.address.device, DeviceNumber(77), bob.address.device, bob.address.device)
    answer = await alice.ask(ClaimPrekeys(bob.account_id, numbers))
    assert isinstance(answer, Bundles)
    assert [bundle.device for bundle in answer.bundles] == [0, 1]
    unknown = ClaimPrekeys(bob.account_id[::-1], (DeviceNumber(0),))  # type: ignore[arg-type]
    assert await alice.ask(unknown) == Refused("no-such-account")
