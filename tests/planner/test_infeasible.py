"""Planted clashes: the smallest set is named, the way out works, the file still says something."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from twinloop.errors import InfeasibleError
from twinloop.planner.infeasible import _smallest_clashes
from twinloop.planner.plan import Planned, plan
from twinloop.planner.screen import screen
from twinloop.planner.selection import Choice, Limit, Problem, solve
from twinloop.planner.ways_checked import with_limits
from twinloop.planner.ways_out import in_money, ranked, rounded_up, way_of, words_of
from twinloop.twin.design import PlantConstants
from twinloop.units import parse

CLOUD = "  - {name: away, kind: cloud, provider: azure, region: eastus}\n"
SERVE = (
    "  - {name: serve, kind: serve, after: train, model: net, rate: 5/s, input_tokens: 1024, output_tokens: 256,\n"
    "      latency_p99: 1 s}\n"
)
FEW = {"cooling": ", cooling: [air, air_cooled_chiller]"}


def clash_of(small, **changes: str) -> InfeasibleError:
    with pytest.raises(InfeasibleError) as caught:
        plan(small(**{**FEW, **changes}))
    return caught.value


def applied_by_hand(small, way: str, changes: dict[str, str]):
    """Return the plan of the scenario with what ``way`` says typed into it, as a reader would."""
    fields = {
        "utility power of hall": "power", "rack positions of hall": "positions", "water of hall": "water",
        "deadline of train": "deadline", "rack power of hall": "rack",
    }  # fmt: skip
    changed = {**FEW, **changes}
    for name, amount in re.findall(r"raise (.+?) from .+? to ([\d.,]+(?: [\w/]+)?)", way):
        if name == "latency of serve":
            changed["stages"] = SERVE.replace("1 s}", f"{amount}}}")
        else:
            changed[fields[name]] = amount.replace(",", "").removesuffix(" racks")
    changed |= {"sites": "", "stage": ""} if "sites named" in way else {}
    changed |= {"residency": "[]"} if "residency" in way else {}
    return plan(small(**changed)).plan


CASES = {
    "power": ({"power": "50 kW"}, {"utility power of hall", "deadline of train"}),
    "racks": ({"positions": "2"}, {"rack positions of hall", "deadline of train"}),
    "water": (
        {"water": "1 m3/year", "cooling": ", cooling: [air, water_cooled_chiller]"}, {"water of hall"},
    ),
    "residency": (
        {"residency": "[EU]", "sites": CLOUD, "stage": ", sites: [away]", "devices": "[A100-SXM-80GB]"},
        {"residency of train's data in EU", "sites named for train"},
    ),
    "latency": ({"stages": SERVE}, {"latency of serve"}),
    "deadline": ({"deadline": "10 min"}, {"deadline of train"}),
    "rack power": ({"rack": "5 kW"}, {"rack power of hall"}),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_planted_clash_is_named_and_its_way_out_works(small, name):
    changes, expected = CASES[name]
    error = clash_of(small, **changes)
    answer = error.answer
    assert isinstance(answer, Planned)
    assert {clash.name for clash in answer.plan.clashes} == expected
    assert answer.plan.status == "infeasible"
    assert error.exit_code == 3
    assert error.ways_out
    assert answer.plan.ways_out == error.ways_out
    assert any(clash in error.ways_out[0] for clash in expected)
    assert answer.plan.totals.tco_usd > 0.0
    assert applied_by_hand(small, error.ways_out[0], changes).totals.tco_usd == pytest.approx(
        answer.plan.totals.tco_usd, rel=0.02
    )
    assert any(stage.name == "train" for stage in answer.plan.stages)


@pytest.mark.slow
def test_a_budget_that_no_plan_meets(small):
    model = small(**FEW)
    from twinloop.model.model import Caps

    with pytest.raises(InfeasibleError) as caught:
        plan(replace(model, caps=Caps(capex_usd=1e6)))
    assert {clash.name for clash in caught.value.answer.plan.clashes} == {"capital budget", "deadline of train"}
    assert any(
        way.startswith("raise capital budget from 1e+06 to") or "raise capital budget" in way
        for way in caught.value.ways_out
    )


@pytest.mark.slow
def test_two_limits_that_only_clash_together(small):
    """Positions enough for a slow run, a deadline that more positions could meet."""
    error = clash_of(small, deadline="3 days", positions="20")
    names = {clash.name for clash in error.answer.plan.clashes}
    assert names == {"deadline of train", "rack positions of hall"}
    assert len(error.ways_out) >= 2


@pytest.mark.slow
def test_a_kept_supply_that_is_too_warm_is_the_clash_and_the_one_that_works_is_named(small):
    def kept(supply_c: float) -> str:
        return (f"    design: {{cooling: rear doors, cold_plant: air_cooled_chiller, cold_supply: {supply_c:g} °C, "
                "keep: true}\n")  # fmt: skip

    with pytest.raises(InfeasibleError) as caught:
        plan(small(hall=kept(32.0), cooling="", devices="[B200-SXM-180GB]"))
    assert caught.value.clashes[0].startswith("cold_supply 32 °C, kept at hall")
    works_c = float(re.match(r"cold_supply: ([\d.]+) °C", caught.value.ways_out[0]).group(1))
    told = float(re.search(r"about ([\d.]+) M USD", caught.value.ways_out[0]).group(1)) * 1e6
    found = plan(small(hall=kept(works_c), cooling="", devices="[B200-SXM-180GB]"))
    assert found.plan.totals.tco_usd == pytest.approx(told, rel=0.02)


def test_what_nothing_allowed_can_run_is_told_without_a_plan(small):
    error = clash_of(small, devices="[EPYC-9654]")
    assert error.answer is None
    assert "training runs on gpu" in str(error)


@pytest.mark.slow
def test_the_plan_of_a_way_out_holds_by_the_twin_within_the_limits_it_names(small):
    """Amounts that were screened were a little under the twin's, and failed where they were typed in."""
    error = clash_of(small, power="50 kW")
    need_w = parse(re.search(r"utility power of hall from .+? to ([\d.]+ \w+)", error.ways_out[0]).group(1), "power")
    hall = next(site for site in error.answer.plan.sites if site.name == "hall")
    assert hall.totals.peak_power_w <= need_w
    assert need_w < 1.2 * hall.totals.peak_power_w


