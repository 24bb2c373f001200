"""The new device gives up: the phone says so at once, whatever it was doing."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.commands.command_line import Device
from tests.commands.conftest import MakeDevice
from tests.commands.relays import Relay

from untether.__main__ import INTERRUPTED
from untether.base.errors import LocalError
from untether.base.identifiers import SECOND_MS
from untether.client import linking
from untether.device import linking_phone
from untether.device.events import LinkAnswered, LinkFailed, LinkOffered, LinkRequested
from untether.native import NativeClient


def test_ctrl_c_on_the_new_device(person: MakeDevice, device: MakeDevice, relay: Relay) -> None:
    """Its code is of no use any more; nobody is asked, and no minutes are waited."""
    alice, laptop = person("alice"), device("laptop")
    linking = laptop.start("link", "--server", relay.url, "--account", alice.name)
    offer = linking.until(lambda line: "link_text" in line)
    assert linking.end(signal.SIGINT).status == INTERRUPTED
    late = alice.run("devices", "approve", offer["link_text"])
    assert (late.status, late.error["error"]) == (1, "link-cancelled")


def test_a_link_that_is_given_again(person: MakeDevice, device: MakeDevice, relay: Relay) -> None:
    """Before the phone has answered there is a new code; afterwards it says that it goes on."""
    alice, laptop = person("alice"), device("laptop")
    codes = set()
    for _ in range(2):
        shown = laptop.start("link", "--server", relay.url)
        codes.add(shown.until(lambda line: "link_text" in line)["link_text"])
        assert shown.end(signal.SIGKILL).notices == []
    linking = laptop.start("link", "--server", relay.url)
    codes.add(text := linking.until(lambda line: "link_text" in line)["link_text"])
    assert len(codes) == 3
    approving = alice.start("devices", "approve", text, "--yes")
    cut_off = linking.end()
    assert (cut_off.status, cut_off.error["error"]) == (1, "nobody-to-ask")
    assert "link-goes-on" not in cut_off.notices
    again = laptop.process("link", "--server", relay.url, "--account", alice.name)
    assert again.status == 0, again.errors
    assert again.line["event"] == "linked"
    assert again.notices[:2] == ["link-goes-on", "compare-codes"]
    assert approving.end().line["event"] == "linked"


def test_it_gives_up_while_the_phone_asks(person: MakeDevice, device: MakeDevice) -> None:
    """The yes comes too late, and the phone says why instead of naming a wrong moment."""
    alice, laptop = person("alice"), device("laptop")
    with pytest.raises(LocalError) as failed:
        asyncio.run(_approve_too_late(alice, laptop))
    assert failed.value.code == "link-cancelled"
    assert len(alice.run("devices").lines) == 1


@asynccontextmanager
async def _linking(
    alice: Device, laptop: Device
) -> AsyncIterator[tuple[NativeClient, asyncio.Task[object], str]]:
    """Let a laptop show its code: the phone, the link under way, and its text."""
    async with (
        NativeClient.open(alice.directory, passphrase_file=alice.passphrase_file) as phone,
        NativeClient.create(
            laptop.directory, phone.driver.origin, passphrase_file=laptop.passphrase_file
        ) as new,
    ):
        shown: asyncio.Queue[LinkOffered] = asyncio.Queue()
        linked: asyncio.Task[object] = asyncio.create_task(
            new.link(
                device_name="laptop", device_kind="desktop", on_offer=shown.put_nowait, is_mine=_yes
            )
        )
        try:
            yield phone, linked, (await shown.get()).link_text
        finally:
            linked.cancel()
            await asyncio.gather(linked, return_exceptions=True)


async def _approve_too_late(alice: Device, laptop: Device) -> None:
    async with _linking(alice, laptop) as (phone, linked, link_text):

        async def yes_too_late(_requested: LinkRequested) -> bool:
            with phone.driver.listening() as heard:
                linked.cancel()
                while not isinstance(await heard.get(), LinkFailed):
                    pass
            return True

        await phone.approve(link_text, yes_too_late)


def test_the_code_expires_while_the_phone_asks(
    person: MakeDevice, device: MakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody answers the question: the phone says that the code has expired."""
    monkeypatch.setattr(linking_phone, "LINK_SLOT_MS", SECOND_MS // 2)
    monkeypatch.setattr(linking, "_APPROVAL_S", 5)
    alice, laptop = person("alice"), device("laptop")
    with pytest.raises(LocalError) as failed:
        asyncio.run(_approve_never(alice, laptop))
    assert failed.value.code == "link-expired"


async def _approve_never(alice: Device, laptop: Device) -> None:
    async with _linking(alice, laptop) as (phone, _, link_text):

        async def no_answer(_requested: LinkRequested) -> bool:
            with phone.driver.listening() as heard:
                while not isinstance(await heard.get(), LinkFailed):
                    pass
            nothing: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            return await nothing

        await phone.approve(link_text, no_answer)


async def _yes(_answered: LinkAnswered) -> bool:
    return True
