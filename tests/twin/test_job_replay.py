"""Jobs on a large machine: a fair schedule, conserved heat, exact node temperatures, files read strictly."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import twinloop
from twinloop.errors import InputError
from twinloop.twin.free_coolers import OutdoorAir
from twinloop.twin.job_replay import cdu_of_nodes, cooling_for, replay_heat, replay_jobs
from twinloop.twin.job_replay_files import read_heat, read_jobs
from twinloop.twin.job_replay_power import FRONTIER, machine_power_w, node_power_w
from twinloop.twin.job_replay_schedule import Jobs, schedule

SMALL = replace(FRONTIER, name="small", racks=4, chassis_per_rack=2, cdus=2)
"""128 nodes behind two units."""


def jobs(*rows):
    """Rows of submit, nodes, run, asked."""
    table = np.array(rows, dtype=float)
    load = np.full(len(rows), 0.9)
    return Jobs(table[:, 0], table[:, 1].astype(int), table[:, 2], table[:, 3], load, load)


def air(steps, wet_c=10.0):
    return OutdoorAir(np.full(steps, wet_c + 4.0), np.full(steps, wet_c), np.full(steps, wet_c - 2.0), 101325.0)


def test_the_machine_has_frontiers_size():
    group = cdu_of_nodes(FRONTIER)
    assert (FRONTIER.nodes, group.size, group[-1] + 1) == (9472, 9472, 25)


def test_backfill_never_delays_the_head_of_the_queue():
    group = np.zeros(10, dtype=int)
    alone = schedule(jobs((0, 6, 100, 100), (1, 8, 50, 50)), group)
    beside = schedule(jobs((0, 6, 100, 100), (1, 8, 50, 50), (2, 4, 98, 98), (3, 4, 200, 200), (4, 2, 900, 900)), group)
    assert alone.start_s[1] == beside.start_s[1] == 100.0
    assert beside.start_s[2] == 2.0  # ends when the head may start
    assert beside.start_s[3] >= 150.0  # would have held nodes that the head needs
    assert beside.start_s[4] == 100.0  # two nodes are left beside the head, none before: four of six are taken


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 12), st.integers(1, 30), st.integers(0, 20)), min_size=1,
                max_size=25), st.sampled_from(["packed", "cool"]))  # fmt: skip
def test_no_node_runs_two_jobs_and_every_job_that_fits_runs(rows, rule):
    batch = jobs(*[(submit, nodes, run, run + more) for submit, nodes, run, more in rows])
    group = np.repeat([0, 1, 2], [4, 4, 2])
    placed = schedule(batch, group, rule)
    fits = batch.nodes <= 10
    assert np.isfinite(placed.start_s[fits]).all()
    assert np.isinf(placed.start_s[~fits]).all()
    assert (placed.start_s[fits] >= batch.submit_s[fits]).all()
    for node in range(10):
        spans = sorted((placed.start_s[j], placed.start_s[j] + batch.run_s[j])
                       for j in np.flatnonzero(fits) if node in placed.nodes_of[j])  # fmt: skip
        assert all(first[1] <= second[0] for first, second in pairwise(spans))
    assert all(len(placed.nodes_of[j]) == batch.nodes[j] for j in np.flatnonzero(fits))


def in_order(rows, total):
    """Starts first come first served, nobody overtaking: an independent few lines."""
    running, starts, now = [], [], 0
    for submit, nodes, run in rows:
        now = max(now, submit)
        while total - sum(n for end, n in running if end > now) < nodes:
            now = min(end for end, _ in running if end > now)
        starts.append(now)
        running.append((now + run, nodes))
    return starts


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 10), st.integers(1, 20)), min_size=2, max_size=15))
def test_the_first_job_that_waits_is_not_delayed_by_those_behind_it(rows):
    """EASY's promise, with exact asked times; jobs before it start at once in both."""
    rows = sorted(rows, key=lambda row: row[0])
    plain = in_order(rows, 10)
    waits = [index for index, row in enumerate(rows) if plain[index] > row[0]]
    eased = schedule(jobs(*[(*row, row[2]) for row in rows]), np.zeros(10, dtype=int)).start_s
    upto = waits[0] + 1 if waits else len(rows)
    assert eased[:upto].tolist() == plain[:upto]


