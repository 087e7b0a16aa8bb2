"""A kept plant whose own supply temperature keeps every server out of its hall."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from twinloop.errors import InfeasibleError
from twinloop.model.model import Model
from twinloop.model.site import OnPremise
from twinloop.planner.designs import (
    COIL_APPROACH_K,
    COLD_SUPPLY_C,
    WARM_SUPPLY_C,
    WARMER_COLD_SUPPLY_C,
    existing_design,
)
from twinloop.planner.placements import belongs, may_run, residency
from twinloop.planner.racks import server_of
from twinloop.planner.rates import Rates, group_of, rates
from twinloop.planner.screen import SAMPLE_HOURS, shortlist
from twinloop.twin.design import HybridDesign, PlantConstants
from twinloop.twin.groups import ItGroup
from twinloop.twin.sample import sample_hours
from twinloop.workload.options import stage_options
from twinloop.workload.profile import stage_activity, stage_quarters


@dataclass(frozen=True)
class Kept:
    """A supply temperature of a kept plant at which no chip runs at full clock, and one at which some do."""

    site: str
    stage: str
    key: str
    """Of the scenario's ``design``."""
    kept_c: float
    devices: tuple[str, ...]
    """That the stage may take there; all of them lose clock."""
    works_c: float | None
    """The warmest supply looked at with which some server runs; ``None``: none does."""

    @property
    def clash(self) -> str:
        """In words."""
        return (
            f"{self.stage} at {self.site}: with the kept {self.key} of {self.kept_c:g} °C chips get too hot for their "
            f"full clock, {', '.join(self.devices)}"
        )

    @property
    def way_out(self) -> str:
        """In words."""
        if self.works_c is None:
            return f"{self.stage} at {self.site}: no {self.key} holds these devices; take another `cooling`"
        return (
            f"{self.stage} at {self.site}: set {self.key} to {self.works_c:g} °C in place of {self.kept_c:g} °C, "
            "or `keep: false`"
        )


def kept_error(model: Model, k: PlantConstants) -> InfeasibleError | None:
    """Return the error that names kept supplies which keep a stage out of its only hall; ``None``: none does."""
    found = [
        kept for site in model.on_premise if site.plant is not None and site.plant.keep for kept in _of(model, site, k)
    ]
    if not found:
        return None
    return InfeasibleError(tuple(each.clash for each in found), tuple(each.way_out for each in found))


def _of(model: Model, site: OnPremise, k: PlantConstants) -> list[Kept]:
    design = existing_design(site)
    if design is None:
        return []
    found = []
    for stage in model.stages:
        if not may_run(stage, site, residency(model, stage)):
            continue
        groups: dict[str, ItGroup] = {}
        for option in shortlist(model, stage, stage_options(model, stage)):
            server = server_of(model, option.server)
            if belongs(server, design):
                groups.setdefault(
                    server.name,
                    group_of(
                        option, model.device(option.device), server, stage_activity(option, model.stages),
                        stage_quarters(option, model.stages),
                    ),
                )  # fmt: skip
        rated = {name: _rated(site, design, group, k) for name, group in groups.items()}
        if rated and all(each.throttled for each in rated.values()):
            works = _works(site, design, groups, k)
            warm = works is not None and works.warm_supply_c != design.warm_supply_c
            found.append(
                Kept(
                    site.name, stage.name, "warm_supply" if warm else "cold_supply",
                    design.warm_supply_c if warm else design.cold_supply_c,
                    tuple(sorted({server_of(model, name).device for name in rated})),
                    None if works is None else (works.warm_supply_c if warm else works.cold_supply_c),
                )
            )  # fmt: skip
    return found


def _works(site: OnPremise, design: HybridDesign, groups: dict[str, ItGroup], k: PlantConstants) -> HybridDesign | None:
    """Return ``design`` with the warmest colder supply, of the cold loop first, at which some server runs."""
    colder = [
        replace(design, cold_supply_c=c, air_supply_c=c + COIL_APPROACH_K)
        for c in sorted((*COLD_SUPPLY_C, *WARMER_COLD_SUPPLY_C), reverse=True)
        if c < design.cold_supply_c
    ]
    if design.has_warm_loop:
        colder += [replace(design, warm_supply_c=c) for c in sorted(WARM_SUPPLY_C, reverse=True)
                   if design.cold_supply_c < c < design.warm_supply_c]  # fmt: skip
    return next(
        (each for each in colder if not all(_rated(site, each, group, k).throttled for group in groups.values())), None
    )


def _rated(site: OnPremise, design: HybridDesign, group: ItGroup, k: PlantConstants) -> Rates:
    activity = np.asarray(group.activity)
    sample = sample_hours(site.weather.dry_bulb_c, site.weather.wet_bulb_c, activity, SAMPLE_HOURS)
    return rates(site, design, group, sample, k)[0]
