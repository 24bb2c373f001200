"""The randomness port: a function from a length to that many fresh random bytes."""

from __future__ import annotations

from collections.abc import Callable

Randomness = Callable[[int], bytes]
"""Drivers pass ``os.urandom``; simulations and vectors pass seeded streams."""