def test_levelling_heat_lowers_the_fullest_unit_and_leaves_the_schedule_alone():
    batch = jobs((0, 40, 3000, 3000), (0, 30, 3000, 3000))
    days = {rule: replay_jobs(SMALL, batch, air(200), 15.0, rule) for rule in ("packed", "cool")}
    (packed, first), (cool, second) = days["packed"], days["cool"]
    assert np.array_equal(first.start_s, second.start_s)
    assert cool.cdu_heat_w.max() < 0.97 * packed.cdu_heat_w.max()
    assert cool.coolant_return_c.max() < packed.coolant_return_c.max()
    np.testing.assert_allclose(cool.machine_w.sum(), packed.machine_w.sum(), rtol=1e-6)


def test_a_full_machine_draws_what_the_formulas_say():
    batch = replace(jobs((0, SMALL.nodes, 7200, 7200)), cpu=np.ones(1), accelerator=np.ones(1))
    day, _ = replay_jobs(SMALL, batch, air(120), 15.0)
    assert day.machine_w[-1] == pytest.approx(float(machine_power_w(SMALL, 1.0)), rel=1e-6)
    assert day.node_dw[-1, 5] / 10.0 == pytest.approx(float(node_power_w(SMALL, 1.0, 1.0)), abs=0.06)


def test_a_chip_follows_its_plate_exactly_and_rests_where_resistance_puts_it():
    batch = jobs((60, 64, 7200, 7200))
    day, _ = replay_jobs(SMALL, batch, air(480), 15.0)
    idle, busy = SMALL.accelerator_w
    rise = SMALL.r_plate_k_w * (idle + 0.9 * (busy - idle))
    assert day.accelerator_cc[-1, 0] / 100.0 == pytest.approx(day.coolant_supply_c[-1, 0] + rise, abs=0.02)
    start = day.accelerator_cc[3, 0] / 100.0
    expected = start + (rise - SMALL.r_plate_k_w * idle) * (1.0 - np.exp(-15.0 / SMALL.sink_s))
    assert day.accelerator_cc[4, 0] / 100.0 == pytest.approx(expected, abs=0.15)


def test_heat_of_units_is_carried_by_their_water():
    """By the water side: flow, heat capacity and rise against the racks' share of electricity, at rest."""
    cooling = cooling_for(SMALL, 24.0)
    day, _ = replay_jobs(SMALL, jobs((0, 128, 90000, 90000)), air(960), 15.0, cooling=cooling)
    carried = cooling.unit.secondary_design_kg_s * cooling.unit.secondary_j_kg_k
    rise_k = day.coolant_return_c[-1] - day.coolant_supply_c[-1]
    np.testing.assert_allclose(carried * rise_k, day.cdu_heat_w[-1], rtol=2e-4)
    racks_w = day.machine_w[-1] - SMALL.cdus * SMALL.cdu_pump_w
    assert day.cdu_heat_w[-1].sum() == pytest.approx(SMALL.heat_to_liquid * racks_w, rel=1e-5)


def test_measured_heat_comes_back():
    heat = np.full((40, 2), 1.2e5)
    heat[20:] *= 1.3
    day = replay_heat(SMALL, heat, air(40))
    np.testing.assert_allclose(day.cdu_heat_w, heat, rtol=1e-5)


