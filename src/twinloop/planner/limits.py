"""The named rows of the selection: what a hall may take, and what the whole plan may."""

from __future__ import annotations

from twinloop.model.model import Model
from twinloop.planner.money import Ledger, present_cost_usd
from twinloop.planner.placements import Placement
from twinloop.planner.selection import Limit

CAPEX_ROW = "capital budget"
COST_ROW = "cost budget"
CARBON_ROW = "carbon cap"
WATER_ROW = "water cap"


def site_limits(model: Model, placements: tuple[Placement, ...]) -> tuple[Limit, ...]:
    """Return power, racks, floor load and water limits of every hall, as named rows."""
    rows = []
    for site in model.on_premise:
        here = {i: p for i, p in enumerate(placements) if p.site == site.name}
        rows.append(
            Limit(f"utility power of {site.name}", site.utility_power_w, "W",
                  {i: p.facility_peak_w for i, p in here.items()})
        )  # fmt: skip
        rows.append(
            Limit(
                f"rack positions of {site.name}", site.racks.positions, "racks", {i: p.racks for i, p in here.items()}
            )
        )
        rows.append(
            Limit(f"floor load of {site.name}", site.floor.area_m2 * site.floor.load_pa / 9.80665, "kg",
                  {i: p.weight_kg for i, p in here.items()})
        )  # fmt: skip
        if site.water.supply_m3_per_year is not None:
            rows.append(
                Limit(f"water of {site.name}", site.water.supply_m3_per_year, "m3/year",
                      {i: p.water_m3 for i, p in here.items()})
            )  # fmt: skip
    return tuple(rows)


def plan_limits(model: Model, placements: tuple[Placement, ...]) -> tuple[Limit, ...]:
    """Return the scenario's own caps on the whole plan, as named rows; staff is taken off the budget first."""
    caps = model.caps
    staff_usd = present_cost_usd(Ledger((), {"staff": model.finance.staff_usd_per_year}, {}, {}), model)
    rows = (
        (CAPEX_ROW, caps.capex_usd, "USD", "capex_usd", 0.0),
        (COST_ROW, caps.cost_usd, "USD", "cost_usd", staff_usd),
        (CARBON_ROW, caps.carbon_kg_per_year, "kg/year", "carbon_kg", 0.0),
        (WATER_ROW, caps.water_m3_per_year, "m3/year", "water_m3", 0.0),
    )
    return tuple(
        Limit(name, bound - fixed, unit, {i: getattr(p, field) for i, p in enumerate(placements)})
        for name, bound, unit, field, fixed in rows
        if bound is not None
    )