def test_amounts_are_rounded_up_to_what_a_person_types():
    assert rounded_up(944_600.1, "W") == 945e3
    assert rounded_up(945e3, "W") == 945e3
    assert rounded_up(27.07, "s") == pytest.approx(27.1)
    assert rounded_up(69.01, "racks") == 70.0
    assert rounded_up(3.517 * 3600.0, "s") == pytest.approx(3.52 * 3600.0)


def test_the_limits_of_a_way_out_are_those_of_the_model(small):
    model = small()
    needs = {"utility power of hall": 5e6, "rack positions of hall": 41.0, "floor load of hall": 9e4,
             "water of hall": 77.0, "rack power of hall": 6e4, "deadline of train": 4e5}  # fmt: skip
    looser = with_limits(model, needs)
    hall, stage = looser.on_premise[0], looser.stages[0]
    assert (hall.utility_power_w, hall.racks.positions, hall.racks.power_w) == (5e6, 41, 6e4)
    assert hall.floor.load_pa * hall.floor.area_m2 / 9.80665 == pytest.approx(9e4)
    assert hall.water.supply_m3_per_year == 77.0
    assert stage.deadline_s == 4e5
    assert with_limits(model, {"no such limit of hall": 1.0}) is None


def test_every_set_of_limits_that_clash_is_named(small):
    """Power and positions are each too small alone: to raise one leaves the other."""
    _, problem = two_ways(small)
    rows = (Limit("utility power of hall", 1e3, "W", {0: 5e3, 1: 13e3}),
            Limit("positions", 1.0, "racks", {0: 6.0, 1: 6.0}),
            Limit("deadline of train", 3600.0, "s", {0: 1800.0, 1: 1800.0}))  # fmt: skip
    assert _smallest_clashes(replace(problem, limits=rows)) == [("positions",), ("utility power of hall",)]


def test_a_small_move_of_what_has_no_price_is_weighed_by_money(small):
    """27 s instead of 25 s and 4 M USD less is cheaper; 50 s is another service, whatever it saves."""
    model, problem = two_ways(small)
    for latency_s, first in ((27.0, 0), (50.0, 1)):
        rows = (Limit("utility power of hall", 10e3, "W", {0: 5e3, 1: 13e3}),
                Limit("latency of serve", 25.0, "s", {0: latency_s, 1: 20.0}))  # fmt: skip
        ways = [way_of(model, replace(problem, limits=rows), Choice((i,), 0.0, 0.0)) for i in (0, 1)]
        assert ranked(ways)[0].choice.picked == (first,)


# Ranking by money


def millions(words: str) -> float:
    amount = float(words.removesuffix(" M").replace(",", ""))
    return amount if words.endswith(" M") else amount / 1e6


