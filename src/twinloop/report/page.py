"""One self-contained page from a plan."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from twinloop.model.plan import Plan, PlannedSite, RackType
from twinloop.model.simulation import SiteYear
from twinloop.report import numbers, tables
from twinloop.report.figures import durations, heatmap, loops, money, monthly, psychrometric, rack, sankey
from twinloop.report.parts import Figure, Table


@dataclass(frozen=True)
class Kpi:
    """One headline number."""

    name: str
    value: str
    beside: str


@dataclass(frozen=True)
class SitePage:
    """What the page shows of one site."""

    name: str
    kind: str
    why: str
    figures: tuple[Figure, ...]
    tables: tuple[Table, ...]


def render(plan: Plan, years: tuple[SiteYear, ...], command: str) -> str:
    """Return the report as HTML; the same plan gives the same bytes.

    Args:
        plan: the recommendation.
        years: the twin's year of each hall in it.
        command: what reproduces it.
    """
    environment = Environment(
        loader=PackageLoader("twinloop.report"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    by_site = {year.site: year for year in years}
    overall = (
        money.cumulative("cumulative", plan.cashflow),
        money.frontier("frontier", plan.frontier),
        money.tornado("tornado", plan.uncertainty),
    )
    csv = base64.b64encode(tables.equipment_csv(plan).encode()).decode()
    return environment.get_template("report.html").render(
        plan=plan,
        kpis=_kpis(plan),
        overview=(tables.totals(plan),),
        stages=tables.stages(plan),
        sites=tuple(_site(i, site, by_site.get(site.name)) for i, site in enumerate(plan.sites)),
        money_figures=tuple(figure for figure in overall if figure),
        verdict=_verdict(plan),
        money_tables=(tables.unit_costs(plan), tables.cashflow(plan), tables.uncertainty(plan)),
        choice_tables=(tables.alternatives(plan), tables.constraints(plan), tables.time_breakdown(plan)),
        provenance=tables.provenance(plan),
        command=command,
        csv=csv,
        low=sum(1 for p in plan.provenance if p.confidence == "low"),
    )


def _kpis(plan: Plan) -> tuple[Kpi, ...]:
    t = plan.totals
    nearest = min(
        (b for b in plan.baselines if b.totals and b.feasible),
        key=lambda b: b.totals.tco_usd if b.totals else 0.0,
        default=None,
    )
    theirs = nearest.totals if nearest else None

    def beside(value: str | None) -> str:
        return f"{nearest.name}: {value}" if nearest and value else ""

    return (
        Kpi(
            "Total cost of ownership",
            numbers.money(t.tco_usd),
            beside(numbers.money(theirs.tco_usd) if theirs else None),
        ),
        Kpi(
            "Energy a year",
            numbers.energy(t.facility_energy_mwh_per_year),
            beside(numbers.energy(theirs.facility_energy_mwh_per_year) if theirs else None),
        ),
        Kpi(
            "PUE · TUE",
            f"{numbers.number(t.pue, 4)} · {numbers.number(t.tue, 4)}",
            beside(f"{numbers.number(theirs.pue, 4)} · {numbers.number(theirs.tue, 4)}" if theirs else None),
        ),
        Kpi(
            "Water a year",
            numbers.quantity(t.water_m3_per_year, "m³"),
            beside(numbers.quantity(theirs.water_m3_per_year, "m³") if theirs else None),
        ),
        Kpi(
            "CO2e a year",
            numbers.quantity(sum(t.carbon_t_per_year.values()), "t"),
            beside(numbers.quantity(sum(theirs.carbon_t_per_year.values()), "t") if theirs else None),
        ),
        Kpi(
            "Hottest junction",
            numbers.fixed(t.peak_junction_c, "°C"),
            f"{numbers.number(t.throttled_hours)} device-hours throttled",
        ),
    )


def _verdict(plan: Plan) -> str:
    """Return an honest sentence on the baselines."""
    better = [b.name for b in plan.baselines if b.feasible and b.saving is not None and b.saving < 0.0]
    same = [b.name for b in plan.baselines if b.feasible and b.saving is not None and abs(b.saving) < 5e-5]
    unfit = [b.name for b in plan.baselines if not b.feasible]
    parts = []
    if better:
        parts.append(f"A plainer design does better here: {', '.join(better)}.")
    if same:
        parts.append(
            f"The recommendation is itself the best {', '.join(same)} plan: mixing technologies gains nothing here."
        )
    if unfit:
        parts.append(
            f"Not possible within the limits: {', '.join(unfit)}; where figures are shown, they are with as many "
            "rack positions as that takes."
        )
    return (
        " ".join(parts)
        or "The recommendation does better than each plainer design, given the same load, redundancy and effort."
    )


def _rack(ident: str, each: RackType, site: PlannedSite) -> Figure | None:
    """Draw a rack with the carriers its own servers have, which may be fewer than the hall offers."""
    cooling = site.cooling and replace(site.cooling, components=each.carriers)
    return rack.draw(ident, each, cooling)


def _site(i: int, site: PlannedSite, year: SiteYear | None) -> SitePage:
    figures: list[Figure | None] = []
    ident = f"site{i}"
    if year is not None:
        figures += [
            sankey.draw(f"{ident}-heat", year.heat_flows, site.name),
            loops.draw(f"{ident}-loops", year.hours, site.cooling),
            *(_rack(f"{ident}-rack{n}", each, site) for n, each in enumerate(site.rack_types)),
            monthly.draw(f"{ident}-months", year), psychrometric.draw(f"{ident}-air", year),
            *heatmap.draw_all(f"{ident}-map", year), *durations.draw_all(f"{ident}-duration", year),
        ]  # fmt: skip
    shown = (tables.racks(site), tables.equipment(site), tables.basis(site), tables.failures(site))
    return SitePage(
        site.name,
        site.kind,
        site.cooling.why if site.cooling else "Figures are the provider's, from the catalogue.",
        tuple(figure for figure in figures if figure),
        tuple(table for table in shown if table.rows),
    )
