"""All placements of a model, with coefficients from weighted sample hours."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

from twinloop.model.estimate import StageOption
from twinloop.model.model import Model, Stage
from twinloop.model.site import OnPremise, Site
from twinloop.planner.between import between, heaviest_of
from twinloop.planner.designs import (
    KITS,
    candidate_designs,
    existing_design,
    warmer_designs,
)
from twinloop.planner.dew import sweats
from twinloop.planner.placements import (
    Placement,
    belongs,
    cloud_placement,
    edge_placement,
    hall_placement,
    may_run,
    residency,
)
from twinloop.planner.racks import server_of
from twinloop.planner.rates import Rates, group_of, rates
from twinloop.planner.shortlist import shortlist
from twinloop.twin.design import HybridDesign, PlantConstants
from twinloop.twin.sample import SampledHours, sample_hours
from twinloop.workload.options import stage_options
from twinloop.workload.profile import stage_activity, stage_quarters

SAMPLE_HOURS = 48
DESIGNS_PER_KIT = 2

Progress = Callable[[str], None]
Remember = Callable[[tuple[str, str, StageOption], Callable[[], Rates]], Rates]
"""Gives what was found before for a site, a design and an option, or finds it: rating takes most of a plan's time."""


def fresh(_: tuple[str, str, StageOption], find: Callable[[], Rates]) -> Rates:
    """Remember nothing."""
    return find()


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
    every: tuple[Placement, ...] = ()
    """``placements`` with those that others beat in all: what a stage would have without its best device."""


def screen(
    model: Model, k: PlantConstants, progress: Progress, remember: Remember = fresh, *, whole: bool = False
) -> Screened:
    """Return the placements of ``model``'s cheapest options, or of the ``whole`` of them; a stage that nothing can
    run has none.
    """
    options = {stage.name: stage_options(model, stage) for stage in model.stages}
    if not whole:
        options = {stage.name: shortlist(model, stage, options[stage.name]) for stage in model.stages}
    return place(model, options, k, progress, remember=remember)


def place(
    model: Model, options: dict[str, tuple[StageOption, ...]], k: PlantConstants, progress: Progress,
    *, loose: bool = False, remember: Remember = fresh,
) -> Screened:  # fmt: skip
    """Return the placements of ``options``; ``loose`` lets them break residency, named sites and rack limits."""
    placements: list[Placement] = []
    designs: dict[tuple[str, str], HybridDesign] = {}
    evaluated = 0
    allowed = _allowed(model, loose=loose)
    for site in model.on_premise:
        rate = partial(_rate, model, site, k=k, remember=remember, sampled={})
        found, kept, count = _screen_hall(model, site, options, allowed, rate, k, progress, loose=loose)
        placements += found
        designs |= {(site.name, design.name): design for design in kept}
        evaluated += count
    placements += _elsewhere(model, options, allowed, loose=loose)
    kit_of = {design.name: _kit(design) for design in designs.values()}
    kept_placements = tuple(placements) if loose else undominated(placements)
    return Screened(options, kept_placements, designs, kit_of, evaluated, tuple(placements))


Allowed = Callable[[Stage, Site], bool]


def _allowed(model: Model, *, loose: bool) -> Allowed:
    bound = {stage.name: residency(model, stage) for stage in model.stages}
    return lambda stage, site: loose or may_run(stage, site, bound[stage.name])


def undominated(placements: Iterable[Placement]) -> tuple[Placement, ...]:
    """Drop a placement when another of the same stage, site and design is no worse in all that counts."""
    groups: dict[tuple[str | None, ...], list[Placement]] = {}
    for p in placements:
        groups.setdefault((p.stage, p.site, p.design, p.load.kind if p.load else None), []).append(p)
    return tuple(p for mine in groups.values() for p in _front(mine))


def _front(mine: list[Placement]) -> list[Placement]:
    def figures(p: Placement) -> tuple[float, ...]:
        room = () if p.load is None else tuple(p.load.servers * each for each in p.load.share)
        place_w = p.facility_peak_w / p.copies
        return (
            p.cost_usd,
            p.facility_peak_w,
            p.racks,
            p.weight_kg,
            p.water_m3,
            p.carbon_kg,
            p.facility_j,
            place_w,
            p.beside,
            *room,
        )

    kept: list[Placement] = []
    for p in sorted(mine, key=lambda p: (figures(p), p.key)):
        if not any(all(a <= b for a, b in zip(figures(other), figures(p), strict=True)) for other in kept):
            kept.append(p)
    return kept


def _kit(design: HybridDesign) -> str:
    return next(name for name, paths in KITS.items() if paths == design.paths)


def _placed(
    model: Model,
    options: dict[str, tuple[StageOption, ...]],
    site: Site,
    allowed: Allowed,
    put: Callable[[StageOption], Placement | None],
) -> list[Placement]:
    found = []
    for stage in model.stages:
        if allowed(stage, site):
            found += [p for p in map(put, options[stage.name]) if p is not None]
    return found


