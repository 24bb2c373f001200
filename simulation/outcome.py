"""Running one seed from its number alone, and saying in one line how it went."""

from __future__ import annotations

from dataclasses import dataclass, field

from simulation.choices import Choices
from simulation.faults import Faults, draw
from simulation.world import World

MESSAGES = 100


@dataclass(frozen=True)
class Outcome:
    """What became of one seed; ``failure`` is empty when every promise was kept."""

    seed: int
    messages: int
    faults: Faults
    failure: str
    digest: str
    lines: list[str] = field(repr=False)
    counts: dict[str, int] = field(repr=False)
    written: int = 0
    delivered: int = 0
    virtual_ms: int = 0

    @property
    def command(self) -> str:
        """What repeats exactly this."""
        changes = [f" --change {one}" for one in self.changes]
        words = f"python -m simulation --seed {self.seed} --messages {self.messages}"
        return words + "".join(changes)

    @property
    def changes(self) -> list[str]:
        """What is other than the seed says; shrinking changes it."""
        return self.faults.changes_from(faults_of(self.seed))


def faults_of(seed: int) -> Faults:
    """Return what goes wrong in a seed."""
    return draw(Choices(seed).stream("faults"))


def run(seed: int, messages: int = MESSAGES, faults: Faults | None = None) -> Outcome:
    """Run one seed; every exception is a failure of the seed."""
    chosen = faults_of(seed) if faults is None else faults
    world = World(seed, chosen, messages)
    began = world.now
    failure = ""
    try:
        world.run()
    except Exception as error:  # whatever it is, the seed shows it
        failure = f"{type(error).__name__}: {error}"
        world.trace.note(world.now, "world", "failed", failure.splitlines()[0])
    return Outcome(
        seed=seed,
        messages=messages,
        faults=chosen,
        failure=failure,
        digest=world.trace.digest,
        lines=list(world.trace.lines),
        counts=dict(world.trace.counts),
        written=world.people.written,
        delivered=sum(len(delivery.devices) for _, _, delivery in world.watch.accepted()),
        virtual_ms=world.now - began,
    )
