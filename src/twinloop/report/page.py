"""One self-contained page from a plan."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from twinloop.model.plan import Plan, PlannedSite
from twinloop.model.simulation import Incident, SiteYear
from twinloop.report import gallery, narrative, tables
from twinloop.report.gallery import Drawn
from twinloop.report.parts import Table
from twinloop.report.spreadsheets import as_csv, equipment_csv

WITHOUT_HALL = {
    "cloud": "Rented: figures are the provider's, from the catalogue.",
    "edge": "Many small places alike: their overhead is the catalogue's, and no plant is drawn.",
}


@dataclass(frozen=True)
class SitePage:
    """What the page shows of one site."""

    name: str
    kind: str
    why: str
    figures: tuple[Drawn, ...]
    tables: tuple[Table, ...]


def render(plan: Plan, years: tuple[SiteYear, ...], command: str, incidents: tuple[Incident, ...] = ()) -> str:
    """Return the report as HTML; the same plan gives the same bytes.

    Args:
        plan: the recommendation.
        years: the twin's year of each hall in it.
        command: what reproduces it.
        incidents: faults that were run by the second, of each hall.
    """
    by_site = {year.site: year for year in years}
    faults = {each.site: each for each in incidents}
    equipped = any(site.equipment for site in plan.sites)
    csv = base64.b64encode(equipment_csv(plan).encode()).decode() if equipped else ""
    bill = gallery.bill(plan)
    return environment().get_template("report.html").render(
        plan=plan,
        kpis=narrative.kpis(plan),
        verdict=narrative.verdict(plan),
        notes=narrative.notes(plan),
        overview=tables.totals(plan),
        ratios=tables.ratios(plan),
        stages=tables.stages(plan),
        work=tuple(gallery.work(plan).values()),
        sites=tuple(_site(site, by_site.get(site.name), faults.get(site.name)) for site in plan.sites),
        money_figures=(bill["cost"], bill["cumulative"]),
        doubt_figures=(bill["tornado"], bill["frontier"]),
        money_tables=_filled(tables.unit_costs(plan), tables.cashflow(plan)),
        uncounted=narrative.uncounted(plan),
        changes=narrative.changes(plan),
        choice_tables=_filled(tables.alternatives(plan), tables.uncertainty(plan), tables.constraints(plan)),
        provenance=tables.provenance(plan),
        command=command,
        csv=csv,
        low=sum(1 for p in plan.provenance if p.confidence == "low"),
    )  # fmt: skip


def environment() -> Environment:
    """Return the templates: everything is escaped, an unknown name is an error."""
    found = Environment(
        loader=PackageLoader("twinloop.report"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["csv"] = as_csv
    return found


def _filled(*found: Table) -> tuple[Table, ...]:
    return tuple(table for table in found if table.rows)


def _site(site: PlannedSite, year: SiteYear | None, incident: Incident | None) -> SitePage:
    shown = _filled(tables.racks(site), tables.equipment(site), tables.basis(site), tables.failures(site))
    why = site.cooling.why if site.cooling else WITHOUT_HALL.get(site.kind, "")
    return SitePage(site.name, site.kind, why, tuple(gallery.hall(site, year, incident).values()), shown)
