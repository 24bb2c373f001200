"""Linking by screens: both sides ask, the owner is verified, and the phone logs out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.app.conftest import PASSPHRASE, CallError, OpenTab, Tab
from tests.commands.conftest import MakeDevice

from untether.adapters.storage.device_sqlite3 import Sqlite3DeviceDatabase
from untether.base.limits import GENERATION_NUMBER_STRIDE

Recover = Callable[[str, list[int]], Awaitable[tuple[Tab, Tab]]]
RECOVERED = GENERATION_NUMBER_STRIDE
"""The number of an account's second phone."""


async def link(phone: Tab, laptop: Tab, name: str = "Laptop") -> None:
    """Link a laptop to a phone."""
    await laptop.call("protect", method="device")
    linking = laptop.begin("link", device_name=name, kind="web")
    offered = await laptop.event("link_offered")
    linked = await phone.call("approve", link_text=offered["link_text"])
    assert (linked["device"], linked["name"]) == (1, name)
    me = await linking
    assert me["role"] == "companion"


async def test_a_laptop_is_linked_and_logged_out(open_tab: OpenTab) -> None:
    """Both screens show one code; the phone sees the laptop; then it is out."""
    phone, laptop = open_tab("phone"), open_tab("laptop")
    await phone.register("alice-links")
    await link(phone, laptop)
    (asked,) = [details for what, details in laptop.asked if what == "is_mine"]
    certified = await phone.event("link_certified")
    assert asked["certificate_code"] == certified["certificate_code"]
    assert asked["account_name"] == "alice-links"
    assert [what for what, _ in phone.asked] == ["seal", "may_link", "verify"]
    devices = await phone.call("devices")
    assert [(one["device"], one["this"], one["kind"]) for one in devices] == [
        (0, True, "phone"),
        (1, False, "web"),
    ]

    await phone.call("log_out", device=1, wipe=False)
    await laptop.event("logged_out")
    assert (await laptop.call("me"))["state"] == "logged-out"
    with pytest.raises(CallError) as refused:
        await laptop.call("find", name="alice-links")
    assert refused.value.code == "logged-out"
    await laptop.call("erase")
    assert (await laptop.call("look"))["phase"] == "empty"


@pytest.mark.parametrize(("by", "wipe"), [("laptop", True), ("phone", True), ("phone", False)])
async def test_a_log_out_deletes_what_it_says(
    open_tab: OpenTab, person: MakeDevice, by: str, *, wipe: bool
) -> None:
    """With the messages or without, by the phone or by itself: the laptop says what it has left."""
    bob = await asyncio.to_thread(person, "bob")
    phone, laptop = open_tab("phone"), open_tab("laptop")
    name = f"alice-{by}-{wipe}".lower()
    await phone.register(name)
    await link(phone, laptop)
    await asyncio.to_thread(bob.send, name, "a secret")
    await laptop.event("message")
    assert (await laptop.call("me"))["has_messages"]

    by_tab = {"phone": phone, "laptop": laptop}[by]
    await by_tab.call("log_out", device=1, wipe=wipe)
    await laptop.event("logged_out")
    me = await laptop.call("me")
    assert (me["state"], me["has_messages"]) == ("logged-out", not wipe)
    assert bool(await laptop.call("chats")) is not wipe
    assert (await phone.call("me"))["has_messages"]


@pytest.mark.parametrize("refusal", ["verification-cancelled", "verification-failed"])
async def test_without_verification_nothing_is_linked(open_tab: OpenTab, refusal: str) -> None:
    """The owner is not verified: the phone lists one device, the laptop hears why."""
    phone, laptop = open_tab("phone"), open_tab("laptop")
    await phone.register(f"alice-{refusal}")
    phone.answers["verify"] = refusal
    await laptop.call("protect", method="device")
    linking = laptop.begin("link", device_name="Laptop", kind="web")
    offered = await laptop.event("link_offered")
    with pytest.raises(CallError) as refused:
        await phone.call("approve", link_text=offered["link_text"])
    assert refused.value.code == refusal
    with pytest.raises(CallError):
        await linking
    assert len(await phone.call("devices")) == 1
    with pytest.raises(CallError) as refused:
        await laptop.call("me")
    assert refused.value.code == "no-account"


