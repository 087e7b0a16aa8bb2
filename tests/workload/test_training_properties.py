"""What must hold for any layout: one device is the plain sum, more never cost less energy, units are consistent."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from twinloop import catalogue
from twinloop.errors import InputError
from twinloop.model.network import Network
from twinloop.workload.constants import GENERATIONS, software
from twinloop.workload.host import host
from twinloop.workload.layouts import Layouts
from twinloop.workload.machine import training_machine
from twinloop.workload.memory import States, training_memory
from twinloop.workload.named_model import network_named
from twinloop.workload.power import phase_power_w
from twinloop.workload.train_estimate import estimate_training
from twinloop.workload.train_job import TrainingJob
from twinloop.workload.training import ADAM_BYTES, parts_s, step_times
from twinloop.workload.transformer import counted, kv_bytes_per_token, shape_of

DEVICES = tuple(part.name for part in catalogue.devices() if part.kind in ("gpu", "tpu", "npu") and not part.what_if)
CALIBRATIONS = [chosen for _, chosen in GENERATIONS.values()]


@st.composite
def networks(draw):
    heads = draw(st.sampled_from([8, 16, 32]))
    head = draw(st.sampled_from([64, 128]))
    experts = draw(st.sampled_from([0, 0, 8]))
    layers = draw(st.sampled_from([8, 16, 32]))
    hidden = heads * head
    return Network(
        "n", "mixture" if experts else "transformer", layers=layers, hidden=hidden, heads=heads,
        kv_heads=draw(st.sampled_from([heads, 8])), head_dim=head, ffn=4 * hidden, gated=draw(st.booleans()),
        tied=draw(st.booleans()), vocabulary=draw(st.sampled_from([1024, 32000, 128256])),
        context=draw(st.sampled_from([512, 2048, 8192])), attention=draw(st.sampled_from(["full", "flash"])),
        causal=draw(st.booleans()), experts=experts, top_k=2 if experts else 0, expert_ffn=hidden if experts else 0,
    )  # fmt: skip


@st.composite
def layouts(draw):
    def power(most):
        return float(2 ** draw(st.integers(0, most)))

    t, p, d, c, m = power(3), power(3), power(4), power(1), power(2)
    steps = p * power(2)
    zero = float(draw(st.sampled_from([0, 1, 2, 3]))) if d * c > 1 else 0.0
    return Layouts(
        t, p, d, c, 1.0, m, d * m * steps, 1.0, float(draw(st.integers(0, 2))), zero, 1.0, float(t > 1),
    )  # fmt: skip


def machine(name="H100"):
    return training_machine(catalogue.device(name), 50e9, 8, "bf16")


def step_s(network, at, on=None, c=None):
    return float(step_times(shape_of(network), at, on or machine(), c or CALIBRATIONS[3]).total_s)


def test_one_device_is_the_sum_of_its_products_streams_and_optimizer():
    """Written out by hand for a GPT block with fused attention: no communication, no bubble, no queue."""
    network = Network("n", "transformer", layers=12, hidden=1024, heads=16, vocabulary=8192, context=1024)
    on, c = machine(), replace(CALIBRATIONS[3], host_layer_s=0.0)
    tokens, h, steps = 4.0 * 1024, 1024.0, 8.0
    at = Layouts(1.0, 1.0, 1.0, 1.0, 1.0, 4.0, 32.0, 1.0, 0.0, 0.0, 1.0, 0.0)

    def product(n, k):
        return 2.0 * tokens * n * k / (on.peak_16 * c.gemm) * (1.0 + c.half * (1.0 / tokens + 1.0 / n + 1.0 / k))

    products = product(3 * h, h) + product(h, h) + product(4 * h, h) + product(h, 4 * h)
    scores = 4.0 * tokens * 1024.0 * h * 0.5 / (on.peak_16 * c.flash)
    streams = tokens * (22.0 * h + 4.0 * h + 4.0 * 4.0 * h) / (on.memory_b_s * c.bandwidth)
    logits = 3.0 * product(8192.0, h) + 14.0 * tokens * 8192.0 / (on.memory_b_s * c.bandwidth)
    layer = 3.0 * products + scores * (1.0 + 2.5 / 0.8) + 2.5 * streams + 2.5 * c.kernel_layer_s
    weights = float(counted(shape_of(network))) - 1024 * 1024 - 2 * 1024  # less positions and the last norm
    optimizer = ADAM_BYTES * weights / on.memory_b_s
    expected = steps * (12.0 * layer + logits) + optimizer + c.step_s
    assert step_s(network, at, on, c) == pytest.approx(expected, rel=1e-9)
    held = training_memory(shape_of(network), at, States(gradient_b=4.0))
    assert float(held.weights_b + held.gradients_b + held.optimizer_b) == pytest.approx(18.0 * weights, rel=1e-9)
    kept = 12.0 * tokens * (4.0 + 4.0 + 8.0 + 16.0) * h  # inputs and outputs of norms, heads, feed-forward
    assert float(held.activations_b) == pytest.approx(kept, rel=1e-9)


@settings(max_examples=120, deadline=None)
@given(networks(), layouts(), st.sampled_from(["tensor", "pipeline", "data", "context"]), st.integers(0, 3))
def test_more_devices_never_cost_less_energy(network, at, axis, which):
    """At one batch and one micro-batch, doubling an axis at best halves the time; power follows what is done."""
    twice = replace(at, **{axis: 2.0 * getattr(at, axis)})
    assume(twice.tensor <= network.heads and twice.pipeline <= network.layers and float(twice.micro_steps) >= 1.0)
    c, part = CALIBRATIONS[which], catalogue.device("H100")

    def energy_j(layout):
        parts = {
            name: float(value) for name, value in parts_s(step_times(shape_of(network), layout, machine(), c)).items()
        }
        return float(layout.devices) * sum(parts.values()) * float(phase_power_w(part, parts))

    assert step_s(network, twice, c=c) >= 0.5 * step_s(network, at, c=c) * (1.0 - 1e-9)
    assert energy_j(twice) >= energy_j(at) * (1.0 - 1e-9)


@settings(max_examples=100, deadline=None)
@given(networks(), layouts(), st.sampled_from([1.25, 2.0, 8.0]))
def test_longer_context_never_frees_memory(network, at, longer):
    short, long = shape_of(network), shape_of(network, network.context * longer)
    before, after = (training_memory(shape, at, States()) for shape in (short, long))
    for name in vars(before):
        assert float(getattr(after, name)) >= float(getattr(before, name)) * (1.0 - 1e-12), name
    cache = [float(kv_bytes_per_token(shape, 2.0) * shape.context) for shape in (short, long)]
    assert cache[1] > cache[0]


@settings(max_examples=80, deadline=None)
@given(networks(), layouts(), st.floats(0.1, 10.0), st.integers(0, 3))
def test_a_clock_that_runs_faster_changes_nothing_but_the_clock(network, at, faster, which):
    """All rates times k and all fixed times over k: every part of a step must be 1/k, or a unit is mixed up."""
    on, c = machine(), CALIBRATIONS[which]
    rates = ("peak_16", "peak_linear", "memory_b_s", "scale_up_b_s", "network_b_s")
    quick = replace(on, **{name: getattr(on, name) * faster for name in rates})
    fixed = ("host_layer_s", "host_mixture_s", "kernel_layer_s", "inner_alpha_s", "outer_alpha_s", "step_s")
    short = replace(c, **{name: getattr(c, name) / faster for name in fixed})
    slow = step_times(shape_of(network), at, on, c)
    fast = step_times(shape_of(network), at, quick, short)
    for name in vars(slow):
        assert float(getattr(fast, name)) == pytest.approx(float(getattr(slow, name)) / faster, rel=1e-9, abs=1e-15)


@settings(max_examples=80, deadline=None)
@given(networks(), layouts(), st.integers(0, 3))
def test_no_part_of_a_step_or_of_memory_is_negative(network, at, which):
    for parts in (
        step_times(shape_of(network), at, machine(), CALIBRATIONS[which]),
        training_memory(shape_of(network), at, States()),
    ):
        assert all(float(value) >= -1e-15 and math.isfinite(float(value)) for value in vars(parts).values())


@settings(max_examples=150, deadline=None)
@given(
    networks(), st.sampled_from(DEVICES), st.sampled_from([1, 3, 8, 64]), st.integers(1, 600),
    st.sampled_from([1, 2, 3, 8]), st.sampled_from([1, 2, 5, 8]), st.sampled_from([None, 1, 2, 7]),
    st.sampled_from([None, "none", "selective", "full"]), st.sampled_from([None, 0, 1, 2, 3]),
    st.sampled_from(["bf16", "fp8", "fp32", "fp16", "tf32"]), st.sampled_from([None, *GENERATIONS]),
)  # fmt: skip
def test_any_flags_give_a_bounded_answer_or_a_message(
    network, device, devices, batch, tensor, pipeline, micro, recompute, zero, precision, generation
):
    part = catalogue.device(device)
    job = TrainingJob(
        batch=batch, tensor=tensor, pipeline=pipeline, micro_batch=micro, recompute=recompute, zero=zero,
        precision=precision, software=generation,
    )  # fmt: skip
    on = host(part, devices, None, None, None, "ib", None, None, None)
    try:
        answer = estimate_training(network, on, job)
    except InputError:
        return
    assert 0.0 < answer.step_time_s < 1e8
    assert sum(answer.time_breakdown_s.values()) == pytest.approx(answer.step_time_s, rel=1e-9)
    assert sum(answer.memory_breakdown_gb.values()) == pytest.approx(answer.memory_per_device_gb, rel=1e-9)
    assert 0.0 < answer.mfu <= answer.hfu <= 1.0
    assert answer.power_w["accelerator"] <= part.power_limit_w * on.used_per_node * (1.0 + 1e-9)
    assert answer.interval["low"] < answer.step_time_s < answer.interval["high"]
    assert answer.samples_per_s * answer.step_time_s == pytest.approx(batch, rel=1e-9)


def test_recomputing_holds_one_layer_whole_while_it_works():
    network = Network("n", "transformer", layers=12, hidden=1024, heads=16, vocabulary=8192, context=1024)
    at = Layouts(1.0, 1.0, 1.0, 1.0, 1.0, 4.0, 32.0, 1.0, 0.0, 0.0, 1.0, 0.0)
    kept = training_memory(shape_of(network), at, States())
    again = training_memory(shape_of(network), replace(at, recompute=2.0), States())
    assert float(again.working_b) == pytest.approx(float(kept.activations_b) / 12.0, rel=1e-12)
    assert float(again.activations_b) == pytest.approx(12 * 2.0 * 4 * 1024 * 1024, rel=1e-12)
    assert float(kept.working_b) == 0.0


def test_zero_bubble_leaves_a_third_of_the_gap():
    network = Network("n", "transformer", layers=16, hidden=1024, heads=16, vocabulary=8192, context=1024)
    at = Layouts(1.0, 8.0, 1.0, 1.0, 1.0, 1.0, 32.0, 1.0, 0.0, 0.0, 1.0, 0.0)
    plain, filled = (
        float(step_times(shape_of(network), replace(at, schedule=kind), machine(), CALIBRATIONS[3]).bubble_s)
        for kind in (1.0, 3.0)
    )
    assert filled == pytest.approx(plain / 3.0, rel=1e-12)


def test_every_shipped_constant_is_inside_its_bounds():
    from twinloop.workload.calibration import BOUNDS

    for name in DEVICES:
        for generation in GENERATIONS:
            c = software(catalogue.device(name), name=generation).calibration
            for key, (low, high) in BOUNDS.items():
                assert low <= getattr(c, key) <= high, (name, generation, key)


@pytest.mark.parametrize(
    ("device", "measured"), [("MI300X", 2.12), ("MI325X", 2.84), ("MI350X", 4.89), ("MI355X", 5.88)]
)
def test_parts_of_another_maker_keep_less_of_their_peak(device, measured):
    """Llama-2-70B LoRA on eight, sequences a second: MLPerf Training 5.1, medians of the logged rates."""
    job = TrainingJob(batch=8, sequence=8192, precision="fp8", lora_rank=16)
    got = estimate_training(network_named("llama-2-70b"), host(catalogue.device(device), 8), job)
    assert got.samples_per_s == pytest.approx(measured, rel=0.08)
    assert got.extrapolated
