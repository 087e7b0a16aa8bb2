"""Latency at the 99th percentile against simulations event by event, of batches and of continuous batching."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop import catalogue
from twinloop.workload.host import host
from twinloop.workload.machine import serve_machine
from twinloop.workload.named_model import network_named
from twinloop.workload.queueing import (
    Continuous,
    batch_latency_p99_s,
    continuous_latency_p99_s,
    crowd,
    mean_wait_s,
    p99_wait_s,
)
from twinloop.workload.serve_constants import serve_software
from twinloop.workload.serve_estimate import estimate_serving
from twinloop.workload.serve_job import ServingJob, checked
from twinloop.workload.serve_search import queue_of, serving_of
from twinloop.workload.transformer import shape_of

MODEL = network_named("llama-3.1-70b")
ON = host(catalogue.device("H100"), 4)


def tolerance(load):
    return 0.15 if load <= 0.85 else 0.25


def batches_s(rng, rate, replicas, batch, batch_s, requests):
    """Return latencies where requests go to replicas in turn and a free replica takes what waits, at most a batch."""
    arrivals = np.cumsum(rng.exponential(1.0 / rate, requests))
    found = []
    for replica in range(replicas):
        mine, i, free = arrivals[replica::replicas], 0, 0.0
        while i < len(mine):
            start = max(free, mine[i])
            j = i + int(np.searchsorted(mine[i : i + batch], start, side="right"))
            j = max(j, i + 1)
            found.append(start + batch_s - mine[i:j])
            free, i = start + batch_s, j
    return np.concatenate(found)


def test_one_in_a_hundred_finds_the_batch_almost_whole_before_it():
    # 4 replicas busy 40 % with batches of 10 ms, hardly any queue: the arrival that 1 % exceed finds a batch of which
    # 1 - 0.01/0.4 = 97.5 % is left, less the 1/64 that is itself: 10 + 10 x 0.975 x 63/64 ms.
    assert float(batch_latency_p99_s(0.010, 8, 160.0, 4.0)) == pytest.approx(0.01959765625, rel=1e-6)
    assert float(batch_latency_p99_s(0.010, 8, 3.9, 4.0)) == 0.010  # fewer than 1 % find any batch


@pytest.mark.parametrize("replicas", [1, 4, 16])
@pytest.mark.parametrize("batch", [1, 4, 16])
@pytest.mark.parametrize("load", [0.3, 0.6, 0.8])
def test_batches(replicas, batch, load):
    rate = load * replicas * batch / 0.010
    simulated = float(np.percentile(batches_s(np.random.default_rng(5), rate, replicas, batch, 0.010, 20000), 99))
    model = float(batch_latency_p99_s(0.010, batch, rate, replicas))
    assert model == pytest.approx(simulated, rel=0.2 if (replicas, batch) == (1, 1) else tolerance(load))


def continuous_s(rng, replica, rate, requests):
    """Return latencies of one replica, step by step: prompts are read as slots allow, then all decode one token."""
    arrivals = np.cumsum(rng.exponential(1.0 / rate, requests))
    clock, i, working, found = 0.0, 0, [], []
    steps = 0
    while i < requests or working:
        if not working and arrivals[i] > clock:
            clock = arrivals[i]
        while i < requests and arrivals[i] <= clock and len(working) < replica.slots:
            clock += replica.prefill_s
            working.append((steps + int(replica.output_tokens), arrivals[i]))
            i += 1
        clock += replica.fixed_s + replica.each_s * len(working)
        steps += 1
        while working and working[0][0] <= steps:
            found.append(clock - working.pop(0)[1])
    return np.array(found[len(found) // 10 :])


REPLICAS = {
    "weights bound": Continuous(0.010, 0.0002, 0.0, 60, 32),
    "long prompts": Continuous(0.010, 0.0002, 0.020, 60, 32),
    "cache bound": Continuous(0.004, 0.0004, 0.005, 60, 64),
    "few slots": Continuous(0.020, 0.0001, 0.010, 40, 16),
}


def most_per_s(replica):
    alone = replica.slots / (replica.output_tokens * (replica.fixed_s + replica.each_s * replica.slots))
    return alone / (1.0 + alone * replica.prefill_s)


@pytest.mark.parametrize("name", REPLICAS)
@pytest.mark.parametrize("load", [0.2, 0.5, 0.7, 0.85, 0.95])
def test_continuous_batching(name, load):
    replica = REPLICAS[name]
    rate = load * most_per_s(replica)
    # A percentile of a busy queue settles slowly: short runs differ by a quarter among themselves.
    requests = 20000 if load < 0.7 else 40000
    simulated = float(np.percentile(continuous_s(np.random.default_rng(4), replica, rate, requests), 99))
    assert continuous_latency_p99_s(replica, rate) == pytest.approx(simulated, rel=tolerance(load))


@settings(max_examples=50, deadline=None)
@given(st.floats(0.05, 0.98), st.floats(1e-3, 0.05), st.floats(0.0, 1e-3), st.integers(2, 64))
def test_a_crowd_balances_arrivals_and_ends(load, fixed, each, slots):
    replica = Continuous(fixed, each, 0.0, 50.0, slots)
    rate = load * most_per_s(replica)
    chance = crowd(replica, rate)
    n = np.arange(slots)
    ends = (n + 1) / (50.0 * np.asarray(replica.gap_s(n + 1.0, rate)))
    assert float(chance.sum()) == pytest.approx(1.0)
    # Detailed balance below the last, lumped state.
    np.testing.assert_allclose(chance[:-2] * rate, chance[1:-1] * ends[:-1], rtol=1e-9)


def test_latency_grows_without_bound_towards_the_limit_and_is_infinite_beyond():
    replica = REPLICAS["long prompts"]
    loads = [0.1, 0.4, 0.7, 0.9, 0.99, 0.999]
    latencies = [continuous_latency_p99_s(replica, load * most_per_s(replica)) for load in loads]
    assert latencies == sorted(latencies)
    assert latencies[-1] > 5.0 * latencies[0]
    assert continuous_latency_p99_s(replica, 1.01 * most_per_s(replica)) == math.inf


def test_a_queue_of_one_is_the_closed_form():
    """M/M/1: the wait exceeds t with chance ρ e^(−(1−ρ) t / S)."""
    for load in (0.2, 0.5, 0.9):
        assert float(mean_wait_s(1.0, load, 1.0, 1.0)) == pytest.approx(load / (1.0 - load))
        exact = math.log(100.0 * load) / (1.0 - load)
        assert float(p99_wait_s(1.0, load, 1.0, 1.0)) == pytest.approx(exact, rel=1e-9)


def test_a_lone_request_waits_for_nobody():
    assert float(batch_latency_p99_s(0.010, 8, 1e-3, 4.0)) == pytest.approx(0.010)


def test_options_and_estimates_wait_as_the_replica_simulated_event_by_event_does():
    """The queue that a 70B replica becomes, against a simulation of it; and the estimate's percentile is that one."""
    job = checked(
        ServingJob(precision="fp8", weights="fp8", tensor=4, input_tokens=500, output_tokens=60, rate_per_s=18.0),
        MODEL, ON,
    )  # fmt: skip
    machine = serve_machine(ON.device, ON.network_b_s, ON.domain, "fp8")
    chosen = serve_software(ON.device, 1.0)
    at = serving_of(replace(job, software=chosen.name), np.ones(1))
    most = estimate_serving(MODEL, ON, job).max_batch
    queue = queue_of(shape_of(MODEL, 560.0), at, machine, chosen, most)
    simulated = float(np.percentile(continuous_s(np.random.default_rng(2), queue, 18.0, 20000), 99))
    got = estimate_serving(MODEL, ON, job).latency_p99_s
    assert got == pytest.approx(simulated, rel=0.15)
    assert got == pytest.approx(continuous_latency_p99_s(queue, 18.0))


