"""The story, chapter by chapter: what is told, and the scene that plays and checks it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from untether.cli.demo import linking, losing, talking
from untether.cli.demo.stage import Stage


@dataclass(frozen=True)
class Chapter:
    """One step of the story."""

    title: str
    told: str
    scene: Callable[[Stage], Awaitable[None]]


STORY: tuple[Chapter, ...] = (
    Chapter(
        "A relay, and two people",
        "The relay carries messages and can read none. Each phone makes its own keys.",
        linking.two_people,
    ),
    Chapter(
        "Five devices",
        "A new device shows a QR code, the phone takes a picture of it. From then on it is a "
        "device of its own, with its own keys, and does not need the phone.",
        linking.three_companions,
    ),
    Chapter(
        "Messages, and copies for my own devices",
        "Every message is sealed for each device of the other person, and for the writer's own "
        "other devices.",
        talking.both_directions,
    ),
    Chapter(
        "The phone is off",
        "Alice's laptop goes on alone: it receives, answers, and writes to somebody new.",
        talking.phone_off,
    ),
    Chapter(
        "What a thief of the relay's disk would find",
        "Mail waits on the relay until its device took it. Nobody but that device can read it.",
        talking.relay_disk,
    ),
    Chapter(
        "A fifth companion",
        "One phone and four companions: Alice links two more devices, and then one too many.",
        linking.one_too_many,
    ),
    Chapter(
        "The laptop is lost",
        "Alice logs it out from her phone. Its place is free for the device that was refused.",
        losing.lost_laptop,
    ),
    Chapter(
        "A power cut",
        "The relay dies in the middle of it all. It answered for nothing that was not on disk.",
        losing.power_cut,
    ),
    Chapter(
        "The phone is lost",
        "The recovery code that Alice wrote down makes a new phone the head of her account.",
        losing.lost_phone,
    ),
    Chapter(
        "All is counted",
        "What each device printed is compared with everything that was written.",
        losing.curtain,
    ),
)
