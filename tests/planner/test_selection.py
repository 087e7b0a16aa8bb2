"""The MILP against plain enumeration on random small problems, infeasible ones included."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.planner.selection import MOST_CUTS, Limit, Link, Problem, feasible, objective_of, shadow_prices, solve
from twinloop.planner.sharing import Load, Positions
from twinloop.planner.worths import worths


@dataclass(frozen=True)
class Column:
    """The part of a placement that the selection looks at."""

    stage: str
    site: str
    design: str | None
    key: str


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    stages = tuple(f"s{i}" for i in range(draw(st.integers(1, 3))))
    columns, costs = [], []
    for stage in stages:
        for i in range(draw(st.integers(1, 5))):
            site = draw(st.sampled_from(["hall", "cloud"]))
            design = draw(st.sampled_from(["air", "plates"])) if site == "hall" else None
            columns.append(Column(stage, site, design, f"{stage}-{i}"))
            costs.append(draw(st.floats(1.0, 1e6)))
    n = len(columns)
    limits = tuple(
        Limit(f"limit {j}", draw(st.floats(0.5, 60.0)), "W",
              {i: draw(st.floats(0.0, 30.0)) for i in range(n) if columns[i].site == "hall"})
        for j in range(draw(st.integers(0, 2)))
    )  # fmt: skip
    links = tuple(
        Link(i, j, draw(st.floats(0.0, 1e5)))
        for i, j in draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=3))
        if columns[i].stage != columns[j].stage
    )
    loads = {
        i: Load(draw(st.sampled_from(["a", "b"])), draw(st.integers(1, 7)),
                (draw(st.floats(0.05, 1.0)), draw(st.floats(0.05, 1.0))))
        for i in range(n) if columns[i].site == "hall"
    }  # fmt: skip
    beside = {i: draw(st.sampled_from([0.0, 0.3, 0.7, 1.5])) for i in loads}
    row = Positions("racks", draw(st.integers(1, 12)), loads, beside=beside, fixed=draw(st.sampled_from([0.0, 0.4])))
    positions = (row,) if loads and draw(st.booleans()) else ()
    openings = {"hall": draw(st.floats(0.0, 1e5))}
    limits = tuple(replace(limit, halls={"hall": draw(st.floats(0.0, 20.0))}) for limit in limits)
    return Problem(
        stages, tuple(columns), tuple(costs), limits, links, positions=positions, openings=openings,  # type: ignore[arg-type]
    )  # fmt: skip


def enumerate_best(problem: Problem) -> float | None:
    per_stage = [[i for i, p in enumerate(problem.placements) if p.stage == stage] for stage in problem.stages]
    found = [objective_of(problem, picked) for picked in product(*per_stage) if feasible(problem, picked)]
    return min(found) if found else None


@settings(max_examples=200, deadline=None, derandomize=True)
@given(problems())
def test_solver_equals_enumeration(problem: Problem) -> None:
    best, choice = enumerate_best(problem), solve(problem)
    if best is None:
        assert choice is None
        return
    assert choice is not None
    assert feasible(problem, choice.picked)
    assert objective_of(problem, choice.picked) == pytest.approx(best, rel=1e-6)
    assert choice.objective == pytest.approx(best, rel=1e-6)


def test_two_designs_in_one_hall_are_refused() -> None:
    columns = (Column("a", "hall", "air", "a"), Column("b", "hall", "plates", "b"))
    assert solve(Problem(("a", "b"), columns, (1.0, 1.0), ())) is None  # type: ignore[arg-type]


def test_relaxing_the_binding_limit_makes_it_feasible() -> None:
    columns = (Column("a", "hall", "air", "a"),)
    problem = Problem(("a",), columns, (1.0,), (Limit("power", 1.0, "W", {0: 2.0}),))  # type: ignore[arg-type]
    assert solve(problem) is None
    relaxed = solve(problem, relaxed=frozenset({"power"}))
    assert relaxed is not None
    assert relaxed.objective == pytest.approx(1.0)


def test_a_banned_choice_is_not_repeated() -> None:
    columns = (Column("a", "cloud", None, "x"), Column("a", "cloud", None, "y"))
    problem = Problem(("a",), columns, (1.0, 2.0), ())  # type: ignore[arg-type]
    second = solve(problem, banned=((0,),))
    assert second is not None
    assert second.picked == (1,)


def shared(stages: int, share: float, bound: float, cloud_cost: float = 9.0) -> Problem:
    """One server of ``share`` of a rack a stage, in the hall for 1 or in the cloud for more."""
    names = tuple(f"s{i}" for i in range(stages))
    columns = tuple(Column(name, "hall", "air", f"h-{name}") for name in names)
    columns += tuple(Column(name, "cloud", None, f"c-{name}") for name in names)
    loads = {i: Load("air", 1, (share,)) for i in range(stages)}
    costs = (1.0,) * stages + (cloud_cost,) * stages
    return Problem(names, columns, costs, (), positions=(Positions("racks", bound, loads),))  # type: ignore[arg-type]


def test_stages_share_one_rack() -> None:
    choice = solve(shared(4, 0.25, 1.0))
    assert choice is not None
    assert choice.objective == pytest.approx(4.0)


def test_racks_that_only_exist_on_paper_are_cut_off() -> None:
    """Three servers of 0.6 fill 1.8 racks on paper and three in the hall: with two, one stage goes elsewhere."""
    choice = solve(shared(3, 0.6, 2.0))
    assert choice is not None
    assert choice.objective == pytest.approx(1.0 + 1.0 + 9.0)
    assert choice.bound <= choice.objective + 1e-9


def test_a_cut_forbids_no_packing_that_exists() -> None:
    """Three of 0.6 that save most fill 1.8 racks on paper; two of them with two of 0.4 are the best that two hold."""
    problem = shared(6, 0.6, 2.0)
    loads = {i: Load("air", 1, (0.6 if i < 3 else 0.4,)) for i in range(6)}
    problem = replace(problem, positions=(Positions("racks", 2.0, loads),), costs=(1.0,) * 6 + (9.0,) * 3 + (3.0,) * 3)
    choice = solve(problem)
    assert choice is not None
    assert choice.objective == pytest.approx(4.0 + 9.0 + 3.0)


def test_the_search_ends_where_no_stage_can_share() -> None:
    stages = 12
    choice = solve(shared(stages, 0.51, 6.0))
    assert choice is not None
    assert choice.objective == pytest.approx(6.0 + 6 * 9.0)
    assert stages < MOST_CUTS


def test_elastic_positions_count_real_racks() -> None:
    problem = shared(3, 0.6, 2.0)
    problem = replace(problem, placements=problem.placements[:3], costs=(1e-6,) * 3)
    assert solve(problem) is None
    choice = solve(problem, elastic={"racks": 1.0})
    assert choice is not None
    assert problem.taken(problem.positions[0], choice.picked) == 3.0
    assert choice.objective == pytest.approx(0.5, abs=1e-4)  # one rack more than two


def test_a_hall_takes_its_lights_once_however_many_stages_use_it() -> None:
    columns = tuple(Column(s, site, design, f"{s}{site}") for s in "ab"
                    for site, design in (("hall", "air"), ("cloud", None)))  # fmt: skip
    costs = (1.0, 3.0, 1.0, 3.0)
    problem = Problem(("a", "b"), columns, costs, (), openings={"hall": 3.5})  # type: ignore[arg-type]
    choice = solve(problem)
    assert choice is not None
    assert choice.picked == (0, 2)
    assert choice.objective == objective_of(problem, choice.picked) == pytest.approx(5.5)
    dark = solve(replace(problem, openings={"hall": 4.5}))
    assert dark is not None
    assert dark.picked == (1, 3)
    row = Limit("power", 2.5, "W", {0: 1.0, 2: 1.0}, {"hall": 1.0})
    assert problem.taken(row, (0, 2)) == 3.0
    limited = solve(replace(problem, limits=(row,), openings={}))
    assert limited is not None
    assert limited.objective == pytest.approx(4.0)


def _priced(bound: float) -> Problem:
    """A cheap placement that takes 10 of the limit, a dear one that takes 4."""
    columns = (Column("s", "hall", "air", "cheap"), Column("s", "hall", "air", "dear"))
    limits = (Limit("power", bound, "W", {0: 10.0, 1: 4.0}), Limit("racks", 50.0, "racks", {0: 1.0, 1: 1.0}))
    return Problem(("s",), columns, (100.0, 160.0), limits)  # type: ignore[arg-type]


def test_shadow_price_by_hand() -> None:
    # 7 W: half of each; one watt more moves a sixth of the work to the cheap one, 60 / 6 = 10 a watt.
    assert shadow_prices(_priced(7.0)) == pytest.approx({"power": 10.0, "racks": 0.0})
    assert shadow_prices(_priced(12.0)) == pytest.approx({"power": 0.0, "racks": 0.0})
    assert shadow_prices(_priced(3.0)) is None
    # Two of three servers of half a rack fit; a rack more takes two others from the cloud, 8 dearer each.
    assert shadow_prices(shared(3, 0.5, 1.0)) == pytest.approx({"racks": 16.0})


def test_more_of_a_limit_that_keeps_nothing_out_is_worth_nothing() -> None:
    # 7 W bind: without the limit the cheap one is chosen. What is told is the dual.
    assert worths(_priced(7.0)) == pytest.approx({"power": 10.0, "racks": 0.0})
    assert worths(_priced(12.0)) == pytest.approx({"power": 0.0, "racks": 0.0})
    assert worths(_priced(3.0)) == {"power": None, "racks": None}
    # One rack holds two of three; one more takes the third from the cloud, 8 dearer: not the dual's 16.
    assert worths(shared(3, 0.5, 1.0)) == pytest.approx({"racks": 8.0})
    # A cheap placement of ten racks, a dear one of four. Nine leave five unused; one more lets the cheap one in,
    # eight and one more do not: in part a rack is worth 60 / 6 = 10 either way.
    for bound, worth in ((9.0, 60.0), (8.0, 0.0), (10.0, 0.0)):
        problem = _in_racks(bound)
        assert shadow_prices(problem)["racks"] == pytest.approx(0.0 if bound == 10.0 else 10.0)  # type: ignore[index]
        assert worths(problem) == pytest.approx({"racks": worth})


def _in_racks(bound: float) -> Problem:
    columns = (Column("s", "hall", "air", "cheap"), Column("s", "hall", "air", "dear"))
    loads = {0: Load("air", 10, (1.0,)), 1: Load("air", 4, (1.0,))}
    rows = (Positions("racks", bound, loads),)
    return Problem(("s",), columns, (100.0, 160.0), (), positions=rows)  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(problems())
def test_no_limit_with_a_worth_could_be_left_out(problem: Problem) -> None:
    now = solve(problem)
    for name, worth in worths(problem).items():
        if worth and now is not None:
            wider = solve(problem, relaxed=frozenset({name}))
            assert wider is not None
            assert wider.objective < now.objective


@settings(max_examples=60, deadline=None, derandomize=True)
@given(problems())
def test_shadow_prices_are_never_negative_and_name_every_limit(problem: Problem) -> None:
    found = shadow_prices(problem)
    if found is not None:
        assert set(found) == {row.name for row in problem.rows}
        assert all(price >= 0.0 for price in found.values())
