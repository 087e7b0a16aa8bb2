"""What a training option promises holds the time that interruptions take."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from twinloop import catalogue
from twinloop.model.model import Stage
from twinloop.model.network import Network
from twinloop.reliability import goodput as goodput_module
from twinloop.scenario import load, resolve
from twinloop.workload.options import stage_options
from twinloop.workload.train_options import training_options

DAY = 86400.0
EXAMPLE = Path(__file__).parents[2] / "examples" / "fraud-detection.yaml"
STAGE = Stage("train", "train", (), (), "n", samples=3e8, batch=4096, every_s=7 * DAY, deadline_s=DAY)
NETWORK = Network("n", "transformer", layers=32, hidden=2560, heads=20, vocabulary=16384, context=512)


def options(stage=STAGE):
    part = catalogue.device("H100")
    server = next(server for server in catalogue.servers() if server.device == part.name)
    return training_options(stage, NETWORK, part, server)


def test_duration_is_the_sum_of_its_parts_and_lost_time_is_among_them():
    for option in options():
        assert sum(option.time_breakdown_s.values()) == pytest.approx(option.duration_s, rel=1e-9)
        assert min(option.time_breakdown_s[name] for name in ("checkpoint", "rework", "restart")) > 0.0
        assert option.throughput_per_s * option.duration_s == pytest.approx(STAGE.samples, rel=1e-9)


def test_more_failures_take_longer_and_draw_less_while_they_last(monkeypatch):
    calm = {option.device_count: option for option in options()}
    rate = goodput_module.interruptions_per_s
    monkeypatch.setattr(goodput_module, "interruptions_per_s", lambda *a, **k: 30.0 * rate(*a, **k))
    stormy = {option.device_count: option for option in options()}
    common = calm.keys() & stormy.keys()
    assert common
    for count in common:
        assert stormy[count].duration_s > calm[count].duration_s
        assert stormy[count].busy.accelerator_w < calm[count].busy.accelerator_w
        assert stormy[count].device_w == calm[count].device_w  # what a plate must carry is unchanged


def test_a_run_that_happens_once_is_counted_over_the_horizon():
    model = resolve(load(EXAMPLE))
    once = tuple(replace(stage, every_s=None) for stage in model.stages if stage.kind in ("preprocess", "train"))
    for stage in once:
        for option in stage_options(replace(model, stages=once), stage):
            assert option.duration_s <= stage.deadline_s
            assert option.busy_fraction == pytest.approx(option.duration_s / model.horizon_s, rel=1e-12)


def test_a_deadline_leaves_room_for_one_more_interruption():
    shortest = min(options(), key=lambda option: option.duration_s)
    tight = replace(STAGE, deadline_s=shortest.duration_s * 1.0001)
    assert all(option.duration_s < shortest.duration_s for option in options(tight))


def test_a_short_run_keeps_no_room_for_what_hardly_ever_happens():
    short = replace(STAGE, samples=STAGE.samples / 5000.0)
    calm = min(options(short), key=lambda option: option.servers)
    assert calm.deadline_room_s == 0.0
    within = {option.device_count for option in options(replace(short, deadline_s=calm.duration_s * 1.001))}
    assert calm.device_count in within
    assert any(option.deadline_room_s > 0.0 for option in options())
