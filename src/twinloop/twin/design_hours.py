"""The design day: every group at full power in the hottest and in the most humid design hour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.model.weather import WeatherYear
from twinloop.twin.design import PlantConstants
from twinloop.twin.free_coolers import OutdoorAir, hours_of
from twinloop.twin.groups import ItGroup
from twinloop.twin.plant import PlantState, solve_plant
from twinloop.twin.sizing import Plant


def design_hours(weather: WeatherYear, k: PlantConstants) -> OutdoorAir:
    """Return the hottest and the most humid design hour: coils are hardest pressed in one, towers in the other.

    The humid hour's dry bulb stands above its wet bulb as far as in the year's most humid hour.
    """
    conditions = weather.design
    humid_c = conditions.humid_dry_bulb_c
    if humid_c is None:
        humid = int(np.argmax(weather.wet_bulb_c))
        humid_c = conditions.wet_bulb_c + max(float(weather.dry_bulb_c[humid] - weather.wet_bulb_c[humid]), 0.0)
    return OutdoorAir(
        np.array([conditions.dry_bulb_c, humid_c]) + k.recirculation_outdoor_k,
        np.array([conditions.coincident_wet_bulb_c, conditions.wet_bulb_c]), np.full(2, k.dew_point_high_c),
        weather.pressure_pa,
    )  # fmt: skip


def busy_state(plant: Plant, groups: tuple[ItGroup, ...], outdoor: OutdoorAir, k: PlantConstants) -> PlantState:
    """Return the plant in ``outdoor`` with every group at full power, whatever its hours of the year are."""
    full = np.ones(outdoor.dry_bulb_c.shape)
    return solve_plant(plant, tuple(replace(group, activity=full, quarters=None) for group in groups), outdoor, k)


def margins_k(state: PlantState, groups: tuple[ItGroup, ...]) -> FloatArray:
    """Return what the worst chip keeps below its throttle temperature in each hour, K."""
    margins = [group.throttle_c - it.worst_junction_c for it, group in zip(state.it, groups, strict=True)]
    return np.asarray(np.min(margins, axis=0))


def hardest_hour(plant: Plant, groups: tuple[ItGroup, ...], weather: WeatherYear, k: PlantConstants) -> OutdoorAir:
    """Return the design hour in which the worst chip keeps least below its throttle temperature, shape (1,)."""
    outdoor = design_hours(weather, k)
    least = int(np.argmin(margins_k(busy_state(plant, groups, outdoor, k), groups)))
    return hours_of(outdoor, np.array([least]))
