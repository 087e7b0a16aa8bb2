"""The serving model: its properties, its search against a loop, and counts of models known exactly."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop import catalogue
from twinloop.errors import InputError
from twinloop.workload.decoding import Serving, cache_b_per_sequence, steady_rate, touched_share
from twinloop.workload.host import host
from twinloop.workload.machine import serve_machine, sustained
from twinloop.workload.named_model import network_named
from twinloop.workload.other import forward_s, stack_of
from twinloop.workload.power import PHASES, phase_power_w, serving_power_w
from twinloop.workload.serve_constants import TRTLLM_HOPPER
from twinloop.workload.serve_estimate import estimate_serving
from twinloop.workload.serve_job import ServingJob
from twinloop.workload.serve_search import searched
from twinloop.workload.transformer import attended, kv_bytes_per_token, parameter_count, shape_of

LLAMA = network_named("llama-3.1-70b")
JOB = ServingJob(precision="fp8", input_tokens=2048, output_tokens=128)


def on(name="H200", devices=8, **more):
    return host(catalogue.device(name), devices, **more)


PUBLISHED = {
    "gpt2": 124_439_808, "gpt2-xl": 1_557_611_200, "llama-2-7b": 6_738_415_616, "llama-2-13b": 13_015_864_320,
    "llama-2-70b": 68_976_648_192, "llama-3.1-8b": 8_030_261_248, "llama-3.1-70b": 70_553_706_496,
    "llama-3.2-1b": 1_235_814_400, "llama-3.2-3b": 3_212_749_824, "mistral-7b": 7_241_732_096,
    "mixtral-8x7b": 46_702_792_704, "mixtral-8x22b": 140_630_071_296, "phi-4": 14_659_507_200,
    "mistral-small-24b": 23_572_403_200, "qwen3-4b": 4_022_468_096, "qwen2.5-7b": 7_615_616_512,
    "qwen2.5-72b": 72_706_203_648, "resnet50": 25_557_032, "resnext101-32x4d": 44_177_704,
    "mask-rcnn": 44_401_393, "mobilenet-v2": 3_504_872, "vgg16": 138_357_544,
}  # fmt: skip
"""Totals of released weights: model cards on Hugging Face (safetensors) and torchvision's model pages."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_are_those_of_the_released_weights(name):
    assert parameter_count(network_named(name)) == pytest.approx(PUBLISHED[name], rel=1e-6)


def convolutions(blocks, groups=1, width=1.0):
    """Return (weights, operations, output values) of a bottleneck ResNet at 224 x 224, layer by layer."""
    weights = operations = values = 0

    def conv(into, out, kernel, size, grouped=1):
        nonlocal weights, operations, values
        weights += into // grouped * out * kernel**2 + 2 * out
        operations += 2 * into // grouped * out * kernel**2 * size**2
        values += out * size**2

    conv(3, 64, 7, 112)
    into, size = 64, 56
    for stage, count in enumerate(blocks):
        middle, out = int(64 * 2**stage * width), 256 * 2**stage
        for block in range(count):
            conv(into, middle, 1, size)
            size = size // 2 if stage and block == 0 else size
            conv(middle, middle, 3, size, groups)
            conv(middle, out, 1, size)
            if block == 0:
                conv(into, out, 1, size)
            into = out
    return weights + 2048 * 1000 + 1000, operations + 2 * 2048 * 1000, values


@pytest.mark.parametrize(
    ("name", "shape"),
    [("resnet50", ((3, 4, 6, 3),)), ("resnet101", ((3, 4, 23, 3),)), ("resnext101-32x4d", ((3, 4, 23, 3), 32, 2.0))],
)
def test_convolutional_networks_are_counted_from_their_layers(name, shape):
    network = network_named(name)
    weights, operations, values = convolutions(*shape)
    assert network.parameters == pytest.approx(weights, rel=1e-6)
    assert network.flops_per_sample == pytest.approx(operations, rel=0.005)
    assert network.bytes_per_sample == pytest.approx(4 * values, rel=0.01)


