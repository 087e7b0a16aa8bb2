"""The plan is no worse than any baseline, kit or frontier point that is shown with it, and all are the twin's."""

from __future__ import annotations

import pytest

from twinloop.planner.check import check
from twinloop.planner.plan import plan
from twinloop.planner.ties import TIE
from twinloop.twin.design import PlantConstants

K = PlantConstants()


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"cooling": ", cooling: [air, cold_plate, tower, dry_cooler, air_cooled_chiller]"},
        {
            "cooling": ", cooling: [air, rear_door, air_cooled_chiller, water_cooled_chiller]",
            "climate": "Stockholm",
            "finance": ", staff: 100000 USD/year",
        },
    ],
)
def test_nothing_that_is_shown_beats_the_plan(small, changes):
    model = small(samples="2e7", **changes)
    found = plan(model)
    cost = found.plan.totals.tco_usd
    assert found.plan.frontier
    assert all(point.checked for point in found.plan.frontier)
    assert min(point.cost_usd for point in found.plan.frontier) == pytest.approx(cost, rel=TIE)  # staff and storage too
    for point in found.plan.frontier:
        assert point.cost_usd >= cost * (1.0 - TIE), point.name
    for baseline in found.plan.baselines:
        if baseline.feasible:
            assert baseline.totals.tco_usd >= cost * (1.0 - TIE), baseline.name
    for economy in found.plan.economics:
        if economy.feasible:
            assert economy.tco_usd >= cost * (1.0 - TIE), economy.name
    again = check(model, found.best.checked.placements, found.screened.designs, K)
    assert again.totals.tco_usd == pytest.approx(cost, rel=1e-12)