def _screen_hall(
    model: Model, site: OnPremise, options: dict[str, tuple[StageOption, ...]], allowed: Allowed,
    rate: Callable[[HybridDesign, StageOption], Rates], k: PlantConstants, progress: Progress, *, loose: bool,
) -> tuple[list[Placement], list[HybridDesign], int]:  # fmt: skip
    """Rate every design for every kind of server, keep the best designs of each kit."""
    candidates = candidate_designs(site, model.allow)
    if model.caps.dry_doors:
        candidates = tuple(design for design in candidates if not sweats(design, site))
    references = _references(model, site, options, allowed)
    if not references:
        return [], [], 0
    first: dict[str, Placement] = {}
    rated: dict[tuple[str, str], Rates] = {}
    for i, design in enumerate(candidates, 1):
        progress(f"screening cooling designs of {site.name}: {i} of {len(candidates)}")
        heaviest = heaviest_of(model, design, references)
        if heaviest is None:
            continue
        found_rates = rated[design.name, heaviest.server] = rate(design, heaviest)
        placed = _place(model, site, design, heaviest, found_rates, loose=loose)
        if placed is not None:
            first[design.name] = placed
    kept = _best_of_each_kit(candidates, first, coldest=model.caps.junction_margin_k > 0.0)
    kept = _warmed(model, site, kept, first, rated, references, rate, loose=loose)
    found_between = between(model, site, kept, rated, references, rate, k)
    kept += [design for design in found_between if not (model.caps.dry_doors and sweats(design, site))]
    standing = existing_design(site)
    if standing is not None and standing.name not in {design.name for design in kept}:
        kept += [design for design in candidates if design.name == standing.name]
    found: list[Placement] = []
    for design in kept:
        known = {server: rated[design.name, server] for server in references if (design.name, server) in rated}
        put = _putting(model, site, design, references, known, partial(rate, design), loose=loose)
        found += _placed(model, options, site, allowed, put)
    return found, kept, len(candidates)


def _putting(
    model: Model, site: OnPremise, design: HybridDesign, references: dict[str, StageOption], known: dict[str, Rates],
    rate: Callable[[StageOption], Rates], *, loose: bool = False,
) -> Callable[[StageOption], Placement | None]:  # fmt: skip
    """Return what places an option under ``design`` by the rates of its server: ``known``, or rated now."""
    table = {
        server: known.get(server) or rate(option)
        for server, option in references.items()
        if belongs(server_of(model, server), design)
    }
    return partial(_place_by, partial(_surely, model, table, rate, {}), model, site, design, loose=loose)


def place_beside(
    model: Model, stage: Stage, options: tuple[StageOption, ...], screened: Screened, used: dict[str, str],
    k: PlantConstants, remember: Remember,
) -> tuple[Placement, ...]:  # fmt: skip
    """Return the placements of other ``options`` of ``stage``: in halls as the plan cools them, and anywhere else.

    Args:
        model: with the stage as it is now.
        stage: one of the model's.
        options: its own, not those that were screened.
        screened: for designs and for ratings that are known.
        used: hall -> name of its design.
        k: sizing and control assumptions.
        remember: ratings.
    """
    mine = {each.name: options if each.name == stage.name else () for each in model.stages}
    allowed, found = _allowed(model, loose=False), []
    for site in (each for each in model.on_premise if each.name in used and allowed(stage, each)):
        servers = {option.server for option in options}
        references = {**_references(model, site, mine, allowed), **_references(model, site, screened.options, allowed)}
        references = {server: option for server, option in references.items() if server in servers}
        design = screened.designs[site.name, used[site.name]]
        rate = partial(_rate, model, site, design, k=k, remember=remember, sampled={})
        found += _placed(model, mine, site, allowed, _putting(model, site, design, references, {}, rate))
    return (*found, *_elsewhere(model, mine, allowed, loose=False))


def _elsewhere(
    model: Model, options: dict[str, tuple[StageOption, ...]], allowed: Allowed, *, loose: bool
) -> list[Placement]:
    """Return the placements in clouds and at the edge."""
    found: list[Placement] = []
    for cloud in model.clouds:
        for purchase in cloud.purchase:
            put = partial(cloud_placement, model, cloud, purchase=purchase)
            found += _placed(model, options, cloud, allowed, put)
    for edge in model.edges:
        found += _placed(model, options, edge, allowed, partial(edge_placement, model, edge, loose=loose))
    return found


