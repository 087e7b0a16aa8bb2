"""What a person may move on the page, each bound to the scenario's key where it has one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from twinloop.model.model import Model
from twinloop.model.plan import Plan
from twinloop.planner.designs import LIQUID_LIMIT_C

WARM_C = (18.0, 45.0)
COLD_C = (10.0, 26.0)
"""Facility water that the twin's exchangers, coolers and chillers are made for."""
KG_PER_T = 1e3


@dataclass(frozen=True)
class Lever:
    """A slider: its range and value in the unit shown."""

    name: str
    label: str
    unit: str
    low: float
    high: float
    step: float
    value: float
    path: tuple[str | int, ...] | None
    """The scenario's key; ``None``: the plan chooses it, a file cannot ask for it."""


def levers(model: Model, plan: Plan, standing: Iterable[tuple[int, str]] = ()) -> tuple[Lever, ...]:
    """Return the sliders of ``plan``: prices where cost is minimised, supply temperatures of its halls.

    ``standing`` are position and name of the sites whose plant is written in the scenario.
    """
    found: list[Lever] = []
    if model.objective.name == "cost":
        weights = model.objective.weights
        carbon = weights.get("carbon", 0.0) * KG_PER_T
        water = weights.get("water", 0.0)
        found += [
            Lever("carbon", "carbon price", "USD/t", 0.0, max(1000.0, 2.0 * carbon), 5.0, carbon,
                  ("objective", "carbon_price")),
            Lever("water", "water price, on top of the tariff", "USD/m3", 0.0, max(50.0, 2.0 * water), 0.5, water,
                  ("objective", "water_price")),
        ]  # fmt: skip
    written = {name: index for index, name in standing}
    classes = {site.name: site.liquid_class for site in model.on_premise}
    for site in plan.sites:
        points = {} if site.cooling is None else site.cooling.setpoints
        top = min(WARM_C[1], LIQUID_LIMIT_C.get(classes.get(site.name) or "", WARM_C[1]))
        for key, word, low, high in (("warm_supply", "warm", WARM_C[0], top), ("cold_supply", "cold", *COLD_C)):
            value = points.get(f"{key}_c")
            if value is not None:
                path = ("sites", written[site.name], "design", key) if site.name in written else None
                found.append(Lever(f"{key}@{site.name}", f"{word} loop's supply water at {site.name}", "°C",
                                   min(low, value), max(high, value), 0.5, value, path))  # fmt: skip
    return tuple(found)
