"""What both sides of a link share as state machines (spec 03, "Phone" and "Companion")."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Generic, Self, TypeVar

from untether.protocol.linking.failures import link_error
from untether.protocol.linking.link_text import LinkText
from untether.wire.codec import Record, decode, encode

State = TypeVar("State", bound=Enum)
Input = TypeVar("Input", bound=Enum)
T = TypeVar("T")


class StoredLink(Record, Generic[State], frozen=True):
    """How far a link has come, and the text that one side showed and the other scanned."""

    state: State
    text: str

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.state.value}>"

    @classmethod
    def from_bytes(cls, stored: bytes) -> Self:
        """Read what :meth:`to_bytes` wrote."""
        return decode(stored, cls, size_max=len(stored))

    def to_bytes(self) -> bytes:
        """Encode the link for the device's own database."""
        return encode(self)

    @property
    def link_text(self) -> LinkText:
        """The text, read."""
        return LinkText.from_text(self.text)


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
