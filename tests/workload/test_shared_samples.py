"""Diffusion over several devices: whole samples on each, or the tokens of one sample shared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from twinloop import catalogue
from twinloop.errors import InputError
from twinloop.workload.host import host
from twinloop.workload.named_model import network_named
from twinloop.workload.other import UNSPLIT_IMAGE, UNSPLIT_VIDEO, forward_s, served
from twinloop.workload.serve_estimate import estimate_serving
from twinloop.workload.serve_job import ServingJob

H100 = catalogue.device("H100-SXM-80GB")
JOB = ServingJob(batch=1)


def on(devices: int):
    return host(H100, devices)


def test_without_a_split_every_device_makes_samples_of_its_own():
    one = estimate_serving(network_named("flux.1-dev"), on(1), JOB)
    eight = estimate_serving(network_named("flux.1-dev"), on(8), JOB)
    assert eight.samples_per_s == pytest.approx(8.0 * one.samples_per_s, rel=1e-6)
    assert eight.latency_p99_s == pytest.approx(one.latency_p99_s, rel=1e-6)
    assert (eight.layout["tensor"], eight.layout["data"]) == (1, 8)


@pytest.mark.parametrize(
    ("name", "left", "steps"), [("flux.1-dev", UNSPLIT_IMAGE, 20), ("wan2.1-t2v-14b", UNSPLIT_VIDEO, 50)]
)
def test_shared_tokens_shorten_a_sample_but_for_what_stays_whole(name, left, steps):
    """By hand: launches and an image decoded whole, the rest by left + (1 - left)/4 if the host keeps up."""
    network = network_named(name)
    run = forward_s(served(network), H100, "bf16", 1.0, stack="framework")
    launches, busy = float(run.launch_s + run.host_s), float(run.compute_s + run.memory_s)
    whole = 0.0 if network.frames > 1 else 0.24
    shared = (busy - whole) * (left + (1.0 - left) / 4.0)
    host_s = 85e-6 * network.parameters / network.hidden**2 * steps
    expected = launches + whole + (shared**4 + host_s**4) ** 0.25
    four = estimate_serving(network, on(4), replace(JOB, tensor=4))
    assert four.latency_p99_s == pytest.approx(expected, rel=1e-3)
    assert four.samples_per_s == pytest.approx(1.0 / expected, rel=1e-3)
    assert (four.layout["tensor"], four.layout["data"]) == (4, 1)


def test_a_small_image_gets_no_faster_than_the_host_launches_its_steps():
    network = network_named("pixart-sigma-xl")
    two, eight = (estimate_serving(network, on(n), replace(JOB, tensor=n)) for n in (2, 8))
    assert eight.latency_p99_s > 0.8 * two.latency_p99_s
    assert eight.power_w["accelerator"] / 8 < 0.8 * two.power_w["accelerator"] / 2


def test_sharing_costs_energy_and_leaves_room_for_more_samples():
    network = network_named("flux.1-dev")
    alone, shared = estimate_serving(network, on(4), JOB), estimate_serving(network, on(4), replace(JOB, tensor=4))
    assert shared.latency_p99_s < 0.5 * alone.latency_p99_s
    assert shared.samples_per_s < alone.samples_per_s
    assert shared.energy_per_sample_j["accelerator"] > alone.energy_per_sample_j["accelerator"]
    assert shared.max_batch > alone.max_batch


def test_what_cannot_be_shared_is_copied_and_the_layout_says_so():
    whole = estimate_serving(network_named("resnet50"), on(2), JOB)
    split = estimate_serving(network_named("resnet50"), on(2), replace(JOB, tensor=2))
    assert split.samples_per_s == whole.samples_per_s
    assert (split.layout["tensor"], split.layout["data"]) == (1, 2)


def test_a_split_that_does_not_divide_the_devices_is_refused():
    with pytest.raises(InputError, match="tensor 3"):
        estimate_serving(network_named("flux.1-dev"), on(4), replace(JOB, tensor=3))
