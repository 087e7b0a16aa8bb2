"""Plans side by side: what each gives, what each chose, and which inputs set them apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from twinloop.model.plan import Plan, PlannedSite, PlannedStage, Totals
from twinloop.report import numbers
from twinloop.report.page import environment

SAME = 5e-4
"""Relative difference below which two figures are the same: it would be shown as 0.0 %."""
CHOSEN = ("name",)
"""Inputs that name a scenario and decide nothing."""
NOUNS = ("datasets.", "models.", "stages.", "sites.")
"""Sections of a scenario whose entries have names."""


@dataclass(frozen=True)
class Cell:
    """One plan's entry of a row; ``change`` is against the first plan, empty where it is the same or not a figure."""

    value: str
    change: str = ""


@dataclass(frozen=True)
class Row:
    """One thing compared."""

    name: str
    cells: tuple[Cell, ...]
    differs: bool


@dataclass(frozen=True)
class Comparison:
    """Plans side by side; the first is what the others are measured against."""

    names: tuple[str, ...]
    summaries: tuple[str, ...]
    figures: tuple[Row, ...]
    choices: tuple[Row, ...]
    """Devices of each stage, cooling of each site."""
    inputs: tuple[Row, ...]
    """Values of the scenarios that differ: the cause."""


def compare(plans: tuple[tuple[str, Plan], ...]) -> Comparison:
    """Return the named ``plans`` side by side."""
    found = tuple(plan for _, plan in plans)
    return Comparison(
        names=tuple(name for name, _ in plans),
        summaries=tuple(plan.summary for plan in found),
        figures=_figures(found),
        choices=(*_stages(found), *_cooling(found)),
        inputs=_inputs(found),
    )


def comparison_data(found: Comparison) -> dict[str, Any]:
    """Return ``found`` as plain data."""
    return asdict(found)


def render_comparison(found: Comparison, command: str) -> str:
    """Return the comparison as one self-contained HTML page; equal plans give equal bytes."""
    return environment().get_template("comparison.html").render(found=found, command=command)


_Pick = Callable[[Totals], float | None]
_FIGURES: tuple[tuple[str, _Pick, Callable[[float | None], str]], ...] = (
    ("cost of ownership", lambda t: t.tco_usd, numbers.money),
    ("purchases", lambda t: t.capex_usd, numbers.money),
    ("running cost a year", lambda t: t.opex_usd_per_year, numbers.money),
    ("energy a year", lambda t: t.facility_energy_mwh_per_year, numbers.energy),
    ("PUE", lambda t: t.pue, lambda v: numbers.number(v, 4)),
    ("TUE", lambda t: t.tue, lambda v: numbers.number(v, 4)),
    ("site water a year", lambda t: t.water_m3_per_year, lambda v: numbers.quantity(v, "m³")),
    ("CO2e a year", lambda t: sum(t.carbon_t_per_year.values()), lambda v: numbers.quantity(v, "t")),
    ("peak power", lambda t: t.peak_power_w, numbers.power),
)


def _figures(plans: tuple[Plan, ...]) -> tuple[Row, ...]:
    rows = [_row("status", [plan.status for plan in plans])]
    for name, pick, show in _FIGURES:
        values = [pick(plan.totals) for plan in plans]
        cells = tuple(Cell(show(value), _change(values[0], value)) for value in values)
        rows.append(Row(name, cells, any(cell.change for cell in cells)))
    hottest = [plan.totals.peak_junction_c for plan in plans]
    cells = tuple(Cell(numbers.fixed(value, "°C"), _kelvin(hottest[0], value)) for value in hottest)
    rows.append(Row("hottest junction", cells, len({cell.value for cell in cells}) > 1))
    return tuple(rows)


def _kelvin(first_c: float | None, value_c: float | None) -> str:
    """Return the difference of two temperatures: a share would hang on where the scale has its zero."""
    if first_c is None or value_c is None:
        return ""
    shown = numbers.fixed(value_c - first_c, "K")
    return "" if shown == numbers.fixed(0.0, "K") else f"+{shown}" if value_c > first_c else shown


def _change(first: float | None, value: float | None) -> str:
    if first is None or value is None or abs(value - first) <= SAME * max(abs(first), abs(value)):
        return ""
    return numbers.percent(value / first - 1.0, signed=True) if first else "from none"


def _row(name: str, values: list[str]) -> Row:
    return Row(name, tuple(Cell(value) for value in values), len(set(values)) > 1)


def _stages(plans: tuple[Plan, ...]) -> tuple[Row, ...]:
    tables = [{stage.name: _stage_words(stage) for stage in plan.stages} for plan in plans]
    return _by_name(tables)


def _stage_words(stage: PlannedStage) -> str:
    p = stage.parallelism
    layout = f"data {p.data}, tensor {p.tensor}, pipeline {p.pipeline}"
    layout += "".join(f", {name} {n}" for name, n in (("expert", p.expert), ("context", p.context)) if n > 1)
    return f"{stage.device_count} × {stage.device} at {stage.site}; {stage.precision}; {layout}"


def _cooling(plans: tuple[Plan, ...]) -> tuple[Row, ...]:
    tables = [{f"cooling of {site.name}": _cooling_words(site) for site in plan.sites} for plan in plans]
    return _by_name(tables)


def _cooling_words(site: PlannedSite) -> str:
    if site.cooling is None:
        return f"the provider's ({site.kind})"
    return f"{site.cooling.name}; {site.racks} rack{'' if site.racks == 1 else 's'}"


def _by_name(tables: list[dict[str, str]]) -> tuple[Row, ...]:
    names = dict.fromkeys(name for table in tables for name in table)
    return tuple(_row(name, [table.get(name, "not used") for table in tables]) for name in names)


def _inputs(plans: tuple[Plan, ...]) -> tuple[Row, ...]:
    """Return the inputs that differ; what some plan lacks whole (a stage, a site) is one row, not all its keys."""
    tables = [{each.path: each.value for each in plan.provenance} for plan in plans]
    lone = _lone(tables)
    rows = [_row(noun, ["there" if f"{noun}.name" in table else "not there" for table in tables]) for noun in lone]
    inside = tuple(f"{noun}." for noun in lone)
    names = sorted({name for table in tables for name in table} - set(CHOSEN))
    names = [name for name in names if not f"{name}.".startswith(inside)]
    rows += [_row(name, [table.get(name, "not given") for table in tables]) for name in names]
    return tuple(row for row in rows if len({_plain(cell.value) for cell in row.cells}) > 1)


def _plain(value: str) -> str:
    """Return a value as one writes it or as the checker shows it: ``8 %`` is ``8 %/year`` for a yearly share."""
    return value.replace(" ", "").replace("%/year", "%")


def _lone(tables: list[dict[str, str]]) -> tuple[str, ...]:
    """Return the beginnings of the paths of what some table has and another lacks."""
    named: list[set[str]] = [
        {path.removesuffix(".name") for path in table if path.startswith(NOUNS) and path.endswith(".name")}
        for table in tables
    ]
    everywhere = named[0].intersection(*named)
    return tuple(sorted(named[0].union(*named) - everywhere))
