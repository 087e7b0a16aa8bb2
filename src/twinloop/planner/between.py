"""Cold water between the usual supplies: as warm as the margin that is asked for lets it be."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from twinloop.model.estimate import StageOption
from twinloop.model.model import Model
from twinloop.model.site import OnPremise
from twinloop.planner.designs import COLD_SUPPLY_C, SUPPLY_STEP_K, at_supply
from twinloop.planner.placements import belongs, plated
from twinloop.planner.racks import server_of
from twinloop.planner.rates import Rates, group_of
from twinloop.twin.design import HybridDesign, PlantConstants
from twinloop.twin.design_hours import busy_state, design_hours, margins_k
from twinloop.twin.sizing import size_plant


def between(
    model: Model, site: OnPremise, kept: list[HybridDesign], rated: dict[tuple[str, str], Rates],
    references: dict[str, StageOption], rate: Callable[[HybridDesign, StageOption], Rates], k: PlantConstants,
) -> list[HybridDesign]:  # fmt: skip
    """Return designs of ``kept`` with the warmest water that keeps the margin asked for, where 20 °C do not.

    Chips warm with the water nearly kelvin for kelvin, so the supply lies close to the line between two that are
    known; where the margin bends, the line is drawn anew to what was found. Warmer water costs less and lies farther
    above the dew point.
    """
    wanted_k, found = model.caps.junction_margin_k, []
    if model.caps.junction_margin_k <= 0.0 or (site.plant is not None and site.plant.keep):
        return []
    coldest_c, usual_c = COLD_SUPPLY_C
    for design in (each for each in kept if each.cold_supply_c == coldest_c):
        heaviest = heaviest_of(model, design, references)
        if heaviest is None or (at_supply(design, usual_c).name, heaviest.server) not in rated:
            continue
        margin_k = partial(lit_margin_k, model, site, heaviest, k)
        cold_k, warm_k, supply_c = margin_k(design), margin_k(at_supply(design, usual_c)), usual_c
        while supply_c > coldest_c and warm_k < wanted_k < cold_k:
            on_line_c = coldest_c + (supply_c - coldest_c) * (cold_k - wanted_k) / (cold_k - warm_k)
            supply_c = math.floor(on_line_c / SUPPLY_STEP_K) * SUPPLY_STEP_K
            warm_k = margin_k(at_supply(design, supply_c))
        if coldest_c < supply_c < usual_c:
            middle = at_supply(design, supply_c)
            rated[middle.name, heaviest.server] = rate(middle, heaviest)
            found.append(middle)
    return found


def lit_margin_k(model: Model, site: OnPremise, option: StageOption, k: PlantConstants, design: HybridDesign) -> float:
    """Return what chips of ``option`` keep below their limit on the design day, alone in the hall with all its lights.

    Ratings leave out lights, which a hall takes once, whatever runs in it. They warm the intakes: by tenths of a
    kelvin in a full hall, more in an emptier one.
    """
    group = group_of(
        option, model.device(option.device), server_of(model, option.server), np.ones(1)
    )  # fmt: skip
    weather = site.weather
    plant = size_plant(design, (group,), weather.design, weather.pressure_pa, site.floor.area_m2, k, site.heat_offtake)
    state = busy_state(plant, (group,), design_hours(weather, k), k)
    return float(np.min(margins_k(state, (group,))))


def heaviest_of(model: Model, design: HybridDesign, references: dict[str, StageOption]) -> StageOption | None:
    """Return the option of most mean power whose server belongs under ``design``; one answer for a whole kit."""
    able = {server: option for server, option in references.items() if belongs(server_of(model, server), design)}
    anchors = {server: option for server, option in able.items() if plated(server_of(model, server), design)}
    ranked = anchors or able
    return max(ranked.values(), key=lambda o: (o.busy_fraction * o.busy.total_w, o.server), default=None)
