"""At which prices another kind of plan is recommended: lines by hand, and planned anew on both sides."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinloop.model.doubt import Turn
from twinloop.planner.check import check
from twinloop.planner.levers import levers_of, repriced
from twinloop.planner.plan import plan
from twinloop.planner.recommend import once, recommended
from twinloop.planner.screen import fresh, place
from twinloop.planner.turning import _crossing, _Line, _next, instead, kind_of, turn_words
from twinloop.scenario.load import load
from twinloop.scenario.resolve import resolve
from twinloop.twin.design import PlantConstants

K = PlantConstants()
AIR, BATH, PLATES = (frozenset({("hall", kit)}) for kit in ("air", "immersion", "all plates"))
CLOUD = """\
  - {name: cloud, kind: cloud, provider: aws, region: eu-central-1}
"""


def line(kind, at_zero: float, slope: float) -> _Line:
    return _Line(kind, at_zero, slope, (1, 1))


def test_the_crossing_is_that_of_the_lower_envelope():
    # 100 + 10 x meets 150 + 5 x at 10 and 140 + 8 x at 20: the first counts.
    lines = [line(AIR, 100.0, 10.0), line(BATH, 150.0, 5.0), line(PLATES, 140.0, 8.0)]
    assert _crossing(lines, AIR, 1.0, 50.0) == pytest.approx(10.0, rel=1e-3)
    # A second plan of air, 120 + 6.5 x, takes over at 40/7: air goes on until 150 + 5 x meets it, at 20.
    assert _crossing([*lines, line(AIR, 120.0, 6.5)], AIR, 1.0, 50.0) == pytest.approx(20.0, rel=1e-3)
    assert _crossing(lines, AIR, 1.0, 9.0) is None
    assert _crossing([line(AIR, 100.0, 5.0), line(BATH, 60.0, 10.0)], AIR, 20.0, 1.0) == pytest.approx(8.0, rel=1e-2)


def test_of_plans_that_tie_the_simpler_is_chosen():
    lines = [line(AIR, 100.0, 1.0), _Line(BATH, 99.9999, 1.0, (2, 1))]
    assert _crossing(lines, AIR, 1.0, 50.0) is None
    assert _crossing([lines[0], _Line(BATH, 99.9999, 1.0, (0, 1))], AIR, 1.0, 50.0) is not None


def test_what_is_planned_next_closes_in_on_the_crossing():
    lines = [line(AIR, 100.0, 10.0), line(BATH, 150.0, 5.0)]
    assert _next(lines, AIR, 1.0, None, 50.0) == pytest.approx(10.2, rel=1e-3)
    assert _next(lines, AIR, 1.0, 10.2, 50.0) == pytest.approx(9.8, rel=1e-3)
    assert _next(lines, AIR, 10.2, None, 50.0) > 10.2  # the lines were wrong: air still won beyond
    assert _next(lines, AIR, 1.0, None, 5.0) == 5.0  # no crossing: the end itself
    assert _next(lines, AIR, 1.0, 5.0, 50.0) == 3.0  # another won where the lines see no crossing: half way


def test_words_tell_what_changes_and_how_far_nothing_does():
    told = (
        Turn("electricity", "USD/kWh", 0.10, 0.196, 0.204, "immersion at hall"),
        Turn("carbon", "USD/t", 50.0, 100.0, 300.0, "air at hall"),
        Turn("electricity", "USD/kWh", 0.10, 0.02, None, ""),
    )
    assert turn_words(told) == (
        " Planned anew at other prices: immersion at hall with electricity above 0.2 USD/kWh (now 0.1); air at hall "
        "with carbon above a price between 100 and 300 USD/t (now 50); no change found with electricity down to 0.02 "
        "USD/kWh."
    )
    assert turn_words(()) == ""
    assert instead(AIR, frozenset()) == ""


@pytest.fixture(scope="module")
def rented(small):
    """A hall and a cloud, with what is recommended."""
    model = small(sites=CLOUD, samples="2e6", growth="2 %/year", finance=", staff: 1e5 USD/year")
    seen, remember = {}, once(fresh)
    return model, recommended(model, K, lambda _: None, remember, seen), seen, remember


@pytest.mark.parametrize("name", ["electricity", "rented machines", "carbon"])
def test_a_bill_written_anew_is_the_twins_at_that_price(rented, name):
    model, found, seen, remember = rented
    lever = next(each for each in levers_of(model) if each.name == name)
    there = lever.model_at(model, lever.most)
    anew = {p.key: p for p in place(there, found.screened.options, K, lambda _: None, remember=remember).placements}
    known = [checked for key, checked in seen.items() if set(key) <= set(anew)]
    assert len(known) > 2
    moved = 0
    for checked in known:
        mine = repriced(checked, lever, lever.now, lever.most, there)
        twin = check(there, tuple(anew[p.key] for p in checked.placements), found.screened.designs, K)
        assert mine.objective == pytest.approx(twin.objective, rel=1e-9)
        assert mine.totals.opex_usd_per_year == pytest.approx(twin.totals.opex_usd_per_year, rel=1e-9)
        assert [s.planned.totals.tco_usd for s in mine.sites] == pytest.approx(
            [s.planned.totals.tco_usd for s in twin.sites], rel=1e-9
        )
        assert [p.cost_usd for p in mine.placements] == pytest.approx([p.cost_usd for p in twin.placements], rel=1e-9)
        back = repriced(mine, lever, lever.most, lever.now, model)
        assert back.objective == pytest.approx(checked.objective, rel=1e-9)
        moved += mine.objective > checked.objective * 1.001
    assert moved
    assert {p.site for checked in known for p in checked.placements} == {"hall", "cloud"}


EXAMPLES = Path(__file__).parents[2] / "examples"


def assert_turns(path: Path, least: int) -> None:
    """Plan ``path`` from nothing 3 % before and beyond each price at which it is said to turn."""
    model = resolve(load(path))
    told = [turn for turn in plan(model).plan.turns if turn.turned is not None]
    assert len(told) >= least
    ours = _kind(model)
    for turn in told:
        lever = next(each for each in levers_of(model) if each.name == turn.price)
        at = (turn.kept + turn.turned) / 2.0
        assert abs(turn.turned - turn.kept) <= 0.05 * at
        away = 1.0 if at > turn.now else -1.0
        assert _kind(lever.model_at(model, at * (1.0 - 0.03 * away))) == ours
        there = _kind(lever.model_at(model, at * (1.0 + 0.03 * away)))
        assert instead(ours, there) == turn.instead != ""


def _kind(model):
    found = recommended(model, K, lambda _: None, once(fresh), {})
    return kind_of(found.best.checked, found.screened)


def test_the_edge_turns_where_it_is_said_to():
    assert_turns(EXAMPLES / "edge-stores.yaml", 1)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "least"), [("edge-stores", 1), ("heat-reuse", 1), ("recommender", 1)])
def test_other_examples_turn_where_they_are_said_to(name, least):
    assert_turns(EXAMPLES / f"{name}.yaml", least)


def test_a_price_of_rented_machines_at_which_the_plan_turns_can_be_typed(small):
    """What the lever does to the model is what ``price_level`` does to the scenario."""
    cloud = "  - {{name: away, kind: cloud, provider: aws, region: us-east-1, jurisdiction: EU{}}}\n"
    listed, typed = (small(sites=cloud.format(extra)) for extra in ("", ", price_level: 70 %"))
    lever = next(each for each in levers_of(listed) if each.name == "rented machines")
    moved = lever.model_at(listed, 0.7)
    for name in ("price_usd_per_s", "spot_usd_per_s"):
        ours, theirs = ([getattr(each, name) or 0.0 for each in found.clouds[0].offers] for found in (moved, typed))
        assert ours == pytest.approx(theirs, rel=1e-12)
