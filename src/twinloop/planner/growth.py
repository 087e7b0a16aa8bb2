"""What to add when, as the load grows: servers, racks, cooling units, and the year a limit is reached."""

from __future__ import annotations

import math
from dataclasses import replace

from twinloop.economics.periods import YEAR_S, years
from twinloop.model.model import Model
from twinloop.model.plan import Equipment
from twinloop.model.site import OnPremise
from twinloop.planner.check import Checked, CheckedSite
from twinloop.planner.money import load_growth_per_year
from twinloop.planner.sharing import count, fill


def utility_power_w(site: OnPremise, year: int) -> float:
    """Return the utility power that ``site`` has in ``year`` of the horizon, 1 the first."""
    power_w = site.utility_power_w
    for phase in site.power_phases:
        if phase.start_s <= (year - 1) * YEAR_S + 1.0:
            power_w = phase.power_w
    return power_w


def phases(model: Model, checked: Checked) -> tuple[str, ...]:
    """Return one line for each year and site with what to add, and one where a limit of a hall is reached."""
    growth = load_growth_per_year(model)
    halls = {site.name: site for site in model.on_premise}
    last = math.ceil(years(model.horizon_s)) if growth > 0.0 else 1
    found = []
    for site in checked.sites:
        hall = halls.get(site.planned.name)
        if hall is not None and hall.power_phases:
            steps = (f"{p.power_w / 1e6:g} MW from year {p.start_s / YEAR_S + 1:.3g}" for p in hall.power_phases)
            found.append(f"{hall.name}: utility power {hall.utility_power_w / 1e6:g} MW at first, {', '.join(steps)}")
        found += [_year(checked, site, hall, growth, year) for year in range(2, last + 1)]
    return tuple(found)


def _year(checked: Checked, site: CheckedSite, hall: OnPremise | None, growth: float, year: int) -> str:
    now, before = (1.0 + growth) ** (year - 1), (1.0 + growth) ** (year - 2)
    name = site.planned.name
    added = [
        f"{more} × {p.offer.instance if p.offer else p.option.server} for {p.stage}"
        for p in checked.placements
        if p.site == name and (more := _whole(p.servers, now) - _whole(p.servers, before))
    ]
    added += [
        f"{more} × {line.type.replace('_', ' ')} of {line.rated_w / line.count / 1e3:,.0f} kW"
        for line in site.planned.equipment
        if (more := _units(line, now) - _units(line, before)) > 0
    ]
    text = f"{name}, before year {year} (load × {now:.2f}): add {', '.join(added) or 'nothing'}"
    full = [] if hall is None else _full(checked, site, hall, now, year)
    return text + (f"; beyond the hall: {', '.join(full)}" if full else "")


def _whole(count: float, factor: float) -> int:
    return math.ceil(count * factor - 1e-9)


def _units(line: Equipment, factor: float) -> int:
    """Return running units: the margin of the first ones is not used up, spares are apart."""
    return _whole(line.count, factor) if line.type not in ("pipework", "transformer", "ups") else 0


def _full(checked: Checked, site: CheckedSite, hall: OnPremise, factor: float, year: int) -> list[str]:
    loads = {
        i: replace(p.load, servers=_whole(p.servers, factor))
        for i, p in enumerate(checked.placements)
        if p.site == hall.name and p.load is not None
    }
    racks = count(fill(loads))
    power_w, there_w = site.planned.totals.peak_power_w * factor, utility_power_w(hall, year)
    water, supply = site.planned.totals.water_m3_per_year * factor, hall.water.supply_m3_per_year
    found = []
    if racks > hall.racks.positions:
        found.append(f"{racks} rack positions of {hall.racks.positions}")
    if power_w > there_w:
        found.append(f"{power_w / 1e6:.2f} MW of {there_w / 1e6:.2f} MW utility power")
    if supply is not None and water > supply:
        found.append(f"{water:,.0f} m3 of {supply:,.0f} m3 water a year")
    return found
