"""All placements of a model, with coefficients from weighted sample hours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from twinloop.errors import InfeasibleError
from twinloop.model.estimate import StageOption
from twinloop.model.model import Model
from twinloop.model.site import OnPremise
from twinloop.planner.designs import KITS, candidate_designs
from twinloop.planner.placements import (
    Placement,
    cloud_placement,
    edge_placement,
    hall_placement,
    may_run,
    residency,
)
from twinloop.planner.racks import server_of
from twinloop.planner.rates import Rates, group_of, rates
from twinloop.twin.design import HybridDesign, PlantConstants
from twinloop.twin.sample import SampledHours, sample_hours
from twinloop.workload.options import rejected, stage_options
from twinloop.workload.profile import hourly_activity

SAMPLE_HOURS = 96
DESIGNS_PER_KIT = 3
OPTIONS_PER_STAGE = 10

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Screened:
    """Everything the selection chooses from."""

    options: dict[str, tuple[StageOption, ...]]
    placements: tuple[Placement, ...]
    designs: dict[tuple[str, str], HybridDesign]
    """(site, design name) -> design."""
    kit_of: dict[str, str]
    """Design name -> kit."""
    evaluated: int
    """Designs screened, before the best of each kit were kept."""
    notes: tuple[str, ...]


def screen(model: Model, k: PlantConstants, progress: Progress) -> Screened:
    """Return all placements of ``model``; an empty stage raises with the reasons."""
    options = {stage.name: _shortlist(stage_options(model, stage)) for stage in model.stages}
    empty = [stage for stage in model.stages if not options[stage.name]]
    if empty:
        clashes = tuple(f"{stage.name}: {reason}" for stage in empty for reason in rejected(model, stage)[:6])
        raise InfeasibleError(clashes, ("relax the deadline or latency, or allow more devices",))
    placements: list[Placement] = []
    designs: dict[tuple[str, str], HybridDesign] = {}
    evaluated, notes = 0, []
    for site in model.on_premise:
        progress(f"screening cooling designs of {site.name}")
        found, kept, count = _screen_hall(model, site, options, k)
        placements += found
        designs |= {(site.name, design.name): design for design in kept}
        evaluated += count
    for cloud in model.clouds:
        placements += _placed(model, options, cloud, lambda option, site=cloud: cloud_placement(model, site, option))
    for edge in model.edges:
        placements += _placed(model, options, edge, lambda option, site=edge: edge_placement(model, site, option))
    kit_of = {design.name: _kit(design) for design in designs.values()}
    return Screened(options, tuple(placements), designs, kit_of, evaluated, tuple(notes))


def _kit(design: HybridDesign) -> str:
    return next(name for name, paths in KITS.items() if paths == design.paths)


def _shortlist(options: tuple[StageOption, ...]) -> tuple[StageOption, ...]:
    """Keep the best few by energy, then device count, of every device: the selection needs variety, not bulk."""
    if len(options) <= OPTIONS_PER_STAGE:
        return options
    devices = sorted({option.device for option in options})
    each = max(OPTIONS_PER_STAGE // len(devices), 1)
    kept = []
    for device in devices:
        mine = [option for option in options if option.device == device]
        kept += sorted(mine, key=lambda o: (o.device_count, o.busy_fraction * o.busy.total_w))[:each]
    return tuple(kept)


def _placed(model: Model, options: dict[str, tuple[StageOption, ...]], site, place) -> list[Placement]:  # type: ignore[no-untyped-def]
    found = []
    for stage in model.stages:
        if may_run(stage, site, residency(model, stage)):
            found += [p for p in map(place, options[stage.name]) if p is not None]
    return found


def _screen_hall(
    model: Model, site: OnPremise, options: dict[str, tuple[StageOption, ...]], k: PlantConstants
) -> tuple[list[Placement], list[HybridDesign], int]:
    """Rate every design for every kind of server, keep the best designs of each kit."""
    candidates = candidate_designs(site, model.allow)
    sample = sample_hours(
        site.weather.dry_bulb_c, site.weather.wet_bulb_c, np.zeros_like(site.weather.dry_bulb_c), SAMPLE_HOURS
    )
    references = _references(model, site, options)
    by_design: dict[str, list[Placement]] = {}
    for design in candidates:
        table = {server: _rate(model, site, design, option, sample, k) for server, option in references.items()}
        by_design[design.name] = _placed(
            model, options, site, lambda option, d=design, t=table: _place(model, site, d, option, t[option.server])
        )
    kept = _best_of_each_kit(model, candidates, by_design)
    return [p for design in kept for p in by_design[design.name]], kept, len(candidates)


def _references(
    model: Model, site: OnPremise, options: dict[str, tuple[StageOption, ...]]
) -> dict[str, StageOption]:
    """Return one option for each server type that some stage may put in the hall."""
    found: dict[str, StageOption] = {}
    for stage in model.stages:
        if may_run(stage, site, residency(model, stage)):
            for option in options[stage.name]:
                found.setdefault(option.server, option)
    return found


def _rate(
    model: Model, site: OnPremise, design: HybridDesign, option: StageOption, sample: SampledHours, k: PlantConstants
) -> Rates:
    stage = next(each for each in model.stages if each.name == option.stage)
    mean = float(np.mean(hourly_activity(option, stage)))
    activity = np.full(site.weather.dry_bulb_c.shape, max(mean, 0.05))
    group = group_of(option, model.device(option.device), server_of(model, option.server), activity)
    return rates(site, design, group, sample, k)[0]


def _place(
    model: Model, site: OnPremise, design: HybridDesign, option: StageOption, found: Rates
) -> Placement | None:
    return None if found.throttled else hall_placement(model, site, design, option, found)


def _best_of_each_kit(
    model: Model, candidates: tuple[HybridDesign, ...], by_design: dict[str, list[Placement]]
) -> list[HybridDesign]:
    """Keep the designs that serve most stages, then those cheapest, least in water and least in carbon."""

    def score(design: HybridDesign, value: str) -> tuple[int, float]:
        mine = by_design[design.name]
        stages = {p.stage for p in mine}
        best = [min(getattr(p, value) for p in mine if p.stage == stage) for stage in sorted(stages)]
        return (-len(stages), sum(best))

    kept: list[HybridDesign] = []
    for kit in KITS:
        mine = [d for d in candidates if _kit(d) == kit and by_design[d.name]]
        if not mine:
            continue
        ranked = sorted(mine, key=lambda d: (*score(d, "cost_usd"), d.name))[:DESIGNS_PER_KIT]
        ranked += [min(mine, key=lambda d, v=value: (*score(d, v), d.name)) for value in ("water_m3", "carbon_kg")]
        names = {design.name for design in ranked}
        kept += [design for design in mine if design.name in names]
    return kept
