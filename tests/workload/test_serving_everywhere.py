"""Serving of any catalogue model on any catalogue device: answered or refused, never beyond what the device can do."""

from __future__ import annotations

import csv
import itertools
import random
from importlib import resources

import numpy as np
import pytest

from twinloop import catalogue
from twinloop.errors import InputError
from twinloop.workload.host import host
from twinloop.workload.machine import STORED_B, peak_flops
from twinloop.workload.memory import BINARY
from twinloop.workload.named_model import network_named
from twinloop.workload.serve_estimate import estimate_serving
from twinloop.workload.serve_job import ServingJob
from twinloop.workload.transformer import active_layer_weights, attended, kv_bytes_per_token, shape_of


def named(table):
    text = (resources.files("twinloop.catalogue") / "tables" / f"{table}.csv").read_text(encoding="utf-8")
    return list(dict.fromkeys(row["name"] for row in csv.DictReader(text.splitlines())))


MODELS, DEVICES = named("architectures"), named("devices")
FAST = ("gpu", "tpu", "npu")


def answered(model, device, count, **job):
    try:
        return estimate_serving(network_named(model), host(catalogue.device(device), count), ServingJob(**job))
    except InputError:
        return None


def holds(model, device, count, job):
    """Answer one draw, and check what must hold of any answer."""
    found, part = answered(model, device, count, **job), catalogue.device(device)
    if found is None:
        return False
    rate = found.throughput_tokens_per_s or found.samples_per_s
    energy, interval = found.energy_per_sample_j, found.interval
    told = (rate, found.latency_p99_s, found.memory_per_device_gb, found.power_w["node_ac"], found.junction_c)
    assert all(np.isfinite(value) and value > 0.0 for value in told)
    assert interval["low"] <= rate <= interval["high"]
    assert energy["accelerator"] * found.samples_per_s / count <= part.power_limit_w * 1.001
    assert energy["node"] >= energy["accelerator"]
    if found.throughput_tokens_per_s:
        within_the_device(model, part, count, job, found)
    return True


def within_the_device(model, part, count, job, found):
    length = job["input_tokens"] + job["output_tokens"]
    shape, layout = shape_of(network_named(model), length), found.layout
    weights = float(active_layer_weights(shape))
    value_b, seen = (
        2.0 if job["precision"] in ("bf16", "fp16") else 1.0,
        job["input_tokens"] + 0.5 * job["output_tokens"],
    )
    cache_b = layout["batch"] * float(kv_bytes_per_token(shape, value_b) * attended(shape, seen))
    peak = peak_flops(part, job["precision"]) or peak_flops(part, "bf16")
    assert 2.0 * weights * length * found.samples_per_s <= peak * count
    replica = max(layout["tensor"], layout["expert"]) * layout["pipeline"]
    stored = STORED_B[layout["weights"] or layout["precision"]]
    assert found.tpot_s * part.memory_bandwidth_b_s * replica >= 0.999 * (stored * weights + cache_b)
    assert found.ttft_s > 0.0
    assert found.latency_p99_s >= found.ttft_s * 0.999
    if found.fits:
        assert layout["batch"] <= found.max_batch
        assert found.memory_per_device_gb * 1e9 <= part.memory_b * BINARY * 1.001


def drawn(seed, draws):
    chosen, answers = random.Random(seed), 0
    for _ in range(draws):
        batch = chosen.choice([None, 1, 4, 16, 64, 256, 512])
        job = {
            "precision": chosen.choice(["bf16", "fp16", "fp8", "nvfp4", "mxfp4", "int8", "int4"]),
            "input_tokens": chosen.choice([32, 128, 1024, 8192, 65536]),
            "output_tokens": chosen.choice([1, 16, 128, 1024, 8192]),
            "batch": batch,
            "scenario": "offline" if batch else chosen.choice(["offline", "server", "interactive"]),
        }
        answers += holds(chosen.choice(MODELS), chosen.choice(DEVICES), chosen.choice([1, 2, 4, 8]), job)
    assert answers > 0.7 * draws


def ordered(seed, draws):
    """More in flight, more devices, looser limits and shorter prompts never serve less."""
    chosen = random.Random(seed)
    decoders = [name for name in MODELS if network_named(name).kind in ("transformer", "mixture")]
    parts = [name for name in DEVICES if catalogue.device(name).kind in FAST]
    for _ in range(draws):
        model, device = chosen.choice(decoders), chosen.choice(parts)
        job = {
            "precision": chosen.choice(["bf16", "fp8", "nvfp4"]), "input_tokens": chosen.choice([128, 1024, 8192]),
            "output_tokens": chosen.choice([64, 512, 2048]),
        }  # fmt: skip
        crowds = [answered(model, device, 1, **job, batch=batch) for batch in (1, 8, 64, 512)]
        rising([each.throughput_tokens_per_s for each in crowds if each])
        rising([each.tpot_s for each in crowds if each])
        sizes = [answered(model, device, count, **job) for count in (1, 2, 4, 8)]
        rising([each.throughput_tokens_per_s for each in sizes if each and each.fits])
        limits = [answered(model, device, 8, **job, scenario=name) for name in ("interactive", "server", "offline")]
        rising([each.throughput_tokens_per_s for each in limits if each and each.fits])
        prompts = [answered(model, device, 8, **{**job, "input_tokens": n * job["input_tokens"]}) for n in (4, 2, 1)]
        rising([each.throughput_tokens_per_s for each in prompts if each and each.fits])


def rising(values):
    assert all(after >= before * 0.995 for before, after in itertools.pairwise(values)), values


def test_any_answer_is_within_what_its_device_can_do():
    drawn(11, 150)


@pytest.mark.parametrize("model", ["llama-3.1-8b", "mixtral-8x7b", "gpt-oss-120b", "deepseek-v3"])
def test_long_answers_of_many_take_at_least_the_time_to_read_their_cache(model):
    job = {"precision": "bf16", "input_tokens": 65536, "output_tokens": 16384, "batch": 512, "scenario": "offline"}
    assert holds(model, "H200-SXM-141GB", 8, {**job, "tensor": 8})


def test_more_is_never_less():
    ordered(12, 12)


@pytest.mark.slow
def test_any_answer_is_within_what_its_device_can_do_widely():
    drawn(13, 6000)


@pytest.mark.slow
def test_more_is_never_less_widely():
    ordered(14, 400)
