"""Near ties by hand: what costs the same and saves much else is named, nothing else is."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from twinloop.model.doubt import NearTie
from twinloop.model.plan import FrontierPoint
from twinloop.planner.near import near_ties, screening_error


def totals(cost, energy=100.0, water=1840.0, carbon=50.0):
    return SimpleNamespace(tco_usd=cost, facility_energy_mwh_per_year=energy, water_m3_per_year=water,
                           carbon_t_per_year={"scope2": carbon})  # fmt: skip


def checked(screened=98.0):
    placed = SimpleNamespace(cost_usd=screened, facility_j=100.0 * 3.6e9, water_m3=1840.0, carbon_kg=50e3)
    site = SimpleNamespace(planned=SimpleNamespace(totals=totals(100.0)))
    return SimpleNamespace(placements=(placed,), sites=(site,), totals=totals(100.0))


def point(cost, water=1840.0, energy=100.0, carbon=50.0):
    return FrontierPoint("dry", cost, energy, carbon, water, knee=False)


def test_the_screening_error_is_screen_over_twin():
    assert screening_error(checked()) == pytest.approx(-0.02)


def test_a_screened_plan_within_the_screening_error_that_saves_water_is_named():
    (found,) = near_ties(checked(), (point(98.0 * 1.001, water=92.0, energy=95.0),), ())
    assert (found.name, found.checked) == ("dry", False)
    assert found.cost == pytest.approx(0.001)
    assert found.others == pytest.approx({"water": -0.95})  # 5 % of energy is not much
    assert near_ties(checked(), (point(98.0 * 1.015, water=92.0),), ())  # within the 2 % of the screening
    assert near_ties(checked(100.0), (point(101.5, water=92.0),), ()) == ()  # 1 % where the screening is exact
    assert near_ties(checked(), (point(98.0), point(98.0, water=1700.0)), ()) == ()


def test_a_checked_plan_is_compared_by_the_twin():
    near = SimpleNamespace(name="air", totals=totals(100.5, carbon=30.0))
    far = SimpleNamespace(name="bath", totals=totals(101.5, carbon=30.0))
    assert near_ties(checked(), (), (near, far)) == (
        NearTie("air", True, pytest.approx(0.005), pytest.approx({"carbon": -0.4})),
    )


def test_a_frontier_point_that_the_twin_rated_is_compared_by_the_twin():
    """Cost 100 by the twin against 98 as screened: 100.5 is near by the twin, 2.6 % off by screening."""
    near = FrontierPoint("dry", 100.5, 100.0, 50.0, 92.0, knee=False, checked=True)
    (found,) = near_ties(checked(), (near,), ())
    assert (found.checked, found.cost) == (True, pytest.approx(0.005))
    assert near_ties(checked(), (FrontierPoint("dry", 101.5, 100.0, 50.0, 92.0, knee=False, checked=True),), ()) == ()
    same = SimpleNamespace(name="plates", totals=totals(100.5, water=92.0))
    assert len(near_ties(checked(), (near,), (same,))) == 1  # one plan, told once