def test_the_crowd_of_random_arrivals_is_that_of_a_simulated_birth_and_death_process():
    """Stays lengthen with the crowd: mean 100 with elasticity a half, against the stationary law itself."""
    from twinloop.workload.serve_search import _crowded

    alone, each, mean = 0.010, 0.0001, 100.0
    step = alone + each * np.array([[1.0, mean]])
    crowd, slowed = _crowded(np.array([[1.0, mean]]), step, np.ones((1, 1)))
    # n in flight leave at n / (output · step(n)); arrivals hold the mean: balance of flows gives the law.
    n = np.arange(1, 1000)
    arrivals = mean / (alone + each * mean)
    law = np.cumsum(np.log(arrivals * (alone + each * n) / n))
    law = np.exp(law - law.max())
    above = n[np.searchsorted(np.cumsum(law) / law.sum(), 0.99)]
    assert crowd[0, 1] == pytest.approx(above, rel=0.05)
    assert slowed[0, 1] == pytest.approx(alone + each * crowd[0, 1])


def test_replicas_that_take_the_least_busy_share_the_surplus_of_the_crowd():
    """Four replicas hold the stationary law of four times the arrivals; each has a quarter of its surplus."""
    from twinloop.workload.serve_search import _crowded

    alone, each, mean, copies = 0.010, 0.0001, 100.0, 4
    step = alone + each * np.array([[1.0, mean]])
    crowd, _ = _crowded(np.array([[1.0, mean]]), step, np.full((1, 1), float(copies)))
    n = np.arange(1, 4000)
    arrivals = copies * mean / (alone + each * mean)
    law = np.cumsum(np.log(arrivals * (alone + each * n / copies) / n))
    law = np.exp(law - law.max())
    above = n[np.searchsorted(np.cumsum(law) / law.sum(), 0.99)] / copies
    assert crowd[0, 1] == pytest.approx(above, rel=0.03)
