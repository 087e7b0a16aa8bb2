"""Experts in training: where their tokens go, what their exchanges cost, and what hides them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop import catalogue
from twinloop.errors import InputError
from twinloop.workload.collectives import domains_reached
from twinloop.workload.constants import GENERATIONS
from twinloop.workload.host import host
from twinloop.workload.layouts import DUALPIPE, ZERO_BUBBLE, Layouts, experts_overlapped
from twinloop.workload.machine import training_machine
from twinloop.workload.memory import States, training_memory
from twinloop.workload.named_model import network_named
from twinloop.workload.train_estimate import estimate_training
from twinloop.workload.train_job import TrainingJob
from twinloop.workload.training import layer_times, step_times
from twinloop.workload.transformer import shape_of

DEEPSEEK = network_named("deepseek-v3")
C = GENERATIONS["megatron-2025"][1]
AT = Layouts(1.0, 16.0, 128.0, 1.0, 64.0, 1.0, 15360.0, 1.0, 0.0, 1.0, 1.0, 0.0)


def machine(precision="bf16", network_b_s=50e9):
    return training_machine(catalogue.device("H800"), network_b_s, 8, precision)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 8), st.sampled_from([1, 2, 4, 8]), st.sampled_from([2, 4, 8, 16, 32]))
def test_domains_reached_are_what_drawing_experts_gives(copies, kept, domains):
    """256 experts in 8 groups; a token's experts come from ``kept`` of them; domains hold equal runs of experts."""
    draw, hit = np.random.default_rng(5), []
    for _ in range(3000):
        groups = draw.choice(8, kept, replace=False)
        experts = 32 * draw.choice(groups, copies) + draw.integers(0, 32, copies)
        hit.append(len(set(experts * domains // 256)))
    assert float(domains_reached(float(copies), float(domains), 8.0, float(kept))) == pytest.approx(
        np.mean(hit), rel=0.06, abs=0.02
    )


def test_a_limit_of_nodes_makes_the_exchange_cheaper_by_the_nodes_left_out():
    free = replace(DEEPSEEK, expert_groups=0, group_top_k=0)
    limited, open_ = (layer_times(shape_of(each, 4096), AT, machine(), C).expert_s for each in (DEEPSEEK, free))
    # Of eight nodes 3.60 are reached instead of 5.25, its own among them in one of eight.
    assert float(limited / open_) == pytest.approx(3.5995 / 5.2510, rel=0.01)


def test_an_exchange_alone_is_exposed_whole_whatever_tensors_hide():
    plain, hidden = (
        float(layer_times(shape_of(DEEPSEEK, 4096), AT, machine(), replace(C, tensor_overlap=share)).expert_s)
        for share in (0.0, 0.9)
    )
    assert plain == hidden > 0.0


@pytest.mark.parametrize("network_b_s", [400e9, 50e9, 2e9])
def test_beside_computation_an_exchange_costs_its_share_of_the_device_or_what_is_left_over(network_b_s):
    shape, on = shape_of(DEEPSEEK, 4096), machine(network_b_s=network_b_s)
    alone = layer_times(shape, AT, on, C)
    beside = layer_times(shape, replace(AT, overlap_experts=1.0), on, C)
    worked, exchanged = float(alone.compute_s + alone.memory_s), float(alone.expert_s)
    assert worked + float(beside.expert_s) == pytest.approx(max(worked + 20.0 / 132.0 * exchanged, exchanged))
    assert float(beside.expert_s) <= exchanged


def test_recipes_overlap_where_they_did():
    crossing = replace(AT, interleave=2.0)
    inside = replace(crossing, expert=8.0)
    whole = replace(AT, pipeline=1.0)

    def overlapped(software, at):
        return float(experts_overlapped(software, at, 8.0))

    assert [overlapped("megatron-2025", at) for at in (crossing, inside, whole, AT)] == [1.0, 0.0, 0.0, 0.0]
    assert [overlapped("megatron-2026", at) for at in (crossing, inside, whole, AT)] == [1.0, 1.0, 1.0, 0.0]
    assert overlapped("fsdp-2023", crossing) == 0.0
    assert overlapped("fsdp-2023", replace(AT, schedule=float(DUALPIPE))) == 1.0
    assert overlapped("megatron-2025", replace(AT, expert=1.0, schedule=float(DUALPIPE))) == 0.0


def test_the_gaps_of_schedules_are_those_of_their_papers():
    """In slots of forward and backward: p − 1, a third of it, (p/2 − 1)(F&B + B − 3W) with F = W = 1/3, B = 2/3."""
    shape, on = shape_of(network_named("gpt3-175b")), machine()
    c = replace(C, pipeline_overlap=1.0)
    gap = {}
    for name, schedule, chunks in (("1f1b", 1, 1.0), ("interleaved", 2, 4.0), ("zero", ZERO_BUBBLE, 1.0),
                                   ("dual", DUALPIPE, 1.0)):  # fmt: skip
        at = replace(AT, expert=1.0, schedule=float(schedule), interleave=chunks)
        gap[name] = float(step_times(shape, at, on, c).bubble_s)
    assert gap["zero"] == pytest.approx(gap["1f1b"] / 3.0)
    assert gap["dual"] == pytest.approx(gap["1f1b"] * (16 / 2 - 1) * (2 / 3) / 15)
    assert gap["dual"] < gap["zero"] < gap["1f1b"]
    assert gap["interleaved"] == pytest.approx(gap["1f1b"] / 4.0, rel=0.02)  # sends apart


def test_dualpipe_holds_two_stages_and_one_micro_batch_more():
    shape, dual = shape_of(DEEPSEEK, 4096), replace(AT, schedule=float(DUALPIPE))
    plain, both = (training_memory(shape, at, States()) for at in (AT, dual))
    assert float(both.weights_b) == pytest.approx(2.0 * float(plain.weights_b))
    assert float(both.optimizer_b) == pytest.approx(float(plain.optimizer_b))
    assert float(both.activations_b) == pytest.approx(float(plain.activations_b) * 17.0 / 16.0)


def test_narrow_products_read_what_they_cast_and_write_it_twice():
    """A GPT block by hand: inputs h, h, h, 4h forward; gradients of 3h, h, 4h, h outputs back."""
    network = network_named("layers=12,hidden=1024,heads=16,vocabulary=8192,context=1024")
    at = Layouts(1.0, 1.0, 1.0, 1.0, 1.0, 4.0, 32.0, 1.0, 0.0, 0.0, 1.0, 0.0)
    wide, narrow = (layer_times(shape_of(network), at, machine(each), C).memory_s for each in ("bf16", "fp8"))
    on, tokens, h = machine(), 4.0 * 1024, 1024.0
    expected = tokens * (7.0 * h + 9.0 * h) * (2.0 + 2.0 * 1.0) / (on.memory_b_s * C.bandwidth)
    assert float(narrow - wide) == pytest.approx(expected, rel=1e-9)


def test_deepseek_v3_as_reported_hides_its_exchanges():
    on = host(catalogue.device("H800"), 2048)
    job = TrainingJob(batch=15360, pipeline=16, expert=64, zero=1, sequence=4096, precision="fp8", micro_batch=1,
                      software="megatron-2025")  # fmt: skip
    plain = estimate_training(DEEPSEEK, on, job)
    dual = estimate_training(DEEPSEEK, on, replace(job, schedule="dualpipe"))
    assert not plain.layout["overlap_experts"]
    assert dual.layout["overlap_experts"]
    assert dual.time_breakdown_s["expert_comm"] < 0.25 * plain.time_breakdown_s["expert_comm"]
    assert dual.tokens_per_s / 2048 == pytest.approx(1543.0, rel=0.15)  # arXiv:2412.19437, table 1
    with pytest.raises(InputError, match="interleave"):
        estimate_training(DEEPSEEK, on, replace(job, overlap_experts=True))
    with pytest.raises(InputError, match="even number"):
        estimate_training(DEEPSEEK, host(catalogue.device("H800"), 2040), replace(
            job, schedule="dualpipe", pipeline=15, expert=1, batch=13600))  # fmt: skip


def test_a_mixture_that_limits_groups_is_read_from_its_config(tmp_path):
    import json

    from twinloop.scenario.hugging_face import network_from_config

    config = {
        "model_type": "deepseek_v3", "num_hidden_layers": 61, "hidden_size": 7168, "num_attention_heads": 128,
        "vocab_size": 129280, "max_position_embeddings": 163840, "intermediate_size": 18432, "kv_lora_rank": 512,
        "n_routed_experts": 256, "num_experts_per_tok": 8, "moe_intermediate_size": 2048, "n_shared_experts": 1,
        "first_k_dense_replace": 3, "n_group": 8, "topk_group": 4, "v_head_dim": 128,
    }  # fmt: skip
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    assert (found := network_from_config("v3", path)).expert_groups == 8
    assert found.group_top_k == 4
    path.write_text(json.dumps(config | {"n_group": 1, "topk_group": 1}))
    assert network_from_config("v3", path).expert_groups == 0
