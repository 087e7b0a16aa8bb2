"""Models × devices × precisions × layouts: an answer within bounds or a refusal in words, never anything else."""

from __future__ import annotations

import math
import random

import pytest

from twinloop import catalogue
from twinloop.errors import InputError
from twinloop.workload.host import host
from twinloop.workload.machine import peak_flops
from twinloop.workload.named_model import network_named
from twinloop.workload.train_estimate import estimate_training
from twinloop.workload.train_job import TrainingJob

MODELS = tuple(catalogue.architectures())
DEVICES = catalogue.devices()
PRECISIONS = ("fp32", "tf32", "fp16", "bf16", "fp8", "mxfp8", "nvfp4", "mxfp4")
LAYOUTS = (
    (1, {}), (8, {}), (8, {"tensor": 8}), (64, {"tensor": 2, "pipeline": 2, "micro_batch": 1}), (16, {"zero": 3}),
    (8, {"lora_rank": 16}), (32, {"context": 2, "expert": 2}), (4, {"pipeline": 2, "interleave": 2}),
    (16, {"zero": 3, "shard_group": 8, "sequence": 131072}), (8, {"recompute": "full", "schedule": "zero-bubble"}),
)  # fmt: skip


def holds(model, device, precision, devices, layout):
    """Return whether it was answered; bounds are those of the part and of arithmetic."""
    on = host(device, devices)
    try:
        got = estimate_training(network_named(model), on, TrainingJob(batch=64, precision=precision, **layout))
    except InputError:
        return False
    told = (model, device.name, precision, devices, layout)
    assert 0.0 < got.step_time_s < 1e12, told
    assert min(got.time_breakdown_s.values()) > -1e-12, told
    assert sum(got.time_breakdown_s.values()) == pytest.approx(got.step_time_s, rel=1e-9), told
    assert min(got.memory_breakdown_gb.values()) >= 0.0, told
    assert sum(got.memory_breakdown_gb.values()) == pytest.approx(got.memory_per_device_gb, rel=1e-9), told
    assert 0.0 < got.mfu <= got.hfu <= 0.95, told
    assert got.mfu * (peak_flops(device, precision) or 0.0) == pytest.approx(got.model_tflops_per_device * 1e12), told
    drawn = got.power_w["accelerator"] / on.used_per_node
    assert 0.5 * device.idle_w < drawn <= device.power_limit_w * (1.0 + 1e-9), told
    assert all(part >= 0.0 for part in got.power_w.values()), told
    assert 0.05 < got.clock <= 1.0, told
    assert got.junction_c <= device.throttle_c + 1e-6, told
    assert got.interval["low"] < got.step_time_s < got.interval["high"], told
    assert all(math.isfinite(value) for value in (got.junction_c, got.parameters, got.samples_per_s)), told
    return True


def draws(count, seed):
    rng = random.Random(seed)
    for _ in range(count):
        devices, layout = rng.choice(LAYOUTS)
        yield rng.choice(MODELS), rng.choice(DEVICES), rng.choice(PRECISIONS), devices, layout


def test_a_sample_of_all_answers_is_within_bounds():
    answered = [holds(*each) for each in draws(1000, 7)]
    assert sum(answered) > 300


@pytest.mark.slow
def test_many_answers_are_within_bounds():
    answered = [holds(*each) for each in draws(40_000, 8)]
    assert sum(answered) > 12_000


@pytest.mark.parametrize(
    "device", [each for each in DEVICES if {"bf16", "fp32"} & set(each.flops)], ids=lambda each: each.name
)
def test_every_device_with_16_or_32_bits_trains(device):
    assert holds("llama-3.2-1b", device, "bf16", 1, {})