def _warmed(
    model: Model, site: OnPremise, kept: list[HybridDesign], first: dict[str, Placement],
    rated: dict[tuple[str, str], Rates], references: dict[str, StageOption],
    rate: Callable[[HybridDesign, StageOption], Rates], *, loose: bool,
) -> list[HybridDesign]:  # fmt: skip
    """Return ``kept``, the cheapest of each kit with warmer cold water where that carries the heaviest stage cheaper.

    A hall that keeps its plant has no other supply; warmer ones are rated last, so that they cost two ratings a kit.
    """
    if site.plant is not None and site.plant.keep:
        return kept
    cheapest: dict[str, HybridDesign] = {}
    for design in sorted((each for each in kept if each.name in first), key=lambda d: (first[d.name].cost_usd, d.name)):
        cheapest.setdefault(_kit(design), design)
    instead: dict[str, HybridDesign] = {}
    for design in cheapest.values():
        heaviest = heaviest_of(model, design, references)
        if heaviest is None:
            continue
        now = design
        for warmer in warmer_designs(design, site):
            found = rated[warmer.name, heaviest.server] = rate(warmer, heaviest)
            placed = _place(model, site, warmer, heaviest, found, loose=loose)
            if placed is None or placed.cost_usd >= first[now.name].cost_usd:
                break
            first[warmer.name], now = placed, warmer
        instead[design.name] = now
    return [instead.get(design.name, design) for design in kept]


def _references(
    model: Model, site: OnPremise, options: dict[str, tuple[StageOption, ...]], allowed: Allowed
) -> dict[str, StageOption]:
    """Return one option for each server type that some stage may put in the hall."""
    found: dict[str, StageOption] = {}
    for stage in model.stages:
        if allowed(stage, site):
            for option in options[stage.name]:
                found.setdefault(option.server, option)
    return found


Sampled = dict[bytes, SampledHours]
"""Hours that stand for the year of one hall, by activity: options of one stage share them."""


def _rate(
    model: Model, site: OnPremise, design: HybridDesign, option: StageOption, k: PlantConstants, remember: Remember,
    sampled: Sampled,
) -> Rates:  # fmt: skip
    return remember((site.name, design.name, option), lambda: _rated(model, site, design, option, k, sampled))


def _rated(
    model: Model, site: OnPremise, design: HybridDesign, option: StageOption, k: PlantConstants, sampled: Sampled
) -> Rates:
    activity = stage_activity(option, model.stages)
    key = activity.tobytes()
    if key not in sampled:
        sampled[key] = sample_hours(site.weather.dry_bulb_c, site.weather.wet_bulb_c, activity, SAMPLE_HOURS)
    group = group_of(
        option,
        model.device(option.device),
        server_of(model, option.server),
        activity,
        stage_quarters(option, model.stages),
    )
    return rates(site, design, group, sampled[key], k)[0]


def _surely(
    model: Model, table: dict[str, Rates], rate: Callable[[StageOption], Rates], known: dict[tuple[str, float], float],
    option: StageOption,
) -> Rates | None:  # fmt: skip
    """Return the rates of ``option``'s server, with its own margin where the server's may be on either side."""
    found, wanted_k = table.get(option.server), model.caps.junction_margin_k
    if found is None:
        return None
    low_k, high_k = sorted((found.margin_k, found.margin_of_k(option)))
    if not low_k < wanted_k <= high_k:
        return found
    key = (option.server, option.device_w)
    if key not in known:
        known[key] = rate(option).margin_k
    return replace(found, margin_k=known[key], margin_k_per_w=0.0)


def _place_by(
    find: Callable[[StageOption], Rates | None], model: Model, site: OnPremise, design: HybridDesign,
    option: StageOption, *, loose: bool,
) -> Placement | None:  # fmt: skip
    return _place(model, site, design, option, find(option), loose=loose)


def _place(
    model: Model,
    site: OnPremise,
    design: HybridDesign,
    option: StageOption,
    found: Rates | None,
    *,
    loose: bool = False,
) -> Placement | None:
    if found is None or found.throttled or found.margin_of_k(option) < model.caps.junction_margin_k:
        return None
    return hall_placement(model, site, design, option, found, loose=loose)


def _best_of_each_kit(
    candidates: tuple[HybridDesign, ...], first: dict[str, Placement], *, coldest: bool
) -> list[HybridDesign]:
    """Keep of each kit the designs that carry the heaviest stage cheapest, with least water, with least carbon.

    Where a kit cannot carry that stage at all, its first designs stay: lighter stages may use them. ``coldest`` keeps
    the one with the coldest water besides: chips of lighter stages may keep less margin than the heaviest one's.
    """
    kept: list[HybridDesign] = []
    for kit in KITS:
        mine = [design for design in candidates if _kit(design) == kit]
        able = [design for design in mine if design.name in first]
        if not able:
            kept += mine[:1]
            continue
        ranked = sorted(able, key=lambda d: (first[d.name].cost_usd, d.name))[:DESIGNS_PER_KIT]
        ranked.append(min(able, key=lambda d: (first[d.name].water_m3, first[d.name].cost_usd, d.name)))
        ranked.append(min(able, key=lambda d: (first[d.name].carbon_kg, first[d.name].cost_usd, d.name)))
        if coldest:
            ranked.append(min(able, key=lambda d: (d.cold_supply_c, first[d.name].cost_usd, d.name)))
        names = {design.name for design in ranked}
        kept += [design for design in able if design.name in names]
    return kept
