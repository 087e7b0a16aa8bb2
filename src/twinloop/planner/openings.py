"""What a hall takes as soon as anything runs in it: its lights."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.economics.carbon import scope2_kg
from twinloop.model.model import Model
from twinloop.model.site import OnPremise
from twinloop.planner.money import Ledger, flat_bill, present_cost_usd
from twinloop.twin.design import PlantConstants

YEAR_S = 8760 * 3600.0


@dataclass(frozen=True)
class Opening:
    """The lights of a hall that is used at all, whatever runs in it; what cools them is not in it."""

    power_w: float
    energy_j: float
    """A year."""
    carbon_kg: float
    """A year."""
    cost_usd: float
    """Present cost over the horizon."""


def opening_of(model: Model, site: OnPremise, k: PlantConstants) -> Opening:
    """Return what ``site`` takes for its lights, by its floor area, all hours of the year."""
    power_w = site.floor.area_m2 * k.lighting_w_per_m2
    energy_j = power_w * YEAR_S
    bill, carbon_kg = flat_bill(site, energy_j, power_w), scope2_kg(energy_j, site.grid)
    yearly = {"electricity": bill.energy_usd, "demand charge": bill.demand_usd}
    if model.objective.name == "cost":
        yearly["carbon price"] = carbon_kg * model.objective.weights.get("carbon", 0.0)
    escalation = dict.fromkeys(("electricity", "demand charge"), site.tariff.escalation_per_year)
    return Opening(power_w, energy_j, carbon_kg, present_cost_usd(Ledger((), yearly, escalation, {}), model))


def openings_of(model: Model, k: PlantConstants) -> dict[str, Opening]:
    """Return the opening of every hall, by name."""
    return {site.name: opening_of(model, site, k) for site in model.on_premise}
