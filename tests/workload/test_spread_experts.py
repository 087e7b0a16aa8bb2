"""Mixtures with attention data-parallel: who reads prompts when, what crosses the links, what fits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from twinloop import catalogue
from twinloop.workload.benchmarks import limits
from twinloop.workload.decoding import Serving, pass_cost, steady_rate
from twinloop.workload.host import host
from twinloop.workload.machine import serve_machine
from twinloop.workload.memory import capacity_b
from twinloop.workload.named_model import network_named
from twinloop.workload.serve_constants import (
    LARGEST_BATCH,
    LIMITED_WIDER,
    TRTLLM_HOPPER,
    UNSEEN_INTERVAL,
    USABLE_MEMORY,
    buffers_b,
    serve_software,
)  # fmt: skip
from twinloop.workload.serve_estimate import estimate_serving
from twinloop.workload.serve_job import ServingJob
from twinloop.workload.serve_search import room, serving_of
from twinloop.workload.transformer import shape_of

QWEN, LLAMA = network_named("qwen3-235b-a22b"), network_named("llama-3.1-8b")
H200 = catalogue.device("H200-SXM-141GB")
ON = host(H200, 8)
MACHINE = serve_machine(H200, ON.network_b_s, ON.domain, "fp8")


def spread(expert: float = 8.0, gathered: float = 0.0, prompt: float = 4000.0) -> Serving:
    one = np.ones(1)
    return Serving(
        512 * one, prompt * one, prompt * one, 1000 * one, one, one, expert * one, one, one, gathered * one
    )  # fmt: skip


def test_ranks_that_read_together_are_faster_than_ranks_that_wait():
    shape = shape_of(QWEN, 5000)
    waiting, together = (steady_rate(shape, spread(gathered=g), MACHINE, TRTLLM_HOPPER) for g in (0.0, 1.0))
    assert float(together.tokens_per_s[0]) > 1.3 * float(waiting.tokens_per_s[0])


def test_prompts_gathered_cost_what_all_ranks_reading_one_costs():
    """A prompt of 1,000 tokens on each of 8 ranks, in exactly the steps that it takes a rank to lose a sequence."""
    shape, at = shape_of(QWEN, 2000), spread(gathered=1.0, prompt=1000.0)
    share = 1.0 - np.exp(-512 / 1000 / 8)
    read = pass_cost(shape, at, MACHINE, TRTLLM_HOPPER, 512.0 * np.ones(1), 512.0 / share * np.ones(1))
    plain = pass_cost(shape, at, MACHINE, TRTLLM_HOPPER, 512.0 * np.ones(1), np.zeros(1))
    mean = float(share * read.total_s[0] + (1.0 - share) * plain.total_s[0])
    assert float(steady_rate(shape, at, MACHINE, TRTLLM_HOPPER).step_s[0]) == pytest.approx(mean, rel=1e-9)


def test_one_server_gathers_all_rows_and_a_wider_domain_sends_them_where_they_are_needed():
    """8 ranks, 8 experts a token: 8 rows in one server, 8 (1 - (7/8)^8) = 5.25 beyond; bandwidth alone."""
    shape, free = shape_of(QWEN, 5000), replace(TRTLLM_HOPPER, inner_alpha_s=0.0)
    here, wide = (
        pass_cost(shape, spread(), replace(MACHINE, scale_up_domain=domain), free, 512.0 * np.ones(1), np.zeros(1))
        for domain in (8.0, 72.0)
    )
    rows_b = 2.0 * 512 * QWEN.hidden * 7 / 8
    assert float(here.comm_s[0]) == pytest.approx(2 * QWEN.layers * rows_b / (H200.scale_up_b_s * free.inner), rel=1e-6)
    assert float(wide.comm_s[0] / here.comm_s[0]) == pytest.approx(1.0 - (7 / 8) ** 8, rel=1e-6)


@pytest.mark.parametrize(
    ("stages", "slowest"), [(1, 1.0), (4, 21.228 / 20.307), (8, 11.228 / 10.154), (3, 27.228 / 27.076)]
)
def test_a_pipeline_runs_at_the_pace_of_the_stage_that_scores_the_words(stages, slowest):
    """Llama-3.1-70B: 80 layers of 855,654,400 weights; the words are 1,050,673,152, 1.228 layers; 27, 27, 26 on 3."""
    one, shape = np.ones(1), shape_of(network_named("llama-3.1-70b"), 2000)
    at = replace(spread(1.0), batch=512 * one, pipeline=stages * one, input_tokens=1e-6 * one)
    free = replace(TRTLLM_HOPPER, step_s=0.0)
    even = pass_cost(shape, at, MACHINE, free, 512.0 / stages * one, 0.0 * one).total_s
    assert float(steady_rate(shape, at, MACHINE, free).step_s[0] / even[0]) == pytest.approx(slowest, rel=2e-4)


def test_each_rank_has_its_own_largest_batch():
    job = ServingJob(precision="fp8", input_tokens=32, output_tokens=32, tensor=1, expert=8, software="trtllm")
    found = estimate_serving(network_named("qwen3-30b-a3b"), ON, job)
    assert found.max_batch == 8 * LARGEST_BATCH
    assert estimate_serving(LLAMA, host(H200, 1), replace(job, expert=None)).max_batch == LARGEST_BATCH


@pytest.mark.parametrize(("software", "expert", "found"), [
    ("trtllm", None, (1, 8)), ("trtllm", 1, (8, 1)), ("vllm", None, (8, 1)),
])  # fmt: skip
def test_tensor_counts_the_devices_of_a_copy_under_tensorrt_llm(software, expert, found):
    job = ServingJob(precision="fp8", input_tokens=1000, output_tokens=1000, tensor=8, expert=expert, software=software)
    layout = estimate_serving(QWEN, ON, job).layout
    assert (layout["tensor"], layout["expert"]) == found


@pytest.mark.parametrize(("device", "found"), [("A100-SXM-80GB", (1, 8)), ("A100-SXM-40GB", (8, 1))])
def test_a_copy_of_attention_on_each_rank_gives_way_where_it_does_not_fit(device, found):
    """Llama-4-Maverick at 4 bits: 27 GB of experts on each of 8, beside 12 GB of everything else or an eighth of it."""
    job = ServingJob(
        precision="bf16", weights="nvfp4", input_tokens=8000, output_tokens=99, tensor=8, software="trtllm"
    )
    answer = estimate_serving(network_named("llama-4-maverick"), host(catalogue.device(device), 8), job)
    assert answer.fits
    assert (answer.layout["tensor"], answer.layout["expert"]) == found


def test_nine_tenths_of_what_weights_and_buffers_leave_hold_the_cache():
    """Llama-3.1-8B at 8 bits: 32 layers, 8 key heads of 128, 8,030,261,248 weights, both ends at 16 bits."""
    job = ServingJob(precision="fp8", input_tokens=1000, output_tokens=1000, software="trtllm")
    held = 8_030_261_248 + 128_256 * 4096 * 2
    free = USABLE_MEMORY * (capacity_b(H200) - held - buffers_b(H200))
    found = room(shape_of(LLAMA, 2000), ON, job, serving_of(job, np.ones(1)), MACHINE)
    assert float(found[0]) == pytest.approx(free / (2 * 32 * 8 * 128 * 2000), rel=1e-3)


def test_what_no_row_has_is_extrapolated():
    def told(device, linear_bytes, model="llama-3.1-8b", **more):
        shape = shape_of(network_named(model))
        return serve_software(catalogue.device(device), linear_bytes, shape=shape, **more)

    assert not told("H100-SXM-80GB", 1.0).extrapolated
    assert told("H100-SXM-80GB", 2.0, name="trtllm").extrapolated
    assert told("H100-PCIe-80GB", 1.0).extrapolated
    latent = told("H200-SXM-141GB", 1.0, "deepseek-v3")
    assert latent.extrapolated
    assert (latent.low, latent.high) == UNSEEN_INTERVAL
    assert not told("H200-SXM-141GB", 1.0, "deepseek-v3", name="vllm").extrapolated
    plain, limited = (told("H200-SXM-141GB", 1.0, limited=limit) for limit in (False, True))
    assert limited.low == pytest.approx(plain.low * LIMITED_WIDER[0])
    assert limited.high == pytest.approx(plain.high * LIMITED_WIDER[1])


def test_limits_are_those_of_the_load_generators_configuration():
    assert limits("gpt-oss-120b", "server") == (3.0, 0.08, None)
    assert limits("gpt-oss-120b", "interactive") == (2.0, 0.015, None)
    assert limits("deepseek-r1", "interactive") == (1.5, 0.015, None)
