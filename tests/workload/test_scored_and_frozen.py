"""What a model leaves out of its work: words not scored, layers not trained; and what a memory adds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from twinloop import catalogue
from twinloop.workload.constants import FRAMEWORK_2021
from twinloop.workload.host import host
from twinloop.workload.machine import training_machine
from twinloop.workload.named_model import network_named
from twinloop.workload.other import forward_s
from twinloop.workload.other_step import train_step_s
from twinloop.workload.train_estimate import estimate_training
from twinloop.workload.train_job import TrainingJob
from twinloop.workload.transformer import MASKED_SHARE, counted, model_flops_per_token, parameter_count, shape_of

A100 = catalogue.device("A100-SXM-80GB")


def flops(network, length=512):
    return float(model_flops_per_token(shape_of(network, length)))


def test_an_encoder_scores_its_masked_tokens_only():
    bert = network_named("bert-large")
    words = 2.0 * bert.hidden * bert.vocabulary
    assert flops(replace(bert, causal=True)) - flops(bert) == pytest.approx((1.0 - MASKED_SHARE) * words)


def test_an_adaptive_softmax_counts_all_words_and_scores_few():
    xl = network_named("transformer-xl-base")
    plain = replace(xl, scored_words=0)
    assert parameter_count(xl) == parameter_count(plain)
    assert flops(plain) - flops(xl) == pytest.approx(2.0 * xl.hidden * (xl.vocabulary - xl.scored_words))


def test_a_memory_is_attended_to_and_costs_time_but_no_weights():
    xl = network_named("transformer-xl-large")
    plain = replace(xl, memory=0)
    assert counted(shape_of(xl)) == counted(shape_of(plain))
    assert flops(xl, 384) - flops(plain, 384) == pytest.approx(4.0 * xl.layers * xl.heads * xl.head_dim * xl.memory)
    on, job = host(A100, 8), TrainingJob(batch=128, sequence=384, precision="fp16")
    with_memory, without = (estimate_training(each, on, job).time_breakdown_s for each in (xl, plain))
    # Twice the scores, and 28 and 29 bytes a score where there were 11 and 13.
    assert with_memory["memory"] / without["memory"] > 2.0
    assert with_memory["compute"] > 1.15 * without["compute"]


def test_encoders_on_older_parts_repeat_no_forward_pass_that_memory_does_not_ask_for():
    on, job = host(A100, 8), TrainingJob(batch=608, sequence=384, precision="fp16")
    assert estimate_training(network_named("bert-large"), on, job).constants["software"] == "framework-2021"
    assert estimate_training(network_named("t5-base"), on, job).layout["recompute"] == "none"
    decoder = estimate_training(network_named("gpt3-1.3b"), on, replace(job, batch=8))
    assert decoder.constants["software"] == "megatron-2022"


def test_frozen_layers_move_less_when_trained_and_as_much_when_served():
    retinanet = network_named("retinanet")
    whole = replace(retinanet, frozen_share=0.0)
    links = training_machine(A100, 25e9, 8, "fp16").links(FRAMEWORK_2021)
    one, two = (
        train_step_s(each, A100, "fp16", np.float64(64.0), np.float64(8.0), np.float64(8.0), links)
        for each in (retinanet, whole)
    )
    assert float(one.memory_s / two.memory_s) == pytest.approx((1.0 + 2.0 * 0.66) / 3.0 * 9.0 / 13.0)
    assert float(one.compute_s) == float(two.compute_s)
    served = [forward_s(each, A100, "int8", np.float64(8.0)).total_s for each in (retinanet, whole)]
    assert served[0] == served[1]


def test_the_host_works_between_images_in_frameworks_only():
    detector = network_named("mask-rcnn")
    slow = forward_s(detector, A100, "fp16", np.float64(8.0), stack="framework")
    fast = forward_s(detector, A100, "fp16", np.float64(8.0), stack="compiled")
    assert float(slow.host_s) == pytest.approx(8.0 * 0.023)
    assert float(fast.host_s) == 0.0
    assert float(slow.overhead_s) == pytest.approx(float(slow.launch_s + slow.host_s))
