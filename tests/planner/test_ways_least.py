"""Every way out that is told works as told, and asks for no more than it takes: 2 % less of any of it fails."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from twinloop.model.model import Caps, Model
from twinloop.planner.infeasible import explain
from twinloop.planner.optimise import optimise
from twinloop.planner.screen import screen
from twinloop.planner.ways_checked import with_limits
from twinloop.twin.design import PlantConstants
from twinloop.units import parse

K = PlantConstants()
CLOUD = "  - {name: away, kind: cloud, provider: azure, region: eastus}\n"
SERVE = (
    "  - {name: serve, kind: serve, after: train, model: net, rate: 5/s, input_tokens: 1024, output_tokens: 256,\n"
    "      latency_p99: 1 s}\n"
)
FEW = {"cooling": ", cooling: [air, air_cooled_chiller]"}
WET = {"cooling": ", cooling: [air, water_cooled_chiller]"}
CASES: dict[str, tuple[dict[str, str], Caps]] = {
    "power": ({"power": "50 kW"}, Caps()),
    "water": ({"water": "1 m3/year", **WET}, Caps()),
    "racks": ({"positions": "2"}, Caps()),
    "racks and deadline": ({"deadline": "3 days", "positions": "20"}, Caps()),
    "rack power": ({"rack": "5 kW"}, Caps()),
    "deadline": ({"deadline": "10 min"}, Caps()),
    "latency": ({"stages": SERVE}, Caps()),
    "capital": ({}, Caps(capex_usd=5e6)),
    "cost": ({}, Caps(cost_usd=8e6)),
    "carbon": ({}, Caps(carbon_kg_per_year=100e3)),
    "residency": (
        {"residency": "[EU]", "sites": CLOUD, "stage": ", sites: [away]", "devices": "[A100-SXM-80GB]"}, Caps(),
    ),
    "weight": ({}, Caps()),
    "power and racks": ({"power": "120 kW", "positions": "5"}, Caps()),
}  # fmt: skip
KINDS = {"W": "power", "kW": "power", "MW": "power", "kg": "mass", "t": "mass"} | dict.fromkeys(
    ("ms", "s", "min", "h", "day", "days", "weeks", "years"), "duration"
)


def amount_of(words: str) -> float:
    """Give the amount that a way tells, in SI."""
    number, _, unit = words.replace(",", "").partition(" ")
    if unit == "M USD":
        return float(number) * 1e6
    return parse(f"{number} {unit}", KINDS[unit]) if unit in KINDS else float(number)


def told(way: str) -> dict[str, float]:
    """Give the limits that ``way`` moves, by name; of a rule that is given up nothing."""
    moves = way.split(" (")[0].split("; ")[0]
    found = {name: amount_of(to) for name, to in re.findall(r"raise (.+?) from .+? to (.+?)(?= and |$)", moves)}
    return found | dict.fromkeys(re.findall(r"give up (.+?)(?= and |$)", moves), 0.0)


def fits(model: Model, needs: dict[str, float]) -> bool:
    looser = with_limits(model, needs)
    assert looser is not None
    for whole in (False, True):
        found = screen(looser, K, lambda _: None, whole=whole)
        if optimise(looser, found.placements, found.designs, K) is not None:
            return True
    return False


def less(needs: dict[str, float], name: str) -> dict[str, float]:
    """Give ``needs`` with 2 % less of ``name``, one whole rack less, or the rule not given up."""
    if not needs[name]:
        return {other: need for other, need in needs.items() if other != name}
    return {**needs, name: needs[name] - 1.0 if name.startswith("rack positions") else 0.98 * needs[name]}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_each_way_out_works_as_told_and_not_with_less(small, name):
    changes, caps = CASES[name]
    model = replace(small(**{**FEW, **changes}), caps=caps)
    if name == "weight":
        hall = model.on_premise[0]
        model = replace(model, on_premise=(replace(hall, racks=replace(hall.racks, weight_kg=60.0)),))
    assert not fits(model, {})
    ways = explain(model, K, lambda _: None).ways_out
    assert ways
    for way in ways:
        needs = told(way)
        assert needs, way
        assert fits(model, needs), way
        for each in needs:
            assert not fits(model, less(needs, each)), f"{way}: less of {each} is enough"


def test_what_a_way_says_is_read_as_it_is_meant():
    way = "raise utility power of hall from 50 kW to 181 kW and raise deadline of train from 6 days to 6.89 days (1 USD"
    assert told(way) == pytest.approx({"utility power of hall": 181e3, "deadline of train": 6.89 * 86400.0})
    assert told("give up residency of train's data in EU (x") == {"residency of train's data in EU": 0.0}
    assert less({"rack positions of hall": 9.0}, "rack positions of hall") == {"rack positions of hall": 8.0}