def test_the_search_finds_what_a_loop_over_layouts_finds():
    found = searched(LLAMA, on(), JOB, top=100)
    best = {}
    for split in found.best:
        job = replace(JOB, tensor=split.tensor, pipeline=split.pipeline, expert=split.expert)
        answer = estimate_serving(LLAMA, on(), job)
        best[split.tensor, split.pipeline] = answer.throughput_tokens_per_s
        assert answer.throughput_tokens_per_s == pytest.approx(split.tokens_per_s, rel=0.06)
    assert max(best.values()) == pytest.approx(found.best[0].tokens_per_s, rel=0.06)
    assert found.best[0].tokens_per_s >= found.best[-1].tokens_per_s
    assert found.search_time_s < 1.0


def test_without_a_layout_the_fastest_plain_one_that_fits_is_taken():
    answer = estimate_serving(LLAMA, on("H100"), JOB)
    assert answer.fits
    assert answer.layout["pipeline"] == 1
    assert answer.layout["tensor"] * answer.layout["data"] == 8
    alone = estimate_serving(LLAMA, on("H100"), replace(JOB, tensor=1))
    assert answer.throughput_tokens_per_s > alone.throughput_tokens_per_s


def test_a_batch_that_does_not_fit_is_answered_and_said():
    answer = estimate_serving(LLAMA, on("H100", 2), replace(JOB, tensor=2, batch=5000))
    assert not answer.fits
    assert answer.layout["batch"] == 5000
    assert answer.max_batch < 5000


