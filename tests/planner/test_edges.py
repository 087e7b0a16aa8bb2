"""Places and rented machines: serving is spread, runs that end lie in one place, a place shares its power."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from twinloop.catalogue import server
from twinloop.errors import InfeasibleError
from twinloop.model.estimate import ComponentPower, Parallelism, StageOption
from twinloop.planner.assemble import _stage, _what, sentence
from twinloop.planner.check import check
from twinloop.planner.commons import shared_ledger
from twinloop.planner.limits import edge_limits, site_limits
from twinloop.planner.links import lines_usd_per_year
from twinloop.planner.openings import openings_of
from twinloop.planner.placements import _instances, _serves, edge_placement
from twinloop.planner.plan import plan
from twinloop.planner.selection import Problem, solve
from twinloop.twin.design import PlantConstants

SHOPS = (
    "  - {name: shops, kind: edge, count: 40, climate: Frankfurt, jurisdiction: EU, power: 2 kW, grid: DE,\n"
    "      tariff: {energy: 0.10 USD/kWh}}\n"
)
ORIN = "Jetson-AGX-Orin-64GB"
K = PlantConstants()


@pytest.fixture(scope="module")
def model(small):
    return small(sites=SHOPS, devices=f"[{ORIN}, H100-SXM-80GB]", stages=(
        "  - {name: watch, kind: serve, after: train, model: net, rate: 5/s, input_tokens: 64, output_tokens: 8,\n"
        "      latency_p99: 60 s}\n"
    ))  # fmt: skip


@pytest.fixture(scope="module")
def shops(model):
    return model.edges[0]


def option(model, stage, servers, watt, *, run_s=None, parallelism=None) -> StageOption:
    """Servers of one Orin each, ``watt`` of DC power in all of them together."""
    name = next(each.name for each in model.servers if each.device == ORIN)
    busy, idle = ComponentPower(watt, 0.0, 0.0, 0.0, 0.0), ComponentPower(watt / 4.0, 0.0, 0.0, 0.0, 0.0)
    return StageOption(
        stage, ORIN, servers, name, servers, "fp8", "none", parallelism or Parallelism(data=servers), 1.0, run_s, 0.5,
        1.0, busy, idle, watt / servers, None, 1e9, None if run_s else 0.05, 0.0, {}, 1.0, 1.0,
    )  # fmt: skip


def meter(model, opt, site) -> float:
    """Facility watts of one watt of DC power in the servers of ``opt``."""
    chassis = server(opt.server)
    return (1.0 + chassis.fan_w_air / (opt.busy.total_w / opt.servers)) / chassis.psu_efficiency * site.pue


def test_serving_is_spread_with_at_least_a_server_in_each_place(model, shops):
    few = option(model, "watch", 10, 500.0)
    put = edge_placement(model, shops, few)
    assert (put.copies, put.servers) == (40, 40)
    assert put.facility_peak_w == pytest.approx(4 * 500.0 * meter(model, few, shops))
    many = edge_placement(model, shops, option(model, "watch", 90, 4500.0))
    assert many.servers == 120  # 3 in each of 40


def test_a_replica_of_several_servers_lies_whole_in_a_place(model, shops):
    halves = option(model, "watch", 90, 4500.0, parallelism=Parallelism(data=45, tensor=2))
    assert edge_placement(model, shops, halves).servers == 2 * 2 * 40  # 45 replicas: 2 a place, of 2 servers each


def test_training_lies_in_one_place_and_must_fit_its_power(model, shops):
    fits = option(model, "train", 30, 900.0, run_s=3600.0)
    put = edge_placement(model, shops, fits)
    assert (put.copies, put.servers) == (1, 30)
    assert put.facility_peak_w == pytest.approx(900.0 * meter(model, fits, shops))
    assert put.facility_peak_w < 2000.0
    large = option(model, "train", 60, 1800.0, run_s=3600.0)  # 45 W of DC a place if it were spread
    assert edge_placement(model, shops, large) is None
    loose = edge_placement(model, shops, large, loose=True)
    assert loose.facility_peak_w > 2000.0
    (row,) = edge_limits(shops, (loose,))
    assert row.name == "power of one place of shops for train, which cannot be spread"
    assert row.use[0] > row.bound == 2000.0


def test_what_lies_in_a_place_shares_its_power(model, shops):
    """Serving of 0.6 kW a place and training of 0.9 kW, half as much again at the meter: each fits, both do not."""
    serving = edge_placement(model, shops, option(model, "watch", 40, 40 * 600.0))
    training = edge_placement(model, shops, option(model, "train", 20, 900.0, run_s=3600.0))
    both = (serving, training)
    rows = {row.name: row for row in edge_limits(shops, both)}
    alone, beside = (rows[name] for name in sorted(rows))
    assert alone.use == {0: pytest.approx(serving.facility_peak_w / 40)}
    assert beside.use == {0: pytest.approx(serving.facility_peak_w / 40), 1: pytest.approx(training.facility_peak_w)}
    assert serving.facility_peak_w / 40 < 2000.0 < sum(beside.use.values())
    limits = site_limits(model, both, openings_of(model, K))
    problem = Problem(("train", "watch"), (training, serving), (1.0, 1.0), ())
    assert solve(problem) is not None
    assert solve(replace(problem, placements=both, limits=limits)) is None
    lighter = edge_placement(model, shops, option(model, "train", 5, 300.0, run_s=3600.0))
    limits = site_limits(model, (serving, lighter), openings_of(model, K))
    assert solve(replace(problem, placements=(serving, lighter), limits=limits)) is not None


def test_runs_that_cannot_be_spread_get_places_of_their_own_while_there_are_enough(model, shops):
    def put(stage, site):
        return edge_placement(model, site, option(model, stage, 20, 900.0, run_s=3600.0))

    pair = (put("train", shops), put("again", shops))
    assert all(max(row.use.values()) == sum(row.use.values()) for row in edge_limits(shops, pair))
    single = replace(shops, count=1)
    (row,) = edge_limits(single, (put("train", single), put("again", single)))
    assert sum(row.use.values()) > row.bound > max(row.use.values())
    two = replace(shops, count=2)
    (row,) = edge_limits(two, (put("train", two), put("again", two), put("third", two)))
    assert len(row.use) == 3


def test_a_stage_spread_over_places_counts_the_devices_that_stand_there(model, shops):
    few = edge_placement(model, shops, option(model, "watch", 6, 4000.0))
    planned = _stage(few, "")
    per_server = few.option.device_count // few.option.servers
    assert few.servers == 40
    assert planned.device_count == 40 * per_server == planned.servers * per_server
    assert planned.parallelism.data * planned.parallelism.tensor == planned.device_count
    run = edge_placement(model, shops, option(model, "train", 20, 900.0, run_s=3600.0))
    assert _stage(run, "").device_count == run.option.device_count


def test_the_summary_names_the_stages_at_the_edge(model, shops):
    serving = edge_placement(model, shops, option(model, "watch", 40, 4000.0))
    training = edge_placement(model, shops, option(model, "train", 20, 900.0, run_s=3600.0))
    text = _what(model, check(model, (training, serving), {}, K))
    name = serving.option.server
    assert text == (
        f"Put 20 × {name} in one of the 40 places of shops for train, 40 × {name} over the 40 places of shops for watch"
    )


@pytest.mark.parametrize(("words", "ended"), [("bound by compute", "Bound by compute."), ("It wins.", "It wins.")])
def test_notes_are_sentences(words, ended):
    assert sentence(words) == ended


def test_training_too_large_for_a_place_is_refused_with_the_reason(small):
    with pytest.raises(InfeasibleError) as caught:
        plan(small(sites=SHOPS, stage=", sites: [shops]", cooling=", cooling: [air, air_cooled_chiller]"))
    clashes = {clash.name for clash in caught.value.answer.plan.clashes}
    assert "power of one place of shops for train, which cannot be spread" in clashes
    assert any("raise power of one place of shops" in way and "from 2 kW to" in way for way in caught.value.ways_out)


# Rented machines


def offer(device, devices, cores):
    return SimpleNamespace(device=device, devices=devices, cores=cores, instance="i")


@pytest.mark.parametrize(("devices", "machines"), [(8, 1), (9, 2), (16, 2), (17, 3)])
def test_rented_machines_are_whole(devices, machines):
    gpu = server("MI300X-8-air")
    option = SimpleNamespace(device="MI300X", device_count=devices, servers=3, parallelism=SimpleNamespace(tensor=8))
    assert _instances(offer("MI300X", 8, 96), option, gpu) == machines
    assert _serves(offer("MI300X", 8, 96), option, gpu)
    assert not _serves(offer("MI300X", 4, 96), option, gpu)  # a tensor group of 8 does not fit into 4
    assert not _serves(offer("H100-SXM-80GB", 8, 96), option, gpu)


def test_processors_are_rented_core_for_core():
    cpu = server("CPU-2-EPYC-9654")
    assert cpu.cores == 192
    option = SimpleNamespace(device="EPYC-9654", device_count=6, servers=3)
    assert _instances(offer("EPYC-9654", 1, 96), option, cpu) == 6
    assert _instances(offer("EPYC-9654", 1, 100), option, cpu) == 6  # 576 cores on machines of 100
    assert _instances(offer("EPYC-9654", 1, 192), option, cpu) == 3


def test_requests_answered_elsewhere_need_a_line_from_every_place(model):
    """5/s of 1 MB, three times that at the peak: 120 Mbit/s at 2 USD a month, 12 months: 2,880 USD a year."""
    stage = replace(model.stages[1], request_b=1e6, peak_to_mean=3.0)
    asked = replace(model, stages=(model.stages[0], stage))
    assert model.edges[0].line_usd_per_b_s_month == pytest.approx(2.0 / 125e3)
    there, here = (SimpleNamespace(stage="watch", site=site) for site in ("hall", "shops"))
    assert lines_usd_per_year(asked, there) == pytest.approx(2880.0)
    assert lines_usd_per_year(asked, here) == 0.0
    assert lines_usd_per_year(asked, SimpleNamespace(stage="train", site="hall")) == 0.0
    assert lines_usd_per_year(model, there) == 0.0  # a text's bytes are not counted
    two = replace(asked, edges=(replace(model.edges[0], count=30), replace(model.edges[0], name="b", count=10,
                                line_usd_per_b_s_month=4.0 / 125e3)))  # fmt: skip
    assert lines_usd_per_year(two, there) == pytest.approx(0.75 * 2880.0 + 0.25 * 5760.0)
    ledger = shared_ledger(asked, (SimpleNamespace(stage="train", site="hall"), there))
    assert ledger.yearly_usd["lines"] == pytest.approx(2880.0)


@pytest.mark.slow
def test_dear_lines_keep_serving_at_the_edge(model):
    def watched(line_usd_per_mbps: float) -> str:
        stage = replace(model.stages[1], request_b=1e6)
        edges = (replace(model.edges[0], line_usd_per_b_s_month=line_usd_per_mbps / 125e3),)
        asked = replace(model, stages=(model.stages[0], stage), edges=edges)
        return next(s.site for s in plan(asked).plan.stages if s.name == "watch")

    assert watched(0.0) == "hall"
    assert watched(1e4) == "shops"
