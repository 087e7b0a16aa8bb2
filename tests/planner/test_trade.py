"""What one total costs in another, against plain enumeration."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from twinloop.cli.frontier import axes_of
from twinloop.errors import InputError
from twinloop.planner.optimise import Optimised
from twinloop.planner.placements import Placement
from twinloop.planner.screen import screen
from twinloop.planner.selection import Link, Problem
from twinloop.planner.trade import AXES, trade
from twinloop.scenario import load_text, resolve
from twinloop.twin.design import PlantConstants

SMALL = Path(__file__).parents[1] / "studio" / "small.yaml"
STAGES = ("first", "second")


@pytest.fixture(scope="module")
def screened():
    model = resolve(load_text(SMALL.read_text(encoding="utf-8"), SMALL))
    return model, screen(model, PlantConstants(), lambda _: None).placements[0]


def scattered(like: Placement, seed: int) -> Optimised:
    """Return a search over random placements of two stages, 12 each, at one place without limits."""
    rng = np.random.default_rng(seed)
    placements = tuple(
        replace(
            like, stage=stage, site="cloud", design=None, cost_usd=cost, facility_j=energy, carbon_kg=carbon,
            water_m3=water, option=replace(like.option, duration_s=time_s, latency_p99_s=None),
        )
        for stage in STAGES
        for cost, energy, carbon, water, time_s in rng.uniform(1.0, 9.0, (12, 5)).tolist()
    )  # fmt: skip
    costs = tuple(p.cost_usd for p in placements)
    links = (Link(0, 13, 4.0), Link(3, 17, 9.0))
    return Optimised(None, Problem(STAGES, placements, costs, (), links), None, 0.0, 0.0, 0)


def amounts(model, p) -> dict[str, float]:
    years = model.horizon_s / (8760 * 3600.0)
    return {
        "cost": p.cost_usd, "energy": p.facility_j * years, "carbon": p.carbon_kg * years,
        "water": p.water_m3 * years, "time": p.option.duration_s,
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("axes", [("cost", "water"), ("energy", "time"), ("cost", "carbon", "water")])
def test_points_are_undominated_among_all_choices_and_hold_every_end(screened, axes, seed):
    model, like = screened
    best = scattered(like, seed)
    problem = best.problem
    every = []
    for picked in product(range(12), range(12, 24)):
        first, second = (amounts(model, problem.placements[i]) for i in picked)
        moved = sum(link.cost for link in problem.links if (link.first, link.second) == picked)
        every.append(tuple(first[axis] + second[axis] + moved * (axis == "cost") for axis in axes))
    points = trade(model, best, axes)
    assert len(points) >= 3
    for point in points:
        mine = tuple(point.amounts[axis] for axis in axes)
        assert any(mine == pytest.approx(other, rel=1e-9) for other in every)
        assert not any(all(o < m for o, m in zip(other, mine, strict=True)) for other in every)
    for i, axis in enumerate(axes):
        assert min(p.amounts[axis] for p in points) == pytest.approx(min(each[i] for each in every), rel=1e-9)
    (knee,) = [point for point in points if point.knee]
    span = {a: max(p.amounts[a] for p in points) - min(p.amounts[a] for p in points) for a in axes}

    def far(point):
        return sum(((point.amounts[a] - min(p.amounts[a] for p in points)) / span[a]) ** 2 for a in axes)

    assert far(knee) == pytest.approx(min(map(far, points)))
    assert trade(model, best, axes) == points


@pytest.mark.parametrize("text", ["cost", "cost,cost", "cost,money", "cost,energy,carbon,water", ""])
def test_axes_are_two_or_three_that_there_are(text):
    with pytest.raises(InputError, match="--frontier"):
        axes_of(text)
    assert axes_of(" cost, time,water") == ("cost", "time", "water")
    assert set(AXES) == {"cost", "energy", "carbon", "water", "time"}


def test_the_twin_rates_the_points_and_drops_what_it_refuses(screened):
    """A twin that doubles the cost of all, refuses the cheapest and halves nothing: points follow its figures."""
    model, like = screened
    best = scattered(like, 1)
    plain = trade(model, best, ("cost", "water"))

    def rate(placed):
        cost = 2.0 * sum(p.cost_usd for p in placed)
        if cost < 2.0 * plain[0].amounts["cost"] + 1e-9:
            return None
        totals = SimpleNamespace(
            tco_usd=cost, facility_energy_mwh_per_year=1.0, carbon_t_per_year={"scope2": 1.0},
            water_m3_per_year=sum(p.water_m3 for p in placed),
        )  # fmt: skip
        return SimpleNamespace(totals=totals, placements=placed)

    rated = trade(model, best, ("cost", "water"), rate)
    assert all(point.checked for point in rated)
    assert not any(point.checked for point in plain)
    assert rated[0].amounts["cost"] > 2.0 * plain[0].amounts["cost"]
    assert {round(point.amounts["water"], 6) for point in rated} <= {round(p.amounts["water"], 6) for p in plain[1:]}
    assert len(rated) < len(plain)
