"""Twinloop: plan, simulate and explain AI clusters on hybrid cooling.

::

    scenario = twinloop.load("my.yaml")
    planned = twinloop.plan(scenario)
    year = twinloop.simulate(scenario, planned)
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

# Imported inside the functions: `import twinloop` stays instant.
if TYPE_CHECKING:
    from twinloop.api import PlanResult, SimulationResult
    from twinloop.model.plan import Plan
    from twinloop.scenario import Scenario
    from twinloop.twin.job_replay import Replay
    from twinloop.twin.job_replay_schedule import PlacementRule

__all__ = ["load", "plan", "replay_jobs", "simulate"]


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


def simulate(scenario: Scenario, planned: PlanResult | Plan | None = None) -> SimulationResult:
    """Return a weather year of the halls of ``planned`` (planned first when ``None``).

    Raises:
        InputError: the plan is of another scenario.
        TwinloopError: the plan uses no hall of its own.
    """
    from twinloop.api import PlanResult, SimulationResult
    from twinloop.errors import TwinloopError
    from twinloop.planner.replay import planned_years
    from twinloop.scenario import resolve, scenario_hash
    from twinloop.twin.metrics import simulation

    model = resolve(scenario)
    given = plan(scenario) if planned is None else planned
    years = given.years if isinstance(given, PlanResult) else planned_years(model, given)
    if not years:
        raise TwinloopError("the plan uses no hall of its own: a provider's year cannot be simulated")
    halls = {site.name: site for site in model.on_premise}
    found = simulation(model.name, scenario_hash(scenario), [(halls[year.site], year) for year in years])
    return SimulationResult(found, years)


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

    wet = np.full(round(hours * 3600.0 / step_s), wet_bulb_c)
    return replay(FRONTIER, read_jobs(Path(trace)), OutdoorAir(wet + 5.0, wet, wet - 2.0, 101325.0), step_s, rule)[0]
