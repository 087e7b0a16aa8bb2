"""Parts of a step written out: collectives of tensors, rings of context, experts' products, sends, throttling."""

from __future__ import annotations

from dataclasses import replace

import pytest

from twinloop import catalogue
from twinloop.workload.constants import GENERATIONS
from twinloop.workload.host import host
from twinloop.workload.layouts import Layouts
from twinloop.workload.machine import training_machine
from twinloop.workload.named_model import network_named
from twinloop.workload.train_estimate import estimate_training
from twinloop.workload.train_job import TrainingJob
from twinloop.workload.training import layer_times, step_times
from twinloop.workload.transformer import model_flops_per_token, shape_of

C = replace(
    GENERATIONS["megatron-2025"][1], inner=1.0, outer=1.0, inner_alpha_s=0.0, outer_alpha_s=0.0, tensor_overlap=0.25,
    half=0.0, imbalance=1.5,
)  # fmt: skip
ON = training_machine(catalogue.device("H100"), 50e9, 8, "bf16")
PLAIN = shape_of(network_named("layers=12,hidden=1024,heads=16,kv_heads=4,vocabulary=8192,context=1024"))
MIXED = shape_of(
    network_named(
        "kind=mixture,layers=12,hidden=1024,heads=16,ffn=4096,vocabulary=8192,context=1024,experts=8,top_k=2,"
        "expert_ffn=2048,shared_experts=1,gated=true"
    )
)
AT = Layouts(1.0, 1.0, 1.0, 1.0, 1.0, 4.0, 32.0, 1.0, 0.0, 0.0, 1.0, 0.0)
TOKENS = 4.0 * 1024


def test_tensors_reduce_four_times_a_layer_and_twice_more_where_it_repeats():
    """Two all-reduces forward, two backward; of 2-byte activations, a ring's 2 (t − 1)/t, less what is hidden."""
    once = 2.0 * (3.0 / 4.0) * 2.0 * TOKENS * 1024 / ON.scale_up_b_s * 0.75
    split = replace(AT, tensor=4.0)
    assert float(layer_times(PLAIN, split, ON, C).tensor_s) == pytest.approx(4.0 * once)
    full = replace(split, recompute=2.0)
    assert float(layer_times(PLAIN, full, ON, C).tensor_s) == pytest.approx(6.0 * once)


@pytest.mark.parametrize(("ranks", "link"), [(4.0, "scale_up_b_s"), (16.0, "network_b_s")])
def test_keys_and_values_go_round_three_times(ranks, link):
    """Forward once, backward twice (their gradients too); 2-byte keys and values of four heads of 64."""
    hop = 4.0 * (TOKENS / ranks) * 4 * 64 / getattr(ON, link)
    got = float(layer_times(PLAIN, replace(AT, context=ranks), ON, C).tensor_s)
    assert got == pytest.approx(3.0 * (ranks - 1.0) * hop * 0.75)


def test_experts_multiply_what_the_busiest_receives_and_all_meet_the_shared_one():
    peak = ON.peak_16 * C.gemm
    attention = 2.0 * TOKENS * (3 * 1024 * 1024 + 1024 * 1024)
    routed = 2.0 * (2.0 * TOKENS) * 3 * 1024 * 2048 * C.imbalance  # two of eight experts a token, all held here
    shared = 2.0 * TOKENS * 3 * 1024 * 2048
    scores = 4.0 * TOKENS * 1024 * 1024 * 0.5 / (ON.peak_16 * C.flash) * (1.0 + 2.5 / 0.8)
    expected = 3.0 * (attention + routed + shared) / peak + scores
    assert float(layer_times(MIXED, AT, ON, C).compute_s) == pytest.approx(expected)


def test_dispatch_and_combine_go_both_ways_and_again_where_a_layer_repeats():
    spread = replace(AT, expert=8.0)
    once = 2.0 * TOKENS * 1024 * 2.0 * (7.0 / 8.0) / ON.scale_up_b_s
    assert float(layer_times(MIXED, spread, ON, C).expert_s) == pytest.approx(4.0 * once)
    assert float(layer_times(MIXED, replace(spread, recompute=2.0), ON, C).expert_s) == pytest.approx(6.0 * once)


def test_a_micro_batch_is_sent_forward_and_back_once_a_chunk():
    at = replace(AT, pipeline=4.0, batch=64.0)
    once = 2.0 * TOKENS * 1024 / ON.scale_up_b_s
    sent = float(step_times(PLAIN, at, ON, C).pipeline_comm_s)
    assert sent == pytest.approx(16.0 * 2.0 * once)
    bare = replace(C, pipeline_overlap=0.0)
    chunks = replace(at, interleave=3.0, schedule=2.0)
    assert float(step_times(PLAIN, chunks, ON, bare).pipeline_comm_s) == pytest.approx(3.0 * sent)


