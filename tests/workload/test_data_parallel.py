"""Gradient traffic of data-parallel training: what hides behind which pass, and what a planner then picks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop import catalogue
from twinloop.model.model import Stage
from twinloop.model.network import Network
from twinloop.workload.collectives import Links, all_to_all_s, dispatch_s
from twinloop.workload.constants import software
from twinloop.workload.layouts import Layouts
from twinloop.workload.machine import training_machine
from twinloop.workload.memory import capacity_b
from twinloop.workload.train_options import batches, candidates, training_options, why_not_trained
from twinloop.workload.training import step_times
from twinloop.workload.transformer import shape_of

HOUR = 3600.0
ENCODER = Network("encoder-2.5b", "transformer", layers=32, hidden=2560, heads=20, vocabulary=16384, context=512)
SMALL = Network("encoder-90m", "transformer", layers=12, hidden=768, heads=12, vocabulary=4096, context=256)
GPT3 = Network("gpt3", "transformer", layers=96, hidden=12288, heads=96, vocabulary=51200, context=2048)
AT = Layouts(1.0, 1.0, 64.0, 1.0, 1.0, 8.0, 512.0, 1.0, 0.0, 1.0, 1.0, 0.0)


def machine(network_b_s=50e9):
    return training_machine(catalogue.device("H100"), network_b_s, 8, "bf16")


def calibration(**changes):
    return replace(software(catalogue.device("H100")).calibration, **changes)


def data_s(at, network_b_s=50e9, **changes):
    return float(step_times(shape_of(ENCODER), at, machine(network_b_s), calibration(**changes)).data_comm_s)


def whole_s(at, network_b_s=50e9):
    return data_s(at, network_b_s, data_overlap=0.0)


def test_gradients_hide_wholly_behind_a_long_backward_pass_where_overlap_is_perfect():
    assert whole_s(AT) > 0.0
    assert data_s(AT, data_overlap=1.0) == pytest.approx(0.0, abs=1e-12)


def test_traffic_longer_than_both_passes_leaves_what_does_not_fit():
    slow = 1e9
    layer = step_times(shape_of(ENCODER), AT, machine(slow), calibration())
    work = float(layer.compute_s + layer.memory_s + layer.overhead_s) - calibration().step_s
    exposed = data_s(AT, slow, data_overlap=1.0)
    # The logits are no pass of the layers: they hide nothing.
    assert exposed == pytest.approx(whole_s(AT, slow) - work, rel=0.03)
    assert exposed > whole_s(AT, slow) - work


def test_gradients_alone_hide_only_behind_the_backward_pass():
    slow = 1e9
    plain = replace(AT, zero=0.0)
    work = whole_s(AT, slow) - data_s(AT, slow, data_overlap=1.0)
    assert whole_s(plain, slow) == pytest.approx(whole_s(AT, slow), rel=1e-9)
    assert whole_s(plain, slow) - data_s(plain, slow, data_overlap=1.0) == pytest.approx(2.0 / 3.0 * work, rel=1e-9)


def test_more_micro_batches_hide_no_more_of_what_is_sent_once():
    """Only one micro-batch's passes run while gradients of a step travel."""
    slow = 1e9
    four = replace(AT, micro_batch=2.0)
    assert data_s(four, slow, data_overlap=1.0) > data_s(AT, slow, data_overlap=1.0)


def test_zero_3_gathers_twice_and_scatters_for_every_micro_batch():
    one, four = replace(AT, zero=3.0), replace(AT, zero=3.0, micro_batch=2.0)
    assert whole_s(one) == pytest.approx(1.5 * whole_s(AT), rel=1e-9)
    assert whole_s(four) == pytest.approx(4.0 * whole_s(one), rel=1e-9)


def test_zero_2_gathers_weights_once():
    four = replace(AT, zero=2.0, micro_batch=2.0)
    assert whole_s(four) == pytest.approx((4.0 * 0.5 + 0.5) * whole_s(AT), rel=1e-9)


