"""One key, one purpose, one label (spec 01, "Labels")."""

from __future__ import annotations

import re
from itertools import permutations

from untether.crypto import labels

ALL = {name: value for name, value in vars(labels).items() if isinstance(value, bytes)}


def test_labels_have_one_form() -> None:
    """ASCII ``untether/v1/<purpose>``, then a zero byte."""
    assert len(ALL) > 10
    for label in ALL.values():
        assert re.fullmatch(rb"untether/v1/[a-z0-9-]+\0", label)


def test_no_two_labels_are_alike() -> None:
    """Two purposes with one label would be one purpose."""
    assert len(set(ALL.values())) == len(ALL)


def test_no_label_is_a_prefix_of_another() -> None:
    """So no input under one label can be read as an input under another."""
    for one, other in permutations(ALL.values(), 2):
        assert not other.startswith(one)


def test_without_the_zero_byte_that_would_not_hold() -> None:
    """The twin: the final zero byte is what separates a purpose from a longer one."""
    first, longer = labels._label("body"), labels._label("body-hash")
    assert not longer.startswith(first)
    assert longer.startswith(first.rstrip(b"\0"))
