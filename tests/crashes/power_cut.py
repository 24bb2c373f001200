"""A power cut, at every moment of a run that was recorded once.

Theory of operation. While a program runs, :class:`Recording` keeps every change of its disk in
order, and what the world learned in between (*facts*). Afterwards a :class:`Platter` goes through
the changes again and knows at each moment what is certain, because it was synced, and what is on
its way. A cut makes an image of it: what is on its way is lost, or each write of it is kept,
dropped, torn sector by sector or turned to noise, in any order; files that were made or deleted
are there or not, until their folder was synced. The check opens the image with the product's own
adapter and compares it with the facts up to that moment.

The model is harsher than disks are: a file system orders more than this. It keeps what SQLite
relies on: a write harms no byte outside its own range ("powersafe overwrite").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

from tests.crashes.disks import Change, Disk, Kind

SECTOR: Final = 512


class Recording(Disk):
    """A disk that keeps what was done to it, and what the world learned meanwhile."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.before = {file.name: file.read_bytes() for file in folder.iterdir()}
        self.changes: list[Change] = []
        self.facts: list[tuple[int, Any]] = []

    def change(self, change: Change) -> None:
        """Keep it."""
        self.changes.append(change)

    def note(self, fact: object) -> None:
        """Keep what the world knows from now on: it must hold in every later image."""
        self.facts.append((len(self.changes), fact))


class Fate(Enum):
    """What becomes of changes that were not synced."""

    LOST = "lost"
    MIXED = "mixed"


class Cut(NamedTuple):
    """A moment: so many changes were begun, none of the later ones."""

    at: int
    fate: Fate


def cuts(recording: Recording) -> list[Cut]:
    """Return every moment: after each change that is no sync, and before each that is."""
    found = []
    for at, change in enumerate(recording.changes):
        if change.kind in (Kind.SYNC, Kind.SYNC_FOLDER):
            found.append(Cut(at, Fate.LOST))
        else:
            found.append(Cut(at + 1, Fate.MIXED))
    return found


def sample(all_cuts: Sequence[Cut], count: int | None, seed: int) -> list[Cut]:
    """Return ``count`` of the cuts in their order, all of them for None."""
    if count is None or count >= len(all_cuts):
        return list(all_cuts)
    return [all_cuts[place] for place in sorted(Random(seed).sample(range(len(all_cuts)), count))]


@dataclass
class _Inode:
    certain: bytearray = field(default_factory=bytearray)
    under_way: list[Change] = field(default_factory=list)


class Platter:
    """What the disk of a recording holds at a moment, certain and under way."""

    def __init__(self, recording: Recording) -> None:
        inodes = {name: _Inode(bytearray(data)) for name, data in recording.before.items()}
        self._named = dict(inodes)
        self._certain_names = dict(inodes)
        self._names_under_way: list[tuple[str, _Inode | None]] = []

    def take(self, change: Change) -> None:
        """Go on by one change."""
        if change.kind is Kind.CREATE:
            self._name(change.file, _Inode())
        elif change.kind is Kind.DELETE:
            self._name(change.file, None)
        elif change.kind is Kind.SYNC_FOLDER:
            self._certain_names = dict(self._named)
            self._names_under_way.clear()
        else:
            inode = self._named[change.file]
            if change.kind is Kind.SYNC:
                for one in inode.under_way:
                    _carry_out(inode.certain, one)
                inode.under_way.clear()
            else:
                inode.under_way.append(change)

    def _name(self, file: str, inode: _Inode | None) -> None:
        _set(self._named, file, inode)
        self._names_under_way.append((file, inode))

    def image(self, fate: Fate, random: Random) -> dict[str, bytes]:
        """Return the files that are found when the power is back."""
        names = dict(self._certain_names)
        if fate is Fate.MIXED:
            for file, inode in self._names_under_way:
                if random.random() < 0.5:
                    _set(names, file, inode)
        return {file: _content(inode, fate, random) for file, inode in names.items()}


