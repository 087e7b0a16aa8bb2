"""A plan asked anew gives what planning anew would give."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from twinloop.planner.plan import plan
from twinloop.scenario import load_text, resolve
from twinloop.studio.levers import levers
from twinloop.studio.whatif import ask, repriced, repriced_model

SMALL = Path(__file__).with_name("small.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def model():
    return resolve(load_text(SMALL, Path("small.yaml")))


@pytest.fixture(scope="module")
def planned(model):
    return plan(model)


def test_nothing_moved_is_the_plan_itself(model, planned):
    answer = ask(model, planned, {})
    assert answer.holds
    assert answer.best is answer.kept
    assert answer.kept.totals == planned.plan.totals


@pytest.mark.slow
def test_other_prices_are_what_planning_with_them_gives(model, planned):
    text = SMALL.replace("carbon_price: 80 USD/t", "carbon_price: 300 USD/t, water_price: 40 USD/m3")
    again = plan(resolve(load_text(text, Path("small.yaml"))))
    answer = ask(model, planned, {"carbon": 300.0, "water": 40.0})
    assert answer.best.objective == pytest.approx(again.plan.objective.value, rel=1e-12)
    stored = {p.key: p.cost_usd for p in again.screened.placements}
    mine = [repriced(p, repriced_model(model, {"carbon": 300.0, "water": 40.0})) for p in planned.screened.placements]
    assert {p.key for p in mine} == set(stored)
    for p in mine:
        assert p.cost_usd == pytest.approx(stored[p.key], rel=1e-12)


@pytest.mark.slow
def test_another_supply_temperature_is_what_that_plant_gives(model, planned):
    text = SMALL.replace("warm_supply: 32 °C", "warm_supply: 26 °C").replace("cold_supply: 20 °C", "cold_supply: 16 °C")
    again = plan(resolve(load_text(text, Path("small.yaml"))))
    kept = ask(model, planned, {"warm_supply@hall": 26.0, "cold_supply@hall": 16.0}).kept
    ours, theirs = kept.totals, again.plan.totals
    assert ours.facility_energy_mwh_per_year == pytest.approx(theirs.facility_energy_mwh_per_year, rel=1e-9)
    assert ours.pue == pytest.approx(theirs.pue, rel=1e-9)
    assert ours.pue != pytest.approx(planned.plan.totals.pue, rel=1e-4)


def test_a_choice_out_of_the_limits_is_told(model, planned):
    dry = replace(model, caps=replace(model.caps, water_m3_per_year=1e-3))
    answer = ask(dry, planned, {})
    assert not answer.holds
    assert answer.best is None or answer.best.totals.water_m3_per_year <= 1e-3


def test_the_wishes_that_the_plan_holds_are_held_when_it_is_asked_anew(model, planned):
    """Beside the scenario's own limits, which may have been edited since: 500 K of margin no chip keeps."""
    plain = replace(planned, asked=model)
    assert ask(model, plain, {}).holds
    wished = replace(planned, asked=replace(model, caps=replace(model.caps, junction_margin_k=500.0)))
    assert not ask(model, wished, {}).holds


def test_levers_stand_where_the_scenario_stands(model, planned):
    found = {lever.name: lever for lever in levers(model, planned.plan, [(0, "hall")])}
    assert found["carbon"].value == pytest.approx(80.0)
    assert found["warm_supply@hall"].path == ("sites", 0, "design", "warm_supply")
    assert (found["warm_supply@hall"].value, found["cold_supply@hall"].value) == (32.0, 20.0)
    assert all(lever.low <= lever.value <= lever.high for lever in found.values())
    energy = replace(model, objective=replace(model.objective, name="energy", weights={"energy": 1.0}))
    assert {lever.name for lever in levers(energy, planned.plan)} == {"warm_supply@hall", "cold_supply@hall"}


def test_a_limit_class_bounds_the_slider(model, planned):
    hall = replace(model.on_premise[0], liquid_class="W32")
    found = levers(replace(model, on_premise=(hall,)), planned.plan)
    assert next(lever.high for lever in found if lever.name == "warm_supply@hall") == 32.0
