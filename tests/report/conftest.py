from pathlib import Path

import pytest

import twinloop

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="session")
def retrofit():
    """A hall with every kind of figure, planned in two seconds."""
    return twinloop.plan(twinloop.load(EXAMPLES / "retrofit.yaml"))


@pytest.fixture(scope="session")
def shops():
    """A plan without a hall."""
    return twinloop.plan(twinloop.load(EXAMPLES / "edge-stores.yaml"))
