"""One self-contained page of what ``simulate`` ran: a year by the hour, or a window second by second."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.model.plan import Plan
from twinloop.model.simulation import Incident, Simulation, SiteYear
from twinloop.report import gallery, numbers
from twinloop.report.figures import timeline
from twinloop.report.figures.calendar import MONTHS
from twinloop.report.gallery import Drawn
from twinloop.report.page import environment
from twinloop.report.parts import Table, columns

Kpi = tuple[str, str]
"""(name, value)."""
BOUNDARY = (
    "Facility energy is at the utility meter; IT energy at the rack inlet, server fans and power supplies inside. MLC "
    "is the energy of cooling, fans and pumps over that of IT; its design value is power at the hour of the largest."
)
BY_THE_SECOND = (
    "Chips, coolant, hall air and facility water as heat stores, with pumps, fans, valves and their controllers; every "
    "balance, storage included, closes to {} of IT power at every step. Times and stored heat marked low confidence in "
    "the documentation move times to throttling by as much as they themselves are off."
)
BY_THE_HOUR = (
    "Every hour in equilibrium, by a control sequence that a plant can follow; heat in and heat out of every element, "
    "each computed on its own side, agree to {} of IT power."
)


@dataclass(frozen=True)
class Section:
    """One part of the page; what is empty is left out."""

    ident: str
    title: str
    events: tuple[str, ...] = ()
    figures: tuple[Drawn, ...] = ()
    tables: tuple[Table, ...] = ()
    said: tuple[str, ...] = ()


def render_incidents(found: Simulation, incidents: tuple[Incident, ...], command: str) -> str:
    """Return the page of a window as HTML; the same run gives the same bytes."""
    figures = tuple(timeline.draw(f"timeline{i}", incident) for i, incident in enumerate(incidents))
    nothing = () if found.events else ("Nothing: no limit was passed and nothing stopped or started.",)
    sections = (
        Section("timelines", "Timeline", figures=figures),
        Section("events", "What happened", events=found.events, said=nothing),
        Section("energy", "Energy", tables=(_energy(found),), said=(BOUNDARY,)),
    )
    headline = f"{numbers.listed(list(found.halls))}, {found.window}, {found.step_s:g} s steps: {_outcome(found)}."
    return _page(found, headline, _window_kpis(found), sections, (BY_THE_SECOND, command))


def render_year(found: Simulation, planned: Plan, years: tuple[SiteYear, ...], command: str) -> str:
    """Return the page of a year of the halls of ``planned`` as HTML; the same run gives the same bytes."""
    by_site = {year.site: year for year in years}
    halls = tuple(
        Section(f"hall{i}", site.name, figures=tuple(gallery.hall(site, by_site[site.name]).values()))
        for i, site in enumerate(planned.sites)
        if site.name in by_site
    )
    sections = (
        Section("energy", "Energy and water", said=(BOUNDARY,),
                tables=(_energy(found), _inside(found), _months(found), _water(found), _modes(found))),
        *((Section("events", "What to know", events=found.events),) if found.events else ()),
        *halls,
    )  # fmt: skip
    peak = f"{numbers.power(found.peak_power_w)} at the meter's peak"
    headline = (
        f"{numbers.listed(list(found.halls))} in a weather year: {numbers.energy(found.facility_energy_mwh)} at a PUE "
        f"of {numbers.number(found.pue, 4)}, {peak}; nearest limit: {found.first_limit}."
    )
    return _page(found, headline, _year_kpis(found), sections, (BY_THE_HOUR, command))


def _page(
    found: Simulation, headline: str, kpis: tuple[Kpi, ...], sections: tuple[Section, ...], closing: tuple[str, str]
) -> str:
    how, command = closing
    return environment().get_template("simulation.html").render(
        found=found, headline=headline, kpis=kpis, sections=sections, command=command,
        how=how.format(f"{found.energy_balance_error:.0e}"),
    )  # fmt: skip


def _outcome(found: Simulation) -> str:
    """Return what became of the chips, in a sentence without its dot."""
    if found.recovered is None:
        return f"the hottest junction is at {numbers.fixed(found.peak_junction_c, '°C')}"
    throttles, stops = found.time_to_throttle_s, found.time_to_shutdown_s
    said = ["no chip throttles" if throttles is None else f"a chip throttles after {numbers.duration(throttles)}"]
    said += [] if stops is None else [f"one switches itself off after {numbers.duration(stops)}"]
    said.append(f"the smallest margin is {numbers.fixed(found.min_margin_k, 'K')}")
    said.append("all is as it was at the end" if found.recovered else "it has not recovered at the end")
    return numbers.listed(said)


def _window_kpis(found: Simulation) -> tuple[Kpi, ...]:
    rows = (
        ("Hottest junction", numbers.fixed(found.peak_junction_c, "°C")),
        ("PUE of the window", numbers.number(found.pue, 4)),
        ("Peak power", numbers.power(found.peak_power_w)),
        ("Nearest limit", found.first_limit),
    )
    if found.recovered is None:
        return rows
    return (
        ("First throttling", timeline.how_long(found.time_to_throttle_s)),
        ("First shutdown", timeline.how_long(found.time_to_shutdown_s)),
        ("Smallest margin", numbers.fixed(found.min_margin_k, "K")),
        ("Recovered", "yes" if found.recovered else "no"),
        *rows,
    )


def _year_kpis(found: Simulation) -> tuple[Kpi, ...]:
    return (
        ("PUE", numbers.number(found.pue, 4)),
        ("TUE", numbers.number(found.tue, 4)),
        ("WUE, site", numbers.quantity(found.wue_site_l_per_kwh, "L/kWh")),
        ("WUE, with source", numbers.quantity(found.wue_source_l_per_kwh, "L/kWh")),
        ("CUE", numbers.quantity(found.cue_kg_per_kwh, "kg/kWh")),
        ("MLC; design", f"{numbers.number(found.mlc_annual)}; {numbers.number(found.mlc_design)}"),
        ("Hottest junction", numbers.fixed(found.peak_junction_c, "°C")),
        ("Throttled", numbers.quantity(found.throttled_device_hours, "device-hours")),
    )


def _shares(caption: str, what: str, amounts: dict[str, str], shares: dict[str, float]) -> Table:
    """Return amounts with their shares and the sum of both."""
    rows = [(numbers.words(name), text, numbers.percent(shares[name])) for name, text in amounts.items()]
    return Table(caption, columns(what, "#Amount", "#Share"), tuple(rows))


def _energy(found: Simulation) -> Table:
    shown = {name: numbers.energy(mwh) for name, mwh in found.energy_mwh.items()}
    shares = {name: mwh / found.facility_energy_mwh for name, mwh in found.energy_mwh.items()}
    table = _shares("Facility energy by end use", "End use", shown, shares)
    total = ("facility", numbers.energy(found.facility_energy_mwh), numbers.percent(sum(shares.values())))
    return Table(table.caption, table.columns, (*table.rows, total), (*[""] * len(shown), "strong"))


def _inside(found: Simulation) -> Table:
    shown = {name: numbers.energy(mwh) for name, mwh in found.it_split_mwh.items()}
    return _shares(
        "Inside the IT meter", "Part", shown, {n: v / found.it_energy_mwh for n, v in found.it_split_mwh.items()}
    )


def _water(found: Simulation) -> Table:
    total = sum(found.water_m3.values())
    rows = [(numbers.words(name), numbers.quantity(m3, "m³")) for name, m3 in found.water_m3.items()]
    return Table("Site water", columns("Way", "#Amount"), (*rows, ("all", numbers.quantity(total, "m³"))),
                 (*[""] * len(rows), "strong"))  # fmt: skip


def _modes(found: Simulation) -> Table:
    names = {"full": "free cooling alone", "partial": "free cooling and chiller", "none": "chiller alone"}
    rows = [(names.get(name, name), numbers.counted(h, "h", "h")) for name, h in found.free_cooling_hours.items()]
    rows += [
        ("changes between them", numbers.count(found.mode_switches)),
        ("starts of chillers", numbers.count(found.chiller_starts)),
        ("hours outside the air class", numbers.counted(found.hours_outside_class, "h", "h")),
        ("hours with supply too warm", numbers.counted(found.unmet_load_hours, "h", "h")),
        ("warmest intake", numbers.fixed(found.worst_intake_c, "°C")),
    ]
    return Table("How the halls were cooled", columns("What", "#Value"), tuple(rows))


def _months(found: Simulation) -> Table:
    rows = tuple(
        (
            MONTHS[each.month - 1], numbers.energy(each.it_energy_mwh), numbers.energy(each.facility_energy_mwh),
            numbers.number(each.pue, 4), numbers.quantity(each.water_m3, "m³"), numbers.power(each.peak_power_w),
        )
        for each in found.monthly
    )  # fmt: skip
    return Table("By month", columns("Month", "#IT", "#Facility", "#PUE", "#Site water", "#Peak power"), rows)
