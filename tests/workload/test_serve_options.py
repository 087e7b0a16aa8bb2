"""What a planned serving replica holds in memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from twinloop import catalogue
from twinloop.scenario import load, resolve
from twinloop.workload.compression import allowed_levers
from twinloop.workload.serve_options import replica_runs

EXAMPLE = Path(__file__).parents[2] / "examples" / "fraud-detection.yaml"


@pytest.mark.parametrize(
    ("causal", "output", "cached"), [(False, None, False), (False, 8, True), (True, None, True), (True, 8, True)]
)
def test_an_encoder_that_answers_in_one_pass_keeps_no_cache(causal, output, cached):
    model = resolve(load(EXAMPLE))
    stage = next(each for each in model.stages if each.name == "score")
    network = replace(model.network(stage.network), causal=causal)
    device, server = catalogue.device("H100-SXM-80GB"), catalogue.server("HGX-H100-8-air")
    lever = allowed_levers(device, 0.0, ())[0]
    runs = replica_runs(replace(stage, output_tokens=output), network, device, server, lever, 1)
    cache_b = runs.memory_parts_b["KV cache"]
    assert (cache_b > 0.0).all() if cached else (cache_b == 0.0).all()
    assert runs.memory_b == pytest.approx(sum(runs.memory_parts_b.values()))