def two_ways(small, positions: float = 4.0):
    """One stage, two columns: six racks of 1 M USD, or none of them at 3 M USD but with 3 kW too much."""
    model = small(positions="4", power="10 kW", **FEW)
    base = screen(small(**FEW), PlantConstants(), lambda _: None).placements[0]
    columns = (replace(base, cost_usd=1e6, load=replace(base.load, servers=1)), replace(base, cost_usd=3e6, load=None))
    rows = (
        Limit("utility power of hall", 10e3, "W", {0: 5e3, 1: 13e3}),
        Limit("positions", positions, "racks", {0: 6.0}),
        Limit("deadline of train", 3600.0, "s", {0: 1800.0, 1: 1800.0}),
    )
    return model, Problem(("train",), columns, (0.0, 0.0), rows, anchors=frozenset({0, 1}))


def test_money_ranks_what_has_a_price_and_the_share_the_rest(small):
    model, problem = two_ways(small)
    power, late = (way_of(model, problem, Choice((i,), 0.0, 0.0)) for i in (1, 0))
    grid = 0.2  # USD/W, catalogue
    assert power.price_usd == pytest.approx(3e3 * grid)
    assert late.price_usd is None  # nothing in the catalogue sells a row of that name
    assert (power.share, late.share) == (pytest.approx(0.3), pytest.approx(0.5))
    assert [way.needs for way in ranked([late, power])] == [power.needs, late.needs]
    assert "30% beyond the limit; 600 USD for that, then about 3.00 M USD over 10 years" in words_of(power)
    assert "50% beyond the limit; no price is known for that, then about 1.00 M USD" in words_of(late)
    # Shares of several limits added up mean nothing to a reader: each limit's own move is told.
    both = words_of(replace(power, needs={**power.needs, **late.needs}, share=0.8))
    assert "%" not in both
    assert both.startswith("raise ")


def test_the_cheapest_way_is_the_cheapest_in_money_not_in_share(small):
    """Two racks of 20,000 USD more and a plan of 1 M USD, before 30 % more power and a plan of 3 M USD."""
    model, problem = two_ways(small)
    rows = tuple(replace(row, name="rack positions of hall") if row.name == "positions" else row
                 for row in problem.limits)  # fmt: skip
    problem = replace(problem, limits=rows)
    assert solve(problem, elastic=dict.fromkeys((row.name for row in rows), 1.0)).picked == (1,)  # by share
    assert in_money(model, problem).picked == (0,)
    assert way_of(model, problem, Choice((0,), 0.0, 0.0)).price_usd == pytest.approx(2 * 20000.0)


def test_prices_are_of_what_is_exceeded_not_of_the_whole_limit(small):
    """1.00 M USD and two racks (40,000 USD), or 1.02 M USD and 3 kW (600 USD): the second by 19,400 USD."""
    model, problem = two_ways(small)
    rows = tuple(replace(row, name="rack positions of hall") if row.name == "positions" else row
                 for row in problem.limits)  # fmt: skip
    columns = (problem.placements[0], replace(problem.placements[1], cost_usd=1.02e6))
    problem = replace(problem, limits=rows, placements=columns)
    choice = in_money(model, problem)
    assert choice.picked == (1,)
    assert choice.objective == pytest.approx(1.02e6 + 600.0)


def test_water_beyond_the_supply_is_paid_each_year_above_its_usual_price(small):
    model, problem = two_ways(small)
    rows = (Limit("water of hall", 100.0, "m3/year", {0: 150.0, 1: 150.0}),)
    way = way_of(model, replace(problem, limits=rows), Choice((0,), 0.0, 0.0))
    annuity = sum(1.08**-year for year in range(1, 11))
    assert way.price_usd == pytest.approx(50.0 * (12.0 - 1.0) * annuity)


@pytest.mark.slow
def test_the_first_way_out_costs_least_of_all(small):
    """What is bought and the plan together; some of the others move a deadline, which has no price."""
    error = clash_of(small, power="50 kW")
    first, *others = error.ways_out
    assert first.startswith("raise utility power of hall from 50 kW to")
    totals = [sum(map(millions, re.findall(r"([\d.,]+(?: M)?) USD (?:for|over)", way))) for way in (first, *others)]
    late_days = [float(re.search(r"to ([\d.]+) days", f"{way} to 6 days").group(1)) for way in (first, *others)]
    near = [total for total, days in zip(totals, late_days, strict=True) if days <= 1.25 * 6.0]
    assert len(near) > 1
    assert totals[0] == min(near)
    assert any("USD for that" in way for way in error.ways_out)
    assert any("raise deadline of train" in way for way in error.ways_out)
    assert len({way.split(" (")[0] for way in error.ways_out}) == len(error.ways_out)
