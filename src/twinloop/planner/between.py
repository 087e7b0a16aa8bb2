"""Cold water between the usual supplies: as warm as the margin that is asked for lets it be."""

from __future__ import annotations

import math
from collections.abc import Callable

from twinloop.model.estimate import StageOption
from twinloop.model.model import Model
from twinloop.model.site import OnPremise
from twinloop.planner.designs import COLD_SUPPLY_C, SUPPLY_STEP_K, at_supply
from twinloop.planner.placements import belongs, plated
from twinloop.planner.racks import server_of
from twinloop.planner.rates import Rates
from twinloop.twin.design import HybridDesign

LIGHTS_K = 1.0
"""By which lights, which ratings leave out, may warm the intakes of a small hall."""


def between(
    model: Model, site: OnPremise, kept: list[HybridDesign], rated: dict[tuple[str, str], Rates],
    references: dict[str, StageOption], rate: Callable[[HybridDesign, StageOption], Rates],
) -> list[HybridDesign]:  # fmt: skip
    """Return designs of ``kept`` with the warmest water that keeps the margin asked for, where 20 °C do not.

    Chips warm with the water nearly kelvin for kelvin, so the supply lies close to the line between the two that were
    rated; where the margin bends, the line is drawn anew to what was found. Warmer water costs less and lies farther
    above the dew point.
    """
    wanted_k, found = model.caps.junction_margin_k + LIGHTS_K, []
    if model.caps.junction_margin_k <= 0.0 or (site.plant is not None and site.plant.keep):
        return []
    coldest_c, usual_c = COLD_SUPPLY_C
    for design in (each for each in kept if each.cold_supply_c == coldest_c):
        heaviest = heaviest_of(model, design, references)
        warm = heaviest and rated.get((at_supply(design, usual_c).name, heaviest.server))
        if heaviest is None or not warm:
            continue
        cold_k, warm_k = (each.margin_of_k(heaviest) for each in (rated[design.name, heaviest.server], warm))
        supply_c = usual_c
        while supply_c > coldest_c and warm_k < wanted_k < cold_k:
            on_line_c = coldest_c + (supply_c - coldest_c) * (cold_k - wanted_k) / (cold_k - warm_k)
            supply_c = math.floor(on_line_c / SUPPLY_STEP_K) * SUPPLY_STEP_K
            middle = at_supply(design, supply_c)
            rates = rated[middle.name, heaviest.server] = rate(middle, heaviest)
            warm_k = rates.margin_of_k(heaviest)
        found += [at_supply(design, supply_c)] if coldest_c < supply_c < usual_c else []
    return found


def heaviest_of(model: Model, design: HybridDesign, references: dict[str, StageOption]) -> StageOption | None:
    """Return the option of most mean power whose server belongs under ``design``; one answer for a whole kit."""
    able = {server: option for server, option in references.items() if belongs(server_of(model, server), design)}
    anchors = {server: option for server, option in able.items() if plated(server_of(model, server), design)}
    ranked = anchors or able
    return max(ranked.values(), key=lambda o: (o.busy_fraction * o.busy.total_w, o.server), default=None)
