"""Scenes where something is lost: a laptop, the relay's power, and the phone itself."""

from __future__ import annotations

import asyncio
import shutil

from untether.base.errors import ExitStatus
from untether.cli.demo.checks import together, until
from untether.cli.demo.devices import Device
from untether.cli.demo.linking import compare_numbers, link_in_turn, switch_on
from untether.cli.demo.stage import Letter, Stage, expect
from untether.cli.demo.talking import compare_codes, expect_unreadable, say


async def lost_laptop(stage: Stage) -> None:
    """The lost laptop is logged out from the phone."""
    phone, laptop = stage.phone("alice"), stage.device("alice", "laptop")
    receiver, laptop.receiver = laptop.receiver, None
    assert receiver is not None
    with stage.report.check("The phone logs the laptop out; the laptop stops (status 6)"):
        _, status = await together(_run_log_out(phone, laptop), receiver.end())
        expect(status == ExitStatus.REFUSED, f"It ended with status {status}, not 6.")
        expect(receiver.error_codes() == ["logged-out"], f"It says {receiver.errors}.")
    stage.leave(laptop)
    await say(stage, stage.phone("bob"), "alice", "I'm at your house. The door code?")
    await say(stage, phone, "bob", "4711. Good that my lost laptop can't read this!")
    with stage.report.check("The laptop gets neither, and the relay keeps nothing for it"):
        await _expect_out(stage, laptop, stage.letters[-2:])
    if stage.refused is not None:
        await link_in_turn(stage, stage.refused)
        await switch_on(stage.refused.device)


async def power_cut(stage: Stage) -> None:
    """The relay is killed while messages are under way, and started again."""
    tablet, bobs_laptop = stage.device("alice", "tablet"), stage.device("bob", "laptop")
    authors = (
        (bobs_laptop, "alice", "The wine is open."),
        (stage.phone("alice"), "bob", "The water boils."),
        (stage.phone("carol"), "alice", "The bread is out of the oven."),
        (bobs_laptop, "alice", "Where is the corkscrew?"),
        (stage.phone("alice"), "bob", "Come in, the door is open."),
        (stage.phone("bob"), "alice", "Found it."),
    )
    with stage.report.check("The relay is killed (SIGKILL) while six messages leave") as check:
        await tablet.switch_off()
        letters = await _write_until_killed(stage, authors)
        queued = sum(letter.state == "queued" for letter in letters)
        check.text += f": {len(letters) - queued} got through, {queued} did not"
    with stage.report.check("A message written without a relay waits on its device"):
        late = await stage.write(stage.phone("bob"), "alice", "Did the lights go out?")
        expect(late.state == "queued", f"The message is {late.state}, not queued.")
    with stage.report.check("Started again, the relay delivers all seven"):
        await stage.relay.start()
        await switch_on(tablet)
        await stage.arrives(*letters, late)
    with stage.report.check("Nothing is lost, nothing came twice, on any device"):
        await until(stage.relay.is_empty, "Something still waits on the relay")
        stage.expect_exactly_once()


async def lost_phone(stage: Stage) -> None:
    """Alice's phone is gone; her recovery code makes a new one."""
    old, new = stage.phone("alice"), stage.new_device("alice", "new phone")
    with stage.report.check("Alice's phone and all that was on it are gone"):
        await old.switch_off()
        shutil.rmtree(old.profile)
        stage.leave(old)
    with stage.report.check("Her recovery code makes a new phone; she keeps her companions"):
        server = ("--server", stage.relay.url, "--device-name", new.name)
        code = ("--recovery-file", stage.recovery_file, "--keep-all")
        recovered = await new.ask("recover", "alice", *server, *code)
        stage.join(new, recovered["device"])
        await switch_on(new)
    with stage.report.check("Her security code with Bob is the same as before"):
        code_now = await compare_codes(stage, new)
        expect(code_now == stage.security_code, f"It was {stage.security_code}, now {code_now}.")
    await say(stage, stage.phone("bob"), "alice", "New phone? You lost the old one!")
    await say(stage, new, "bob", "And nothing but the phone. Dessert?")
    with stage.report.check("New phone and companions show the same devices"):
        await compare_numbers(stage, "alice")


async def curtain(stage: Stage) -> None:
    """The whole story is looked at once more."""
    with stage.report.check("Every message is on every device that it was for, once") as check:
        copies = stage.expect_exactly_once()
        check.text += f": {len(stage.letters)} messages, {copies} copies"
    with stage.report.check("No device met anything that it could not read"):
        for device in stage.everybody():
            expect(not device.complaints(), f"{device.name} says {device.complaints()}.")
    expect_unreadable(stage)


async def _run_log_out(phone: Device, laptop: Device) -> int:
    await phone.run("devices", "logout", str(laptop.number))
    return 0


async def _expect_out(stage: Stage, laptop: Device, later: list[Letter]) -> None:
    again = await laptop.start("receive")
    expect(await again.end() == ExitStatus.REFUSED, "It may receive again.")
    history = {line["message_id"] for line in [*again.printed, *await laptop.run("messages")]}
    expect(
        not history & {letter.message_id for letter in later},
        "It has what was written after its log-out.",
    )
    assert laptop.number is not None
    traces = stage.relay.traces_of(laptop.account, laptop.number)
    expect(traces == 0, f"The relay keeps {traces} rows for it.")


async def _write_until_killed(
    stage: Stage, authors: tuple[tuple[Device, str, str], ...]
) -> list[Letter]:
    """Write all at once; as soon as any device has any of them, kill the relay."""
    texts = {text for _, _, text in authors}
    writing = [asyncio.ensure_future(stage.write(*letter)) for letter in authors]
    arriving = [
        asyncio.ensure_future(device.receiver.line(lambda line: line.get("text") in texts, "mail"))
        for device in stage.everybody()
        if device.receiver is not None
    ]
    try:
        await asyncio.wait(arriving, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in arriving:
            task.cancel()
    await stage.relay.kill()
    return await together(*writing)
