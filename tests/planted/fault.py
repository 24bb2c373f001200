"""What a planted fault is: one rule of the product that does not hold, and who must notice.

A fault is planted as a twin's defence is switched off (``tests/attacks/defences.py``): other
code stands in the place of the product's, until the end of a ``with``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from tests.attacks.defences import Defence, Place

SEEDS = 40
"""Of so many worlds, from seed 0 on, one must show a fault that the simulation catches.

Most show in the first worlds, the rarest in one of seven; which ones, changes with each change.
"""


@dataclass(frozen=True)
class Fault:
    """One rule that is broken: its name, what is wrong, where, and who catches it.

    ``test`` is the id of a test that must fail; without one, a world of the first ``seeds`` must.
    """

    name: str
    broken: str
    rule: Defence
    test: str = ""
    seeds: int = SEEDS

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Run the product with this fault in it."""
        with pytest.MonkeyPatch.context() as patch:
            self.rule.switch_off(patch)
            yield


def rule(owner: object, name: str, instead: object) -> Defence:
    """Name a rule that stands in one place, and what stands there instead."""
    return Defence(Place(owner, name, instead))
