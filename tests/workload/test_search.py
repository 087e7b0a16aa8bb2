"""The search against a plain loop, the Pareto set against all pairs, and reasons for what does not run."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from twinloop import catalogue
from twinloop.errors import InputError
from twinloop.power.operating_point import operating_point
from twinloop.workload.constants import software
from twinloop.workload.front import front, undominated, undominated_of_three
from twinloop.workload.host import host
from twinloop.workload.layouts import RECOMPUTE, SCHEDULES, Layouts
from twinloop.workload.machine import training_machine
from twinloop.workload.memory import States, capacity_b, training_memory
from twinloop.workload.named_model import network_named
from twinloop.workload.plan_search import refused_layout
from twinloop.workload.power import LEAKAGE_PER_K, REFERENCE_C, phase_power_w
from twinloop.workload.refusals import refused, why_refused
from twinloop.workload.search import (
    CAPS,
    GRADIENT_BYTES,
    LARGEST_CONTEXT,
    SCHEDULE_CHUNKS,
    Problem,
    evaluate,
    point,
    search,
)
from twinloop.workload.train_job import TrainingJob
from twinloop.workload.training import parts_s, step_times
from twinloop.workload.transformer import shape_of


def problem(model, devices, batch, name="A100-SXM-80GB"):
    part = catalogue.device(name)
    return Problem(
        shape=shape_of(network_named(model)), machine=training_machine(part, 25e9, 8, "bf16"), device=part,
        calibration=software(part).calibration, devices=devices, batch=batch, states=States(), coolant_c=30.0,
        resistance_k_w=0.05,
    )  # fmt: skip


BIG = problem("gpt3-175b", 512, 512)
SMALL = problem("layers=8,hidden=1024,heads=8,vocabulary=32000,context=1024", 8, 8)


def alone(p, t, pp, c, d, m, schedule, chunks, recompute, sequence, zero, gradient, *caps):
    """Return (time, watts, bytes) of one layout under each cap, number by number."""
    f = np.float64
    at = Layouts(
        f(t), f(pp), f(d), f(c), f(min(d * c * t, p.expert)), f(m), f(p.batch), f(chunks), f(recompute), f(zero),
        f(schedule), f(sequence),
    )  # fmt: skip
    times = step_times(p.shape, at, p.machine, replace(p.calibration, gradient_b=f(gradient)))
    held = float(training_memory(p.shape, at, replace(p.states, gradient_b=f(gradient))).total_b)
    step, busy = float(times.total_s), float(times.compute_s)
    drawn = phase_power_w(p.device, {name: float(value) for name, value in parts_s(times).items()})
    found = []
    for cap in caps:
        settled = operating_point(
            drawn, p.coolant_c, p.resistance_k_w, LEAKAGE_PER_K, REFERENCE_C, cap * p.device.power_limit_w,
            p.device.throttle_c,
        )  # fmt: skip
        slower = 1.0 / float(settled.clock_ratio) - 1.0
        found.append((step + busy * slower, float(settled.power_w), held))
    return found


def arguments(found):
    return (
        found.tensor, found.pipeline, found.context, found.data, found.micro_batch, SCHEDULES.index(found.schedule),
        found.interleave, RECOMPUTE.index(found.recompute), found.sequence_parallel, found.zero, found.gradient_bytes,
        found.power_cap,
    )  # fmt: skip


def legal(p):
    """Return every legal layout of ``p`` by nested loops, each condition written out."""
    layers, heads, sizes = int(p.shape.layers), int(p.shape.heads), range(1, p.devices + 1)
    for t, pp, c in itertools.product(sizes, sizes, range(1, LARGEST_CONTEXT + 1)):
        if p.devices % (t * pp * c) or heads % t or pp > layers:
            continue
        d = p.devices // (t * pp * c)
        if p.batch % d:
            continue
        for m, (schedule, chunks) in itertools.product(range(1, p.batch // d + 1), SCHEDULE_CHUNKS):
            if (p.batch // d) % m or (pp == 1 and schedule != 1):
                continue
            if chunks > 1 and (pp * chunks > layers or (p.batch // d // m) % pp):
                continue
            for rest in itertools.product(range(3), range(2), range(4), GRADIENT_BYTES):
                if (rest[1] and t == 1) or (rest[2] and d * c == 1):
                    continue
                yield (t, pp, c, d, m, schedule, chunks, *rest)


def test_a_thousand_random_points_and_the_hundred_best_equal_a_plain_loop():
    found = evaluate(BIG)
    rng = np.random.default_rng(11)
    drawn = zip(rng.integers(0, len(found.places), 1000), rng.integers(0, len(CAPS), 1000), strict=True)
    random = [point(BIG, found, int(row), int(cap)) for row, cap in drawn]
    best = search(BIG, top=100).best
    for each in (*random, *best):
        [(time_s, watts, held)] = alone(BIG, *arguments(each))
        assert each.step_time_s == pytest.approx(time_s, rel=1e-5)  # float32 under caps
        assert each.device_w == pytest.approx(watts, rel=1e-5)
        assert each.memory_gb * 1e9 == pytest.approx(held, rel=1e-12)
        assert held <= capacity_b(BIG.device)
    assert max(p.step_time_s for p in best) <= min(p.step_time_s for p in random) * (1.0 + 1e-6)
    assert [p.step_time_s for p in best] == sorted(p.step_time_s for p in best)


def test_the_best_of_a_small_problem_are_those_of_a_full_enumeration():
    every = list(legal(SMALL))
    figures = [found for layout in every if (found := alone(SMALL, *layout, *CAPS))[0][2] <= capacity_b(SMALL.device)]
    for objective in ("time", "energy"):
        scores = [min(t * (w if objective == "energy" else 1.0) for t, w, _ in each) for each in figures]
        got = search(SMALL, top=100, objective=objective)
        assert got.configurations_evaluated == len(every) * len(CAPS)
        assert got.feasible == len(scores) * len(CAPS)
        ours = [p.step_time_s * (p.device_w if objective == "energy" else 1.0) for p in got.best]
        np.testing.assert_allclose(ours, sorted(scores)[:100], rtol=2e-6)


def test_a_cap_never_makes_a_layout_faster_or_hungrier():
    found = evaluate(SMALL)
    assert np.all(np.diff(found.time_s, axis=1) >= -1e-6 * found.time_s[:, 1:])
    assert np.all(np.diff(found.power_w, axis=1) <= 0.0)


@settings(max_examples=60, deadline=None)
@given(arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(1, 40)), elements=st.integers(0, 4)))
def test_undominated_is_what_all_pairs_say(figures):
    columns = figures.T
    kept = set(undominated(figures).tolist())

    def beats(a, b):
        return bool(np.all(columns[a] <= columns[b]) and np.any(columns[a] < columns[b]))

    for i in range(len(columns)):
        beaten = any(beats(j, i) for j in range(len(columns)))
        twin = any(j in kept and np.array_equal(columns[i], columns[j]) for j in range(len(columns)))
        assert (i in kept) <= (not beaten)
        assert twin == (not beaten)


@settings(max_examples=60, deadline=None)
@given(arrays(np.float64, st.tuples(st.just(3), st.integers(1, 60)), elements=st.integers(0, 6)))
def test_the_way_for_millions_is_the_way_for_few(figures):
    def columns(places):
        return {tuple(figures[:, place]) for place in places}

    assert columns(undominated_of_three(figures)) == columns(undominated(figures))


def test_the_way_for_millions_over_many_blocks():
    figures = np.random.default_rng(1).random((3, 6000))
    figures[:, 1::2] = np.round(figures[:, 1::2], 1)
    assert undominated_of_three(figures).tolist() == undominated(figures).tolist()


def test_the_front_holds_the_fastest_the_most_frugal_and_the_smallest():
    choices = front(SMALL, (2, 4, 8), device_hour_usd=2.0)
    assert {c.devices for c in choices} == {2, 4, 8}
    best = search(SMALL, top=1).best[0]
    assert min(c.point.step_time_s for c in choices) == pytest.approx(best.step_time_s, rel=1e-6)
    frugal = min(search(replace(SMALL, devices=n), 1, "energy").best[0].energy_per_step_j for n in (2, 4, 8))
    assert min(c.point.energy_per_step_j for c in choices) == pytest.approx(frugal, rel=1e-5)
    rows = [
        (c.point.step_time_s, c.point.energy_per_step_j, c.point.memory_gb, c.devices, c.cost_per_step_usd)
        for c in choices
    ]
    for a, b in itertools.permutations(rows, 2):
        assert not all(x <= y for x, y in zip(a, b, strict=True))


def _at(**changes):
    fields = dict.fromkeys(Layouts.__dataclass_fields__, 1.0) | {"recompute": 2.0, "zero": 0.0}
    fields |= {"batch": 512.0, "sequence_parallel": 0.0, "shard_group": 0.0}
    return Layouts(**(fields | changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tensor": 8.0, "pipeline": 8.0, "data": 4.0}, "takes 256 devices, not 512"),
        ({"tensor": 512.0}, "tensor 512 does not divide 96 heads"),
        ({"tensor": 8.0, "pipeline": 32.0, "data": 2.0, "interleave": 4.0, "schedule": 2.0}, "need 128 layers"),
        ({"tensor": 8.0, "data": 64.0, "interleave": 2.0, "schedule": 2.0}, "2 chunks need a pipeline"),
        ({"tensor": 8.0, "pipeline": 64.0, "interleave": 1.0, "micro_batch": 3.0}, "micro-batch 3 does not divide"),
        ({"data": 512.0, "sequence_parallel": 1.0}, "sequence parallelism needs tensor"),
        ({"tensor": 8.0, "pipeline": 64.0, "zero": 1.0}, "ZeRO needs more than one copy"),
        ({"data": 512.0}, "GB of 85.9 GB, most for optimizer"),
    ],
)
def test_a_refused_layout_is_told_why(changes, words):
    assert any(words in reason for reason in why_refused(BIG, _at(**changes)))


def test_what_the_search_offers_is_not_refused_and_counts_agree():
    for best in search(BIG, top=20).best:
        t, p, c, d, m, schedule, chunks, recompute, sequence, zero, gradient, _ = (float(x) for x in arguments(best))
        at = Layouts(t, p, d, c, 1.0, m, 512.0, chunks, recompute, zero, schedule, sequence)
        assert why_refused(replace(BIG, states=replace(BIG.states, gradient_b=gradient)), at) == ()
    counts, found = refused(BIG), evaluate(BIG)
    assert counts["runs"] == len(found.places)
    assert sum(counts.values()) == found.legal


@pytest.mark.parametrize(
    ("layout", "reasons"),
    [
        ({"tensor": 8, "pipeline": 4}, ("takes 32 devices, not 16",)),
        ({"tensor": 16}, ("tensor 16 does not divide 40 heads",)),
        ({"data": 16, "recompute": "none", "zero": 0}, ("needs 257.1 GB of 85.9 GB, most for optimizer (154.1 GB)",)),
        ({"tensor": 8, "pipeline": 2, "micro_batch": 3}, ("micro-batch 3 does not divide the 64 samples of one copy",)),
        ({"tensor": 8, "pipeline": 2}, ()),
        ({"data": 16}, ()),
    ],
)
def test_a_layout_that_a_person_names_is_refused_with_reasons(layout, reasons):
    model, on = network_named("gpt3-13b"), host(catalogue.device("A100"), 16)
    assert refused_layout(model, on, TrainingJob(batch=64, **layout)) == reasons


def test_devices_that_no_layout_shares_are_refused():
    with pytest.raises(InputError, match="--devices: got 9973"):
        search(replace(SMALL, devices=9973))
