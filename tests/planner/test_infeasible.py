"""Planted clashes: the smallest set is named, the way out works, the file still says something."""

from __future__ import annotations

import pytest

from twinloop.errors import InfeasibleError
from twinloop.planner.plan import Planned, plan

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
    assert any(stage.name == "train" for stage in answer.plan.stages)


@pytest.mark.slow
def test_a_budget_that_no_plan_meets(small):
    model = small(**FEW)
    from dataclasses import replace

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


def test_what_nothing_allowed_can_run_is_told_without_a_plan(small):
    error = clash_of(small, devices="[EPYC-9654]")
    assert error.answer is None
    assert "training runs on gpu" in str(error)
