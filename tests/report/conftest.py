from pathlib import Path
from types import SimpleNamespace

import pytest

import twinloop
from twinloop.report import render_incidents, render_year

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="session")
def retrofit():
    """A hall with every kind of figure, planned in two seconds."""
    return twinloop.plan(twinloop.load(EXAMPLES / "retrofit.yaml"))


@pytest.fixture(scope="session")
def year(retrofit):
    """The page of the retrofit's year, as ``simulate`` writes it."""
    ran = twinloop.simulate(twinloop.load(EXAMPLES / "retrofit.yaml"), retrofit)
    return SimpleNamespace(report=lambda: render_year(ran.simulation, retrofit.plan, ran.years, "twinloop simulate"))


@pytest.fixture(scope="session")
def window(retrofit):
    """The page of an hour in which an air handler of the retrofit stops."""
    fault = ["crah-1 fails at 14:10 for 10 min"]
    ran = twinloop.simulate(twinloop.load(EXAMPLES / "retrofit.yaml"), retrofit, "07-14 14:00/07-14 15:00", fault)
    return SimpleNamespace(report=lambda: render_incidents(ran.simulation, ran.incidents, "twinloop simulate"))


@pytest.fixture(scope="session")
def laboratory():
    """Plates with a warm loop, six stages on two sites, a model in pipeline stages; planned in ten seconds."""
    return twinloop.plan(twinloop.load(EXAMPLES / "drug-discovery.yaml"))


@pytest.fixture(scope="session")
def shops_file(tmp_path_factory):
    """The shops' scenario with machines by the hour only, or all of it goes to the cloud, reserved."""
    text = (EXAMPLES / "edge-stores.yaml").read_text(encoding="utf-8")
    hourly = text.replace("region: eu-west-3,", "region: eu-west-3, purchase: [on_demand],")
    assert hourly != text
    path = tmp_path_factory.mktemp("shops") / "edge-stores.yaml"
    path.write_text(hourly, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def shops(shops_file):
    """A plan without a hall, over edge places and a cloud."""
    return twinloop.plan(twinloop.load(shops_file))
