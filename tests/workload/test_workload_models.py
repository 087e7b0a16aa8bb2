"""Counts against published figures; options against their deadline, latency and memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from twinloop.model.model import Model
from twinloop.model.network import Network
from twinloop.scenario import load, resolve
from twinloop.workload.options import stage_options
from twinloop.workload.profile import hourly_activity
from twinloop.workload.queueing import batch_latency_p99_s, mean_wait_s
from twinloop.workload.transformer import active_parameters, parameter_count

EXAMPLE = Path(__file__).parents[2] / "examples" / "fraud-detection.yaml"


@pytest.fixture(scope="module")
def model() -> Model:
    return resolve(load(EXAMPLE))


@pytest.mark.parametrize(
    ("layers", "hidden", "heads", "ffn", "vocabulary", "billions"),
    [
        (32, 4096, 32, 14336, 128256, 8.030),
        (80, 8192, 64, 28672, 128256, 70.554),
        (80, 8192, 64, 28672, 32000, 68.977),
    ],
)
def test_llama_parameter_counts(layers, hidden, heads, ffn, vocabulary, billions):
    network = Network(
        "llama", "transformer", layers=layers, hidden=hidden, heads=heads, kv_heads=8, head_dim=128, ffn=ffn,
        gated=True, tied=False, vocabulary=vocabulary, context=4096,
    )  # fmt: skip
    assert parameter_count(network) / 1e9 == pytest.approx(billions, abs=0.0006)


def test_mixtral_counts_all_experts_but_computes_two():
    mixtral = Network(
        "m", "mixture", layers=32, hidden=4096, heads=32, kv_heads=8, head_dim=128, ffn=14336, gated=True, tied=False,
        vocabulary=32000, context=4096, experts=8, top_k=2, expert_ffn=14336,
    )  # fmt: skip
    assert parameter_count(mixtral) / 1e9 == pytest.approx(46.70, abs=0.01)
    assert active_parameters(mixtral) / 1e9 == pytest.approx(12.88, abs=0.15)


def test_every_stage_has_options_that_keep_their_promises(model):
    devices = {device.name: device for device in model.devices}
    for stage in model.stages:
        options = stage_options(model, stage)
        assert options, stage.name
        for option in options:
            assert option.memory_per_device_b <= devices[option.device].memory_b or stage.kind in (
                "ingest",
                "preprocess",
            )
            assert option.device_w <= devices[option.device].power_limit_w * 1.0001
            assert option.accuracy_drop <= stage.accuracy_drop
            assert option.low <= 1.0 <= option.high
            if stage.deadline_s is not None:
                assert option.duration_s is not None
                assert option.duration_s <= stage.deadline_s
            if stage.latency_p99_s is not None:
                assert option.latency_p99_s is not None
                assert option.latency_p99_s <= stage.latency_p99_s
            activity = hourly_activity(option, stage)
            assert float(np.mean(activity)) == pytest.approx(option.busy_fraction, rel=1e-9)
            assert float(np.max(activity)) <= 1.0 + 1e-9


def test_a_shorter_deadline_takes_more_devices(model):
    stage = next(stage for stage in model.stages if stage.kind == "train")
    loose = replace(stage, deadline_s=(stage.deadline_s or 0.0) * 3.0)

    def fewest(each):
        return min(option.device_count for option in stage_options(model, each) if option.device == "B200-SXM-180GB")

    assert fewest(stage) > fewest(loose)


def test_queueing_closed_forms():
    # M/M/1: wait = rho / (1 - rho) of service.
    for load_ in (0.2, 0.5, 0.9):
        assert float(mean_wait_s(1.0, load_, 1.0, 1.0)) == pytest.approx(load_ / (1.0 - load_))
    light = float(batch_latency_p99_s(0.01, 1, 50.0, 1.0))
    heavy = float(batch_latency_p99_s(0.01, 1, 90.0, 1.0))
    assert 0.01 <= light < heavy
