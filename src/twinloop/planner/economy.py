"""Ways of cooling the same load side by side: purchase, running, the long run, and payback."""

from __future__ import annotations

import math
from dataclasses import replace

from twinloop.economics.cashflow import payback_years
from twinloop.model.plan import Economy
from twinloop.planner.baselines import Rival
from twinloop.planner.check import Checked
from twinloop.planner.money import ASSETS
from twinloop.planner.naming import plan_name
from twinloop.planner.optimise import Optimised

WAYS = {
    "air": ("air",),
    "hybrid": ("plates + air", "plates + rear doors"),
    "all plates": ("all plates",),
    "immersion": ("immersion",),
}
"""Name -> kits; the best twin-checked plan of any of them stands for it, and one of several is named."""


def economies(best: Checked, by_kit: dict[str, Optimised], rivals: tuple[Rival, ...]) -> tuple[Economy, ...]:
    """Return the recommendation, then each way of cooling, all twin-checked; what does not fit says so."""
    rows = [economy("recommended", best, best)]
    oversize = {rival.baseline.name: rival for rival in rivals if rival.optimised and not rival.baseline.feasible}
    for name, kits in WAYS.items():
        found = {kit: by_kit[kit].checked for kit in kits if kit in by_kit}
        if found:
            kit = min(found, key=lambda kit: found[kit].objective)
            rows.append(economy(name if len(kits) == 1 else f"{name} ({kit})", found[kit], best))
        elif name == "air" and "all air on-premise" in oversize:
            rival = oversize["all air on-premise"]
            checked = rival.optimised.checked if rival.optimised else best
            rows.append(replace(economy(name, checked, best, feasible=False), note=rival.baseline.note))
        else:
            rows.append(Economy(name, False, None, None, None, None, None, "no such plan satisfies the limits"))
    return tuple(rows)


def economy(name: str, plan: Checked, best: Checked, *, feasible: bool = True) -> Economy:
    """Return the figures of ``plan`` and how long ``best`` takes to pay back against it."""
    cooling = math.fsum(item.amount_usd for item in plan.ledger.capital if item.name not in ASSETS)
    return Economy(
        name=name, feasible=feasible, capex_usd=plan.totals.capex_usd, cooling_capex_usd=cooling,
        opex_usd_per_year=plan.totals.opex_usd_per_year, tco_usd=plan.totals.tco_usd,
        payback_years=payback_years(best.cash, plan.cash),
        note=plan_name(plan.placements, best.placements),
    )  # fmt: skip
