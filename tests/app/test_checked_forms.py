"""What was typed is looked at before anything is made from it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.app.conftest import CallError, OpenTab, Tab


async def refusal_of(tab: Tab, **typed: Any) -> dict[str, Any]:
    """Return why a form is refused; nothing was made meanwhile."""
    with pytest.raises(CallError) as refused:
        await tab.call("check_form", **{"device_name": "phone", **typed})
    assert (await tab.call("look"))["phase"] == "empty"
    return refused.value.problem


@pytest.mark.parametrize(
    ("typed", "code", "says"),
    [
        ({"way": "register", "name": "a"}, "bad-name", "2 to 32"),
        ({"way": "register", "name": "alice", "device_name": ""}, "bad-device-name", "1 to 64"),
        ({"way": "link", "device_name": "a\nb"}, "bad-device-name", "1 to 64"),
        (
            {"way": "recover", "name": "alice", "code": "abcd"},
            "bad-recovery-code",
            "52 are missing",
        ),
        (
            {"way": "register", "name": "alice", "invitation": "x" * 65},
            "bad-invitation",
            "Copy the code again",
        ),
    ],
)
async def test_what_can_come_to_nothing_is_refused(
    open_tab: OpenTab, typed: dict[str, str], code: str, says: str
) -> None:
    """Before a passphrase is thought of, and with what is right instead."""
    problem = await refusal_of(open_tab("new"), **typed)
    assert problem["error"] == code
    assert says in problem["hint"]


async def test_the_relay_says_early_that_a_name_is_taken(open_tab: OpenTab) -> None:
    """A name of another account is refused, a free one is not."""
    await open_tab("alice").register("alice-was-first")
    late = open_tab("late")
    problem = await refusal_of(late, way="register", name="alice-was-first")
    assert problem["error"] == "name-taken"
    assert await late.call("check_form", way="register", name="late", device_name="p") is None


async def test_name_and_recovery_code_belong_together(open_tab: OpenTab) -> None:
    """A name that nobody has and one of somebody else are told apart; the right one passes."""
    code = await open_tab("alice").register("alice-checks")
    await open_tab("bob").register("bob-checks")
    new = open_tab("new")
    recover = {"way": "recover", "code": code}
    assert (await refusal_of(new, name="nobody-checks", **recover))["error"] == "unknown-name"
    assert (await refusal_of(new, name="bob-checks", **recover))["error"] == "recovery-wrong-name"
    assert await new.call("check_form", name="alice-checks", device_name="p", **recover) is None
