"""Margin at the chips and room for growth: held where that costs little, else said; what a kept supply forbids."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from twinloop.planner.growth import last_load, outgrown, power_that_lasts_w, water_that_lasts_m3
from twinloop.planner.optimise import acceptable, least_margin_k
from twinloop.planner.plan import plan
from twinloop.planner.rules import JUNCTION_MARGIN_K
from twinloop.planner.sharing import Load
from twinloop.planner.wishes import WORTH, granted, margin_words, rival_note, wish_words
from twinloop.scenario.load import load_text
from twinloop.scenario.resolve import resolve
from twinloop.twin.design import PlantConstants

K = PlantConstants()
ANSWERS = """\
twinloop: 1
name: answers
horizon: 5 years
models: [{name: m, architecture: llama-3-70b}]
stages:
  - {name: answer, kind: serve, model: m, rate: 400/s, peak_to_mean: 2, input_tokens: 2000, output_tokens: 300,
     latency_p99: 25 s}
sites:
  - name: hall
    kind: on-premise
    climate: Frankfurt
    jurisdiction: EU
    utility_power: UTILITY
    racks: {positions: 20, power: 100 kW}
    availability: {redundancy: N+1, ride_through: 60 s}
    MORE
finance: {staff: 200000 USD/year}
allow: {devices: [H200-SXM-141GB, B200-SXM-180GB]COOLING}
"""


def answers(more: str = "growth: 0 %/year", utility: str = "1.5 MW", cooling: str = ""):
    text = ANSWERS.replace("MORE", more).replace("UTILITY", utility).replace("COOLING", cooling)
    return resolve(load_text(text, Path("answers.yaml")))


def found(objective: float, margin_k: float | None, design: str = "doors", doors_c: float | None = None):
    """A checked plan of no site but one hall, with ``margin_k`` on its design day, and doors of ``doors_c``."""
    day = SimpleNamespace(margin_k=margin_k)
    cooling = doors_c and SimpleNamespace(components={"cpu": "rear_door"}, setpoints={}, supply_c=doors_c)
    planned = SimpleNamespace(name="hall", design_day=day, totals=SimpleNamespace(throttled_hours=0.0), cooling=cooling)
    placed = SimpleNamespace(design=design, site="hall")
    return SimpleNamespace(
        objective=objective, placements=(placed,), sites=(SimpleNamespace(planned=planned, year=None),)
    )


def start(checked):
    screened = SimpleNamespace(designs={}, kit_of={})
    return screened, SimpleNamespace(checked=checked)


@pytest.fixture(scope="module")
def still(small):
    return small(growth="0 %/year")


@pytest.fixture
def joined(monkeypatch):
    monkeypatch.setattr("twinloop.planner.wishes._joined", lambda screened, _: screened)


@pytest.mark.parametrize(("cost", "held"), [(104.9, True), (105.1, False)])
def test_margin_is_held_up_to_its_worth(still, joined, cost, held):
    """Five percent of 100 is 5."""
    assert WORTH == 0.05
    warm, cold = start(found(100.0, 0.9)), start(found(cost, 6.0, "colder doors"))
    at = granted(still, warm, K, lambda model, _: cold)
    assert at.free is (cold if held else warm)[1]
    assert at.model.caps.junction_margin_k == (JUNCTION_MARGIN_K if held else 0.0)
    assert at.plain.caps.junction_margin_k == 0.0
    words = wish_words(at, at.free.checked)
    assert ("cost 4.90 USD" if held else "would cost 5.10 USD") in words
    assert ("(4.7%)" if held else "(5.1%)") in words  # of the plan: 4.9 / 104.9, 5.1 / 100


def test_margin_that_no_plan_holds_is_told(still, joined):
    at = granted(still, start(found(100.0, 0.9)), K, lambda model, _: None)
    assert at.model is still
    assert wish_words(at, at.free.checked) == " No plan was found with 5 K below the junction limit on the design day."
    assert margin_words(at.free.checked).startswith(" On the design day its hottest chip keeps 0.9 K below its limit")
    assert margin_words(found(1.0, 5.0)) == margin_words(found(1.0, None)) == ""


def test_nothing_is_said_where_the_best_plan_holds_it_anyway(still, joined):
    best = start(found(100.0, 5.0))
    at = granted(still, best, K, lambda model, _: best)
    assert wish_words(at, best[1].checked) == ""
    assert rival_note(at.model, found(99.0, 4.9)) == (
        "does not hold what the plan holds: 4.9 K below the junction limit on the design day"
    )
    assert rival_note(at.model, found(99.0, 5.0)) == ""


def test_dry_doors_are_held_where_they_cost_little_and_margin_without_them_else(still, joined):
    """The hall's dew point is at most 15 °C: doors of 14 °C may sweat, of 17 °C not."""
    warm = start(found(100.0, 0.9, doors_c=14.0))
    for cost, held in ((104.0, True), (106.0, False)):
        dry, wet = start(found(cost, 6.0, "plates")), start(found(101.0, 6.0, "colder doors", doors_c=14.0))
        at = granted(still, warm, K, lambda model, _, dry=dry, wet=wet: dry if model.caps.dry_doors else wet)
        assert at.free is (dry if held else wet)[1]
        assert at.model.caps.dry_doors is held
        assert at.model.caps.junction_margin_k == JUNCTION_MARGIN_K
        words = wish_words(at, at.free.checked)
        told = (
            "5 K below the junction limit on the design day cost 4.00 USD" if held else "dew point would cost 5.00 USD"
        )
        assert told in words
        assert "ear doors 2 K above the hall's dew point" in words


