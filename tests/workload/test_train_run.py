"""A run from its step: seconds and joules add up, deadlines are kept or missed, published runs are met."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from twinloop import catalogue
from twinloop.cli.estimate import command
from twinloop.reliability.goodput import goodput
from twinloop.validation.training_goodput import goodput_results
from twinloop.workload.host import host
from twinloop.workload.named_model import network_named
from twinloop.workload.train_estimate import estimate_training
from twinloop.workload.train_job import TrainingJob
from twinloop.workload.train_run import run_of

LLAMA = network_named("llama-3.1-405b")
ON = host(catalogue.device("H100"), 16384)
JOB = TrainingJob(batch=2048, tensor=8, pipeline=16, data=128, interleave=8, sequence=8192, software="megatron-2025")
STEP = estimate_training(LLAMA, ON, JOB)
SEQUENCES = 15.6e12 / 8192


def answer(text):
    done = CliRunner().invoke(command, ["train", *text.split("|"), "--json"])
    return done.exit_code, json.loads(done.output) if not done.exit_code else str(done.exception or done.output)


def test_seconds_add_up_and_useful_ones_are_the_steps():
    run = run_of(STEP, ON, SEQUENCES, 1.0, None)
    assert run.steps == 929833
    assert run.steps_s == pytest.approx(run.steps * STEP.step_time_s)
    parts = run.steps_s + run.stragglers_s + run.checkpoints_s + run.rework_s + run.restarts_s
    assert parts == pytest.approx(run.wall_s, rel=1e-9)
    assert run.useful_share == pytest.approx(run.steps_s / run.wall_s)
    assert run.interruptions == pytest.approx(run.wall_s / run.between_s)
    assert run.low_s < run.wall_s < run.high_s
    assert run.room_s is run.meets_deadline is None


def test_energy_is_that_of_steps_and_of_idle_devices_while_they_wait():
    run = run_of(STEP, ON, SEQUENCES, 1.0, None)
    busy = run.steps_s + run.stragglers_s + run.rework_s
    working = STEP.energy_per_step_j["accelerator"] * busy / STEP.step_time_s
    waiting = 16384 * ON.device.idle_w * (run.checkpoints_s + run.restarts_s)
    assert run.energy_accelerator_j == pytest.approx(working + waiting, rel=1e-9)
    nodes = STEP.energy_per_step_j["node"] * busy / STEP.step_time_s
    assert nodes < run.energy_node_j < nodes * run.wall_s / busy


def test_the_pre_training_of_llama_3_took_the_device_hours_reported():
    """30.84 million hours of H100 (model card of Llama 3.1 405B), failures and all."""
    run = run_of(STEP, ON, SEQUENCES, 1.0, None)
    assert run.wall_s / 3600.0 * 16384 == pytest.approx(30.84e6, rel=0.12)


def test_a_deadline_keeps_room_for_one_interruption_more():
    plain = run_of(STEP, ON, SEQUENCES, 1.0, None)
    one_more = goodput(plain.steps_s, 16384, 2048, 14.0 * STEP.parameters).one_more_s
    just, late = (run_of(STEP, ON, SEQUENCES, 1.0, plain.wall_s + one_more + extra) for extra in (1.0, -1.0))
    assert just.meets_deadline and just.room_s == pytest.approx(1.0, abs=1e-3)  # noqa: PT018
    assert not late.meets_deadline and late.room_s == pytest.approx(-1.0, abs=1e-3)  # noqa: PT018
    # A run of minutes on one server meets none: no room is kept.
    small, on = network_named("llama-3-8b"), host(catalogue.device("H100"), 8)
    step = estimate_training(small, on, TrainingJob(batch=8, sequence=512))
    short = run_of(step, on, 80.0, 1.0, 3600.0)
    assert short.room_s == pytest.approx(3600.0 - short.wall_s)


def test_adapters_store_less():
    whole, adapters = (run_of(STEP, ON, SEQUENCES, share, None) for share in (1.0, 0.002))
    assert adapters.checkpoints_s < whole.checkpoints_s
    assert adapters.wall_s < whole.wall_s


PLAIN = "--model|llama-3-8b|--device|H100|--devices|64|--batch|64|--sequence|8192"


def test_the_command_line_counts_tokens_or_samples():
    _, tokens = answer(f"{PLAIN}|--tokens|1e9|--deadline|2 h")
    _, samples = answer(f"{PLAIN}|--samples|{1e9 / 8192}")
    assert tokens["run"]["steps"] == samples["run"]["steps"] == 1908
    assert tokens["run"]["meets_deadline"] is True
    assert samples["run"]["meets_deadline"] is None
    assert "run" not in answer(PLAIN)[1]
    _, short = answer(f"{PLAIN.replace('8192', '2048')}|--tokens|1e9")
    assert short["run"]["steps"] == 7630


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (f"{PLAIN}|--tokens|1e9|--samples|1e5", "one of them"),
        (f"{PLAIN}|--deadline|2 h", "with --tokens or --samples"),
        (f"{PLAIN}|--tokens|1e9|--deadline|2 kW", "--deadline"),
        (f"{PLAIN}|--tokens|1e9|--deadline|-2 h", "above 0"),
        (f"{PLAIN}|--tokens|0", "tokens, above 0"),
        ("--model|resnet50|--device|H100|--devices|8|--batch|4096|--tokens|1e9", "--samples"),
    ],
)
def test_what_makes_no_run_is_refused(flags, told):
    code, text = answer(flags)
    assert code != 0
    assert told in text


def test_published_runs_are_met_but_for_the_two_fleets_known():
    rows = goodput_results()
    assert [row.case for row in rows if row.failed] == []
    missed = {row.case for row in rows if not row.passed}
    assert missed == {"training run: opt-175b", "training run: rsc-1-1024"}
