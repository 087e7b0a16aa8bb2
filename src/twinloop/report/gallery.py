"""Every figure of a plan by name: the same drawings for the page, for Python and for files."""

from __future__ import annotations

from dataclasses import replace

from twinloop.model.plan import Plan, PlannedSite, RackType
from twinloop.model.simulation import Incident, SiteYear
from twinloop.report.figures import (
    breakdown,
    doubt,
    durations,
    heatmap,
    layout,
    loops,
    money,
    monthly,
    one_line,
    psychrometric,
    rack,
    sankey,
    spending,
    timeline,
)
from twinloop.report.numbers import power
from twinloop.report.parts import Absent, Figure

Drawn = Figure | Absent


def figures(plan: Plan, years: tuple[SiteYear, ...]) -> dict[str, Drawn]:
    """Return name -> figure, in the order of the page: work, then each site, then money and doubt.

    Names are ``time``, ``layout-STAGE``, ``SITE-heat`` and so on; a figure without data is an
    :class:`~twinloop.report.parts.Absent` that says why.
    """
    by_site = {year.site: year for year in years}
    found = work(plan)
    for site in plan.sites:
        found |= hall(site, by_site.get(site.name))
    return found | bill(plan)


def work(plan: Plan) -> dict[str, Drawn]:
    """Return the figures of the stages."""
    found: dict[str, Drawn] = {"time": breakdown.draw("time", plan.stages)}
    for i, stage in enumerate(plan.stages):
        drawn = layout.draw(f"layout{i}", stage)
        if drawn is not None:
            found[f"layout-{stage.name}"] = drawn
    return found


def hall(site: PlannedSite, year: SiteYear | None, incident: Incident | None = None) -> dict[str, Drawn]:
    """Return the figures of one site; a provider's site has none but a line that says so."""
    name, ident = site.name, _ident(site.name)
    if site.cooling is None:
        why = "no hall of its own here: the plan holds catalogue figures only."
        return {f"{name}-cooling": Absent(f"{ident}-cooling", "Cooling and electricity", why)}
    found: dict[str, Drawn | None] = {}
    if year is not None:
        found[f"{name}-heat"] = sankey.draw(f"{ident}-heat", year.heat_flows, name)
        found[f"{name}-loops"] = loops.draw(f"{ident}-loops", year.hours, site.cooling)
    for i, each in enumerate(_distinct(site.rack_types)):
        found[f"{name}-rack-{each.name}"] = _rack(f"{ident}-rack{i}", each, site)
    found[f"{name}-one-line"] = one_line.draw(f"{ident}-power", site)
    if year is None:
        found[f"{name}-year"] = Absent(f"{ident}-year", "The year", "the hourly year was not handed to the report.")
    else:
        found |= _hours(year, name, ident, site.air_class)
    found[f"{name}-faults"] = _faults(f"{ident}-faults", site, incident)
    return {key: drawn for key, drawn in found.items() if drawn is not None}


FAULTS = (("cdu", "cdu-1 pump stops"), ("crah", "crah-1 fails"), ("chiller", "chiller-1 fails"))
"""Machine of the schedule -> a fault worth seeing."""


def _faults(ident: str, site: PlannedSite, incident: Incident | None) -> Drawn:
    """Draw the faults that were run, or say how to run one of this hall's machines."""
    if incident is not None:
        return timeline.draw(ident, incident)
    types = " ".join(line.type for line in site.equipment)
    fault = next((words for machine, words in FAULTS if machine in types), "power fails")
    why = f'none was run; add --fault "{fault} at 14:00 for 10 min" to the command at the end of this page.'
    return Absent(ident, "Fault timelines", why)


def year_figures(years: tuple[SiteYear, ...]) -> dict[str, Figure]:
    """Return the figures that a simulated year has without a plan."""
    found: dict[str, Figure | None] = {}
    for year in years:
        name, ident = year.site, _ident(year.site)
        found[f"{name}-heat"] = sankey.draw(f"{ident}-heat", year.heat_flows, name)
        found[f"{name}-loops"] = loops.draw(f"{ident}-loops", year.hours, None)
        found |= _hours(year, name, ident)
    return {key: drawn for key, drawn in found.items() if drawn is not None}


def _hours(year: SiteYear, name: str, ident: str, air_class: str | None = None) -> dict[str, Figure | None]:
    found: dict[str, Figure | None] = {
        f"{name}-months": monthly.draw(f"{ident}-months", year),
        f"{name}-air": psychrometric.draw(f"{ident}-air", year, air_class),
    }
    for drawn in (*heatmap.draw_all(f"{ident}-map", year), *durations.draw_all(f"{ident}-duration", year)):
        found[f"{name}-{drawn.ident.removeprefix(f'{ident}-')}"] = drawn
    return found


def bill(plan: Plan) -> dict[str, Drawn]:
    """Return the figures of money and of doubt."""
    return {
        "cost": money.waterfall("cost", plan),
        "cumulative": spending.cumulative("cumulative", plan),
        "tornado": doubt.tornado("tornado", plan.uncertainty, plan.totals.tco_usd),
        "frontier": doubt.frontier("frontier", plan.frontier, plan.totals.tco_usd),
    }


def _ident(name: str) -> str:
    """Return an identifier of letters, digits and hyphens.

    >>> _ident("New York 2")
    'site-New-York-2'
    """
    return "site-" + "".join(c if c.isalnum() and c.isascii() else "-" for c in name)


def _distinct(racks: tuple[RackType, ...]) -> tuple[RackType, ...]:
    """Return one rack of each kind: those of two stages on the same server look alike where they draw alike."""
    first = {(each.server, each.servers_per_rack, power(each.power_w)): each for each in reversed(racks)}
    return tuple(each for each in racks if each in first.values())


def _rack(ident: str, each: RackType, site: PlannedSite) -> Figure | None:
    """Draw a rack with the carriers its own servers have, which may be fewer than the hall offers."""
    cooling = site.cooling and replace(site.cooling, components=each.carriers)
    return rack.draw(ident, each, cooling)
