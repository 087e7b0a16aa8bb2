"""A plan read back from its file, run through the twin again: the same choice, its year anew."""

from __future__ import annotations

from twinloop.errors import InputError
from twinloop.model.estimate import StageOption
from twinloop.model.model import Allow, Model, Stage
from twinloop.model.plan import Plan, PlannedStage
from twinloop.model.simulation import SiteYear
from twinloop.model.site import OnPremise
from twinloop.planner.designs import candidate_designs
from twinloop.planner.racks import server_of
from twinloop.planner.rates import group_of
from twinloop.twin.design import HybridDesign, PlantConstants
from twinloop.twin.groups import ItGroup
from twinloop.twin.incidents import Hall
from twinloop.twin.sizing import size_plant
from twinloop.twin.transient_nouns import fleet_of
from twinloop.twin.year import site_year
from twinloop.workload.options import stage_options
from twinloop.workload.profile import hourly_activity


def planned_years(model: Model, plan: Plan, k: PlantConstants | None = None) -> tuple[SiteYear, ...]:
    """Return the year of every hall that ``plan`` uses, sized and run as planning did.

    Raises:
        InputError: the plan is of another scenario: a stage, device, layout, hall or cooling it names is unknown.
    """
    constants = k or PlantConstants()
    return tuple(
        site_year(hall.site, hall.plant, hall.groups, constants) for hall in planned_halls(model, plan, constants)
    )


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
        groups = tuple(_group(model, stage) for stage in plan.stages if stage.site == hall.name)
        design = _design(hall, model.allow, planned.cooling.name)
        weather = hall.weather
        plant = size_plant(
            design, groups, weather.design, weather.pressure_pa, hall.floor.area_m2, constants, hall.heat_offtake
        )
        found.append(Hall(hall, plant, groups, fleet_of(planned.equipment)))
    return tuple(found)


def _group(model: Model, planned: PlannedStage) -> ItGroup:
    stage = next((each for each in model.stages if each.name == planned.name), None)
    if stage is None:
        raise _foreign(f"stage {planned.name}")
    option = _option(model, stage, planned)
    return group_of(
        option, model.device(option.device), server_of(model, option.server), hourly_activity(option, stage)
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
        if design.name == name:
            return design
    raise _foreign(f"cooling {name!r} of {hall.name}")


def _foreign(what: str) -> InputError:
    return InputError(f"--plan: got {what}, expected a plan of this scenario: plan it again")