async def test_no_lock_verifies_nobody(open_tab: OpenTab) -> None:
    """What opens a device without a lock is no proof for the account."""
    phone, laptop = open_tab("phone"), open_tab("laptop")
    await phone.register("alice-unlocked")
    phone.answers["verify"] = {"method": "device"}
    await laptop.call("protect", method="device")
    linking = laptop.begin("link", device_name="Laptop", kind="web")
    offered = await laptop.event("link_offered")
    with pytest.raises(CallError) as refused:
        await phone.call("approve", link_text=offered["link_text"])
    assert refused.value.code == "verification-failed"
    with pytest.raises(CallError):
        await linking


async def test_whoever_slips_is_asked_again(open_tab: OpenTab) -> None:
    """A wrong passphrase is asked for once more, with what was wrong."""
    phone, laptop = open_tab("phone"), open_tab("laptop")
    await phone.register("alice-slips")
    phone.answers["verify"] = [{**PASSPHRASE, "passphrase": "wrong"}, PASSPHRASE]
    await link(phone, laptop)
    reasons = [details["wrong"] for what, details in phone.asked if what == "verify"]
    assert reasons == [None, "The passphrase is wrong."]


async def test_a_link_can_be_given_up(open_tab: OpenTab) -> None:
    """Cancelled on the new device: the code is void, and another way in can be taken."""
    laptop = open_tab("laptop")
    await laptop.call("protect", method="device")
    linking = laptop.begin("link", device_name="Laptop", kind="web")
    await laptop.event("link_offered")
    await laptop.call("cancel", id=2)
    with pytest.raises(CallError) as refused:
        await linking
    assert refused.value.code == "cancelled"
    made = await laptop.call("register", name="alice-after-all", device_name="Laptop")
    assert made["recovery_code"]


