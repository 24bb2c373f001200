"""Scenes with new devices: registering phones, linking companions, one companion too many."""

from __future__ import annotations

from untether.adapters.qr import read_link_text, render_terminal
from untether.base.errors import ExitStatus
from untether.cli.demo.checks import together
from untether.cli.demo.devices import Device, Offered
from untether.cli.demo.processes import Child, Line
from untether.cli.demo.stage import Stage, expect, keep_private

_LIMIT_REACHED = "link-limit-reached"


async def two_people(stage: Stage) -> None:
    """A relay starts; Alice and Bob register their phones."""
    with stage.report.check("The relay runs") as check:
        await stage.relay.start()
        check.text += f" at {stage.relay.url}, with one SQLite file"
    with stage.report.check("Alice and Bob have registered their phones"):
        alice, _ = await together(stage.register("alice"), stage.register("bob"))
        keep_private(stage.recovery_file, alice["recovery_code"])
    await switch_on(stage.phone("alice"), stage.phone("bob"))


async def three_companions(stage: Stage) -> None:
    """Alice links a laptop and a tablet, Bob a laptop: five devices."""
    with stage.report.check("Two laptops and a tablet show QR codes; this is one of them"):
        laptop, tablet, bobs = await together(
            offer(stage, "alice", "laptop"),
            offer(stage, "alice", "tablet"),
            offer(stage, "bob", "laptop"),
        )
    stage.report.show_picture(render_terminal(read_link_text(laptop.qr_file), colour=True))
    await together(link_in_turn(stage, laptop, tablet), link_in_turn(stage, bobs))
    with stage.report.check("Phone and laptop of each show the same devices, same numbers"):
        await compare_lists(stage, "alice", "bob")
    await switch_on(laptop.device, tablet.device, bobs.device)


async def one_too_many(stage: Stage) -> None:
    """Two more companions fill Alice's account; a fifth is refused."""
    with stage.report.check("Three more devices show QR codes"):
        desktop, work, fifth = await together(
            *(offer(stage, "alice", kind) for kind in ("desktop", "work laptop", "netbook"))
        )
    await link_in_turn(stage, desktop, work)
    await switch_on(desktop.device, work.device)
    await expect_refusal(stage, fifth)


async def expect_refusal(stage: Stage, fifth: Offered) -> None:
    """The account has all the devices that it may have; nothing of a fifth is begun."""
    with stage.report.check("A fifth companion is refused, and the phone says why"):
        approving = await _approve(stage, fifth)
        status, codes = await approving.end(), approving.error_codes()
        expect(status == ExitStatus.USER_ERROR, f"{approving.what} ended with {status}, not 1.")
        expect(codes == [_LIMIT_REACHED], f"The reason given is {codes}.")
    with stage.report.check("Nothing is half done: same devices as before, the code still waits"):
        await compare_lists(stage, "alice")
        expect(fifth.linking.is_running, "The refused device gave up.")
    stage.refused = fifth


async def offer(stage: Stage, account: str, kind: str) -> Offered:
    """Have a new device show its QR code."""
    device = stage.new_device(account, kind)
    qr_file = stage.workspace / f"{device.profile.name}.png"
    where = ("--server", stage.relay.url, "--device-name", device.name)
    linking = await device.start("link", *where, "--qr-png", qr_file, "--account", account)
    await linking.line(lambda line: line.get("event") == "offer", f"the QR code of {device.name}")
    return Offered(device, linking, qr_file)


async def link(stage: Stage, offered: Offered) -> None:
    """Have the phone take a picture of the QR code and approve."""
    device = offered.device
    approving = await _approve(stage, offered)
    approved = await approving.line(_is_linked, f"the phone's approval of {device.name}")
    linked = await offered.linking.line(_is_linked, f"the linking of {device.name}")
    expect(linked["device"] == approved["device"], "Phone and companion differ about its number.")
    expect(linked["name"] == device.account, f"{device.name} belongs to {linked['name']}.")
    stage.join(device, linked["device"])
    await together(_end_well(approving), _end_well(offered.linking))


async def compare_lists(stage: Stage, *accounts: str) -> None:
    """Ask phone and newest companion of each account who the devices are, by name."""
    for device, lines in await _device_lists(stage, *accounts):
        members = stage.members(device.account)
        wanted = {one.number: (one.name, one is device) for one in members}
        shown = {line["device"]: (line["name"], line["this"]) for line in lines}
        expect(shown == wanted, f"{device.name} lists {shown}, not {wanted}.")


async def compare_numbers(stage: Stage, account: str) -> None:
    """Ask phone and newest companion who the devices are; after a recovery names are unknown."""
    for device, lines in await _device_lists(stage, account):
        wanted = sorted((one.number or 0, one is device) for one in stage.members(account))
        shown = sorted((line["device"], line["this"]) for line in lines)
        expect(shown == wanted, f"{device.name} lists {shown}, not {wanted}.")


async def switch_on(*devices: Device) -> None:
    """Have these devices receive from now on."""
    await together(*(device.switch_on() for device in devices))


async def link_in_turn(stage: Stage, *offers: Offered) -> None:
    """Link these devices of one account, one after the other, as a person does."""
    for offered in offers:
        with stage.report.check(f"{offered.device.name.capitalize()} is linked") as check:
            await link(stage, offered)
            check.text += f" by its QR code: device {offered.device.number}"


async def _device_lists(stage: Stage, *accounts: str) -> list[tuple[Device, list[Line]]]:
    asked = []
    for account in accounts:
        phone = stage.phone(account)
        asked += [phone, [one for one in stage.members(account) if one is not phone][-1]]
    answers = await together(*(device.run("devices") for device in asked))
    return list(zip(asked, answers, strict=True))


async def _approve(stage: Stage, offered: Offered) -> Child:
    phone = stage.phone(offered.device.account)
    return await phone.start("devices", "approve", "--qr-image", offered.qr_file, "--yes")


async def _end_well(child: Child) -> None:
    status = await child.end()
    if status:
        raise child.failure(status)


def _is_linked(line: Line) -> bool:
    return line.get("event") == "linked"
