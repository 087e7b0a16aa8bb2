"""Which of the twin-checked plans is recommended, how far its bound is, and what it is said to beat."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from twinloop.economics.capital import CapitalItem
from twinloop.model.model import Objective
from twinloop.planner.baselines import Plainer
from twinloop.planner.check import check
from twinloop.planner.explain import cooling_reason, stage_reasons
from twinloop.planner.money import Ledger, add_ledgers, present_cost_usd
from twinloop.planner.optimise import Optimised, adopted, fixed, optimise
from twinloop.planner.recommend import best_of
from twinloop.planner.runners_up import RunnerUp, runners_up, settled
from twinloop.planner.screen import screen
from twinloop.planner.selection import Choice, Limit, Problem
from twinloop.twin.design import PlantConstants

K = PlantConstants()


def placement(stage: str, key: str, device: str = "A", site: str = "hall", cost: float = 100.0):
    option = SimpleNamespace(device=device, device_count=8)
    return SimpleNamespace(
        stage=stage, key=key, site=site, design=None, option=option, cost_usd=cost, offer=None, copies=1
    )


TWO = Problem(("s",), (placement("s", "x"), placement("s", "y", "B")), (100.0, 90.0), ())  # type: ignore[arg-type]


def optimised(key: str, objective: float, bound: float = 80.0) -> Optimised:
    picked = tuple(i for i, p in enumerate(TWO.placements) if p.key == key)
    checked = SimpleNamespace(placements=tuple(TWO.placements[i] for i in picked), objective=objective, sites=())
    problem = TWO if key == "x" else replace(TWO)
    return Optimised(checked, problem, Choice(picked, objective, bound), bound, 0.1, 1)


def test_a_baseline_that_beats_the_plan_is_the_plan():
    free, better = optimised("x", 100.0), optimised("y", 95.0)
    best = best_of(free, {}, None, (Plainer("all cloud", better, ""),))
    assert best.checked is better.checked
    assert best.problem is free.problem
    assert best.choice.picked == (1,)
    assert (best.bound, best.gap) == pytest.approx((80.0, 15.0 / 95.0))
    unfit = Plainer("all air on-premise", better, "does not fit: needs 46 rack positions")
    assert best_of(free, {}, None, (unfit,)) is free
    assert best_of(free, {"air": optimised("y", 99.0)}, None, ()).checked.objective == 99.0


def test_a_bound_above_the_plan_is_no_gap_below_zero():
    found = adopted(optimised("y", 70.0).checked, optimised("x", 100.0), 1)
    assert (found.bound, found.gap) == (70.0, 0.0)


@pytest.fixture(scope="module")
def air(small):
    """A hall of one kind of cooling, its staff a hundred times the rest."""
    model = small(cooling=", cooling: [air, air_cooled_chiller]", samples="2e6", finance=", staff: 9e9 USD/year")
    return model, screen(model, K, lambda _: None)


def test_staff_is_in_the_bound(air):
    model, screened = air
    found = optimise(model, screened.placements, screened.designs, K, rounds=3)
    stored = CapitalItem("storage", 1000.0, model.finance.refresh_s, model.finance.maintenance_it_per_year)  # 10 TB
    assert fixed(model) == pytest.approx(present_cost_usd(Ledger((stored,), {"staff": 9e9}, {}, {}), model))
    assert found.checked.objective > fixed(model) > 0.99 * found.checked.objective
    assert found.bound >= fixed(model)
    assert 0.0 <= found.gap < 1e-4  # without staff in the bound it would be 0.99
    lean = replace(model, datasets=(), finance=replace(model.finance, staff_usd_per_year=0.0))
    assert fixed(lean) == 0.0
    weighed = replace(model, objective=Objective("weighted", {"cost": 0.5, "carbon": 1.0}))
    assert fixed(weighed) == pytest.approx(0.5 * fixed(model))


def test_prices_of_one_hall_do_not_rise_at_the_rate_of_another(small):
    model = small(horizon="3 years")
    steady = Ledger((), {"electricity": 100.0}, {"electricity": 0.0}, {})
    rising = Ledger((), {"electricity": 100.0}, {"electricity": 0.1}, {})
    for pair in ((steady, rising), (rising, steady)):
        both = add_ledgers(pair)
        assert present_cost_usd(both, model) == pytest.approx(sum(present_cost_usd(each, model) for each in pair))
    assert present_cost_usd(add_ledgers((steady, rising)), model) < present_cost_usd(
        add_ledgers((rising, rising)), model
    )
    assert add_ledgers((rising, rising)).yearly_usd == {"electricity": 200.0}


def runner(extra: float, checked: float | None = None, *, holds: bool = True) -> RunnerUp:
    there = None if checked is None else SimpleNamespace(objective=checked)
    chosen, rival = TWO.placements
    return RunnerUp("s", chosen, rival, extra, there, holds)


def reason(model, found: RunnerUp | None, objective: float = 1e6) -> str:
    best = SimpleNamespace(placements=TWO.placements[:1], objective=objective)
    return stage_reasons(model, best, {} if found is None else {"s": found})["s"]


def test_what_the_twin_has_checked_is_compared_by_the_twin(small):
    model = small()
    assert reason(model, runner(-5e3, 1e6 + 2e5)).startswith("A at hall beats 8 × B at hall by 0.20 M USD over")
    assert "(20.0% of the plan)" in reason(model, runner(-5e3, 1e6 + 2e5))
    assert "screening" not in reason(model, runner(-5e3, 1e6 + 2e5))
    assert "by 50,000 USD over the horizon in screening (5.0% of the plan)" in reason(model, runner(5e4))
    refused = reason(model, runner(-5e3, 9e5, holds=False))
    assert "beats" not in refused
    assert "the twin finds a limit broken" in refused
    assert reason(model, runner(1.0, 1e6)) == "A at hall and 8 × B at hall come to the same."
    assert reason(model, None) == "A at hall: no other device or site satisfies the constraints."


def test_a_runner_up_says_what_else_it_moves_and_names_the_next_device(small):
    elsewhere = replace(runner(5e4), moved=("features", "train"), device=runner(7e4))
    said = reason(small(), elsewhere)
    assert "A at hall beats 8 × B at hall, which moves features and train too, by 50,000 USD" in said
    assert said.endswith("The nearest other device, 8 × B at hall, comes to 70,000 USD over the horizon more.")
    assert "nearest" not in reason(small(), replace(elsewhere, device=runner(7e4, 1e6 + 7e4, holds=False)))


def test_what_moves_along_is_found(air):
    """Two stages that may share nothing but the better place: without it for one, both go, device by device."""
    model, screened = air
    one = screened.placements[0]

    def at(stage, site, device, cost):
        return replace(one, stage=stage, site=site, option=replace(one.option, device=device), cost_usd=cost)

    kinds = (at("s", "hall", "A", 1.0), at("s", "cloud", "A", 3.0), at("s", "cloud", "B", 4.0),
             at("t", "hall", "A", 1.0), at("t", "cloud", "A", 2.0))  # fmt: skip
    together = Limit("place", 0.5, "", {0: 0.5, 3: -0.5, 1: -0.5, 4: 0.5, 2: -0.5})  # t is at hall only beside s
    apart = Limit("hall", 0.0, "", {0: -1.0, 3: 1.0})
    problem = Problem(("s", "t"), kinds, tuple(p.cost_usd for p in kinds), (together, apart))
    best = Optimised(SimpleNamespace(placements=(kinds[0], kinds[3])), problem, Choice((0, 3), 2.0, 0.0), 0.0, 0.0, 1)
    found = runners_up(model, best, screened.designs, K, {})["s"]
    assert (found.rival.site, found.rival.option.device, found.moved) == ("cloud", "A", ("t",))
    assert found.screened_extra == pytest.approx(3.0)


def test_cooling_that_costs_the_same_is_not_beaten(small):
    best, rival = SimpleNamespace(objective=1.2e6, sites=()), SimpleNamespace(objective=1.2e6 + 15.26, sites=())
    said = cooling_reason(small(), best, {"air": rival}, "all plates")
    assert said == "all plates and air come to the same (within 0.01%)."


@pytest.mark.parametrize(
    ("goal", "extra", "words"),
    [
        ("energy", 3.6e9 * 250.0, "250 MWh over the horizon"),
        ("carbon", 12_345.0, "12,345 kg of CO2e over the horizon"),
        ("water", 42.0, "42 m3 of water over the horizon"),
        ("time", 90.0, "90 s for one pass"),
        ("weighted", 7.5, "7.5 of the weighted objective"),
    ],
)
def test_amounts_have_the_unit_of_the_objective(small, goal, extra, words):
    model = replace(small(), objective=Objective(goal, {goal: 1.0}))
    assert f"by {words} in screening" in reason(model, runner(extra, None), 1e3 * extra)


def test_a_runner_up_that_the_coefficients_prefer_is_put_to_the_twin_and_may_win(air, small):
    """The plan starts from the dearer of two options: the cheaper one is found, checked and taken."""
    model, screened = air
    mine = sorted((p for p in screened.placements), key=lambda p: p.cost_usd)
    cheap = mine[0]
    other = next(p for p in mine if p.option.server != cheap.option.server or p.design != cheap.design)
    other = replace(other, option=replace(other.option, device="elsewhere"))
    seen = {}
    free = optimise(model, (cheap,), screened.designs, K, seen)
    problem = Problem(("train",), (cheap, other), (cheap.cost_usd, other.cost_usd), ())
    dear = SimpleNamespace(placements=(other,), objective=free.checked.objective * 1.01)
    worse = Optimised(dear, problem, Choice((1,), other.cost_usd, 0.0), 0.0, 0.0, 1)
    found = runners_up(model, worse, screened.designs, K, seen)["train"]
    assert found.screened_extra == pytest.approx(cheap.cost_usd - other.cost_usd)
    assert found.screened_extra < 0.0
    assert found.checked.objective == free.checked.objective
    best, left = settled(model, worse, screened.designs, K, {})
    assert best.checked.placements == (cheap,)
    assert best.checked.objective == pytest.approx(check(model, (cheap,), screened.designs, K).objective)
    assert left["train"].rival is other
