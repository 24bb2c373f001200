"""The only source of chance: named streams, each derived from (seed, name).

A new consumer draws from a stream of its own and so does not shift what the others draw: old
seeds keep their meaning as far as possible.
"""

from __future__ import annotations

from random import Random


class Choices:
    """All streams of one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def stream(self, name: str) -> Random:
        """Return a fresh generator for one consumer; the same name gives the same draws."""
        return Random(f"{self.seed}/{name}")  # seeded by SHA-512, whatever the hash seed


def happens(random: Random, probability: float) -> bool:
    """Draw whether something happens."""
    return random.random() < probability


def around(random: Random, mean: float) -> int:
    """Draw a waiting time (ms), exponentially distributed around ``mean``."""
    return round(random.expovariate(1 / mean)) if mean > 0 else 0
