"""What cooling costs first and later, from the plans of the examples: a table of the FAQ."""

from __future__ import annotations

from blocks import table

from twinloop.api import PlanResult
from twinloop.report.figures.money import COOLING, present_values

LATER = (("electricity", ("electricity", "demand charge")), ("maintenance", ("maintenance",)), ("water", ("water",)))
"""What is paid each year -> the purposes that it sums."""


def first_and_later(results: dict[str, PlanResult]) -> str:
    """Return one row for each example with one hall of its own; prices by the kilowatt of its racks at full load."""
    rows = []
    for name, result in results.items():
        halls = [site for site in result.plan.sites if site.cooling is not None]
        if len(halls) != 1 or halls[0].cooling is None:
            continue
        racks_kw = sum(rack.count * rack.power_w for rack in halls[0].rack_types) / 1e3
        plant_usd = sum(line.cooling_capex_usd or 0.0 for line in result.plan.economics if line.name == "recommended")
        servers_usd = result.plan.cashflow[0].amounts_usd.get("servers", 0.0)
        parts = present_values(result.plan)
        total_usd = sum(parts.values())
        shares = (sum(parts.get(each, 0.0) for each in purposes) / total_usd for _, purposes in LATER)
        rows.append((
            f"[{name}](case-studies.md#{name})", halls[0].cooling.name, f"{racks_kw:,.0f}",
            f"{plant_usd / racks_kw:,.0f}", f"{servers_usd / racks_kw:,.0f}",
            f"{parts.get(COOLING, 0.0) / total_usd:.1%}",
            *(f"{share:.1%}" for share in shares),
        ))  # fmt: skip
    head = ("case", "cooling", "#racks, kW", "#plant, USD/kW", "#servers, USD/kW", "#plant, of all",
            *(f"#{name}" for name, _ in LATER))  # fmt: skip
    return table(head, rows)
