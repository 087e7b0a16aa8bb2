"""The final plan against every choice there is, each scored by the twin for its whole year."""

from __future__ import annotations

import itertools

import pytest

from twinloop.planner import screen as screening
from twinloop.planner.check import check
from twinloop.planner.optimise import acceptable, problem_of
from twinloop.planner.plan import plan
from twinloop.planner.selection import feasible
from twinloop.twin.design import PlantConstants

K = PlantConstants()
CASES = {
    "one stage": {},
    "dear power in the tropics": {
        "climate": "Singapore", "jurisdiction": "SG", "residency": "[SG]", "price": "0.30 USD/kWh",
    },
    "scarce water": {"climate": "Phoenix", "jurisdiction": "US", "residency": "[US]", "water": "100 m3/year"},
    "carbon": {"objective": "carbon"},
    "two stages": {
        "stages": "  - {name: serve, kind: serve, after: train, model: net, rate: 20/s, input_tokens: 512,\n"
        "      output_tokens: 128, latency_p99: 20 s}\n",
        "samples": "2e7", "devices": "[H100-SXM-80GB, L40S]", "cooling": ", cooling: [air, cold_plate, dry_cooler, "
        "air_cooled_chiller]",
    },
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_the_plan_is_within_half_a_percent_of_the_best_by_the_twin(small, monkeypatch, case):
    model = small(**CASES[case])
    found = plan(model).plan
    monkeypatch.setattr(screening, "DESIGNS_PER_KIT", 10**6)
    everything = screening.screen(model, K, lambda _: None)
    problem = problem_of(model, everything.placements, {}, K)
    by_stage = [[i for i, p in enumerate(everything.placements) if p.stage == stage.name] for stage in model.stages]
    scores = []
    for picked in itertools.product(*by_stage):
        if feasible(problem, picked):
            checked = check(model, tuple(everything.placements[i] for i in picked), everything.designs, K)
            if acceptable(model, checked):
                scores.append(checked.objective)
    assert len(scores) > 15
    assert found.objective.value <= min(scores) * 1.005
