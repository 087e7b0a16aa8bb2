"""Times to first token and per token, 99th percentile, against steps simulated one by one."""

from __future__ import annotations

import numpy as np
import pytest

from twinloop.workload.serve_search import _crowded, _first_token_s, _interrupted_s

EMPTY_S, EACH_S = 0.008, 0.0001
"""Step of an empty replica and what each sequence adds: about an 8B model on one H100."""
REQUESTS = 5000


def simulated(rate: float, prompt_s: float, output: int, seed: int = 0) -> tuple[float, float]:
    """Return (first token, per token) at the 99th percentile: prompts that came in a step are read in the next."""
    arrivals = np.cumsum(np.random.default_rng(seed).exponential(1.0 / rate, REQUESTS))
    first, done = np.full(REQUESTS, np.nan), np.full(REQUESTS, np.nan)
    # All answers are equally long, so that who came first ends first: at work are the requests from ended to came.
    now, steps, came, ended = 0.0, 0, 0, 0
    joined_at = np.empty(REQUESTS, dtype=np.int64)
    while ended < REQUESTS:
        if ended == came and arrivals[came] > now:
            now = arrivals[came]
        before, at_work = came, came - ended
        while came < REQUESTS and arrivals[came] <= now:
            came += 1
        now += EMPTY_S + EACH_S * at_work + prompt_s * (came - before)
        steps += 1
        first[before:came], joined_at[before:came] = now, steps
        while ended < came and steps - joined_at[ended] == output - 1:
            done[ended] = now
            ended += 1
    steady = slice(REQUESTS // 5, -REQUESTS // 10)
    per_token = (done - first) / (output - 1)
    return float(np.percentile((first - arrivals)[steady], 99)), float(np.percentile(per_token[steady], 99))


def modelled(rate: float, prompt_s: float, output: int) -> tuple[float, float]:
    batch = np.arange(1.0, 6000.0)[None, :]
    step = EMPTY_S + EACH_S * batch + prompt_s * batch / output
    served = batch / (output * step)
    here = int(np.argmin(np.abs(served - rate)))
    _, slowed = _crowded(batch, step, np.ones((1, 1)))
    prompts = np.full((1, 1), prompt_s)
    gap = step + np.hypot(_interrupted_s(served, prompts, step, float(output)) - step, slowed - step)
    return float(_first_token_s(served, prompts, step, slowed)[0, here]), float(gap[0, here])


@pytest.mark.parametrize("load", [0.4, 0.6, 0.8])
@pytest.mark.parametrize("output", [64, 256])
@pytest.mark.parametrize("prompt_s", [0.002, 0.01, 0.05, 0.2])
def test_first_tokens_are_those_of_simulated_steps(prompt_s, output, load):
    rate = load / (output * EACH_S + prompt_s)
    assert modelled(rate, prompt_s, output)[0] == pytest.approx(simulated(rate, prompt_s, output)[0], rel=0.20)


@pytest.mark.parametrize("load", [0.4, 0.6, 0.8])
@pytest.mark.parametrize(("output", "prompt_s"), [(64, 0.005), (64, 0.02), (256, 0.005), (256, 0.02), (256, 0.06)])
def test_times_per_token_are_those_of_simulated_steps(output, prompt_s, load):
    """Prompts up to a fifth of a stay; where one takes as long as the whole answer the model is a quarter short."""
    rate = load / (output * EACH_S + prompt_s)
    assert modelled(rate, prompt_s, output)[1] == pytest.approx(simulated(rate, prompt_s, output)[1], rel=0.20)


def test_a_request_waits_for_the_step_it_comes_in_and_one_more():
    """Few requests, short prompts: on average one and a half steps, at worst two."""
    found = modelled(1.0, 1e-5, 64)[0]
    assert 1.5 * EMPTY_S < found < 2.2 * EMPTY_S
