"""Two people at screens: register, write, read, in the calls that the screens make."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.app.conftest import PASSPHRASE, CallError, OpenTab
from tests.commands.conftest import MakeDevice

from untether.base.limits import RECEIPT_JITTER_MS
from untether.client.driver import Driver
from untether.wire.server_frames import ServerFrame


async def test_two_people_talk(open_tab: OpenTab, person: MakeDevice) -> None:
    """A message to a command-line device and back: states, unread counts, what was read."""
    bob = await asyncio.to_thread(person, "bob")
    alice = open_tab("alice")
    assert (await alice.call("look"))["phase"] == "empty"
    code = await alice.register("alice-at-a-screen")
    assert len(code) > 50
    assert (await alice.call("me"))["recovery_code_unseen"]
    await alice.call("recovery_code_seen")
    me = await alice.call("me")
    assert (me["name"], me["role"], me["recovery_code_unseen"]) == (
        "alice-at-a-screen",
        "phone",
        False,
    )
    await alice.event("connection", lambda one: one["connected"])

    found = await alice.call("find", name=bob.name)
    sent = await alice.call("send", conversation_id=found["conversation_id"], text="hello")
    assert (sent["state"], sent["outgoing"]) == ("queued", True)
    await alice.event("progress", lambda one: one["state"] == "sent")
    lines = await asyncio.to_thread(bob.receive)
    assert [line["text"] for line in lines] == ["hello"]
    await asyncio.to_thread(bob.send, "alice-at-a-screen", "hello yourself")
    came = await alice.event("message", lambda one: one["message"]["text"] == "hello yourself")
    assert came["message"]["author"] == bob.name

    more = await alice.call("send", conversation_id=found["conversation_id"], text="well")
    assert [line["text"] for line in await asyncio.to_thread(bob.receive)] == ["well"]
    delivered = await alice.event("progress", lambda one: one["state"] == "delivered")
    assert delivered["message_id"] == more["message_id"]

    (chat,) = await alice.call("chats")
    assert (chat["name"], chat["unread"], chat["known"]) == (bob.name, 1, True)
    assert chat["last"]["text"] == "well"
    await alice.call("mark_read", conversation_id=chat["conversation_id"])
    assert (await alice.call("chats"))[0]["unread"] == 0
    page = await alice.call(
        "conversation", conversation_id=chat["conversation_id"], before=None, limit=50
    )
    assert [(one["text"], one["state"]) for one in page["messages"]] == [
        ("hello", "sent"),  # whom he had not written to yet
        ("hello yourself", "received"),
        ("well", "delivered"),
    ]
    assert page["earlier"] is None


async def test_writing_back_makes_a_contact(open_tab: OpenTab, person: MakeDevice) -> None:
    """Somebody unknown writes; who answers knows them from then on, and sends receipts."""
    bob = await asyncio.to_thread(person, "bob")
    alice = open_tab("alice-answers")
    await alice.register("alice-answers")
    await alice.event("connection", lambda one: one["connected"])
    await asyncio.to_thread(bob.send, "alice-answers", "hello")
    came = await alice.event("message")
    (chat,) = await alice.call("chats")
    assert (chat["name"], chat["known"]) == (bob.name, False)
    alice.events.clear()
    await alice.call("send", conversation_id=came["message"]["conversation_id"], text="well")
    await alice.event("notice")
    (chat,) = await alice.call("chats")
    assert (chat["name"], chat["known"]) == (bob.name, True)
    await asyncio.to_thread(bob.receive)
    sent = await asyncio.to_thread(bob.send, "alice-answers", "and now?")
    await alice.event("message", lambda one: one["message"]["text"] == "and now?")
    await asyncio.sleep(RECEIPT_JITTER_MS / 1000)
    await asyncio.to_thread(bob.receive)
    told = await asyncio.to_thread(bob.run, "messages", "--with", "alice-answers")
    (line,) = [one for one in told.lines if one["message_id"] == sent["message_id"]]
    assert line["state"] == "delivered"


async def test_a_defect_is_told_and_people_go_on_receiving(
    open_tab: OpenTab, person: MakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What no error of ours explains ends the connection, visibly; the next one brings all."""
    bob = await asyncio.to_thread(person, "bob")
    alice = open_tab("alice-defect")
    await alice.register("alice-defect")
    await alice.event("connection", lambda one: one["connected"])
    pushed = Driver.pushed

    async def fail_once(driver: Driver, frame: ServerFrame) -> None:
        monkeypatch.setattr(Driver, "pushed", pushed)
        raise ValueError("a defect")

    monkeypatch.setattr(Driver, "pushed", fail_once)
    monkeypatch.setattr("untether.browser.receiver._AGAIN_S", 0.1)
    await asyncio.to_thread(bob.send, "alice-defect", "is it working?")
    told = await alice.event("connection", lambda one: not one["connected"])
    assert told["error"]["error"] == "defect"
    await alice.event("message", lambda one: one["message"]["text"] == "is it working?")


async def test_a_long_conversation_comes_in_pages(open_tab: OpenTab, person: MakeDevice) -> None:
    """Each page ends where the next begins; nothing is shown twice or left out."""
    bob = await asyncio.to_thread(person, "bob")
    alice = open_tab("alice-long")
    await alice.register("alice-long")
    found = await alice.call("find", name=bob.name)
    conversation_id = found["conversation_id"]
    for number in range(25):
        await alice.call("send", conversation_id=conversation_id, text=str(number))
    shown: list[str] = []
    before, pages = None, 0
    while True:
        page = await alice.call(
            "conversation", conversation_id=conversation_id, before=before, limit=7
        )
        shown = [one["text"] for one in page["messages"]] + shown
        pages += 1
        before = page["earlier"]
        if before is None:
            break
    assert shown == [str(number) for number in range(25)]
    assert pages == 4


async def test_a_locked_device_says_nothing(open_tab: OpenTab) -> None:
    """Locked: no call reads anything; a wrong passphrase opens nothing; the right one all."""
    alice = open_tab("alice-locked")
    await alice.register("alice-locked")
    await alice.call("lock")
    assert (await alice.call("look"))["phase"] == "locked"
    for name in ("me", "chats", "contacts", "devices", "notices"):
        with pytest.raises(CallError) as refused:
            await alice.call(name)
        assert refused.value.code == "locked"
    with pytest.raises(CallError) as refused:
        await alice.call("unlock", method="passphrase", passphrase="wrong horse battery")
    assert refused.value.code == "passphrase-wrong"
    assert (await alice.call("unlock", **PASSPHRASE))["name"] == "alice-locked"
    again = open_tab("alice-locked")
    await alice.call("lock")
    assert (await again.call("unlock", **PASSPHRASE))["name"] == "alice-locked"
    assert len(set(alice.files.keys + again.files.keys)) == 1


async def test_bad_calls_are_refused(open_tab: OpenTab) -> None:
    """What no screen of this release says ends in an error, and changes nothing."""
    tab = open_tab("nobody")
    bad: list[tuple[str, dict[str, Any]]] = [
        ("unheard-of", {}),
        ("send", {"text": 5}),
        ("unlock", {"method": "luck"}),
    ]
    for name, arguments in bad:
        with pytest.raises(CallError) as refused:
            await tab.call(name, **arguments)
        assert refused.value.code == "bad-call"
    tab.say("no JSON at all")
    tab.say('{"neither": "call nor answer"}')
    assert (await tab.call("look"))["phase"] == "empty"
