"""One case planned: a row of figures."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from twinloop.errors import InfeasibleError
from twinloop.model.plan import Plan, Totals
from twinloop.planner.plan import plan
from twinloop.scenario import load_text, resolve, scenario_hash

FIGURES = tuple(
    field.name for field in fields(Totals) if field.name not in ("carbon_t_per_year", "unit_costs")
)  # fmt: skip
"""Totals that are one number each."""


def row_of(text: str, file: Path) -> dict[str, Any]:
    """Return status, choice and totals of the scenario ``text``; unknown is ``None``.

    A case that no plan satisfies is a row too: status ``infeasible``, the clash in ``note``.
    """
    scenario = load_text(text, file)
    digest = scenario_hash(scenario)
    try:
        found = plan(resolve(scenario), digest).plan
    except InfeasibleError as error:
        empty = dict.fromkeys(("devices", "cooling", *FIGURES, "scope1_t", "scope2_t", "scope3_t"))
        return {"scenario_hash": digest, "status": "infeasible", **empty, "note": "; ".join(error.clashes)}
    return {"scenario_hash": digest, "status": found.status, **_chosen(found), **_figures(found.totals), "note": ""}


def _chosen(plan: Plan) -> dict[str, str]:
    devices = "; ".join(f"{s.name}: {s.device_count} × {s.device} at {s.site}" for s in plan.stages)
    cooling = "; ".join(f"{site.name}: {site.cooling.name}" for site in plan.sites if site.cooling is not None)
    return {"devices": devices, "cooling": cooling}


def _figures(totals: Totals) -> dict[str, float | None]:
    scopes = {f"{scope}_t": totals.carbon_t_per_year.get(scope) for scope in ("scope1", "scope2", "scope3")}
    return {**{name: getattr(totals, name) for name in FIGURES}, **scopes}
