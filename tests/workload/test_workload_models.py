"""Counts against published figures, and properties of time, memory and queueing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from twinloop import catalogue
from twinloop.model.estimate import Parallelism
from twinloop.model.model import Stage
from twinloop.model.network import Network
from twinloop.workload.profile import hourly_activity
from twinloop.workload.serving import p99_latency_s, run_batch, serving_options
from twinloop.workload.training import train_step, training_options
from twinloop.workload.transformer import forward_flops_per_token, kv_bytes_per_token, parameter_count

BERT = Network(
    "b", "transformer", layers=24, hidden=1024, heads=16, kv_heads=16, head_dim=64, ffn=4096, vocabulary=30522,
    context=512, causal=False,
)  # fmt: skip
DEVICE, SERVER = catalogue.device("H100-SXM-80GB"), catalogue.server("HGX-H100-8-air")


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
        gated=True,
        tied=False, vocabulary=vocabulary, context=4096,
    )  # fmt: skip
    assert parameter_count(network) / 1e9 == pytest.approx(billions, abs=0.0006)


def test_mixtral_counts_all_experts_but_computes_two():
    mixtral = Network(
        "m", "mixture", layers=32, hidden=4096, heads=32, kv_heads=8, head_dim=128, ffn=14336, gated=True, tied=False,
        vocabulary=32000, context=4096, experts=8, top_k=2,
    )  # fmt: skip
    assert parameter_count(mixtral) / 1e9 == pytest.approx(46.70, abs=0.01)
    assert forward_flops_per_token(mixtral, 0.0) / 2e9 == pytest.approx(12.75, abs=0.15)


def test_gpt3_cache_and_flops():
    gpt3 = Network(
        "g", "transformer", layers=96, hidden=12288, heads=96, kv_heads=96, head_dim=128, ffn=49152, vocabulary=50257,
        context=2048,
    )  # fmt: skip
    assert kv_bytes_per_token(gpt3, 2.0) == 2 * 96 * 12288 * 2
    assert 3 * forward_flops_per_token(gpt3, 2048) / (6 * 175e9) == pytest.approx(1.0, abs=0.05)


def test_one_device_pays_no_communication():
    step = train_step(BERT, DEVICE, SERVER, Parallelism(1, 1, 1, 1, 1, 8, 64))
    assert step.breakdown_s["tensor_comm"] == step.breakdown_s["data_comm"] == step.breakdown_s["bubble"] == 0.0
    assert 0.2 < step.mfu < 0.6


def test_longer_context_never_frees_memory_and_sharding_never_adds():
    layout = Parallelism(4, 1, 1, 1, 1, 4, 256)
    base = train_step(BERT, DEVICE, SERVER, layout).memory_b
    assert train_step(replace(BERT, context=1024), DEVICE, SERVER, layout).memory_b > base
    assert train_step(BERT, DEVICE, SERVER, replace(layout, data=8)).memory_b < base


def test_bubble_is_p_minus_1_over_m():
    step = train_step(BERT, DEVICE, SERVER, Parallelism(1, 1, 4, 1, 1, 1, 32))
    pace = max(step.breakdown_s["compute"], step.breakdown_s["compute"] + step.breakdown_s["memory"])
    assert step.breakdown_s["bubble"] == pytest.approx(3 / 32 * pace)


def test_training_meets_its_deadline_with_a_tenth_to_spare():
    stage = Stage("t", "train", (), (), "b", samples=2e7, batch=2048, every_s=86400.0, deadline_s=4 * 3600.0)
    options = training_options(stage, BERT, DEVICE, SERVER)
    assert options
    for option in options:
        assert option.duration_s is not None
        assert option.duration_s <= 0.9 * 4 * 3600.0
        assert option.memory_per_device_b <= DEVICE.memory_b
        assert option.busy_fraction == pytest.approx(option.duration_s / 86400.0)
        assert float(np.mean(hourly_activity(option, stage))) == pytest.approx(option.busy_fraction, rel=1e-9)


def test_serving_meets_latency_and_capacity():
    stage = Stage(
        "s", "serve", (), (), "b", requests_per_s=5000.0, peak_to_mean=2.0, latency_p99_s=0.03, accuracy_drop=0.01
    )
    options = serving_options(stage, BERT, DEVICE, SERVER)
    assert {option.precision for option in options} >= {"bf16", "fp8"}
    for option in options:
        assert option.latency_p99_s is not None
        assert option.latency_p99_s <= 0.03
        assert option.throughput_per_s >= 10000.0
        assert float(np.max(hourly_activity(option, stage))) <= 1.0
    strict = serving_options(replace(stage, accuracy_drop=0.0), BERT, DEVICE, SERVER)
    assert {option.precision for option in strict} == {"bf16"}


def test_queueing_grows_with_load_and_explodes_at_capacity():
    light, heavy = p99_latency_s(0.01, 1, 50.0, 1), p99_latency_s(0.01, 1, 90.0, 1)
    assert 0.01 < light < heavy
    assert p99_latency_s(0.01, 1, 101.0, 1) == float("inf")


def test_decode_reads_all_weights_each_token():
    network = replace(BERT, causal=True)
    stage = Stage("s", "serve", (), (), "b", requests_per_s=1.0, input_tokens=16, output_tokens=100)
    run = run_batch(network, stage, DEVICE, "bf16", 1, 1)
    least = 100 * parameter_count(network) * 2 / DEVICE.memory_bandwidth_b_s
    assert run.memory_s > least
    assert run.seconds >= run.memory_s