def test_adapters_gather_only_what_they_train():
    full = step_times(shape_of(ENCODER), AT, machine(), calibration(data_overlap=0.0))
    few = step_times(shape_of(ENCODER), AT, machine(), calibration(data_overlap=0.0), 1.0, 0.01)
    assert float(few.data_comm_s) < 0.02 * float(full.data_comm_s)


def test_a_shard_group_inside_the_node_leaves_only_shards_for_the_network():
    whole, hybrid = replace(AT, zero=3.0), replace(AT, zero=3.0, shard_group=8.0)
    # Two thirds of the traffic between nodes for one micro-batch, a sixth for four: shards are reduced once.
    assert whole_s(hybrid) < 0.85 * whole_s(whole)
    assert whole_s(replace(hybrid, micro_batch=2.0)) < 0.6 * whole_s(replace(whole, micro_batch=2.0))
    assert whole_s(replace(whole, shard_group=64.0)) == pytest.approx(whole_s(whole), rel=1e-12)
    assert whole_s(hybrid) > whole_s(replace(whole, data=8.0, batch=64.0))


def test_sends_between_stages_hide_only_behind_another_chunk():
    at = Layouts(1.0, 8.0, 8.0, 1.0, 1.0, 1.0, 512.0, 1.0, 0.0, 1.0, 1.0, 0.0)
    chunks = replace(at, interleave=2.0, schedule=2.0)
    hides = calibration(pipeline_overlap=1.0)
    shape = shape_of(ENCODER)
    assert float(step_times(shape, at, machine(), hides).pipeline_comm_s) > 0.0
    assert float(step_times(shape, chunks, machine(), hides).pipeline_comm_s) == 0.0


def _fastest(network, device, count, batch):
    part = catalogue.device(device)
    server = next(server for server in catalogue.servers() if server.device == part.name)
    found = candidates(network, part, server, batch, "bf16")
    good = (found.layouts.devices == count) & (found.memory_b <= capacity_b(part))
    place = np.flatnonzero(good)[np.argmin(found.step_s[good])]
    return {name: int(getattr(found.layouts, name)[place]) for name in ("data", "tensor", "pipeline")}


@pytest.mark.parametrize(
    ("device", "count"), [("B200-SXM-180GB", 256), ("B200-SXM-180GB", 512), ("H100-SXM-80GB", 512)]
)
def test_a_model_that_fits_one_device_is_trained_by_copies_of_it(device, count):
    assert _fastest(ENCODER, device, count, 4096) == {"data": count, "tensor": 1, "pipeline": 1}


def test_a_model_that_fills_a_node_is_split():
    fastest = _fastest(GPT3, "H100-SXM-80GB", 512, 1536)
    assert fastest["tensor"] * fastest["pipeline"] >= 8


def _stage(**fields):
    return Stage("train", "train", (), (), "n", every_s=24 * HOUR, **fields)


def _options(stage, network):
    part = catalogue.device("H100-SXM-80GB")
    server = next(server for server in catalogue.servers() if server.device == part.name)
    return training_options(stage, network, part, server)


def test_an_open_batch_grows_only_as_far_as_the_deadline_asks():
    loose = _options(_stage(samples=1e8, deadline_s=10 * HOUR), SMALL)
    tight = _options(_stage(samples=4e9, deadline_s=3 * HOUR), SMALL)
    assert {option.parallelism.batch for option in loose} == {batches(_stage(), SMALL)[0]}
    assert all(option.parallelism.batch > batches(_stage(), SMALL)[0] for option in tight)
    assert all(any("batch raised" in note for note in option.notes) for option in tight)
    assert all(option.duration_s <= 3 * HOUR for option in tight)
    assert batches(_stage(batch=1000), SMALL) == (1000,)


LLAMA = Network(
    "405b", "transformer", layers=126, hidden=16384, heads=128, kv_heads=8, head_dim=128, ffn=53248, gated=True,
    tied=False, vocabulary=128256, context=8192,
)  # fmt: skip


