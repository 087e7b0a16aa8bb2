"""Attention ranks that share experts, and latent attention as it is decoded: by simulation and by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from twinloop import catalogue
from twinloop.workload.decoding import Serving, pass_cost, steady_rate, waiting_ranks
from twinloop.workload.host import host
from twinloop.workload.machine import serve_machine
from twinloop.workload.named_model import network_named
from twinloop.workload.serve_constants import TRTLLM_BLACKWELL
from twinloop.workload.transformer import decode_score_flops_per_token, shape_of

PROMPT = 800.0


def laid_out(tensor: float, expert: float) -> Serving:
    one = np.ones(1)
    return Serving(
        256 * one, PROMPT * one, PROMPT * one, 1000 * one, tensor * one, one, expert * one, 0.5625 * one, one
    )


@pytest.mark.parametrize("ranks", [2, 8])
@pytest.mark.parametrize("mean", [0.02, 0.5, 2.0, 8.0])
def test_the_busiest_rank_of_random_prompts_is_that_of_a_simulation(ranks, mean):
    drawn = np.random.default_rng(3).poisson(mean, (400_000, ranks)).max(axis=1).mean() / mean
    found = waiting_ranks(laid_out(1.0, float(ranks)), np.array([mean * ranks]))
    assert float(found[0]) == pytest.approx(drawn, rel=0.03)


def test_tensor_ranks_read_every_prompt_together():
    assert float(waiting_ranks(laid_out(8.0, 1.0), np.array([0.5]))[0]) == 1.0


def test_latent_attention_decodes_in_the_compressed_space():
    """DeepSeek-V3: 61 layers, 128 heads, ranks 512 and 64: 2 * 61 * 128 * (2 * 512 + 64) operations a cached token."""
    network = network_named("deepseek-v3")
    found = float(decode_score_flops_per_token(shape_of(network, 4096.0), np.array(1000.0)))
    assert found == pytest.approx(2 * 61 * 128 * (2 * 512 + 64) * 1000, rel=1e-6)


def test_latent_attention_is_bound_by_arithmetic_where_grouped_heads_stream():
    """At 8-bit cache a latent byte is used for 2 * 128 * 1088 / 576 = 484 operations, beyond any part's ridge."""
    device = catalogue.device("B200-SXM-180GB")
    on = host(device, 8)
    machine = serve_machine(device, on.network_b_s, on.domain, "nvfp4")
    decoded, none = np.array([512.0]), np.zeros(1)

    def cache_s(name: str) -> tuple[float, float]:
        shape = shape_of(network_named(name), 8000.0)
        at = laid_out(1.0, 8.0) if name.startswith("deepseek") else laid_out(8.0, 1.0)
        cost = pass_cost(shape, at, machine, TRTLLM_BLACKWELL, decoded, none)
        arithmetic = decoded * decode_score_flops_per_token(shape, at.context_tokens + 500.0)
        return float(cost.cache_s[0]), float(arithmetic[0] / (machine.peak_16 * TRTLLM_BLACKWELL.attention * 8))

    latent, arithmetic = cache_s("deepseek-v3")
    assert latent > arithmetic > 0.5 * latent
    grouped, arithmetic = cache_s("llama-3-70b")
    assert arithmetic < 0.3 * grouped


def test_a_frame_of_speech_and_a_word_pass_fourteen_squares_of_the_width_a_layer():
    """Encoder 12 h² and 2 h² of keys and values for the decoder; decoder 12 h² and 2 h² that ask; h is 1280."""
    from twinloop.workload.transformer import attention_weights, dense_ffn_weights

    shape = shape_of(network_named("whisper-large-v3"), 1600.0)
    products = float(attention_weights(shape) + dense_ffn_weights(shape))
    assert products == pytest.approx(14 * 1280**2, rel=0.002)
    assert shape.causal == 0.0


def test_a_step_is_the_mean_over_steps_that_read_a_prompt_and_steps_that_do_not():
    """Against steps drawn one by one: Poisson prompts of 800 tokens, one in eight steps, eight attention ranks."""
    device = catalogue.device("B200-SXM-180GB")
    on = host(device, 8)
    machine = serve_machine(device, on.network_b_s, on.domain, "nvfp4")
    shape, at, c = shape_of(network_named("deepseek-v3"), 1800.0), laid_out(1.0, 8.0), TRTLLM_BLACKWELL
    at = replace(at, batch=np.array([128.0]))
    rng, ranks, drawn = np.random.default_rng(1), 8, []
    for _ in range(4000):
        each = rng.poisson(128.0 / 1000.0 / ranks, ranks)
        read = float(each.sum()) * PROMPT
        waits = each.max() * ranks / max(each.sum(), 1)
        drawn.append(float(pass_cost(shape, at, machine, c, at.batch, np.array([read]), waits).total_s[0]))
    assert float(steady_rate(shape, at, machine, c).step_s[0]) == pytest.approx(np.mean(drawn), rel=0.02)


def test_experts_that_a_prompt_touches_are_not_charged_to_every_step():
    """32 sequences touch 64 % of 128 experts; a prompt of 920 tokens spread evenly over steps would make it 87 %."""
    device = catalogue.device("B200-SXM-180GB")
    on = host(device, 1)
    machine = serve_machine(device, on.network_b_s, on.domain, "mxfp4")
    one = np.ones(1)
    at = Serving(32 * one, 920 * one, 920 * one, 920 * one, one, one, one, 0.53 * one, one)
    shape = shape_of(network_named("gpt-oss-120b"), 1840.0)
    plain = pass_cost(shape, at, machine, TRTLLM_BLACKWELL, at.batch, np.zeros(1)).linear_s
    evenly = pass_cost(shape, at, machine, TRTLLM_BLACKWELL, at.batch, np.array([32.0])).linear_s
    mean = steady_rate(shape, at, machine, TRTLLM_BLACKWELL).cost.linear_s
    assert plain[0] < mean[0] < 0.5 * (plain[0] + evenly[0])
