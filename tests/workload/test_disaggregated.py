"""Prefill and decode on devices of their own, against what each pool does alone."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop import catalogue
from twinloop.cli.estimate import command
from twinloop.workload.decoding import pass_cost, steady_rate
from twinloop.workload.disaggregated import best_split, disaggregated, split_search
from twinloop.workload.host import host
from twinloop.workload.machine import serve_machine
from twinloop.workload.named_model import network_named
from twinloop.workload.serve_constants import serve_software
from twinloop.workload.serve_estimate import estimate_serving
from twinloop.workload.serve_job import ServingJob, checked
from twinloop.workload.serve_search import serving_of
from twinloop.workload.transformer import shape_of

LLAMA = network_named("llama-3.1-70b")
NODE = host(catalogue.device("H200"), 8)
JOB = checked(
    ServingJob(precision="fp8", weights="fp8", input_tokens=4000, output_tokens=500, prefill_devices=4, tensor=2),
    LLAMA, NODE,
)  # fmt: skip


def alone(job, batch, prefilled):
    """Return (seconds of a prompt, steady state without prompts) of one replica, from the formulas underneath."""
    shape = shape_of(LLAMA, 4500.0)
    machine = serve_machine(NODE.device, NODE.network_b_s, NODE.domain, "fp8")
    c = serve_software(NODE.device, 1.0, None).calibration
    at = serving_of(replace(job, software="trtllm"), np.array([float(batch)]))
    prompt = pass_cost(shape, at, machine, c, np.ones(1), np.array([prefilled])).total_s
    return float(prompt[0]), steady_rate(shape, replace(at, input_tokens=0.0 * at.input_tokens), machine, c)


def test_few_readers_limit_the_rate_to_what_they_read():
    found = disaggregated(LLAMA, NODE, JOB, 2)
    prompt, _ = alone(JOB, 1, 4000.0)
    assert found.limited_by == "prefill"
    assert found.requests_per_s == pytest.approx(1.0 / prompt)


def test_few_writers_limit_the_rate_to_what_they_write():
    job = replace(JOB, input_tokens=100, output_tokens=2000)
    found = disaggregated(LLAMA, NODE, job, 6)
    assert found.limited_by == "decode"
    assert found.decode.batch == found.decode.most
    assert found.requests_per_s == pytest.approx(found.decode.requests_per_s)


def test_latencies_are_those_of_each_pool_alone():
    found = disaggregated(LLAMA, NODE, JOB, 4)
    prompt, steady = alone(JOB, found.decode.batch, 4000.0)
    assert found.tpot_s == pytest.approx(float(steady.step_s[0]))
    assert found.ttft_s == pytest.approx(prompt + found.transfer_s + found.tpot_s)
    together = estimate_serving(LLAMA, NODE, replace(JOB, prefill_devices=None, batch=found.decode.batch))
    assert found.tpot_s < together.tpot_s


def test_a_prompts_cache_crosses_the_slower_link_between_servers():
    wide = host(catalogue.device("H200"), 16)
    near, far = disaggregated(LLAMA, NODE, JOB, 4), disaggregated(LLAMA, wide, JOB, 8)
    # 80 layers x 2 x 8 heads x 128 x 4000 tokens at 1 byte, over two links.
    sent = 80 * 2 * 8 * 128 * 4000
    c = serve_software(NODE.device, 1.0, None).calibration
    assert near.transfer_s == pytest.approx(sent / (2 * 450e9 * c.inner) + c.inner_alpha_s, rel=1e-6)
    assert far.transfer_s == pytest.approx(sent / (2 * wide.network_b_s * c.outer) + c.outer_alpha_s, rel=1e-6)
    slow = disaggregated(LLAMA, replace(wide, network_b_s=1e7), JOB, 8)
    assert slow.limited_by == "network"


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 7), st.sampled_from([200, 2000, 8000]), st.sampled_from([50, 400]))
def test_the_best_split_is_no_worse_than_any(reading, prompt, output):
    job = replace(JOB, tensor=None, input_tokens=prompt, output_tokens=output)
    best, one = best_split(LLAMA, NODE, job), disaggregated(LLAMA, NODE, job, reading)
    if one.prefill.fits and one.decode.fits:
        assert best.requests_per_s >= one.requests_per_s * (1.0 - 1e-12)
    assert len(split_search(LLAMA, NODE, job)) == 7


def test_limits_on_both_latencies_are_kept():
    job = replace(JOB, tensor=None, ttft_s=0.5, tpot_s=0.015)
    best = best_split(LLAMA, NODE, job)
    assert best.prefill.fits and best.decode.fits  # noqa: PT018  # one fact: the split is allowed
    assert best.ttft_s <= 0.5
    assert best.tpot_s <= 0.015


FLAGS = [
    *("serve", "--model", "llama-3.1-70b", "--device", "H200", "--devices", "8", "--precision", "fp8"),
    *("--input", "4000", "--output", "500", "--json"),
]


def test_the_command_answers_with_both_pools_and_lists_the_splits():
    result = CliRunner().invoke(command, [*FLAGS, "--disaggregated", "auto", "--search", "--top", "3"])
    got = json.loads(result.output)
    assert got["layout"]["prefill_devices"] + got["layout"]["decode_devices"] == 8
    assert [each["requests_per_s"] for each in got["best"]] == sorted(
        (each["requests_per_s"] for each in got["best"]), reverse=True
    )
    assert got["samples_per_s"] == pytest.approx(got["best"][0]["requests_per_s"])
    assert got["fits"] is True


@pytest.mark.parametrize("told", ["3:4", "8:0", "half", "0:8", "-1:9"])
def test_pools_that_do_not_add_up_are_refused(told):
    result = CliRunner().invoke(command, [*FLAGS, f"--disaggregated={told}"])
    assert result.exit_code == 2
    assert "P + D = 8 devices" in result.output
