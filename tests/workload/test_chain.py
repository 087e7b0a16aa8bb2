"""A chain runs at the rate of its slowest link, and who waits draws less."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from twinloop import catalogue
from twinloop.model.model import Stage
from twinloop.model.network import Network
from twinloop.workload import chain
from twinloop.workload.chain import host_rate_per_s, plan_chains, prepared, slowest, starved_s
from twinloop.workload.train_options import training_options

DAY = 86400.0
LIGHT = Network("resnet18", "convnet", parameters=11.7e6, flops_per_sample=3.6e9, bytes_per_sample=60e6)
STAGE = Stage("train", "train", (), (), "n", samples=1e9, batch=4096, every_s=7 * DAY, deadline_s=5 * DAY)
PART = catalogue.device("H100")
SERVER = next(server for server in catalogue.servers() if server.device == PART.name)


def fewest(*, ready, server=SERVER, stage=STAGE):
    return min(training_options(stage, LIGHT, PART, server, ready=ready), key=lambda o: o.device_count)


def test_a_starved_accelerator_idles_and_says_so():
    fed, hungry = fewest(ready=True), fewest(ready=False)
    assert fed.device_count == hungry.device_count
    supply = host_rate_per_s(LIGHT, SERVER, prepared=False) * hungry.servers
    assert fed.throughput_per_s > supply > 0.98 * hungry.throughput_per_s
    assert hungry.throughput_per_s > 0.97 * supply  # the rest is goodput
    assert hungry.device_w < fed.device_w
    assert hungry.busy.accelerator_w < fed.busy.accelerator_w
    assert any("starved" in note for note in hungry.notes)
    assert not any("starved" in note for note in fed.notes)
    assert hungry.time_breakdown_s["starved"] > 0.0 == fed.time_breakdown_s["starved"]


def test_arithmetic_over_peak_follows_what_is_really_done():
    for option in (fewest(ready=True), fewest(ready=False)):
        running_s = sum(
            s for name, s in option.time_breakdown_s.items() if name not in ("checkpoint", "rework", "restart")
        )
        flops = 3.0 * LIGHT.flops_per_sample * STAGE.samples / running_s / option.device_count
        assert option.mfu == pytest.approx(flops / PART.flops["bf16"], rel=1e-3)


def test_more_cores_feed_more():
    wide = replace(SERVER, cores=SERVER.cores * 8)
    assert fewest(ready=False, server=wide).throughput_per_s > 1.5 * fewest(ready=False).throughput_per_s


def test_time_and_energy_of_a_run_grow_while_power_falls():
    fed, hungry = fewest(ready=True), fewest(ready=False)
    assert hungry.duration_s > fed.duration_s
    assert hungry.busy.total_w * hungry.duration_s > fed.busy.total_w * fed.duration_s


def test_samples_count_as_prepared_behind_any_preprocessing_stage():
    features = Stage("features", "preprocess", (), (), None)
    middle = Stage("middle", "train", ("features",), (), "n")
    last = Stage("last", "train", ("middle",), (), "n")
    assert prepared(last, (features, middle, last))
    assert not prepared(features, (features, middle, last))
    assert not prepared(Stage("lone", "train", ("gone",), (), "n"), (features,))


def test_an_unknown_kind_is_never_starved():
    molecular = Network("md", "molecular", flops_per_sample=1e9, bytes_per_sample=1e6)
    assert host_rate_per_s(molecular, SERVER, prepared=False) == math.inf
    assert float(starved_s(1.0, 4096.0, math.inf)) == 0.0


@pytest.mark.parametrize("link", ["read", "decode", "train"])
def test_the_slowest_link_is_always_busy_and_the_others_are_not(link):
    rates = {"read": 300.0, "decode": 200.0, "train": 250.0} | {link: 50.0}
    name, busy = slowest(rates)
    assert name == link
    assert busy[link] == 1.0
    assert all(share * rates[each] == pytest.approx(50.0) for each, share in busy.items())
    assert chain.HOST_SHARE < 1.0


def test_a_plan_runs_at_the_rate_of_each_chains_slowest_stage():
    stages = (
        Stage("features", "preprocess", (), (), None), Stage("train", "train", ("features",), (), "n"),
        Stage("tune", "train", ("train",), (), "n"), Stage("score", "serve", ("tune",), (), "n"),
        Stage("other", "train", (), (), "m"),
    )  # fmt: skip
    durations = {"features": 400.0, "train": 100.0, "tune": 50.0, "other": 9.0}
    links = {each.stage: each for each in plan_chains(durations, stages)}
    assert set(links) == {"features", "train", "tune", "other"}
    assert {links[name].limited_by for name in ("features", "train", "tune")} == {"features"}
    assert (links["train"].working, links["tune"].working) == (0.25, 0.125)
    assert links["train"].interval_s == 400.0
    assert links["other"] == chain.Link("other", "other", 1.0, 9.0)


def test_chains_that_meet_in_one_stage_are_one():
    stages = (
        Stage("a", "preprocess", (), (), None), Stage("b", "preprocess", (), (), None),
        Stage("both", "train", ("a", "b"), (), "n"),
    )  # fmt: skip
    links = plan_chains({"a": 10.0, "b": 30.0, "both": 20.0}, stages)
    assert {each.limited_by for each in links} == {"b"}
    assert sum(each.working for each in links) == pytest.approx((10.0 + 30.0 + 20.0) / 30.0)
