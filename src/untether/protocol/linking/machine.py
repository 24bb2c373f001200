"""What both sides of a link share as state machines (spec 03, "Phone" and "Companion")."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

from untether.protocol.linking.failures import link_error

State = TypeVar("State", bound=Enum)
Input = TypeVar("Input", bound=Enum)
T = TypeVar("T")


def next_state(
    transitions: Mapping[tuple[State, Input], State], state: State, moved_by: Input
) -> State:
    """Look up the next state; ``link-wrong-moment`` when the table has none."""
    try:
        return transitions[state, moved_by]
    except KeyError:
        raise link_error("link-wrong-moment") from None


def known(field: T | None) -> T:
    """Return a field that the present state has filled; ``link-wrong-moment`` otherwise."""
    if field is None:
        raise link_error("link-wrong-moment")
    return field
