"""What to add when, as the load grows: servers, racks, cooling units, and the year a limit is reached."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from twinloop.catalogue import cooling_kit
from twinloop.economics.periods import YEAR_S, years
from twinloop.model.model import Model
from twinloop.model.plan import Equipment, RuleBreach
from twinloop.model.site import OnPremise
from twinloop.planner.check import Checked, CheckedSite
from twinloop.planner.money import load_growth_per_year
from twinloop.planner.placements import Placement
from twinloop.planner.sharing import Load, count, fill, whole_racks
from twinloop.planner.stored import stored_at, stored_rack_share
from twinloop.twin.design import PlantConstants

BOUGHT_ONCE = ("pipework", "transformer", "ups", "rectifier", "shared_storage")
"""Lines that later units of the plant share; storage is bought for the datasets of the whole horizon."""
WITH_SERVERS = ("cold_plate", "rectifier_shelf", "rack_converter", "fabric_switch", "front_end_switch")
"""Lines that come with the servers, in proportion, not as units of their own."""
_SOURCE = "the scenario's growth; servers in whole numbers, peak power and water in proportion to the load"


@dataclass(frozen=True)
class Outgrown:
    """The first year in which growth needs more of a limit than a hall has."""

    site: str
    year: int
    limit: str
    figures: str
    """Need and limit in words."""


def utility_power_w(site: OnPremise, year: int) -> float:
    """Return the utility power that ``site`` has in ``year`` of the horizon, 1 the first."""
    power_w = site.utility_power_w
    for phase in site.power_phases:
        if phase.start_s <= (year - 1) * YEAR_S + 1.0:
            power_w = phase.power_w
    return power_w


def power_that_lasts_w(model: Model, site: OnPremise) -> float:
    """Return the power that a plan may take at first: all, or what still fits when grown, in the tightest year."""
    if not model.caps.growth_fits:
        return site.utility_power_w
    growth = load_growth_per_year(model)
    return min(utility_power_w(site, y) / (1.0 + growth) ** (y - 1) for y in range(1, _last_year(model) + 1))


def water_that_lasts_m3(model: Model, site: OnPremise) -> float | None:
    """Return the water that a plan may take in its first year, likewise; ``None``: no limit."""
    supply_m3 = site.water.supply_m3_per_year
    return None if supply_m3 is None else supply_m3 / last_factor(model)


def last_load(model: Model, load: Load) -> Load:
    """Return ``load`` with the servers of the last year, where growth must fit."""
    return replace(load, servers=_whole(load.servers, last_factor(model))) if model.caps.growth_fits else load


def last_factor(model: Model) -> float:
    """Return the load of the last year over that of the first, 1 where growth need not fit."""
    return (1.0 + load_growth_per_year(model)) ** (_last_year(model) - 1) if model.caps.growth_fits else 1.0


def phases(model: Model, checked: Checked) -> tuple[str, ...]:
    """Return one line for each year and site with what to add, and one where a limit of a hall is reached."""
    growth = load_growth_per_year(model)
    halls = {site.name: site for site in model.on_premise}
    last = _last_year(model)
    found = []
    for site in checked.sites:
        hall = halls.get(site.planned.name)
        if hall is not None and hall.power_phases:
            steps = (f"{p.power_w / 1e6:g} MW from year {p.start_s / YEAR_S + 1:.3g}" for p in hall.power_phases)
            found.append(f"{hall.name}: utility power {hall.utility_power_w / 1e6:g} MW at first, {', '.join(steps)}")
        found += [_year(model, checked, site, hall, growth, year) for year in range(2, last + 1)]
    if last > 1:
        found.append(
            f"The cash flow books growth in proportion to the load, {growth:.1%} of what stands each year; servers and "
            "machines come whole, so that a year's real order lies above or below what is booked"
        )
    return tuple(found)


def outgrown(model: Model, checked: Checked) -> tuple[Outgrown, ...]:
    """Return each limit of a hall that the growing load passes within the horizon, with the first such year."""
    growth = load_growth_per_year(model)
    halls = {site.name: site for site in model.on_premise}
    found: dict[tuple[str, str], Outgrown] = {}
    for site in checked.sites:
        hall = halls.get(site.planned.name)
        if hall is None:
            continue
        for year in range(2, _last_year(model) + 1):
            for limit, figures in _full(model, checked, site, hall, (1.0 + growth) ** (year - 1), year).items():
                found.setdefault((hall.name, limit), Outgrown(hall.name, year, limit, figures))
    return tuple(sorted(found.values(), key=lambda each: (each.site, each.year)))


def growth_warnings(model: Model, checked: Checked) -> tuple[RuleBreach, ...]:
    """Return one warning for each limit of a hall that the plan outgrows."""
    return tuple(
        RuleBreach("growth", f"{each.site}: from year {each.year} growth needs {each.figures}", _SOURCE)
        for each in outgrown(model, checked)
    )


def outgrown_words(found: tuple[Outgrown, ...]) -> str:
    """Return one clause on what is outgrown; empty where nothing is.

    >>> outgrown_words((Outgrown("hall", 4, "rack positions", "16 rack positions of 14"),))
    'from year 4 growth needs more rack positions than hall has (16 rack positions of 14)'
    """
    return "; ".join(
        f"from year {each.year} growth needs more {each.limit} than {each.site} has ({each.figures})" for each in found
    )


def _last_year(model: Model) -> int:
    return math.ceil(years(model.horizon_s)) if load_growth_per_year(model) > 0.0 else 1


def _year(model: Model, checked: Checked, site: CheckedSite, hall: OnPremise | None, growth: float, year: int) -> str:
    now, before = (1.0 + growth) ** (year - 1), (1.0 + growth) ** (year - 2)
    name = site.planned.name
    added = [
        f"{more} × {p.offer.instance if p.offer else p.option.server} for {p.stage}{_layout_words(p, now)}"
        for p in checked.placements
        if p.site == name and (more := _whole(p.servers, now) - _whole(p.servers, before))
    ]
    added += [
        f"{more} × {line.type.replace('_', ' ')} of {line.rated_w / 1e3:,.0f} kW"
        for line in site.planned.equipment
        if line.type not in WITH_SERVERS and (more := _units(line, now) - _units(line, before)) > 0
    ]
    added += [
        f"{line.type.replace('_', ' ')}s of {line.rated_w * line.count * (now - before) / 1e3:,.0f} kW with the servers"
        for line in site.planned.equipment
        if line.type in WITH_SERVERS
    ]
    text = f"{name}, before year {year} (load × {now:.2f}): add {', '.join(added) or 'nothing'}"
    full = {} if hall is None else _full(model, checked, site, hall, now, year)
    return text + (f"; beyond the hall: {', '.join(full.values())}" if full else "")


def _layout_words(p: Placement, factor: float) -> str:
    """Return what becomes of a training layout on the servers of ``factor`` times the load; empty for other work.

    Only the copies of the model multiply: a copy keeps its tensor, pipeline and context parallelism, the copies
    must share the batch evenly, and a micro-batch may only become smaller, so that it still fits.
    """
    o, layout = p.option, p.option.parallelism
    if o.mfu is None or o.duration_s is None or o.device_count % layout.data:
        return ""
    a_copy, a_server = o.device_count // layout.data, max(o.device_count // max(p.servers, 1), 1)
    devices = _whole(p.servers, factor) * a_server
    if devices % a_copy == 0 and layout.batch % (devices // a_copy) == 0:
        return f" ({devices} devices in all: {_as_laid_out(p, devices // a_copy)})"
    changes = f" ({devices} devices in all: the layout or the batch of {layout.batch} must change"
    for copies in range(devices // a_copy + 1, layout.batch + 1):
        if copies * a_copy % a_server == 0 and layout.batch % copies == 0:
            more = copies * a_copy
            return f"{changes}, the same layout next fits {more // a_server} servers, {_as_laid_out(p, copies)})"
    return f"{changes}, no larger count keeps it)"


def _as_laid_out(p: Placement, copies: int) -> str:
    """Return ``copies`` of the model, and the micro-batch where theirs must be smaller."""
    layout = p.option.parallelism
    micro = math.gcd(layout.micro_batch, layout.batch // copies)
    return f"{copies} × data" + (f", micro-batch {micro}" if micro != layout.micro_batch else "")


def _whole(count: float, factor: float) -> int:
    return math.ceil(count * factor - 1e-9)


def _units(line: Equipment, factor: float) -> int:
    """Return running units, spares apart: the margin of the first ones is kept, but what the smallest machine on sale
    has beyond it is used up first."""
    if line.type in BOUGHT_ONCE:
        return 0
    margin = PlantConstants().sizing_margin
    smallest = line.margin > margin and line.rated_w <= cooling_kit(line.type).smallest_w * (1.0 + 1e-9)
    return _whole(line.count * ((1.0 + margin) / (1.0 + line.margin) if smallest else 1.0), factor)


def _full(
    model: Model, checked: Checked, site: CheckedSite, hall: OnPremise, factor: float, year: int
) -> dict[str, str]:
    """Return each limit of ``hall`` that ``factor`` times the load passes, with the figures in words."""
    loads = {
        i: replace(p.load, servers=_whole(p.servers, factor))
        for i, p in enumerate(checked.placements)
        if p.site == hall.name and p.load is not None
    }
    beside = math.fsum(p.beside for p in checked.placements if p.site == hall.name) * factor
    racks = count(fill(loads)) + whole_racks(beside + stored_rack_share(model, hall))
    stored_w = stored_at(model, hall.name).power_w  # bought for the whole horizon
    power_w = (site.planned.totals.peak_power_w - stored_w) * factor + stored_w
    there_w = utility_power_w(hall, year)
    water, supply = site.planned.totals.water_m3_per_year * factor, hall.water.supply_m3_per_year
    found = {}
    if racks > hall.racks.positions:
        found["rack positions"] = f"{racks} rack positions of {hall.racks.positions}"
    if power_w > there_w:
        found["utility power"] = f"{power_w / 1e6:.2f} MW of {there_w / 1e6:.2f} MW utility power"
    if supply is not None and water > supply:
        found["water"] = f"{water:,.0f} m3 of {supply:,.0f} m3 water a year"
    return found
