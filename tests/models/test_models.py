"""The models hold in every state, and each rule that is taken away breaks a claim."""

from __future__ import annotations

import pytest
from tests.models import spin

pytestmark = pytest.mark.skipif(
    bool(spin.missing()), reason=f"not installed: {', '.join(spin.missing())}"
)
STATES_MIN = 10_000
"""A model that visits fewer states leaves too much out to prove anything."""

MUTANTS = [(model, mutant) for model in spin.models() for mutant in spin.mutants(model)]


@pytest.mark.parametrize("model", spin.models())
def test_every_state_is_sound(model: str) -> None:
    """No state breaks a claim, and every line of the model was reached."""
    found = spin.search(model)
    assert found.failure == ""
    assert found.unreached == ()
    assert found.states > STATES_MIN


@pytest.mark.parametrize(("model", "mutant"), MUTANTS)
def test_twin_without_a_rule_a_claim_breaks(model: str, mutant: str) -> None:
    """Switched off: Spin finds the way to the loss."""
    assert "assertion violated" in spin.search(model, mutant).failure


@pytest.mark.parametrize("bound", ["DEPTH_MAX", "MEMORY_MIB"])
def test_a_search_that_is_cut_short_proves_nothing(
    bound: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too little room is an error, not the absence of one."""
    monkeypatch.setattr(spin, bound, 20)
    with pytest.raises(RuntimeError, match="cut short"):
        spin.search(spin.models()[0])


@pytest.mark.parametrize("model", spin.models())
def test_a_model_has_mutants(model: str) -> None:
    """A claim that nothing can break claims nothing."""
    assert len(spin.mutants(model)) >= 4