def test_doors_that_sweat_are_not_acceptable_where_dry_ones_are_asked_for(still, monkeypatch):
    monkeypatch.setattr("twinloop.planner.optimise.exceeded_rows", lambda *_: frozenset())
    dry = replace(still, caps=replace(still.caps, dry_doors=True))
    warmest_c = min(15.0, float(still.on_premise[0].weather.dew_point_c.max())) + 2.0
    told = [acceptable(dry, found(1.0, 9.0, doors_c=c)) for c in (14.0, warmest_c - 0.1, warmest_c)]
    assert told == [False, False, True]
    assert acceptable(still, found(1.0, 9.0, doors_c=14.0))
    assert acceptable(dry, found(1.0, 9.0))


def test_a_plan_short_of_the_margin_asked_for_is_not_acceptable(still, monkeypatch):
    monkeypatch.setattr("twinloop.planner.optimise.exceeded_rows", lambda *_: frozenset())
    asked = replace(still, caps=replace(still.caps, junction_margin_k=5.0))
    assert [acceptable(asked, found(1.0, margin)) for margin in (4.9, 5.0)] == [False, True]
    assert acceptable(still, found(1.0, 0.1))
    assert least_margin_k(SimpleNamespace(sites=())) == float("inf")


def test_what_must_last_is_what_the_last_year_leaves_of_it(small):
    model = small(growth="30 %/year", horizon="5 years", power="[{power: 1 MW}, {power: 3 MW, after: 2 years}]",
                  water="1000 m3/year")  # fmt: skip
    hall = model.on_premise[0]
    assert (power_that_lasts_w(model, hall), water_that_lasts_m3(model, hall)) == (1e6, 1000.0)
    assert last_load(model, Load("air", 10, (0.5,))).servers == 10
    asked = replace(model, caps=replace(model.caps, growth_fits=True))
    # Year 2 has 1 MW for 1.3 times the load, year 5 3 MW for 1.3^4 = 2.8561 times.
    assert power_that_lasts_w(asked, hall) == pytest.approx(1e6 / 1.3)
    assert water_that_lasts_m3(asked, hall) == pytest.approx(1000.0 / 2.8561)
    assert last_load(asked, Load("air", 10, (0.5,))).servers == 29  # ceil(28.561)


@pytest.mark.slow
def test_colder_water_gives_the_margin_that_is_wanted():
    """At 20 °C doors leave less than 1 K; where no plates are to be had, colder ones leave it for less than air."""
    planned = plan(answers(cooling=", cooling: [air, rear_door, air_cooled_chiller]"))
    hall = planned.plan.sites[0]
    assert hall.design_day.margin_k >= JUNCTION_MARGIN_K
    assert not [each for each in planned.plan.warnings if each.rule == "junction margin"]
    assert 14.0 < hall.cooling.setpoints["cold_supply_c"] < 20.0
    assert hall.design_day.margin_k < JUNCTION_MARGIN_K + 0.65  # half a kelvin warmer would not do
    # The colder doors may sweat; dry ones would leave less margin, and the page tells both.
    assert "the doors stay dry" in hall.cooling.why
    assert "No plan was found with rear doors 2 K above the hall's dew point" in hall.cooling.why
    for economy in planned.plan.economics:
        if economy.feasible:
            assert economy.tco_usd >= planned.plan.totals.tco_usd * (1.0 - 1e-4)


@pytest.mark.slow
def test_a_plant_that_is_kept_warns_where_it_cannot():
    kept = "design: {cooling: rear doors, cold_plant: air_cooled_chiller, cold_supply: 20 °C, keep: true}"
    planned = plan(answers(kept)).plan
    assert planned.sites[0].design_day.margin_k < JUNCTION_MARGIN_K
    assert [each.rule for each in planned.warnings] == ["junction margin"]
    assert "5 K are wanted" in planned.summary
    assert "No plan was found" in planned.sites[0].cooling.why


@pytest.mark.slow
def test_the_hall_still_fits_in_its_last_year_where_some_plan_does():
    growing = answers("growth: 30 %/year", "3 MW")
    planned = plan(growing)
    assert outgrown(growing, planned.best.checked) == ()
    assert "room for growth" in planned.plan.sites[0].cooling.why
    # At 60 % no plan of 20 positions lasts five years: as told before, the first year beyond each limit.
    faster = plan(answers("growth: 60 %/year", "3 MW")).plan
    assert [each for each in faster.warnings if each.rule == "growth"]
