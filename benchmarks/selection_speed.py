"""CPU seconds of the exact choice: 40 stages x 6 sites x 200 options a stage, gap 0.1 %, as one line of JSON."""

from __future__ import annotations

import json
import resource
import time
from dataclasses import dataclass

import numpy as np

from twinloop.planner.selection import Limit, Problem, solve
from twinloop.planner.sharing import Load, Positions

STAGES, SITES, OPTIONS, DESIGNS, SEED = 40, 6, 200, 4, 7
KINDS = ("air", "plates")
"""Racks of each hall: stages on the same carriers share them."""


@dataclass(frozen=True)
class Column:
    """The part of a placement that the selection looks at."""

    stage: str
    site: str
    design: str | None
    key: str


def problem() -> Problem:
    """Return a random problem: three halls of four designs, three clouds; power, racks and water bind."""
    rng = np.random.default_rng(SEED)
    columns, costs, power, racks, water = [], [], [], [], []
    for s in range(STAGES):
        stage_size = float(rng.lognormal(0.0, 0.5))
        for o in range(OPTIONS):
            site = int(rng.integers(SITES))
            design = f"d{rng.integers(DESIGNS)}" if site < 3 else None
            columns.append(Column(f"s{s}", f"site{site}", design, f"s{s}-{o}"))
            size = stage_size * float(rng.uniform(0.7, 1.3))
            costs.append(1e6 * size * (1.0 if site < 3 else 1.8) * float(rng.uniform(0.8, 1.2)))
            power.append(1e5 * size * float(rng.uniform(0.8, 1.2)))
            racks.append(float(np.ceil(4.0 * size * rng.uniform(0.5, 1.5))))
            water.append(300.0 * size * float(rng.uniform(0.0, 2.0)))
    limits, positions = [], []
    for site in range(3):
        here = [i for i, column in enumerate(columns) if column.site == f"site{site}"]
        for name, amounts, bound in (("power", power, 5e5), ("water", water, 1200.0)):
            limits.append(Limit(f"{name} of site{site}", bound, "", {i: amounts[i] for i in here}))
        loads = {i: Load(KINDS[i % 2], int(6 * racks[i]), tuple(rng.uniform(0.02, 1.0 / 6.0, 5))) for i in here}
        positions.append(Positions(f"racks of site{site}", 22.0, loads))
    stages = tuple(f"s{s}" for s in range(STAGES))
    return Problem(
        stages, tuple(columns), tuple(costs), tuple(limits), positions=tuple(positions),  # type: ignore[arg-type]
    )  # fmt: skip


def main() -> None:
    """Solve once and print the figures."""
    case = problem()
    started = time.process_time()
    choice = solve(case, gap=1e-3)
    seconds = time.process_time() - started
    if choice is None:
        raise SystemExit("no choice found")
    print(
        json.dumps(
            {
                "stages": STAGES,
                "sites": SITES,
                "options_per_stage": OPTIONS,
                "columns": len(case.placements),
                "precision": "float64",
                "cpu_s": round(seconds, 2),
                "peak_memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0),
                "objective": choice.objective,
                "gap": (choice.objective - choice.bound) / choice.objective,
                "seed": SEED,
            }
        )
    )


if __name__ == "__main__":
    main()