def _set(names: dict[str, _Inode], file: str, inode: _Inode | None) -> None:
    if inode is None:
        names.pop(file, None)
    else:
        names[file] = inode


def _content(inode: _Inode, fate: Fate, random: Random) -> bytes:
    content = bytearray(inode.certain)
    if fate is Fate.MIXED:
        under_way = list(inode.under_way)
        random.shuffle(under_way)
        kept = random.choice((0.1, 0.5, 0.9))
        for change in under_way:
            if random.random() < kept:
                _carry_out(content, change)
            elif change.kind is Kind.WRITE and random.random() < 0.5:
                _tear(content, change, random)
    return bytes(content)


def _carry_out(content: bytearray, change: Change) -> None:
    if change.kind is Kind.TRUNCATE:
        del content[change.offset :]
        _grow(content, change.offset)
    else:
        _grow(content, change.offset)
        content[change.offset : change.offset + len(change.data)] = change.data


def _tear(content: bytearray, change: Change, random: Random) -> None:
    """Write some sectors of a write, leave others, and turn some to noise."""
    end = change.offset + len(change.data)
    start = change.offset
    while start < end:
        stop = min(end, (start // SECTOR + 1) * SECTOR)
        part = change.data[start - change.offset : stop - change.offset]
        chance = random.random()
        if chance < 0.55:
            noise = chance < 0.05
            data = random.randbytes(len(part)) if noise else part
            _carry_out(content, Change(Kind.WRITE, change.file, start, data))
        start = stop


def _grow(content: bytearray, length: int) -> None:
    if len(content) < length:
        content.extend(bytes(length - len(content)))


@dataclass
class Tally:
    """What a series of cuts has shown; ``failures`` names each image that was wrong.

    ``again`` counts cuts in the start after a first one.
    """

    writes: int = 0
    syncs: int = 0
    cuts: int = 0
    again: int = 0
    failures: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.writes} write points and {self.syncs} syncs in the run; {self.cuts} cuts and "
            f"{self.again} second ones, each image checked; {len(self.failures)} failures"
        )


Check = Callable[[Path], None]
"""Opens an image and raises AssertionError when it contradicts the facts so far."""


def cut_power(
    recording: Recording,
    chosen: Iterable[Cut],
    *,
    learn: Callable[[Any], None],
    check: Check,
    folder: Path,
    seed: int = 1,
) -> Tally:
    """Make the image of each cut in ``folder`` and check it against the facts up to there."""
    every = cuts(recording)
    tally = Tally(
        writes=sum(cut.fate is Fate.MIXED for cut in every),
        syncs=sum(cut.fate is Fate.LOST for cut in every),
    )
    for cut, image in _images(recording, chosen, learn, seed):
        _lay_out(image, folder)
        tally.cuts += 1
        try:
            check(folder)
        except Exception as failure:  # whatever an image does to the product is a finding
            tally.failures.append(f"{cut.fate.value} at {cut.at}: {failure!r}"[:500])
    return tally


def _images(
    recording: Recording, chosen: Iterable[Cut], learn: Callable[[Any], None], seed: int
) -> Iterator[tuple[Cut, dict[str, bytes]]]:
    platter, taken = Platter(recording), 0
    facts = iter([*recording.facts, (len(recording.changes) + 1, None)])
    known_at, fact = next(facts)
    for cut in chosen:
        for change in recording.changes[taken : cut.at]:
            platter.take(change)
        taken = cut.at
        while known_at <= cut.at:
            learn(fact)
            known_at, fact = next(facts)
        yield cut, platter.image(cut.fate, Random(f"{seed} {cut.at}"))


def _lay_out(image: dict[str, bytes], folder: Path) -> None:
    for old in folder.iterdir():
        old.unlink()
    for name, data in image.items():
        (folder / name).write_bytes(data)
