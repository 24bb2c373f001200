"""Power cuts at every moment: what was answered, acknowledged or sent is on the disk.

Here a sample of the moments is checked; ``make crashes`` checks all of them. The twins show that
the images tell a disk that was not synced from one that was, which killing a process can't.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.crashes.power_cuts import (
    HastyDevice,
    cut_device,
    cut_relay,
    device_that_syncs_less,
    relay_that_answers_early,
    relay_that_syncs_less,
)

Figures = Callable[[str, object], None]
FORGOTTEN = "an answered submission is not remembered"


def test_a_relay_loses_its_power(tmp_path: Path, record_property: Figures) -> None:
    """Each answered message is there or was acknowledged, and nothing comes twice."""
    tally = cut_relay(tmp_path, messages=500, count=600, again_every=200)
    record_property("figures", f"power cuts of a relay, 500 messages: {tally}")
    assert tally.failures == []


def test_a_device_loses_its_power(tmp_path: Path, record_property: Figures) -> None:
    """Nothing acknowledged or shown is lost, and no message key is used twice."""
    tally = cut_device(tmp_path, messages=150, count=200, again_every=100)
    record_property("figures", f"power cuts of a device, 150 messages: {tally}")
    assert tally.failures == []


@pytest.mark.parametrize("mode", ["NORMAL", "OFF"])
def test_twin_a_relay_that_syncs_less(tmp_path: Path, mode: str) -> None:
    """Switched off: answered messages are lost."""
    with relay_that_syncs_less(mode):
        tally = cut_relay(tmp_path, messages=60, count=100)
    assert FORGOTTEN in str(tally.failures)


def test_twin_a_relay_that_answers_before_its_commit(tmp_path: Path) -> None:
    """Switched off: the answer is out, and the message was never written."""
    with relay_that_answers_early():
        tally = cut_relay(tmp_path, messages=60, count=100)
    assert FORGOTTEN in str(tally.failures)


@pytest.mark.parametrize("mode", ["NORMAL", "OFF"])
def test_twin_a_device_that_syncs_less(tmp_path: Path, mode: str) -> None:
    """Switched off: acknowledgements and messages are forgotten, or even the account."""
    with device_that_syncs_less(mode):
        tally = cut_device(tmp_path, messages=20, count=100)
    assert "is forgotten" in str(tally.failures)


def test_twin_a_device_that_acts_before_its_commit(tmp_path: Path) -> None:
    """Switched off: what has left is not on the disk, and message keys are used twice."""
    tally = cut_device(tmp_path, messages=20, count=200, kind=HastyDevice)
    assert "a message key was used twice" in str(tally.failures)
    assert "an acknowledgement is forgotten" in str(tally.failures)
