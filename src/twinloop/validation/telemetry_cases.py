"""Measured traces against the twin: a day of Frontier's units, and immersed nodes followed second by second."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.model.estimate import ComponentPower
from twinloop.twin.calibration_loops import fit_reversion, fit_shares
from twinloop.twin.job_replay_files import read_heat
from twinloop.twin.job_replay_power import FRONTIER, machine_power_w
from twinloop.twin.sizing import size_plant
from twinloop.twin.transient_nouns import Fleet
from twinloop.twin.transient_parameters import transient_parameters
from twinloop.twin.transient_run import constant_series, run, settle, steady_inputs
from twinloop.validation.cooling_halls import COLD_CLIMATE, K, accelerated_servers, design
from twinloop.validation.result import Kind, Result

HEAT = "frontier_cdu_heat_2024-04-07_15s.csv.gz"
HEAT_SOURCE = "input day of HewlettPackard/sustain-lc (MIT), 25 units at 15 s; provenance as that repository says"
TWO_RACK_UNIT = 13
"""Rack 41 is missing (RAPS configuration), which leaves the fourteenth unit two racks."""
FITTED_HOURS = 16.0
NODES = "mlperf_immersion_h100_node_power_traces.csv"
NODES_SOURCE = "MLCommons training_results_v4.0, 8 x H100 nodes in single-phase immersion (Apache-2.0)"
STEP_S = 2.0
CALIBRATED_ON = "bert"
IDLE = ComponentPower(600.0, 500.0, 300.0, 400.0, 100.0)
BUSY = ComponentPower(5600.0, 700.0, 400.0, 500.0, 100.0)
"""Eight 700 W devices and their host: only the split matters here, the level is the reading's."""
NODE_SHARE = 0.07
"""RMSE over the run's mean power that the project holds itself to."""


def telemetry_results(folder: Path | None) -> tuple[Result, ...]:
    """Return a row a trace found below ``folder``; nothing without one."""
    if folder is None:
        return ()
    heat, nodes = sorted(folder.rglob(HEAT)), sorted(folder.rglob(NODES))
    return (*(frontier_results(heat[0]) if heat else ()), *(node_results(nodes[0]) if nodes else ()))


def frontier_results(path: Path) -> tuple[Result, ...]:
    """Return heat of units that the fit has not seen, at hours it has not seen, against the plainest guess.

    Fitted on 20 of 25 units and the first 16 hours; every fifth unit and the last 8 hours score it.

    Raises:
        InputError: the file is broken.
    """
    times, heat_w, _ = read_heat(path, FRONTIER)
    racks = np.full(FRONTIER.cdus, 3.0)
    racks[TWO_RACK_UNIT] = 2.0
    units, steps = np.arange(FRONTIER.cdus) % 5 != 3, times < FITTED_HOURS * 3600.0
    step_s = float(times[1] - times[0])
    shares = fit_shares(heat_w, racks, units, steps)
    results = [_beats("heat of a unit from the others", shares.rmse_out_w, shares.simple_rmse_out_w)]
    for ahead in (1, 20, 60):
        later = fit_reversion(heat_w, racks, units, steps, ahead, step_s)
        words = f"heat {ahead * step_s:.0f} s ahead; limit: nothing changes"
        results.append(_beats(words, later.rmse_out_w, later.simple_rmse_out_w))
    most = float(machine_power_w(FRONTIER, 1.0)) - FRONTIER.cdus * FRONTIER.cdu_pump_w
    limit = most * FRONTIER.heat_to_liquid / 1e6
    largest = Result(
        "cooling: Frontier day", "largest heat of all units; the power formulas' most", "MW", limit,
        float(heat_w.sum(axis=1).max()) / 1e6, 0.05 * limit, HEAT_SOURCE, "soft",
    )  # fmt: skip
    return (*results, largest)


def _beats(words: str, rmse_w: float, simple_w: float) -> Result:
    return Result("cooling: Frontier day, left out", f"RMSE, {words}", "kW", 0.0, rmse_w / 1e3, simple_w / 1e3,
                  HEAT_SOURCE, "proof")  # fmt: skip


def node_results(path: Path) -> tuple[Result, ...]:
    """Return the RMSE of power before the supplies, the hall model being driven by the readings behind them.

    The supplies' efficiency is taken from one benchmark and used on the others.
    """
    traces = _traces(path)
    names = sorted({name for name, _ in traces})
    behind = {name: _on_grid(traces[name, "smc-dc-power"]) for name in names}
    before = {name: _on_grid(traces[name, "smc-ac-power"])[: behind[name].size] for name in names}
    efficiency = float(behind[CALIBRATED_ON].mean() / before[CALIBRATED_ON].mean())
    node = replace(
        accelerated_servers(1000.0, 0.0), servers=1, device_count=8, busy=BUSY, idle=IDLE, device_w=700.0,
        power_limit_w=735.0, psu_efficiency=efficiency, activity=np.ones(1),
    )  # fmt: skip
    plant = size_plant(design("immersion"), (node,), COLD_CLIMATE, 101325.0, 20.0, K)
    hall = transient_parameters(plant, (node,), Fleet(), 20.0, 101325.0, K)
    results = []
    for name in names:
        level = np.clip((behind[name] - IDLE.total_w) / (BUSY.total_w - IDLE.total_w), 0.0, 1.05)
        inputs = steady_inputs(hall, 1, level[:1], 20.0, 14.0, 10.0)
        series = constant_series(inputs, level.size)._replace(activity=level[:, None, None])
        out = run(hall, settle(hall, inputs, 1800.0), series, STEP_S).outputs
        kind: Kind = "calibration" if name == CALIBRATED_ON else "proof"
        rmse = float(np.sqrt(np.mean((out.it_w[:, 0] - before[name]) ** 2)))
        limit = NODE_SHARE * float(before[name].mean())
        results.append(Result("cooling: immersed 8 x H100 node", f"RMSE of power, {name}, {level.size} points", "W",
                              0.0, rmse, limit, NODES_SOURCE, kind))  # fmt: skip
    return tuple(results)


def _traces(path: Path) -> Mapping[tuple[str, str], FloatArray]:
    rows: dict[tuple[str, str], list[tuple[float, float]]] = {}
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            key = (row["benchmark"], row["submission"])
            rows.setdefault(key, []).append((float(row["t_s"]), float(row["power_w"])))
    return {key: np.array(sorted(points)) for key, points in rows.items()}


def _on_grid(points: FloatArray) -> FloatArray:
    grid = np.arange(points[0, 0], points[-1, 0], STEP_S)
    return np.asarray(np.interp(grid, points[:, 0], points[:, 1]))
