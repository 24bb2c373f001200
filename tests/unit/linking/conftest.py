"""Fixtures of the linking tests."""

import pytest
from tests.unit.linking.link_walk import Alice, Linking, make_account


@pytest.fixture
def alice() -> Alice:
    """Return Alice with a phone and nothing else."""
    return make_account("alice")


@pytest.fixture
def linking(alice: Alice) -> Linking:
    """Return a link whose text the phone has scanned."""
    return Linking(alice)
