"""Fixtures of the pairwise tests."""

import pytest
from tests.unit.pairwise.pairwise_people import Endpoint


@pytest.fixture
def alice() -> Endpoint:
    """Return Alice's phone."""
    return Endpoint("alice")


@pytest.fixture
def bob() -> Endpoint:
    """Return Bob's laptop."""
    return Endpoint("bob", 3)
