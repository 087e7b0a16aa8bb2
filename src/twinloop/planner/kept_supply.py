"""A cooling plant that the scenario keeps, at a supply too warm for what is to run: the supply that would do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from twinloop.errors import InfeasibleError
from twinloop.model.model import Model
from twinloop.model.site import ExistingPlant, OnPremise
from twinloop.planner.designs import COLD_SUPPLY_C, WARM_SUPPLY_C, WARMER_COLD_SUPPLY_C
from twinloop.planner.explain import span_words, usd_words
from twinloop.planner.optimise import optimise
from twinloop.planner.screen import screen
from twinloop.twin.design import PlantConstants

KEYS = {"cold_supply_c": "cold_supply", "warm_supply_c": "warm_supply"}
"""Field of a kept plant -> the scenario's key."""


def kept_supply_error(model: Model, k: PlantConstants, progress: Callable[[str], None]) -> InfeasibleError | None:
    """Return the error that names the supply of a kept plant, and the warmest that works, if that alone is in the way.

    ``None``: no colder supply of one kept plant gives a plan.
    """
    for hall in model.on_premise:
        for field, was_c, now_c, plant in _colder(hall.plant):
            looser = _with_plant(model, hall, plant)
            screened = screen(looser, k, progress)
            found = optimise(looser, screened.placements, screened.designs, k)
            if found is not None:
                kept = f"{KEYS[field]} {was_c:g} °C, kept at {hall.name}"
                return InfeasibleError(
                    (f"{kept}: chips lose clock or a limit breaks with water so warm",),
                    (
                        f"{KEYS[field]}: {now_c:g} °C in place of {was_c:g} °C at {hall.name} (nothing is bought for "
                        f"that, then about {usd_words(found.checked.totals.tco_usd)} over "
                        f"{span_words(model.horizon_s)})",
                    ),
                )
    return None


def _colder(plant: ExistingPlant | None) -> Iterator[tuple[str, float, float, ExistingPlant]]:
    """Yield (field, kept, tried, the plant with it), the warmest first; nothing of a plant that need not be kept."""
    if plant is None or not plant.keep:
        return
    for now_c in sorted({*COLD_SUPPLY_C, *WARMER_COLD_SUPPLY_C}, reverse=True):
        if now_c < plant.cold_supply_c:
            yield "cold_supply_c", plant.cold_supply_c, now_c, replace(plant, cold_supply_c=now_c)
    for now_c in sorted(WARM_SUPPLY_C, reverse=True):
        if plant.warm_supply_c is not None and now_c < plant.warm_supply_c:
            yield "warm_supply_c", plant.warm_supply_c, now_c, replace(plant, warm_supply_c=now_c)


def _with_plant(model: Model, hall: OnPremise, plant: ExistingPlant) -> Model:
    halls = tuple(replace(each, plant=plant) if each is hall else each for each in model.on_premise)
    return replace(model, on_premise=halls)
