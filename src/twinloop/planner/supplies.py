"""Other cold supplies for the recommended halls, each scored by the twin; the best stays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from twinloop.model.model import Allow, Model
from twinloop.model.site import OnPremise
from twinloop.planner.check import Checked, check
from twinloop.planner.designs import at_supply, candidate_designs, intake_limit_c, warmer_designs, within_intake
from twinloop.planner.dew import MARGIN_K, hall_dew_point_c
from twinloop.planner.explain import amount_words
from twinloop.planner.optimise import (
    Optimised,
    Seen,
    acceptable,
    exceeded_rows,
    least_margin_k,
    throttled,
    wet_doors,
)
from twinloop.planner.placements import Placement
from twinloop.planner.screen import Screened
from twinloop.twin.design import HybridDesign, PlantConstants


def resupplied(
    model: Model, best: Optimised, screened: Screened, k: PlantConstants, seen: Seen | None = None
) -> tuple[Optimised, Screened]:
    """Return the plan with the cold supply that the twin finds best in each hall, at most three checks a hall.

    All placements of the hall under the design take the other supply, with the coefficients that they have:
    the next best stages are weighed with it.
    """
    for site in model.on_premise:
        names = {p.design for p in best.checked.placements if p.site == site.name}
        if not names:
            continue
        design = screened.designs[site.name, str(next(iter(names)))]
        for other in other_supplies(design, site, model.allow):
            designs = {**screened.designs, (site.name, other.name): other}
            checked = _checked(model, _swapped(best.checked.placements, site.name, design, other), designs, k, seen)
            if acceptable(model, checked) and checked.objective < best.checked.objective:
                bound = min(best.bound, checked.objective)
                gap = (checked.objective - bound) / max(abs(checked.objective), 1e-9)
                placements = _swapped(best.problem.placements, site.name, design, other)
                problem = replace(best.problem, placements=placements)
                best = replace(best, checked=checked, problem=problem, bound=bound, gap=gap)
                screened = replace(
                    screened, placements=_swapped(screened.placements, site.name, design, other), designs=designs,
                    kit_of={**screened.kit_of, other.name: screened.kit_of[design.name]},
                    every=_swapped(screened.every, site.name, design, other),
                )  # fmt: skip
                design = other
    return best, screened


def _checked(
    model: Model, placements: tuple[Placement, ...], designs: dict[tuple[str, str], HybridDesign], k: PlantConstants,
    seen: Seen | None,
) -> Checked:  # fmt: skip
    known: Seen = {} if seen is None else seen
    key = tuple(p.key for p in placements)
    known[key] = known.get(key) or check(model, placements, designs, k)
    return known[key]


def other_supplies(design: HybridDesign, site: OnPremise, allow: Allow) -> tuple[HybridDesign, ...]:
    """Return ``design`` at the other cold supplies that the hall may have; none where the plant is kept."""
    if site.plant is not None and site.plant.keep:
        return ()
    every = (each for one in candidate_designs(site, allow) for each in (one, *warmer_designs(one, site)))
    alike = {each.name: each for each in every if _but_supply(each) == _but_supply(design)}
    return tuple(each for name, each in alike.items() if name != design.name)


def _but_supply(design: HybridDesign) -> HybridDesign:
    return replace(design, name="", cold_supply_c=0.0, air_supply_c=0.0)


def _swapped(
    placements: tuple[Placement, ...], site: str, design: HybridDesign, other: HybridDesign
) -> tuple[Placement, ...]:
    return tuple(replace(p, design=other.name) if (p.site, p.design) == (site, design.name) else p for p in placements)


def intake_words(model: Model, best: Checked, site: OnPremise, screened: Screened, k: PlantConstants) -> str:
    """Return what keeping to the recommended intake costs against the best warmer air that the class allows.

    Empty where the scenario takes the allowable range, where nothing breathes hall air, and where no warmer supply
    is to be had.
    """
    name = next(str(p.design) for p in best.placements if p.site == site.name)
    design = screened.designs[site.name, name]
    if site.intake == "allowable" or design.immersed or not within_intake(design, site, "recommended"):
        return ""
    warmer = warmer_designs(design, replace(site, intake="allowable"))
    found = []
    for other in (each for each in warmer if not within_intake(each, site, "recommended")):
        designs = {**screened.designs, (site.name, other.name): other}
        checked = check(model, _swapped(best.placements, site.name, design, other), designs, k)
        if acceptable(model, checked):
            found.append((checked.objective, other))
    if not found:
        return ""
    value, other = min(found, key=lambda each: each[0])
    year = next(each.year for each in best.sites if each.planned.name == site.name)
    most = "" if year is None else f" ({np.max(year.hourly['intake_c']):.1f} °C in the warmest hour)"
    limit_c = intake_limit_c(site, "recommended")
    kept = f"Intakes are kept to the recommended {limit_c:g} °C of class {site.air_class}{most}"
    than = f"water of {other.cold_supply_c:g} °C with air of {other.air_supply_c:g} °C, which the class allows"
    extra = value - best.objective
    if extra >= 0.0:
        return f" {kept}; {than}, would cost {amount_words(model, extra)} more."
    return f" {kept}, which costs {amount_words(model, -extra)} more than {than} (`intake: allowable`)."


def dry_words(model: Model, best: Checked, site: OnPremise, screened: Screened, k: PlantConstants) -> str:
    """Return what water warm enough for dry doors would leave at the chips, where the plan's doors may sweat.

    Empty where they do not, where the plant is kept, and where chips would lose clock with it.
    """
    if site.name not in wet_doors(model, best) or (site.plant is not None and site.plant.keep):
        return ""
    design = screened.designs[site.name, next(str(p.design) for p in best.placements if p.site == site.name)]
    dry = at_supply(design, hall_dew_point_c(site) + MARGIN_K)
    designs = {**screened.designs, (site.name, dry.name): dry}
    checked = check(model, _swapped(best.placements, site.name, design, dry), designs, k)
    if throttled(model, checked) or exceeded_rows(model, checked):
        return ""
    extra = checked.objective - best.objective
    return (
        f" At {dry.cold_supply_c:g} °C in place of {design.cold_supply_c:g} °C the doors stay dry, for "
        f"{amount_words(model, abs(extra))} {'less' if extra < 0.0 else 'more'}, and the hottest chip keeps "
        f"{least_margin_k(checked):.1f} K below its limit on the design day in place of {least_margin_k(best):.1f} K."
    )
