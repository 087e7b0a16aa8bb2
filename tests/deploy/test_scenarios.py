"""From a person's scenario to files that pass every check: the examples, and scenarios drawn at random."""

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

import twinloop
from twinloop.deploy.check import check_folder
from twinloop.errors import InfeasibleError

pytestmark = pytest.mark.slow
EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.yaml"))
CHOICES = (
    {"target": "k8s", "queued": True, "gang": True, "keda": True}, {"target": "k8s"},
    {"target": "kubeflow", "queued": True}, {"target": "ray", "queued": True, "kept": True}, {"target": "slurm"},
    {"target": "skypilot"}, {"target": "compose"},
)  # fmt: skip


def check_every_target(plan, written, crds):
    for number, choices in enumerate(CHOICES):
        folder = written(plan, f"out{number}", **choices)
        try:
            assert check_folder(folder, crds) == [], choices
        finally:
            shutil.rmtree(folder)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_deploys(path, written, crds):
    check_every_target(twinloop.plan(twinloop.load(path)).plan, written, crds)


def planned(path):
    """The plan of a scenario, None where it has none. A scenario that is refused is a fault of this file."""
    scenario = twinloop.load(path)
    try:
        return twinloop.plan(scenario).plan
    except InfeasibleError:
        return None


SCENARIO = """
twinloop: 1
name: {name}
horizon: 4 years
objective: {{minimise: {objective}}}
datasets:
  - {{name: records, size: {size} TB, home: hall}}
models:
  - {{name: net, {model}}}
stages:
  - {{name: features, kind: preprocess, reads: records, rows: {rows}, row_size: 200 B, every: 1 day, deadline: 6 h}}
  - {{name: train, kind: train, after: features, model: net, samples: {samples}, every: {every},
     deadline: {deadline}}}
  - {{name: score, kind: serve, after: train, model: net, rate: {rate}/s, peak_to_mean: {peak},
     latency_p99: {latency} ms}}
sites:
  - {{name: hall, kind: on-premise, climate: {climate}, jurisdiction: EU, utility_power: {power} MW,
     racks: {{positions: 40, power: 60 kW}}}}
"""
MODELS = (
    "kind: transformer, layers: 12, hidden: 768, heads: 12, vocabulary: 8192, context: 256",
    "kind: transformer, layers: 24, hidden: 2048, heads: 16, vocabulary: 32000, context: 1024",
    "architecture: resnet50", "architecture: dlrm-dcnv2",
)  # fmt: skip


@given(
    name=st.sampled_from(["bank", "a-very-long-name-of-a-very-thorough-research-programme-of-a-state", "Nacht 8"]),
    objective=st.sampled_from(["cost", "energy", "carbon"]), size=st.integers(1, 400), model=st.sampled_from(MODELS),
    rows=st.sampled_from(["1e6", "1e9"]), samples=st.sampled_from(["1e5", "1e7"]),
    every=st.sampled_from(["1 day", "7 day"]), deadline=st.sampled_from(["4 h", "20 h"]),
    rate=st.sampled_from([1, 80, 4000]), peak=st.sampled_from([1.0, 2.5, 6.0]), latency=st.sampled_from([60, 2000]),
    climate=st.sampled_from(["Frankfurt", "Singapore", "Phoenix"]), power=st.sampled_from([1, 4]),
)  # fmt: skip
@settings(max_examples=4, deadline=None, phases=[Phase.explicit, Phase.generate], derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much])  # fmt: skip
def test_any_valid_scenarios_plan_passes_every_check(tmp_path, written, crds, **drawn):
    path = tmp_path / "scenario.yaml"
    path.write_text(SCENARIO.format(**drawn))
    plan = planned(path)
    assume(plan is not None and plan.status != "infeasible")
    check_every_target(plan, written, crds)