@given(
    batch=st.integers(1, 512), prompt=st.integers(1, 30000), more=st.integers(1, 30000),
    tensor=st.sampled_from([1, 2, 8]),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_longer_prompts_never_free_memory_nor_raise_the_rate(batch, prompt, more, tensor):
    job = replace(JOB, tensor=tensor, batch=batch, input_tokens=prompt)
    short = estimate_serving(LLAMA, on(), job)
    long = estimate_serving(LLAMA, on(), replace(job, input_tokens=prompt + more))
    assert long.memory_per_device_gb >= short.memory_per_device_gb
    assert long.max_batch <= short.max_batch
    assert long.throughput_tokens_per_s <= short.throughput_tokens_per_s * (1 + 1e-9)


@given(
    batch=st.integers(1, 1000), output=st.integers(2, 4000), tensor=st.sampled_from([1, 2, 4, 8]),
    device=st.sampled_from(["H100", "B200", "MI300X", "A100", "L40S", "TPU v5e", "Xeon-6980P"]),
    precision=st.sampled_from(["bf16", "fp8", "nvfp4", "int4"]), model=st.sampled_from(["llama-3-8b", "gpt-oss-20b"]),
)  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_any_serving_is_answered_or_refused(batch, output, tensor, device, precision, model):
    job = ServingJob(precision=precision, tensor=tensor, batch=batch, input_tokens=100, output_tokens=output)
    where = on(device)
    try:
        answer = estimate_serving(network_named(model), where, job)
    except InputError:
        return
    assert 0 < answer.throughput_tokens_per_s < 1e7
    assert where.device.idle_w * 0.8 <= answer.power_w["accelerator"] / where.used_per_node
    assert answer.power_w["accelerator"] / where.used_per_node <= where.device.power_limit_w * 1.0001
    assert answer.energy_per_token_j["node"] > answer.energy_per_token_j["accelerator"] > 0
    assert answer.interval["low"] < answer.throughput_tokens_per_s < answer.interval["high"]


def test_more_in_flight_is_more_per_second_and_slower_for_each():
    answers = [estimate_serving(LLAMA, on(), replace(JOB, tensor=8, batch=batch)) for batch in (1, 8, 64, 512)]
    assert np.all(np.diff([each.throughput_tokens_per_s for each in answers]) > 0)
    assert np.all(np.diff([each.tpot_s for each in answers]) > 0)


def test_a_limit_on_time_per_token_is_kept():
    free = estimate_serving(LLAMA, on(), replace(JOB, tensor=8))
    held = estimate_serving(LLAMA, on(), replace(JOB, tensor=8, tpot_s=0.03))
    assert held.tpot_s <= 0.03 < free.tpot_s
    assert held.throughput_tokens_per_s < free.throughput_tokens_per_s


def test_experts_spread_take_a_share_of_their_weights_each():
    network = network_named("qwen3-235b-a22b")
    job = ServingJob(precision="bf16", input_tokens=100, output_tokens=500, batch=64)
    tensor = estimate_serving(network, on(devices=8), replace(job, tensor=8))
    spread = estimate_serving(network, on(devices=8), replace(job, tensor=1, expert=8))
    assert tensor.layout["data"] == spread.layout["data"] == 1
    # An eighth of 235 billion weights at 2 bytes, workspace, and 64 sequences of about a tenth of a gigabyte.
    assert tensor.memory_per_device_gb == pytest.approx(235.1 * 2 / 8 + 4.0 + 1.9, rel=0.02)
    # Attention copied on every rank, experts an eighth on each.
    assert tensor.memory_per_device_gb < spread.memory_per_device_gb < 2.0 * tensor.memory_per_device_gb
    assert touched_share(shape_of(network), 1e6) == pytest.approx(1.0)
    assert touched_share(shape_of(network), 1.0) == pytest.approx(8 / 128)


def test_more_ranks_than_key_heads_keep_copies_of_the_cache():
    shape, one = shape_of(network_named("qwen3-235b-a22b"), 1000.0), np.ones(1)
    at = Serving(one, 500.0 * one, 500.0 * one, 500.0 * one, 4.0 * one, one, one, one, one)
    four, eight = (float(cache_b_per_sequence(shape, replace(at, tensor=n * one))[0]) for n in (4.0, 8.0))
    # Four key heads: eight ranks hold each head twice. 94 layers, keys and values of 128 at one byte.
    assert four == eight == pytest.approx(2 * 94 * 128 * 1000)


def test_one_device_and_no_splits_is_the_plain_roofline():
    """At one sequence the step cannot beat reading every weight once, nor be far from it."""
    shape, machine = shape_of(network_named("llama-3.1-8b"), 200.0), serve_machine(on().device, 50e9, 8, "fp8")
    one = np.ones(1)
    at = Serving(one, 100.0 * one, 100.0 * one, 100.0 * one, one, one, one, one, one)
    step = float(steady_rate(shape, at, machine, TRTLLM_HOPPER).step_s[0])
    least = 8.03e9 / float(machine.memory_b_s)
    assert least < step < 4.0 * least


def test_every_second_layer_near_sighted_keeps_half_the_cache():
    network = network_named("gpt-oss-20b")
    shape = shape_of(network, 8192)
    assert float(attended(shape, 8192.0)) == pytest.approx(0.5 * 8192 + 0.5 * 128)
    assert float(attended(shape, 64.0)) == pytest.approx(64.0)


def test_state_space_layers_keep_no_cache():
    network = network_named("nemotron-nano-12b-v2")
    # Six attention layers, 8 key heads of 128, keys and values at 2 bytes.
    assert float(kv_bytes_per_token(shape_of(network), 2.0)) == pytest.approx(6 * 2 * 8 * 128 * 2)


def test_formats_a_device_lacks_are_widened_as_they_are_read():
    job = ServingJob(precision="mxfp4", input_tokens=100, output_tokens=100)
    hopper = estimate_serving(network_named("gpt-oss-20b"), on("H100", 1), job)
    assert hopper.layout["precision"] == "bf16"
    assert hopper.layout["weights"] == "mxfp4"
    assert hopper.memory_per_device_gb < 80


def test_a_device_that_waits_draws_little_more_than_idle():
    seldom = estimate_serving(LLAMA, on(), replace(JOB, tensor=8, rate_per_s=0.01))
    idle = estimate_serving(LLAMA, on(), replace(JOB, tensor=8, rate_per_s=1e-9))
    assert idle.power_w["accelerator"] < seldom.power_w["accelerator"] < 8 * 1.2 * on().device.idle_w


def test_beams_divide_the_rate():
    network = network_named("gpt-j-6b")
    one = ServingJob(precision="fp8", input_tokens=900, output_tokens=70, batch=16)
    plain, four = (estimate_serving(network, on("H100", 1), replace(one, beams=beams)) for beams in (1, 4))
    assert four.throughput_tokens_per_s < plain.throughput_tokens_per_s
    assert four.max_batch < plain.max_batch


def test_a_form_with_less_power_keeps_less_of_its_peak():
    assert sustained(catalogue.device("H100-SXM-80GB")) == 1.0
    assert sustained(catalogue.device("H100-PCIe-80GB")) < sustained(catalogue.device("H100-NVL-94GB")) < 1.0


def test_old_parts_run_frameworks_at_16_bits_and_compiled_code_at_8():
    a100, h100 = catalogue.device("A100"), catalogue.device("H100")
    assert (stack_of(a100, "fp16"), stack_of(a100, "int8"), stack_of(h100, "bf16")) == (
        "framework", "compiled", "compiled",
    )  # fmt: skip
    network = network_named("resnet50")
    eager = forward_s(network, a100, "fp16", 64.0, stack="framework").total_s
    assert eager > 1.5 * forward_s(network, a100, "fp16", 64.0, stack="compiled").total_s


def test_power_lies_between_idle_and_the_limit_and_grows_with_work():
    h100 = catalogue.device("H100")
    parts = {"products": 0.5, "cache": 0.2, "links": 0.1, "host": 0.2}
    power = [float(serving_power_w(h100, parts, u)) for u in (0.0, 0.05, 0.1, 0.2)]
    assert np.all(np.diff(power) > 0)
    assert float(serving_power_w(h100, parts, 1.0)) == h100.power_limit_w
    assert serving_power_w(h100, {**parts, "links": 1.0}, 0.1) < power[2]
    assert h100.idle_w < power[0]
    assert power[-1] <= h100.power_limit_w
    assert phase_power_w(h100, {"overhead": 1.0}) < phase_power_w(h100, {"data_comm": 1.0})
    assert phase_power_w(h100, {"compute": 1.0}) == pytest.approx(70 + 630 * PHASES["compute"])


def test_cooler_chips_save_energy_but_run_no_faster_below_their_limits():
    job = replace(JOB, tensor=8, batch=32)
    cold = estimate_serving(LLAMA, on(cooling="cold_plate", coolant_c=20.0), job)
    warm = estimate_serving(LLAMA, on(cooling="cold_plate", coolant_c=45.0), job)
    assert cold.throughput_tokens_per_s == pytest.approx(warm.throughput_tokens_per_s, rel=1e-12)
    assert cold.junction_c < warm.junction_c
    assert cold.energy_per_token_j["accelerator"] < warm.energy_per_token_j["accelerator"]


def test_a_power_limit_slows_what_reaches_it_and_nothing_else():
    def rate(limit, batch):
        return estimate_serving(LLAMA, on(power_limit_w=limit), replace(JOB, tensor=8, batch=batch))

    light, heavy = rate(None, 1), rate(None, 200)
    cap = light.power_w["accelerator"] / 8 + 40.0
    assert rate(cap, 1).throughput_tokens_per_s == pytest.approx(light.throughput_tokens_per_s)
    slowed = rate(cap, 200)
    assert slowed.throughput_tokens_per_s < heavy.throughput_tokens_per_s
    assert slowed.power_w["accelerator"] / 8 == pytest.approx(cap, rel=1e-6)


def test_hot_coolant_throttles():
    job = replace(JOB, tensor=8)
    assert estimate_serving(LLAMA, on(coolant_c=60.0), job).throughput_tokens_per_s < (
        estimate_serving(LLAMA, on(coolant_c=20.0), job).throughput_tokens_per_s
    )


def test_a_served_image_is_all_its_passes():
    network = network_named("stable-diffusion-xl")
    job = ServingJob(precision="fp8", batch=8)
    full = estimate_serving(network, on("H100", 1), job)
    half = estimate_serving(network, on("H100", 1), replace(job, work=0.5))
    assert half.samples_per_s == pytest.approx(2.0 * full.samples_per_s, rel=0.02)
    assert network.passes == 40


def test_a_shape_is_numbers_only():
    shape = shape_of(network_named("gpt-oss-20b"))
    assert all(isinstance(getattr(shape, each.name), float) for each in fields(shape))
