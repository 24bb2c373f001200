"""Scenes with messages: both directions, the phone off, and what the relay's disk shows."""

from __future__ import annotations

from untether.cli.demo.checks import together, until
from untether.cli.demo.devices import Device
from untether.cli.demo.linking import switch_on
from untether.cli.demo.relay import found_on_disk
from untether.cli.demo.stage import Stage, expect


async def both_directions(stage: Stage) -> None:
    """Alice writes from her phone, Bob answers from his laptop; all five devices have both."""
    await say(stage, stage.phone("alice"), "bob", "Dinner at eight? I cook.")
    await say(stage, stage.device("bob", "laptop"), "alice", "With pleasure, I bring the wine 🍷")
    with stage.report.check("Alice and Bob see the same security code") as check:
        code = await compare_codes(stage, stage.phone("alice"))
        stage.security_code = code
        check.text += f", {code[:5]} {code[5:10]} … {code[-5:]}"


async def phone_off(stage: Stage) -> None:
    """Alice's phone is off: her laptop receives, answers, and writes to somebody new."""
    laptop = stage.device("alice", "laptop")
    with stage.report.check("Alice's phone is switched off; Carol registers her phone"):
        await together(stage.phone("alice").switch_off(), stage.register("carol"))
    await switch_on(stage.phone("carol"))
    await say(stage, stage.phone("bob"), "alice", "You don't pick up. Red or white?")
    await together(
        say(stage, laptop, "bob", "My phone is flat, this is my laptop. White!"),
        say(stage, laptop, "carol", "Hello Carol, Bob says that you bake bread?"),
    )
    await say(stage, stage.phone("carol"), "alice", "I do! A loaf is yours at seven.")


async def relay_disk(stage: Stage) -> None:
    """What waits is unreadable, and what was delivered is gone."""
    phone = stage.phone("alice")
    waiting = [
        letter
        for letter in stage.letters
        if phone in letter.readers and letter.message_id not in phone.times_received()
    ]
    with stage.report.check(f"{len(waiting)} messages wait for Alice's phone, sealed"):
        mailbox = stage.relay.waiting_ids("alice", 0)
        for letter in waiting:
            expect(mailbox.count(letter.message_id) == 1, f"“{letter.text}” does not wait there.")
        sealed = stage.relay.bodies()
        expect(found_on_disk(stage.relay.directory, sealed) == sealed, "They are not on the disk.")
    expect_unreadable(stage)
    with stage.report.check("The phone is switched on, and has them all, each exactly once"):
        await switch_on(phone)
        await stage.arrives(*waiting)
        stage.expect_exactly_once()
    with stage.report.check("All mailboxes on the relay are empty"):
        await until(stage.relay.is_empty, "Something still waits on the relay")
    with stage.report.check("Even the sealed bytes are gone from the relay's disk"):
        await until(
            lambda: not found_on_disk(stage.relay.directory, sealed),
            "Sealed messages are still on the relay's disk",
        )


def expect_unreadable(stage: Stage) -> None:
    """No file of the relay or of a device has a word that somebody wrote."""
    texts = [letter.text.encode() for letter in stage.letters]
    with stage.report.check(f"None of the {len(texts)} texts is in any file of the relay"):
        names = [account.encode() for account in stage.accounts()]
        expect(found_on_disk(stage.relay.directory, names) == names, "The search finds nothing.")
        _expect_none(found_on_disk(stage.relay.directory, texts))
    with stage.report.check("Nor in the files of a device: who steals it reads nothing"):
        _expect_none(found_on_disk(stage.profiles, texts))


async def say(stage: Stage, author: Device, to: str, text: str) -> None:
    """Write to somebody; it arrives at every other device of both that is switched on."""
    with stage.report.check(f"{author.name.capitalize()} to {to.capitalize()}: “{text}”") as check:
        letter = await stage.send(author, to, text)
        await stage.arrives(letter)
        on = sum(reader.receiver is not None for reader in letter.readers)
        off = len(letter.readers) - on
        check.text += f" On {on} other device{'' if on == 1 else 's'}"
        check.text += f", {off} off" if off else ""


async def compare_codes(stage: Stage, alices: Device) -> str:
    """Return the security code that Alice and Bob both see."""
    hers, his = await together(
        alices.ask("security-code", "bob"),
        stage.phone("bob").ask("security-code", "alice"),
    )
    code = str(hers["code"])
    expect(code == his["code"], f"Alice sees {code}, Bob sees {his['code']}.")
    expect(len(code) == 60 and code.isdecimal(), f"{code} is not 60 digits.")
    return code


def _expect_none(found: list[bytes]) -> None:
    texts = ", ".join(f"“{text.decode()}”" for text in found)
    expect(not found, f"Readable on the disk: {texts}.")