def test_126_layers_run_on_16_stages_as_published():
    part = catalogue.device("H100-SXM-80GB")
    server = next(server for server in catalogue.servers() if server.device == part.name)
    found = candidates(LLAMA, part, server, 2048, "bf16")
    fits = (found.memory_b <= capacity_b(part)) & (found.layouts.pipeline == 16) & (found.layouts.tensor == 8)
    assert fits.any()
    assert not (found.layouts.context > 1).any()
    long = candidates(replace(LLAMA, context=131072), part, server, 128, "bf16")
    fits = long.memory_b <= capacity_b(part)
    assert fits.any()
    assert long.layouts.context[fits].min() > 1


def test_a_ring_over_the_network_is_slower_than_inside_a_node():
    """Context parallelism of 8 inside a node of 8; with tensor parallelism of 2 it reaches over two."""
    c = calibration(tensor_overlap=0.0)
    shape = replace(shape_of(LLAMA), heads=128.0)
    base = Layouts(1.0, 1.0, 1.0, 8.0, 1.0, 1.0, 4.0, 1.0, 0.0, 0.0, 1.0, 0.0)
    inside = float(step_times(shape, base, machine(), c).tensor_comm_s)
    outside = float(step_times(shape, base, machine(network_b_s=1e9), c).tensor_comm_s)
    assert outside == inside
    wide = replace(base, tensor=2.0)
    fast, slow = (float(step_times(shape, wide, machine(b), c).tensor_comm_s) for b in (100e9, 10e9))
    assert slow > 1.5 * fast


def test_what_cannot_train_is_told_by_how_much():
    part = catalogue.device("L4")
    server = next(server for server in catalogue.servers() if server.device == part.name)
    stage = _stage(samples=1e6, batch=256, deadline_s=HOUR)
    huge = replace(LLAMA, hidden=65536, heads=512, ffn=4 * 65536)
    assert "GB at least" in why_not_trained(stage, huge, part, server)
    small = why_not_trained(replace(stage, samples=1e10, batch=4096), ENCODER, part, server)
    assert "the deadline is 1.0 h" in small
    assert training_options(stage, huge, part, server) == []


def test_chunks_of_a_stage_shorten_a_long_pipeline_and_are_told():
    options = _options(Stage("train", "train", (), (), "n", every_s=720 * HOUR, samples=2e6), GPT3)
    chunked = [each for each in options if each.parallelism.interleave > 1]
    assert chunked
    for option in chunked:
        at = option.parallelism
        steps = at.batch / (at.data * at.micro_batch)
        assert GPT3.layers % (at.pipeline * at.interleave) == 0
        assert steps % at.pipeline == 0
    part = catalogue.device("H100-SXM-80GB")
    server = next(server for server in catalogue.servers() if server.device == part.name)
    found = candidates(GPT3, part, server, 1536, "bf16")
    at, gap = found.layouts, found.breakdown_s["bubble"]
    same = (at.pipeline == 8) & (at.tensor == 8) & (at.data == 8) & (at.micro_batch == 1) & (at.zero == 0)
    same &= at.recompute == 0
    by_chunks = {int(v): float(gap[same & (at.interleave == v)][0]) for v in (1, 2, 4)}
    assert by_chunks[1] > 1.9 * by_chunks[2] > 3.6 * by_chunks[4]


@settings(max_examples=80, deadline=None)
@given(st.sampled_from([1, 2, 4, 8]), st.integers(1, 16), st.sampled_from([8, 16, 64, 256]))
def test_a_token_for_experts_crosses_the_network_once_for_each_other_domain(tokens, copies, ranks):
    links = Links(1e15, 50e9, 0.0, 0.0, 8.0)  # a fabric that costs nothing
    size, domains = tokens * 1e6, max(ranks // 8, 1)
    sent = float(dispatch_s(size, float(copies), float(ranks), 1.0, links)) * 50e9 / size
    # A token's experts are drawn one by one: count the domains they hit.
    hit = np.mean([len(set(draw) - {0}) for draw in np.random.default_rng(3).integers(0, domains, (4000, copies))])
    assert sent == pytest.approx(hit, abs=0.12)
    assert sent <= float(all_to_all_s(size * copies, float(ranks), 1.0, links)) * 50e9 / size + 1e-9
