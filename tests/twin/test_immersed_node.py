"""Power of immersed 8-accelerator nodes, read every 2 s during MLPerf Training v4.0 runs, followed by the hall model.

The model is driven by the readings behind the power supplies and gives the power before them. The supplies'
efficiency is taken from one benchmark (bert) and scored on the others.
"""

from __future__ import annotations

import csv
import os
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from twinloop.model.estimate import ComponentPower
from twinloop.twin.transient_nouns import Fleet
from twinloop.twin.transient_run import constant_series, run, settle, steady_inputs

FILE = "mlperf_immersion_h100_node_power_traces.csv"
STEP_S = 2.0
IDLE = ComponentPower(600.0, 500.0, 300.0, 400.0, 100.0)
BUSY = ComponentPower(5600.0, 700.0, 400.0, 500.0, 100.0)
"""A node of eight 700 W accelerators: only the split between the two matters here, the level is the reading's."""


@pytest.fixture(scope="module")
def traces():
    root = Path(os.environ.get("TWINLOOP_REFERENCE") or Path(__file__).resolve().parents[3] / "shared" / "reference")
    path = root / "data" / FILE
    if not path.is_file():
        pytest.skip(f"no traces at {path}: set TWINLOOP_REFERENCE")
    rows = defaultdict(list)
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            rows[row["benchmark"], row["submission"]].append((float(row["t_s"]), float(row["power_w"])))
    return {key: np.array(sorted(points)) for key, points in rows.items()}


def on_grid(points):
    grid = np.arange(points[0, 0], points[-1, 0], STEP_S)
    return np.interp(grid, points[:, 0], points[:, 1])


def test_the_model_follows_measured_nodes(traces, make_hall, make_group):
    benchmarks = sorted({name for name, _ in traces})
    dc = {name: on_grid(traces[name, "smc-dc-power"]) for name in benchmarks}
    ac = {name: on_grid(traces[name, "smc-ac-power"])[: dc[name].size] for name in benchmarks}
    efficiency = float(dc["bert"].mean() / ac["bert"].mean())
    node = make_group(
        servers=1, device_count=8, busy=BUSY, idle=IDLE, device_w=700.0, power_limit_w=735.0, psu_efficiency=efficiency,
    )  # fmt: skip
    p = make_hall("immersion", fleet=Fleet(), it=node)
    span_w = BUSY.total_w - IDLE.total_w
    worst = 0.0
    for name in benchmarks:
        level = np.clip((dc[name] - IDLE.total_w) / span_w, 0.0, 1.05)
        inputs = steady_inputs(p, 1, level[:1], 20.0, 14.0, 10.0)
        series = constant_series(inputs, level.size)._replace(activity=level[:, None, None])
        out = run(p, settle(p, inputs, 1800.0), series, STEP_S).outputs
        errors = {"dc": out.compute_w[:, 0, 0] - dc[name], "ac": out.it_w[:, 0] - ac[name]}
        rmse = {side: float(np.sqrt(np.mean(error**2))) for side, error in errors.items()}
        relative = rmse["ac"] / float(ac[name].mean())
        worst = max(worst, 0.0 if name == "bert" else relative)
        used = "calibrates" if name == "bert" else "scored"
        words = f"RMSE dc {rmse['dc']:5.0f} W, ac {rmse['ac']:5.0f} W ({relative:.1%}) {used}"
        sys.stdout.write(f"\n{name:16s} n {level.size:5d}  {words}")
    assert worst < 0.07