def test_an_optimizer_reads_and_writes_its_states():
    """Bytes a weight: gradient 4, master 4, moments 8 read, those 12 and the weight 2 written, the gradient cleared."""
    weights = 12 * (1024 * 64 * (2 * 16 + 2 * 4) + 2 * 1024 * 4096 + (64 * 24 + 1024) + (4096 + 1024) + 4 * 1024)
    weights += 8192 * 1024
    got = float(step_times(PLAIN, AT, ON, C).optimizer_s)
    assert got == pytest.approx((4 + 4 + 8 + 12 + 2 + 4) * weights / ON.memory_b_s)
    split = replace(AT, data=8.0, zero=1.0, batch=256.0)
    assert float(step_times(PLAIN, split, ON, C).optimizer_s) == pytest.approx(got / 8.0)


def test_a_gate_is_a_third_matrix():
    gated = replace(PLAIN, gated=1.0)
    more = float(layer_times(gated, AT, ON, C).compute_s - layer_times(PLAIN, AT, ON, C).compute_s)
    assert more == pytest.approx(3.0 * 2.0 * TOKENS * 1024 * 4096 / (ON.peak_16 * C.gemm))


def test_a_capped_part_computes_slower_by_its_clock_and_nothing_else_does():
    model, job = network_named("llama-3-8b"), TrainingJob(batch=8, micro_batch=1, sequence=4096)
    free, capped = (
        estimate_training(model, host(catalogue.device("H100"), 8, power_limit_w=limit), job) for limit in (None, 400.0)
    )
    assert capped.clock < 0.95
    parts = dict(capped.time_breakdown_s)
    assert parts.pop("throttle") == pytest.approx(parts["compute"] * (1.0 / capped.clock - 1.0))
    assert parts == pytest.approx({name: free.time_breakdown_s[name] for name in parts})
    assert capped.power_w["accelerator"] <= 8 * 400.0 * (1.0 + 1e-6)


@pytest.mark.parametrize(("software", "seen"), [("fsdp-2023", 1.0), (None, 0.5)])
def test_model_operations_are_those_of_forward_and_backward_hardware_ones_repeat(software, seen):
    """llm-foundry's tables count attention's whole square, NVIDIA's since 2025 what the mask leaves of it."""
    model, on = network_named("llama-2-7b"), host(catalogue.device("H100"), 8)
    job = TrainingJob(batch=8, micro_batch=1, recompute="full", sequence=4096, software=software)
    step = estimate_training(model, on, job)
    layers, output = 32 * (4 * 4096**2 + 3 * 4096 * 11008), 4096 * 32000
    scores = seen * 4.0 * 32 * 4096 * 4096
    per_token = 2.0 * (layers + output) + scores
    rate = 8 * 4096 / step.step_time_s / 8
    assert step.model_tflops_per_device == pytest.approx(3.0 * per_token * rate / 1e12, rel=1e-3)
    repeated = 3.0 * per_token + per_token - 2.0 * output
    assert step.hardware_tflops_per_device == pytest.approx(repeated * rate / 1e12, rel=1e-3)
    assert step.mfu == pytest.approx(step.model_tflops_per_device * 1e12 / on.device.flops["bf16"], rel=1e-9)
    adapters = estimate_training(model, on, replace(job, lora_rank=16))
    assert adapters.model_tflops_per_device * adapters.step_time_s == pytest.approx(
        2.0 / 3.0 * step.model_tflops_per_device * step.step_time_s
    )


def test_a_network_given_in_gigabytes_is_that_many():
    import json

    from click.testing import CliRunner

    from twinloop.cli.estimate import command

    text = "train --model llama-3-8b --device H100 --devices 64 --batch 64 --zero 3 --sequence 2048 --json"
    flags = text.split()

    def data_s(*more):
        return json.loads(CliRunner().invoke(command, [*flags, *more]).output)["time_breakdown_s"]["data_comm"]

    on = host(catalogue.device("H100"), 64, network_b_s=10e9)
    step = estimate_training(network_named("llama-3-8b"), on, TrainingJob(batch=64, zero=3, sequence=2048))
    assert data_s("--network", "10") == pytest.approx(step.time_breakdown_s["data_comm"])
    assert data_s("--network", "10") > data_s("--network", "50")


@pytest.mark.parametrize(
    ("model", "sequence", "masked", "tflops", "tokens_s"),
    [
        ("llama-3.1-405b", 8192, True, 2960, 1184),
        ("llama-3-70b", 8192, True, 734, 1633),
        ("qwen3-30b-a3b", 4096, True, 205, 8901),
        ("mpt-7b", 65536, False, 282, 1956),
        ("mpt-1b", 8192, False, 176, 13814),
    ],
)
def test_operations_of_a_token_are_those_that_tables_count(model, sequence, masked, tflops, tokens_s):
    """Megatron-Bridge 26.04 and llm-foundry: model TFLOP/s over tokens/s of one device."""
    got = 3.0 * float(model_flops_per_token(shape_of(network_named(model), sequence), masked=masked))
    assert got == pytest.approx(tflops * 1e12 / tokens_s, rel=0.015)