def test_water_too_warm_for_the_setpoint_reaches_the_chips():
    batch = jobs((0, 128, 90000, 90000))
    cooling = cooling_for(SMALL, 20.0)
    mild, hot = (replay_jobs(SMALL, batch, air(480, wet_c), 15.0, cooling=cooling)[0] for wet_c in (15.0, 33.0))
    assert hot.facility_supply_c[-1] > 33.0 > mild.facility_supply_c[-1]
    gained = hot.facility_supply_c[-1] - mild.facility_supply_c[-1]
    assert hot.accelerator_cc[-1, 0] / 100 - mild.accelerator_cc[-1, 0] / 100 == pytest.approx(gained, abs=0.1)


def test_three_formats_give_the_same_jobs(tmp_path):
    rows = [(100, 2, 60, 90), (130, 1, 30, 30)]
    (tmp_path / "a.csv").write_text("submit_s,nodes,run_s,asked_s\n" + "\n".join(",".join(map(str, r)) for r in rows))
    swf = [f"{i} {s} 0 {run} {n * 4} -1 -1 {n * 4} {asked} -1" for i, (s, n, run, asked) in enumerate(rows, 1)]
    (tmp_path / "a.swf").write_text("; Computer: made up\n" + "\n".join(swf) + "\n")
    columns = dict(zip(("submit_s", "nodes", "run_s", "asked_s"), map(list, zip(*rows, strict=True)), strict=True))
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    found = [read_jobs(tmp_path / "a.csv"), read_jobs(tmp_path / "a.swf", 4), read_jobs(tmp_path / "a.parquet")]
    for batch in found:
        assert batch.submit_s.tolist() == [0.0, 30.0]
        assert batch.nodes.tolist() == [2, 1]
        assert batch.asked_s.tolist() == [90.0, 30.0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("submit_s,nodes\n1,2\n", "a column run_s"),
        ("submit_s,nodes,run_s\n0,two,3\n", "x.csv:2: nodes: got 'two', expected a number"),
        ("submit_s,nodes,run_s\n0,1,3\n0,0,3\n", "x.csv:3: nodes: got 0, expected at least 1"),
        ("submit_s,nodes,run_s\n0,1\n", "x.csv:2: row: got 2 values, expected 3"),
        ("", "a header and one row a job"),
    ],
)
def test_a_wrong_trace_is_refused_with_its_place(tmp_path, text, words):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(InputError) as refused:
        read_jobs(tmp_path / "x.csv")
    assert words in str(refused.value)


def test_heat_needs_a_column_a_unit(tmp_path):
    (tmp_path / "h.csv").write_text("t_s,q_cdu1_W\n0,1\n")
    with pytest.raises(InputError, match="25 columns"):
        read_heat(tmp_path / "h.csv", FRONTIER)


def test_the_face_reads_a_file(tmp_path):
    (tmp_path / "a.csv").write_text("submit_s,nodes,run_s\n0,9000,600\n")
    day = twinloop.replay_jobs(tmp_path / "a.csv", hours=0.25)
    assert day.node_dw.shape == (60, 9472)
    assert 45.0 < day.hottest_c < 70.0


def test_a_table_of_hourly_load_keeps_that_share_of_the_nodes_busy(tmp_path):
    (tmp_path / "load.csv").write_text(",cpu_load\n0,0.25\n1,0.75\n2,0.5\n")
    day = twinloop.replay_jobs(tmp_path / "load.csv", hours=3.0)
    half_hours = day.machine_w[[120, 360, 600]]
    assert half_hours[1] > half_hours[2] > half_hours[0]
    assert (half_hours[1] - half_hours[0]) / (half_hours[2] - half_hours[0]) == pytest.approx(2.0, rel=0.02)
    (tmp_path / "bad.csv").write_text("cpu_load\n0.2\n1.4\n")
    with pytest.raises(InputError, match=r"bad.csv:3: cpu_load: got 1.4, expected 0 to 1"):
        twinloop.replay_jobs(tmp_path / "bad.csv")
    with pytest.raises(InputError, match="a column submit_s"):
        read_jobs(tmp_path / "load.csv")
