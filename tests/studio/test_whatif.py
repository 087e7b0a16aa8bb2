"""A plan asked anew gives what planning anew would give."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from twinloop.planner.optimise import acceptable
from twinloop.planner.plan import plan
from twinloop.scenario import load_text, resolve
from twinloop.studio.broken import broken
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
    assert answer.broken == ()
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


LIMITED = {
    "water of hall": ("on_premise", lambda hall: replace(hall, water=replace(hall.water, supply_m3_per_year=30.0))),
    "power from the meter of hall": ("on_premise", lambda hall: replace(hall, utility_power_w=15e3)),
    "purchases of the whole plan": ("caps", lambda caps: replace(caps, capex_usd=9e5)),
    "cost of ownership of the whole plan": ("caps", lambda caps: replace(caps, cost_usd=1e6)),
    "CO2e a year of the whole plan": ("caps", lambda caps: replace(caps, carbon_kg_per_year=1e4)),
    "water a year of the whole plan": ("caps", lambda caps: replace(caps, water_m3_per_year=30.0)),
}


@pytest.mark.parametrize("what", LIMITED)
def test_a_broken_limit_is_named_with_its_figure_and_what_is_too_much(model, planned, what):
    key, limit = LIMITED[what]
    tight = replace(model, **{key: tuple(map(limit, model.on_premise)) if key == "on_premise" else limit(model.caps)})
    (told,) = ask(tight, planned, {}).broken
    assert what.split(" of ")[0] in told
    assert told.split(": ")[0].endswith(what.rpartition(" of ")[2])
    value, bound, more = QUANTITIES.search(told).groups()
    assert number(value) - number(bound) == pytest.approx(number(more), rel=0.01)
    assert "too much" in told


QUANTITIES = re.compile(r": (\S+ \S+) of (\S+ [^ ,]+), (\S+ \S+)")


def number(words):
    plain, unit = words.split()
    return float(plain.replace(",", "")) * {"MW": 1e3, "t": 1e3}.get(unit, 1.0)


def test_the_hour_of_a_broken_limit_is_that_of_the_year(model, planned):
    hall = replace(model.on_premise[0], utility_power_w=15e3)
    answer = ask(replace(model, on_premise=(hall,)), planned, {})
    hourly = answer.kept.sites[0].year.hourly
    hour = int(hourly["peak_w"].argmax())
    moment = re.search(r"on (\d+) (\w+), (\d+):00 \((-?[\d.]+) °C outdoors\)", answer.broken[0])
    day = (datetime(2001, 1, 1) + timedelta(hours=hour)).strftime("%-d %B %H")
    assert " ".join(moment.groups()[:2]) + f" {int(moment[3]):02d}" == day
    assert float(moment[4]) == pytest.approx(hourly["dry_bulb_c"][hour], abs=0.06)


@pytest.mark.parametrize(
    "moved", [{}, {"warm_supply@hall": 45.0}, {"cold_supply@hall": 26.0}, {"warm_supply@hall": 18.0}]
)
@pytest.mark.parametrize("wish", [{}, {"junction_margin_k": 12.0}, {"junction_margin_k": 500.0, "dry_doors": True}])
def test_words_stand_exactly_where_the_planner_refuses(model, planned, moved, wish):
    held = replace(planned, asked=replace(model, caps=replace(model.caps, **wish)))
    answer = ask(model, held, moved)
    assert bool(answer.broken) != acceptable(replace(model, caps=held.asked.caps), answer.kept)


def test_doors_that_may_sweat_are_told_in_kelvin(model, planned):
    doors = replace(planned.plan.sites[0].cooling, components={"memory": "rear_door"}, setpoints={"cold_supply_c": 9.0})
    best = planned.best.checked
    site = replace(best.sites[0], planned=replace(best.sites[0].planned, cooling=doors))
    wished = replace(model, caps=replace(model.caps, dry_doors=True))
    (told,) = broken(wished, replace(best, sites=(site,)))
    dew_c = min(15.0, float(model.on_premise[0].weather.dew_point_c.max()))
    assert told.startswith(f"rear doors of hall: water of 9.0 °C, {dew_c + 2.0 - 9.0:.1f} K short of 2 K above")


def test_the_wishes_that_the_plan_holds_are_held_when_it_is_asked_anew(model, planned):
    """Beside the scenario's own limits, which may have been edited since: 500 K of margin no chip keeps."""
    plain = replace(planned, asked=model)
    assert ask(model, plain, {}).broken == ()
    wished = replace(planned, asked=replace(model, caps=replace(model.caps, junction_margin_k=500.0)))
    (told,) = ask(model, wished, {}).broken
    margin_k = planned.plan.sites[0].design_day.margin_k
    assert f"{500.0 - margin_k:.1f} K short of the 500 K" in told


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
