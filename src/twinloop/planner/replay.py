"""A plan read back from its file, run through the twin again: the same choice, its year anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from twinloop.errors import InputError, TwinloopError
from twinloop.model.estimate import StageOption
from twinloop.model.model import Allow, Model, Stage
from twinloop.model.plan import Plan, PlannedStage
from twinloop.model.simulation import Simulation, SiteYear
from twinloop.model.site import OnPremise
from twinloop.planner.designs import between_supplies, candidate_designs, warmer_designs
from twinloop.planner.racks import server_of
from twinloop.planner.rates import group_of
from twinloop.planner.stored import stored_group
from twinloop.twin.design import HybridDesign, PlantConstants
from twinloop.twin.fault_words import faults_by_hall
from twinloop.twin.groups import ItGroup
from twinloop.twin.incidents import Hall, WindowRun, run_window
from twinloop.twin.metrics import potential_figures, simulation
from twinloop.twin.potential import potential
from twinloop.twin.standing import hall_plant
from twinloop.twin.transient_nouns import fleet_of
from twinloop.twin.window_metrics import window_simulation
from twinloop.twin.year import site_year
from twinloop.workload.options import stage_options
from twinloop.workload.profile import stage_activity, stage_quarters


def _silent(_: str) -> None:
    """Report nothing."""


def plan_simulation(
    model: Model, scenario_hash: str, plan: Plan, years: tuple[SiteYear, ...] | None = None,
    k: PlantConstants | None = None,
) -> tuple[Simulation, tuple[SiteYear, ...]]:  # fmt: skip
    """Return the figures of ``plan``'s halls over their weather year, and those years (run anew when ``None``).

    Raises:
        InputError: the plan is of another scenario.
        TwinloopError: the plan uses no hall of its own.
    """
    constants = k or PlantConstants()
    halls = planned_halls(model, plan, constants)
    if not halls:
        raise TwinloopError("the plan uses no hall of its own: a provider's year cannot be simulated")
    if years is None:
        years = tuple(site_year(hall.site, hall.plant, hall.groups, constants) for hall in halls)
    found = simulation(model.name, scenario_hash, [(hall.site, year) for hall, year in zip(halls, years, strict=True)])
    best = [potential(hall.site, hall.plant, hall.groups, constants) for hall in halls]
    return replace(found, potential=potential_figures(found, list(zip(years, best, strict=True)))), years


def plan_window(
    model: Model, scenario_hash: str, plan: Plan, window: str, faults: Sequence[str], step_s: float,
    say: Callable[[str], None] = _silent, k: PlantConstants | None = None,
) -> tuple[Simulation, list[WindowRun]]:  # fmt: skip
    """Return the figures and runs of ``plan``'s halls over ``window`` at ``step_s``, with and without ``faults``.

    Raises:
        InputError: the plan is of another scenario, or a window or fault is not understood.
        TwinloopError: the plan uses no hall of its own.
    """
    halls = planned_halls(model, plan, k)
    if not halls:
        raise TwinloopError("the plan uses no hall of its own: a provider's hall cannot be simulated")
    mine = faults_by_hall(faults, [hall.site.name for hall in halls])
    runs = []
    for hall in halls:

        def progress(done: int, of: int, name: str = hall.site.name) -> None:
            say(f"{name}: {done / of:.0%} of the window")

        texts = mine[hall.site.name]
        runs.append(run_window(hall, window, texts, step_s, k or PlantConstants(), say=progress))
    return window_simulation(model.name, scenario_hash, runs), runs


def planned_halls(model: Model, plan: Plan, k: PlantConstants | None = None) -> tuple[Hall, ...]:
    """Return every hall that ``plan`` uses, sized as planning did, with the unit counts of its equipment schedule.

    Raises:
        InputError: the plan is of another scenario: a stage, device, layout, hall or cooling it names is unknown.
    """
    constants = k or PlantConstants()
    halls = {site.name: site for site in model.on_premise}
    found = []
    for planned in plan.sites:
        if planned.cooling is None:
            continue
        if planned.name not in halls:
            raise _foreign(f"hall {planned.name}")
        hall = halls[planned.name]
        stored = stored_group(model, hall)
        groups = tuple(_group(model, stage) for stage in plan.stages if stage.site == hall.name)
        groups = groups if stored is None else (*groups, stored)
        design = _design(hall, model.allow, planned.cooling.name)
        plant = hall_plant(hall, design, groups, constants)
        found.append(Hall(hall, plant, groups, fleet_of(planned.equipment)))
    return tuple(found)


def _group(model: Model, planned: PlannedStage) -> ItGroup:
    stage = next((each for each in model.stages if each.name == planned.name), None)
    if stage is None:
        raise _foreign(f"stage {planned.name}")
    option = _option(model, stage, planned)
    return group_of(
        option,
        model.device(option.device),
        server_of(model, option.server),
        stage_activity(option, model.stages),
        stage_quarters(option, model.stages),
    )


def _option(model: Model, stage: Stage, planned: PlannedStage) -> StageOption:
    for option in stage_options(model, stage):
        named = (option.device, option.device_count, option.server, option.precision, option.compression)
        wanted = (planned.device, planned.device_count, planned.server, planned.precision, planned.compression)
        if named == wanted and vars(option.parallelism) == vars(planned.parallelism):
            return option
    raise _foreign(f"{planned.device_count} x {planned.device} for stage {planned.name}")


def _design(hall: OnPremise, allow: Allow, name: str) -> HybridDesign:
    for design in candidate_designs(hall, allow):
        for each in (design, *warmer_designs(design, hall), *between_supplies(design)):
            if each.name == name:
                return each
    raise _foreign(f"cooling {name!r} of {hall.name}")


def _foreign(what: str) -> InputError:
    return InputError(f"--plan: got {what}, expected a plan of this scenario: plan it again")