async def test_a_lock_ends_a_link_under_way(
    open_tab: OpenTab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The link is given up before the database is closed; unlocked, another one begins."""
    laptop = open_tab("laptop")
    await laptop.call("protect", **PASSPHRASE)
    linking = laptop.begin("link", device_name="Laptop", kind="web")
    first = await laptop.event("link_offered")
    had_ended: list[bool] = []
    really_close = Sqlite3DeviceDatabase.close

    def close(database: Sqlite3DeviceDatabase) -> None:
        had_ended.append(linking.done())
        really_close(database)

    monkeypatch.setattr(Sqlite3DeviceDatabase, "close", close)
    await laptop.call("lock")
    assert had_ended == [True]
    with pytest.raises(CallError) as refused:
        await linking
    assert refused.value.code == "cancelled"
    with pytest.raises(CallError) as refused:
        await laptop.call("unlock", **PASSPHRASE)
    assert refused.value.code == "no-account"
    again = laptop.begin("link", device_name="Laptop", kind="web")
    second = await laptop.event("link_offered", lambda one: one["link_text"] != first["link_text"])
    assert second["expires_at"] >= first["expires_at"]
    await laptop.call("cancel", id=5)
    with pytest.raises(CallError):
        await again


async def test_a_displaced_phone_says_so_and_takes_the_account_back(open_tab: OpenTab) -> None:
    """It hears who acts now, keeps what it wrote, and by its own seal is the phone again."""
    phone, thief = open_tab("phone"), open_tab("thief")
    code = await phone.register("alice-displaced")
    await phone.event("connection", lambda one: one["connected"])
    assert not (await phone.call("me"))["must_recover"]
    await thief.call("protect", **PASSPHRASE)
    await thief.call("recover", name="alice-displaced", device_name="thief", code=code)
    await phone.event("suspended")
    me = await phone.call("me")
    assert (me["state"], me["role"], me["must_recover"]) == ("suspended", "phone", True)
    sent = await phone.call("send", conversation_id=me["account_id"], text="a note")
    assert sent["state"] == "queued"

    phone.asked.clear()
    me = await phone.call("recover", name="alice-displaced", device_name="", code="")
    assert (me["state"], me["must_recover"]) == ("active", False)
    assert [what for what, _ in phone.asked] == ["verify"]
    await phone.event("connection", lambda one: one["connected"])
    await thief.event("suspended")
    assert (await thief.call("me"))["must_recover"]


async def test_only_own_devices_see_the_name_of_a_device(open_tab: OpenTab, tmp_path: Path) -> None:
    """As the form says: a person who was written to from a laptop never gets its name."""
    phone, laptop, bob = open_tab("phone"), open_tab("laptop"), open_tab("bob")
    await phone.register("alice-names")
    await bob.register("bob-names")
    await link(phone, laptop, "Under the stairs")
    found = await laptop.call("find", name="bob-names")
    await laptop.call("send", conversation_id=found["conversation_id"], text="from the laptop")
    await bob.event("message")
    await phone.event("message")

    def know(folder: str) -> bool:
        return any(
            b"Under the stairs" in path.read_bytes() for path in (tmp_path / folder).iterdir()
        )

    assert (know("phone"), know("bob")) == (True, False)


async def test_an_account_without_companions_comes_without_a_question(open_tab: OpenTab) -> None:
    """Nothing could be kept; only the seal is chosen."""
    lost, new = open_tab("lost"), open_tab("new")
    code = await lost.register("alice-alone")
    await lost.call("lock")
    await new.call("protect", **PASSPHRASE)
    me = await new.call("recover", name="alice-alone", device_name="new", code=code)
    assert me["role"] == "phone"
    assert [what for what, _ in new.asked] == ["seal"]


@pytest.fixture
def recover(open_tab: OpenTab) -> Recover:
    """Lose a phone, and bring its account to a new one; returns the laptop and the new phone."""

    async def recovered(name: str, staying: list[int]) -> tuple[Tab, Tab]:
        lost, laptop, new = open_tab("lost"), open_tab("laptop"), open_tab("new")
        code = await lost.register(name)
        await link(lost, laptop)
        await lost.call("lock")
        new.answers["which_stay"] = staying
        await new.call("protect", **PASSPHRASE)
        me = await new.call("recover", name=name, device_name="new", code=code)
        assert (me["role"], me["device"]) == ("phone", RECOVERED)
        return laptop, new

    return recovered


async def devices_of(tab: Tab) -> list[tuple[int, str, bool]]:
    """Return the devices that a screen shows."""
    return [(one["device"], one["role"], one["this"]) for one in await tab.call("devices")]


async def test_an_account_comes_to_a_new_phone(recover: Recover) -> None:
    """The code brings it; the companion that its owner keeps goes on."""
    laptop, new = await recover("alice-recovers", [1])
    assert await devices_of(new) == [(RECOVERED, "phone", True), (1, "companion", False)]
    sent = await laptop.call("send", name="alice-recovers", text="still here")
    came = await new.event("message", lambda one: one["message"]["text"] == "still here")
    assert came["message"]["message_id"] == sent["message_id"]
    assert came["message"]["author_device"] == 1
    assert await devices_of(laptop) == [(1, "companion", True), (RECOVERED, "phone", False)]


async def test_a_companion_that_is_not_kept_is_logged_out(recover: Recover) -> None:
    """The twin: its owner does not know it, so it takes part no more."""
    laptop, new = await recover("alice-drops", [])
    await laptop.event("logged_out")
    assert (await laptop.call("me"))["state"] == "logged-out"
    assert await devices_of(new) == [(RECOVERED, "phone", True)]
