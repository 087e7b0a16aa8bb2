"""``twinloop catalogue``: facts with their sources."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.table import Table

    from twinloop.catalogue.nouns import Fact
    from twinloop.catalogue.select import Row

ABOUT = {
    "devices": "accelerators and processors: power, memory, peak rates, thermal resistance, price",
    "servers": "chassis and rack-scale systems: power by component, size, price",
    "cooling_kits": "cooling and electrical equipment: cost, life, density limit",
    "grids": "carbon and off-site water of electricity: countries, US states, market zones",
    "tariffs": "electricity prices: energy and demand",
    "climates": "monthly normals and design conditions of data-centre markets",
    "cloud_prices": "rented machines by the hour, by provider and region",
    "cloud_regions": "cloud regions: jurisdiction, grid, PUE, WUE, egress",
    "architectures": "AI models by their layer fields",
    "compression": "what quantisation, pruning and distillation cost and gain",
    "economics": "rates, lives, build cost, prices and other single facts",
    "converters": "losses of UPS, rectifiers, converters in racks and feeders, over their rating",
    "fabrics": "switches with their optics, and shared storage: power, price, size, making",
}

SHOWN = {
    "devices": (
        "kind",
        "year",
        "power_limit_w",
        "memory_b",
        "memory_bandwidth_b_s",
        "bf16",
        "fp8",
        "price_usd",
    ),
    "servers": ("device", "devices", "fan_w_air", "height_u", "weight_kg", "price_usd"),
    "cooling_kits": (
        "capex_usd_per_w",
        "life_years",
        "maintenance_per_year",
        "rack_limit_w",
        "embodied_kg_per_w",
    ),
    "grids": ("carbon_kg_per_j", "source_water_m3_per_j", "carbon_basis"),
    "tariffs": ("all_in_usd_per_j", "energy_usd_per_j", "demand_usd_per_w_month"),
    "climates": ("country", "ashrae_zone", "design_dry_bulb_c", "design_wet_bulb_c", "heating_design_c"),
    "cloud_prices": ("device", "devices", "cores", "price_usd_per_s", "spot_usd_per_s"),
    "cloud_regions": ("jurisdiction", "grid", "pue", "wue_m3_per_j", "price_base", "price_uplift"),
    "architectures": ("kind", "layers", "hidden", "heads", "kv_heads", "experts", "context", "parameters"),
    "compression": ("applies_to", "accuracy_drop", "speedup", "memory_ratio"),
    "converters": ("no_load", "linear", "quadratic", "share"),
    "fabrics": ("ports", "power_w", "host_link_w", "uplink_w", "price_usd", "embodied_kg", "power_w_per_b"),
}
"""Columns of the wide view; a table that is not here is listed one fact a line."""

WIDTH = 100
MOST_COLUMNS = 9
"""What fits beside the name; columns asked for take the place of the last ones."""


def _begun(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    return [name for name in ABOUT if name.startswith(incomplete)]


@click.command(epilog='Example: twinloop catalogue devices --where "kind=gpu" --where "year>=2022" --sort -bf16')
@click.argument("table", required=False, shell_complete=_begun)
@click.option("--where", "wheres", multiple=True, metavar="CONDITION", help="kind=gpu, year>=2022, cooling~bath …")
@click.option("--sort", "order", metavar="COLUMN", default=None, help="Smallest first; -COLUMN: largest first.")
@click.option("--sources", is_flag=True, help="One fact a line, with its source, year and confidence.")
@click.option("--json", "as_json", is_flag=True, help="Print the facts in SI as JSON and nothing else.")
def command(table: str | None, wheres: tuple[str, ...], order: str | None, sources: bool, as_json: bool) -> None:
    """Look facts up in TABLE; without TABLE, list the tables.

    Values are shown in the units of their sources; ~ marks low confidence. JSON is in SI.
    """
    if table is None:
        _list_tables(as_json=as_json)
        return
    from twinloop.catalogue import select
    from twinloop.catalogue.tables import table_name

    table = table_name(table)
    rows = select.shown_rows(table)
    conditions = [select.condition(table, rows, text) for text in wheres]
    if order is not None:
        sign = "-" if order.startswith("-") else ""
        order = sign + select.column_of(table, rows, order.removeprefix("-"))
    found = select.select(rows, conditions, order)
    if as_json:
        click.echo(json.dumps([_as_data(name, row) for name, row in found.items()], indent=1, ensure_ascii=False))
        return
    asked = [each.column for each in conditions] + ([order.removeprefix("-")] if order else [])
    if sources or table not in SHOWN:
        _print(_facts_table(found, sources=sources))
    else:
        extra = tuple(dict.fromkeys(column for column in asked if column not in ("name", *SHOWN[table])))
        room = max(1, MOST_COLUMNS - len(extra))
        _print(_wide_table(found, (*SHOWN[table][:room], *extra)))
    click.echo(f"{len(found)} of {len(rows)} rows of {table}; ~ low confidence" + ("" if sources else "; --sources"))


def _list_tables(*, as_json: bool) -> None:
    from rich.table import Table

    from twinloop.catalogue.select import shown_rows

    counts = {table: len(shown_rows(table)) for table in ABOUT}
    if as_json:
        click.echo(json.dumps([{"table": key, "rows": counts[key], "about": ABOUT[key]} for key in ABOUT], indent=1))
        return
    listing = Table("table", "rows", "what", box=None, pad_edge=False)
    for table, count in counts.items():
        listing.add_row(table, str(count), ABOUT[table])
    _print(listing)


def _as_data(name: str, row: Row) -> dict[str, object]:
    from twinloop.catalogue.tables import to_si

    keys = ("value", "unit", "low", "high", "source", "year", "confidence", "note")
    facts = {quantity: to_si(fact) for quantity, fact in row.items()}
    return {"name": name, **{q: {key: getattr(fact, key) for key in keys} for q, fact in facts.items()}}


def _print(table: Table) -> None:
    from rich.console import Console

    Console(width=WIDTH, highlight=False, markup=False).print(table)


def _wide_table(rows: dict[str, Row], shown: tuple[str, ...]) -> Table:
    from rich.table import Table

    from twinloop.catalogue.select import plain

    table = Table(box=None, pad_edge=False, padding=(0, 1))
    table.add_column("name", overflow="fold", min_width=16)
    for column in shown:
        unit = next((row[column].unit for row in rows.values() if column in row), "")
        words = unit in ("text", "")
        head = plain(column).replace("_", "\n")  # a word a line: narrow columns
        bare = words or unit in ("count", "1", "year")
        table.add_column(head if bare else f"{head}\n{unit}", justify="left" if words else "right", overflow="fold")
    for name, row in rows.items():
        table.add_row(name, *(_cell(row[column]) if column in row else "–" for column in shown))
    return table


def _facts_table(rows: dict[str, Row], *, sources: bool) -> Table:
    from rich.table import Table

    heads = ("name", "quantity", "value", "low to high", "source")
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    for head in heads if sources else heads[:-1]:
        table.add_column(head, overflow="fold", ratio=3 if head == "source" else None)
    for name, row in rows.items():
        for i, fact in enumerate(row.values()):
            unit = "" if fact.unit in ("text", "1", "count", "year", "flag") else f" {fact.unit}"
            note = f". {fact.note}" if fact.note else ""
            source = f"{fact.source}, {fact.year}, {fact.confidence}{note}"
            cells = ("" if i else name, fact.quantity, _cell(fact) + unit, _band(fact), source)
            table.add_row(*(cells if sources else cells[:-1]))
    return table


def _band(fact: Fact) -> str:
    if fact.low is None or fact.high is None or fact.low == fact.high:
        return ""
    return f"{_digits(fact.low, fact.unit)} to {_digits(fact.high, fact.unit)}"


def _cell(fact: Fact) -> str:
    if isinstance(fact.value, str):
        return fact.value
    return ("~" if fact.confidence == "low" else "") + _digits(fact.value, fact.unit)


def _digits(value: float, unit: str) -> str:
    """Return up to four digits; whole numbers from 1000 on in full, in groups of three from 10,000 on."""
    if unit == "year" or (value == round(value) and abs(value) < 1e4):
        return f"{value:.10g}"
    return f"{value:,.0f}" if abs(value) >= 1e3 else f"{value:.4g}"
