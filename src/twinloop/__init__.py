"""Twinloop: plan, simulate and explain AI clusters on hybrid cooling.

::

    scenario = twinloop.load("my.yaml")
    planned = twinloop.plan(scenario)
    year = twinloop.simulate(scenario, planned)
    step = twinloop.estimate("train", model="llama-3-8b", device="H100-SXM-80GB", devices=64, batch=512)
    bad_day = twinloop.simulate(scenario, planned, window="hottest day", faults=["cdu-1 pump stops at 14:00"])
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

# Imported inside the functions: `import twinloop` stays instant.
if TYPE_CHECKING:
    from collections.abc import Sequence

    from twinloop.api import EstimateResult, PlanResult, SimulationResult
    from twinloop.model.plan import Plan
    from twinloop.scenario import Scenario
    from twinloop.twin.job_replay import Replay
    from twinloop.twin.job_replay_schedule import PlacementRule

__all__ = ["estimate", "load", "plan", "replay_jobs", "simulate"]


def load(path: str | Path) -> Scenario:
    """Return the scenario in the file ``path``.

    Raises:
        InputError: every fault of the file, each with its line.
    """
    from twinloop import scenario

    return scenario.load(Path(path))


def plan(scenario: Scenario) -> PlanResult:
    """Return the recommended plan of ``scenario``, ready for a notebook: it draws itself and gives tables.

    Raises:
        InputError: a value that has no meaning.
        InfeasibleError: nothing satisfies the constraints; names the clash and the ways out.
    """
    from twinloop.api import PlanResult
    from twinloop.planner.plan import plan as chosen
    from twinloop.scenario import resolve, scenario_hash

    found = chosen(resolve(scenario), scenario_hash(scenario))
    return PlanResult(found.plan, found.years, f"twinloop plan {scenario.file}")


def simulate(
    scenario: Scenario,
    plan: PlanResult | Plan | None = None,
    window: str | None = None,
    faults: Sequence[str] = (),
    step_s: float = 5.0,
) -> SimulationResult:
    """Return a weather year of the halls of ``plan`` (planned first when ``None``), or a part of it second by second.

    Args:
        scenario: what :func:`load` gives.
        plan: what :func:`plan` gives, or a plan read from its file.
        window: ``"hottest day"``, ``"07-14 12:00/07-14 18:00"``, …; named faults alone mean the hottest day.
        faults: ``"cdu-1 pump stops at 14:00 for 10 min"``, …
        step_s: length of a step in a window, 1 to 15 s.

    Raises:
        InputError: the plan is of another scenario, a window or fault is not understood.
        TwinloopError: the plan uses no hall of its own.
    """
    from twinloop.api import PlanResult, SimulationResult
    from twinloop.planner.plan import Planned
    from twinloop.planner.plan import plan as chosen
    from twinloop.planner.replay import plan_simulation, plan_window
    from twinloop.scenario import resolve, scenario_hash

    model, digest = resolve(scenario), scenario_hash(scenario)
    fresh = chosen(model, digest) if plan is None else plan
    wanted = fresh.plan if isinstance(fresh, PlanResult | Planned) else fresh
    years = fresh.years if isinstance(fresh, PlanResult | Planned) else None
    if window is not None or faults:
        found, runs = plan_window(model, digest, wanted, window or "hottest day", faults, step_s)
        return SimulationResult(found, (), tuple(run.incident for run in runs))
    return SimulationResult(*plan_simulation(model, digest, wanted, years))


def estimate(what: str, **flags: object) -> EstimateResult:
    """Return what ``twinloop estimate train`` or ``serve`` answers, ready for a notebook.

    Args:
        what: ``"train"`` or ``"serve"``.
        flags: those of the command line, with underscores: ``model="gpt3-175b"``, ``devices=1024``, ``search=True``.

    Raises:
        InputError: a flag is unknown or missing, or its value has no meaning.
    """
    import click

    from twinloop.api import EstimateResult
    from twinloop.cli.answer import headline
    from twinloop.cli.estimate import command
    from twinloop.errors import InputError

    words = [what, "--quiet"]
    for name, value in flags.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        elif value is not None:
            words += [f"--{flag}", str(value)]
    try:
        title, answer = command.main(words, prog_name="estimate", standalone_mode=False)
    except click.ClickException as error:
        raise InputError(f"estimate: {error.format_message()}") from error
    return EstimateResult(title, headline(answer), answer)


def replay_jobs(
    trace: str | Path,
    wet_bulb_c: float = 20.0,
    hours: float = 24.0,
    step_s: float = 15.0,
    rule: PlacementRule = "packed",
) -> Replay:
    """Return a day of a Frontier-size machine under the jobs of ``trace`` (CSV, Parquet or SWF), at a wet bulb.

    ``rule``: ``packed`` fills racks in order, ``cool`` levels the heat of distribution units.

    Raises:
        InputError: the file, its line and what is wrong.
    """
    import numpy as np

    from twinloop.twin.free_coolers import OutdoorAir
    from twinloop.twin.job_replay import replay_jobs as replay
    from twinloop.twin.job_replay_files import read_jobs
    from twinloop.twin.job_replay_power import FRONTIER

    jobs = read_jobs(Path(trace), machine_nodes=FRONTIER.nodes).before(hours * 3600.0)
    wet = np.full(round(hours * 3600.0 / step_s), wet_bulb_c)
    return replay(FRONTIER, jobs, OutdoorAir(wet + 5.0, wet, wet - 2.0, 101325.0), step_s, rule)[0]
