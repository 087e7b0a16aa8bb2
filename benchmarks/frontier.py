"""A Frontier-size machine (9,472 nodes, 25 distribution units) for 24 h at 15 s: CPU seconds and memory. Prints JSON.

``frontier.py [HEAT.csv.gz]``: also the day of measured heat by unit, if the file is given.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

from twinloop.twin.free_coolers import OutdoorAir
from twinloop.twin.job_replay import Replay, replay_heat, replay_jobs
from twinloop.twin.job_replay_files import read_heat
from twinloop.twin.job_replay_power import FRONTIER
from twinloop.twin.job_replay_schedule import Jobs

STEP_S, STEPS, COUNT = 15.0, 5760, 1000


def random_jobs(count: int = COUNT, seed: int = 1) -> Jobs:
    random = np.random.default_rng(seed)
    nodes = np.clip(np.exp(random.normal(4.6, 1.7, count)), 1, 9000).astype(int)
    run_s = np.clip(np.exp(random.normal(8.6, 0.9, count)), 120.0, 43200.0)
    return Jobs(
        np.sort(random.uniform(0.0, 80000.0, count)), nodes, run_s, run_s * random.uniform(1.0, 2.5, count),
        random.uniform(0.1, 0.9, count), random.uniform(0.3, 1.0, count),
    )  # fmt: skip


def outdoor(wet_c: np.ndarray) -> OutdoorAir:
    return OutdoorAir(wet_c + 4.0, wet_c, wet_c - 2.0, 99000.0)


def figures(day: Replay, begun: float) -> dict[str, float]:
    cpu_s = time.process_time() - begun
    return {
        "cpu_s": round(cpu_s, 2), "node_steps_per_cpu_hour": round(FRONTIER.nodes * STEPS / cpu_s * 3600.0),
        "mean_mw": round(float(day.machine_w.mean()) / 1e6, 2), "peak_mw": round(float(day.machine_w.max()) / 1e6, 2),
        "pue": round(day.pue, 4), "hottest_accelerator_c": round(day.hottest_c, 1),
        "warmest_return_c": round(float(day.coolant_return_c.max()), 1),
        "largest_cdu_mw": round(float(day.cdu_heat_w.max()) / 1e6, 3),
    }  # fmt: skip


if __name__ == "__main__":
    wet_c = 8.0 + 5.0 * np.sin(2.0 * np.pi * (np.arange(STEPS) / STEPS - 0.35))
    answer: dict[str, object] = {
        "precision": "float64", "nodes": FRONTIER.nodes, "cdus": FRONTIER.cdus, "steps": STEPS, "jobs": COUNT,
        "elements": FRONTIER.nodes * STEPS,
        "compile_cpu_s": 0.0,  # NumPy: nothing is compiled
    }  # fmt: skip
    jobs = random_jobs()
    for rule in ("packed", "cool"):
        begun = time.process_time()
        day, placed = replay_jobs(FRONTIER, jobs, outdoor(wet_c), STEP_S, rule)
        waits = placed.waits_s(jobs)
        answer[rule] = {**figures(day, begun), "mean_wait_s": round(float(waits.mean())), "started": int(waits.size)}
        del day
    if len(sys.argv) > 1:
        t_s, heat_w, wet = read_heat(Path(sys.argv[1]), FRONTIER)
        begun = time.process_time()
        day = replay_heat(FRONTIER, heat_w, outdoor(wet_c if wet is None else wet), float(t_s[1] - t_s[0]))
        answer["measured heat"] = figures(day, begun)
    answer["peak_memory_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0)
    print(json.dumps(answer, indent=1))
