"""Power of whole nodes while they train: means per benchmark, and two-second traces replayed."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from twinloop import catalogue
from twinloop.arrays import FloatArray
from twinloop.validation.result import Result
from twinloop.workload.host import Host, host
from twinloop.workload.named_model import network_named
from twinloop.workload.power import PHASE_ELSE, PHASES
from twinloop.workload.train_estimate import TrainingEstimate, estimate_training
from twinloop.workload.train_job import TrainingJob

JOBS: dict[str, tuple[str, TrainingJob]] = {
    "bert": ("bert-large", TrainingJob(batch=768, sequence=512)),
    "dlrm_dcnv2": ("dlrm-dcnv2", TrainingJob(batch=55296)),
    "resnet": ("resnet50", TrainingJob(batch=3200)),
    "ssd": ("retinanet", TrainingJob(batch=256)),
    "unet3d": ("unet3d", TrainingJob(batch=72)),
    "llama2_70b_lora": (
        "llama-2-70b", TrainingJob(batch=8, sequence=8192, precision="fp8", lora_rank=16, tensor=4),
    ),
    "gpt3": ("gpt3-175b", TrainingJob(batch=1536, sequence=2048, precision="fp8", tensor=4, pipeline=8)),
}  # fmt: skip
"""Benchmark -> model and job. Batches, sequences and ranks as logged by the submissions (MLPerf Training 4.0); the
splits of the two language models are the usual ones of that round, from memory."""
LIMIT = 7.0
TRACE_LIMIT = 0.15
"""RMSE over the mean of the run: evaluations and loaders pause the devices, which no model of a step knows."""
TRACES = "mlperf_immersion_h100_node_power_traces.csv"
RISE_S = 0.5
"""Time constant of a node's power after a step of activity: below the two seconds between readings."""
PHASES_PRIOR = np.array([0.85, 0.8, 0.6, 0.1])
"""Draw while computing, moving memory, communicating and waiting: middles of what is physical, seen no row."""
SOURCE = "MLCommons training_results_v4.0, 8 x H100 nodes in single-phase immersion (Apache-2.0)"


@dataclass(frozen=True)
class Node:
    """One published mean node power beside the estimate of its run."""

    name: str
    benchmark: str
    side: str
    measured_w: float
    on: Host
    run: TrainingEstimate

    @property
    def model_w(self) -> float:
        """The estimate's power on the same side of the supplies."""
        return self.run.power_w["node_ac" if self.side == "AC" else "node_dc"]


def run_of(benchmark: str, nodes: int) -> tuple[Host, TrainingEstimate]:
    """Return the machines and the estimate of ``benchmark`` on ``nodes`` nodes of 8 H100 in a bath."""
    model, job = JOBS[benchmark]
    on = host(catalogue.device("H100"), 8 * nodes, cooling="bath")
    if benchmark == "llama2_70b_lora" and nodes > 1:
        job = TrainingJob(batch=8, sequence=8192, precision="fp8", lora_rank=16, tensor=4, context=2)
    return on, estimate_training(network_named(model), on, job)


def nodes() -> tuple[Node, ...]:
    """Return every row of table ``node_power`` with its estimate."""
    from twinloop.validation.serving_cases import table

    found = []
    for row in table("node_power"):
        on, run = run_of(row["benchmark"], int(row["nodes"]))
        found.append(Node(row["case"], row["benchmark"], row["side"], float(row["measured_w"]), on, run))
    return tuple(found)


def node_power_results() -> list[Result]:
    """Return the mean error of node power, in sample and with benchmarks left out."""
    from twinloop.validation.serving import mean_error

    rows = nodes()
    names = [row.name for row in rows]
    inside = np.array([row.model_w / row.measured_w - 1.0 for row in rows])
    label = "power: nodes in training"
    return [
        mean_error(label, names, inside, LIMIT, "in sample", SOURCE, "calibration"),
        mean_error(label, names, _left_out(rows), LIMIT, "left-out benchmarks", SOURCE, "proof"),
    ]


