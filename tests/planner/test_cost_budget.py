"""The cost budget is of the plan's total: staff, and data that leaves clouds, are in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from twinloop.errors import InfeasibleError
from twinloop.model.model import Caps
from twinloop.planner.assemble import _constraints
from twinloop.planner.limits import COST_ROW
from twinloop.planner.links import egress_usd_per_year, fetched_usd_per_year
from twinloop.planner.money import Ledger, present_cost_usd
from twinloop.planner.optimise import optimise, problem_of
from twinloop.planner.plan import plan
from twinloop.planner.screen import screen
from twinloop.planner.selection import Limit, Problem, feasible, solve
from twinloop.scenario.load import load_text
from twinloop.scenario.resolve import resolve
from twinloop.twin.design import PlantConstants

K = PlantConstants()
CLOUD = "  - {name: sky, kind: cloud, provider: aws, region: eu-central-1, jurisdiction: EU}\n"
SCORE = "  - {name: score, kind: serve, after: train, model: net, rate: 1/s, latency_p99: 20 s, sites: [hall]}\n"
SMALL = (Path(__file__).parents[1] / "studio" / "small.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def hybrid(small):
    """Training anywhere, serving in the hall, data at home in the cloud."""
    model = small(
        sites=CLOUD, stages=SCORE, samples="2e6", cooling=", cooling: [air, air_cooled_chiller]",
        finance=", staff: 100000 USD/year",
    )  # fmt: skip
    data = replace(model.datasets[0], home="sky", growth_b_s=1e6)
    model = replace(model, datasets=(data,), caps=Caps(None, 1e9, None, None))
    return model, screen(model, K, lambda _: None)


def test_the_row_is_the_total(hybrid):
    model, screened = hybrid
    problem = problem_of(model, screened.placements, {}, K)
    row = next(each for each in problem.limits if each.name == COST_ROW)
    for site in ("hall", "sky"):
        train = next(i for i, p in enumerate(problem.placements) if (p.stage, p.site) == ("train", site))
        score = next(i for i, p in enumerate(problem.placements) if p.stage == "score")
        picked = tuple(problem.placements[i] for i in (train, score))
        stored_tb = 10.0 + 1e-6 * model.horizon_s / 2.0  # the mean over the horizon, 23 USD a month each
        yearly = {
            "staff": 1e5, "egress": egress_usd_per_year(model, picked), "cloud storage": stored_tb * 23.0 * 12.0,
        }  # fmt: skip
        assert yearly["egress"] > 0.0  # weights down from the cloud, or rows
        extra = present_cost_usd(Ledger((), yearly, {}, {}), model)
        lights = sum(row.halls.values())
        assert problem.taken(row, (train, score)) == pytest.approx(sum(p.cost_usd for p in picked) + extra + lights)


def test_slack_is_of_the_total_that_is_reported(hybrid):
    model, screened = hybrid
    found = optimise(model, screened.placements, screened.designs, K, rounds=2)
    slack = next(each.slack for each in _constraints(model, found) if each.name == COST_ROW)
    assert slack == pytest.approx(1e9 - found.checked.totals.tco_usd)


def test_data_at_home_in_a_cloud_is_fetched_at_its_price(hybrid):
    model, screened = hybrid
    train = {p.site: p for p in screened.placements if p.stage == "train"}
    assert fetched_usd_per_year(model, train["sky"]) == 0.0
    # 1 MB/s is 2,628 GB a month, all in the first paid tier of 0.09 USD/GB.
    assert fetched_usd_per_year(model, train["hall"]) == pytest.approx(12 * 2628.0 * 0.09, rel=0.05)
    score = next(p for p in screened.placements if p.stage == "score")
    assert fetched_usd_per_year(model, score) == 0.0  # it reads no dataset


def test_two_that_exceed_a_limit_only_together_are_not_chosen_together(hybrid):
    _, screened = hybrid
    columns = tuple(
        replace(next(p for p in screened.placements if p.stage == stage and p.design), design=None, site=site)
        for stage in ("train", "score") for site in ("a", "b")
    )  # fmt: skip
    row = Limit("budget", 10.0, "USD", dict.fromkeys(range(4), 3.0), pairs={(0, 2): 3.0}, fixed=2.0)
    problem = Problem(("train", "score"), columns, (1.0, 2.0, 1.0, 3.0), (row,))
    choice = solve(problem)
    assert choice.picked == (1, 2)
    assert feasible(problem, choice.picked)
    assert not feasible(problem, (0, 2))


def test_a_limit_that_only_the_twin_sees_break_has_a_way_out():
    text = SMALL.replace("samples: 2e6", "samples: 20000")
    found = plan(resolve(load_text(text, Path("x.yaml"))))
    most_t = sum(found.plan.totals.carbon_t_per_year.values()) * 0.9999
    assert sum(p.carbon_kg for p in found.best.checked.placements) < 1e3 * most_t  # screening finds less than the twin
    with pytest.raises(InfeasibleError) as caught:
        plan(resolve(load_text(f"{text}\nlimits: {{carbon: {most_t} t/year}}", Path("x.yaml"))))
    assert [way[:17] for way in caught.value.ways_out] == ["raise carbon cap "]
    assert len(caught.value.clashes) == 1