def _shares(run: TrainingEstimate) -> list[float]:
    """Return the shares of a step: arithmetic, memory, communication, waiting."""
    parts, total = run.time_breakdown_s, run.step_time_s
    groups = [0.0, 0.0, 0.0, 0.0]
    for name, seconds in parts.items():
        drawn = PHASES.get(name, PHASE_ELSE)
        place = {PHASES["compute"]: 0, PHASES["memory"]: 1, PHASES["data_comm"]: 2}.get(drawn, 3)
        groups[place] += seconds / total
    return groups


def _left_out(rows: Sequence[Node]) -> FloatArray:
    """Return each row's error with the draw of the four phases fitted without its benchmark (least squares, prior)."""
    shares = np.array([_shares(row.run) for row in rows])
    device = rows[0].on.device
    span = 8.0 * (device.power_limit_w - device.idle_w)
    side = np.array([row.model_w / row.run.power_w["node_dc"] for row in rows])
    rest = np.array([row.run.power_w["node_dc"] - row.run.power_w["accelerator"] for row in rows])
    rest = rest + 8.0 * device.idle_w
    measured = np.array([row.measured_w for row in rows])
    drawn = (measured / side - rest) / span
    errors = np.empty(len(rows))
    for benchmark in dict.fromkeys(row.benchmark for row in rows):
        out = np.array([row.benchmark == benchmark for row in rows])
        # The prior counts as one row: four phases that occur together would else fit each other's noise.
        known = np.vstack([shares[~out], np.eye(4)])
        fitted, *_ = np.linalg.lstsq(known, np.concatenate([drawn[~out], PHASES_PRIOR]), rcond=None)
        model = (rest[out] + span * shares[out] @ fitted) * side[out]
        errors[out] = model / measured[out] - 1.0
    return errors


def trace_results(folder: Path) -> list[Result]:
    """Return the RMSE of each trace in ``folder`` replayed: waiting, then the step's mean power while it trains.

    Only when a run starts and ends is taken from the trace; the powers are the model's.
    """
    path = folder / TRACES
    if not path.is_file():
        return []
    traces: dict[tuple[str, str], list[tuple[float, float, bool]]] = {}
    with path.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            key = ("AC" if "-ac-" in row["submission"] else "DC", row["benchmark"])
            traces.setdefault(key, []).append((float(row["t_s"]), float(row["power_w"]), row["in_timed_run"] == "1"))
    return [_replayed(side, benchmark, np.array(points)) for (side, benchmark), points in traces.items()]


def _replayed(side: str, benchmark: str, points: FloatArray) -> Result:
    on, run = run_of(benchmark, 1)
    key = "node_ac" if side == "AC" else "node_dc"
    # Before and after, hosts stage data while devices wait.
    low, high = on.node_w(on.device.idle_w)[key], run.power_w[key]
    model = replay(points[:, 0], np.where(points[:, 2] > 0.5, high, low), RISE_S)
    rmse = float(np.sqrt(np.mean((model - points[:, 1]) ** 2)))
    busy = points[:, 2] > 0.5
    return Result(
        case=f"power: trace of {benchmark}, {side} side (n={len(points)})",
        quantity=f"RMSE of the replay; {float(np.std(points[busy, 1])):.0f} W is the run's own scatter", unit="W",
        expected=0.0, got=rmse, tolerance=TRACE_LIMIT * float(points[busy, 1].mean()), source=SOURCE, kind="soft",
    )  # fmt: skip


def replay(t_s: FloatArray, target_w: FloatArray, rise_s: float) -> FloatArray:
    """Return power that follows ``target_w`` with a first-order lag, read at ``t_s``.

    >>> replay(np.array([0.0, 2.0, 4.0]), np.array([1.0, 2.0, 2.0]), 1e-9).tolist()
    [1.0, 2.0, 2.0]
    """
    power = np.array(target_w, dtype=np.float64)
    for k in range(1, len(power)):
        kept = float(np.exp(-(t_s[k] - t_s[k - 1]) / rise_s))
        power[k] = target_w[k] + (power[k - 1] - target_w[k]) * kept
    return power
