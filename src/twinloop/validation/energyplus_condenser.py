"""Chiller, condenser loop and tower of the EnergyPlus case, with the habits of the engine's loop solver.

The engine's tower is off while the water that returns is no warmer than the setpoint (the wet bulb, at least 10 °C).
Where it is warmer, the engine looks for the range at which the polynomial of approach meets the entering water. Close
to the wet bulb there is none: approach does not fall to zero with range. It then takes the largest range, 22.2 K (its
log: "The range for the cooling tower likely exceeds the bounds of the model"), of which free convection is credited an
eighth: water leaves 2.8 K colder with the fan off, often below the wet bulb. So a loop whose load warms the water by
less than that gap per pass swings between an idle tower and free convection, and the fan never turns; a loop with more
load, or one that was warm when the wet bulb fell, runs its fan. Which of both it is depends on what was before:
:func:`loop_states` walks through the quarters. All of it shows in Chicago's hours; how far water advances in a quarter
(the engine's iterations end before the loop has settled) is calibrated there: :data:`PASSES`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twinloop.arrays import Array, FloatArray
from twinloop.cooling.chiller_curves import WATER_COOLED, factors, quadratic
from twinloop.cooling.york_towers import FAN_POWER, york_approach_k, york_tower
from twinloop.fluids.psychrometrics import enthalpy_j_kg, saturated_enthalpy_j_kg, saturated_humidity_ratio

WATER_J_KG_K = 4190.0
MOST_RANGE_K = 22.2222
"""Upper end of the polynomial's range of water."""
PASSES = 3
"""Times that water goes round the condenser loop in a quarter of an hour. In Chicago's hours with an idle tower the
loop warms as 31 MJ/K would (3.1 passes; its own water, 3.15 m³, is 13 MJ/K)."""


@dataclass(frozen=True)
class WaterPlant:
    """Chilled-water and condenser loops at Chicago's sizes."""

    chiller_w: float = 455110.0
    chilled_c: float = 7.0
    chilled_kg_s: float = 27.1
    chilled_pump_w: float = 6391.0
    chilled_motor: float = 0.87
    condenser_kg_s: float = 26.24
    condenser_pump_w: float = 5233.6
    condenser_motor: float = 0.90
    tower_fan_w: float = 5759.8
    tower_air_kg_s: float = 15.52 * 1.16
    least_air: float = 0.2
    free_convection: float = 0.125
    setpoint_least_c: float = 10.0
    drift: float = 0.0005
    cycles: float = 4.0
    basin_w_k: float = 450.0
    basin_c: float = 4.5


PLANT = WaterPlant()


@dataclass(frozen=True)
class Air:
    """Outdoor air at every quarter of an hour."""

    dry_c: FloatArray
    wet_c: FloatArray
    humidity: FloatArray
    pressure_pa: float


@dataclass(frozen=True)
class CondenserYear:
    """By quarter."""

    chiller_w: FloatArray
    fan_w: FloatArray
    make_up_kg_s: FloatArray
    wetted: FloatArray
    """Share in which water passes the tower: its basin is heated in the rest."""


@dataclass(frozen=True)
class LoopStates:
    """By quarter: shares of its passes by what the tower does (else it idles), and water entering the chiller."""

    fan: FloatArray
    free: FloatArray
    fall_k: FloatArray
    """By which free convection cools, summed over the passes and divided by their number."""
    water_c: FloatArray


def condenser_year(load_w: FloatArray, entering_c: FloatArray, on: FloatArray, air: Air) -> CondenserYear:
    """Return chiller, tower fan and tower make-up; ``on``: share of the quarter in which the pumps run."""
    target_c = np.maximum(air.wet_c, PLANT.setpoint_least_c)
    pump_w = PLANT.condenser_motor * PLANT.condenser_pump_w
    guess_w = np.where(load_w > 0.0, 1.15 * load_w, 0.0) + pump_w
    states = loop_states(guess_w, on, target_c, air.wet_c)
    chiller_w = np.where(load_w > 0.0, _chiller_w(load_w, entering_c, states.water_c), 0.0)
    heat_w = load_w + chiller_w + pump_w
    ratio = _air_ratio(heat_w, target_c, air.wet_c)
    fan = np.where(ratio > PLANT.least_air, _fan_share(ratio), _fan_share(PLANT.least_air) * ratio / PLANT.least_air)
    fan_air_kg_s = np.maximum(ratio, PLANT.free_convection) * PLANT.tower_air_kg_s
    fall_k = states.fall_k / np.maximum(states.free, 1e-9)
    free_air_kg_s = np.full(heat_w.shape, PLANT.free_convection * PLANT.tower_air_kg_s)
    make_up = states.fan * _make_up_kg_s(heat_w, fan_air_kg_s, ratio, air) + states.free * _make_up_kg_s(
        fall_k * PLANT.condenser_kg_s * WATER_J_KG_K, free_air_kg_s, free_air_kg_s / PLANT.tower_air_kg_s, air
    )
    return CondenserYear(chiller_w, states.fan * PLANT.tower_fan_w * fan, make_up, states.fan + states.free)


def loop_states(heat_w: FloatArray, on: FloatArray, target_c: FloatArray, wet_c: FloatArray) -> LoopStates:
    """Return what the tower does, pass by pass: idle, free convection without fan, or its fan.

    Args:
        heat_w: given to the loop while its pump runs.
        on: share of time in which the pump runs; below 1 whole quarters are drawn at equal distances.
        target_c: setpoint of leaving water.
        wet_c: outdoor wet bulb.
    """
    range_k = heat_w / (PLANT.condenser_kg_s * WATER_J_KG_K)
    gap_k = np.asarray(york_approach_k(np.clip(wet_c, -34.4, 26.6667), np.zeros(wet_c.shape), 1.0))
    full_c = _tower_out_c(heat_w, np.ones(heat_w.shape), wet_c)
    fan, free, fall_k, water_c = (np.zeros(heat_w.size) for _ in range(4))
    returning_c, due, lost_k = float(target_c[0]), 0.0, PLANT.free_convection * MOST_RANGE_K
    # Where full fan would overcool, an eighth of what it takes from water at the setpoint.
    full_range_k = np.asarray(york_tower(1.0, target_c, 1.0, wet_c).range_k)
    over_k = np.where(full_c < target_c, PLANT.free_convection * full_range_k, 0.0)
    columns = (range_k, full_c, on, target_c, wet_c + gap_k, over_k)
    for i, row in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        rise_k, out_c, share, setpoint_c, least_c, eighth_k = row
        leaving_c, due = returning_c, due + share
        if due >= 1.0 - 1e-9:
            due -= 1.0
            for _ in range(PASSES):
                leaving_c, free_k = returning_c, 0.0
                if returning_c > setpoint_c:
                    free_k = lost_k if returning_c < least_c else eighth_k
                    if returning_c < least_c or returning_c - eighth_k <= setpoint_c:
                        leaving_c = returning_c - free_k
                        free[i] += 1.0 / PASSES
                        fall_k[i] += free_k / PASSES
                    else:
                        leaving_c = max(out_c, setpoint_c)
                        fan[i] += 1.0 / PASSES
                returning_c = leaving_c + rise_k
        water_c[i] = leaving_c
    return LoopStates(fan, free, fall_k, water_c)


def _make_up_kg_s(heat_w: FloatArray, air_kg_s: FloatArray, ratio: FloatArray, air: Air) -> FloatArray:
    evaporation = _saturated_exit_kg_s(heat_w, air_kg_s, air)
    drift = PLANT.drift * PLANT.condenser_kg_s * ratio
    return np.asarray(evaporation + drift + np.maximum(evaporation / (PLANT.cycles - 1.0) - drift, 0.0))


def _fan_share(ratio: Array) -> Array:
    return sum((c * ratio**i for i, c in enumerate(FAN_POWER)), start=0.0)


def _tower_out_c(heat_w: FloatArray, ratio: FloatArray, wet_c: FloatArray) -> FloatArray:
    """Return leaving water at an air ratio.

    The engine warns of ranges and approaches below 1.1 K and uses them: in Chicago's hours at full fan its approach is
    the polynomial's within 0.03 K down to ranges of 0.02 K; held at 1.1 K it would be 1.1 K more.
    """
    range_k = np.clip(heat_w / (PLANT.condenser_kg_s * WATER_J_KG_K), 0.0, MOST_RANGE_K)
    held_c = np.clip(wet_c, -34.4, 26.6667)
    approach_k = york_approach_k(held_c, range_k, np.minimum(1.0 / ratio, 8.0))
    return np.asarray(wet_c + np.clip(approach_k, 0.0, 40.0))


def _air_ratio(heat_w: FloatArray, target_c: FloatArray, wet_c: FloatArray) -> FloatArray:
    """Return the air ratio that reaches the setpoint: 1 where none does; below the least one it cycles."""
    low, high = np.full(heat_w.shape, PLANT.least_air), np.ones(heat_w.shape)
    slow_c, full_c = (_tower_out_c(heat_w, ratio, wet_c) for ratio in (low, high))
    for _ in range(20):
        middle = 0.5 * (low + high)
        warm = _tower_out_c(heat_w, middle, wet_c) > target_c
        low, high = np.where(warm, middle, low), np.where(warm, high, middle)
    range_k = heat_w / (PLANT.condenser_kg_s * WATER_J_KG_K)
    free_k = PLANT.free_convection * np.maximum(target_c + range_k - full_c, 0.0)
    slow_k = np.maximum(target_c + range_k - slow_c, 1e-6)
    cycling = np.clip((range_k - free_k) / np.maximum(slow_k - free_k, 1e-6), 0.0, 1.0) * PLANT.least_air
    return np.where((slow_c <= target_c) | (free_k >= range_k), cycling, high)


def _chiller_w(load_w: FloatArray, entering_c: FloatArray, condenser_c: FloatArray) -> FloatArray:
    """Return compressor power by the file's curves as EnergyPlus 25.2 applies them.

    No limits on temperature, and at the *entering* chilled water: hourly power over load follows the curves within 1 %
    at the entering temperature and is 12 % below them at the leaving one.
    """
    capacity, full = factors(WATER_COOLED, entering_c, condenser_c)
    available_w = PLANT.chiller_w * capacity
    plr = load_w / available_w
    running = np.maximum(plr, WATER_COOLED.minimum_plr)
    cycling = np.minimum(plr / WATER_COOLED.minimum_plr, 1.0)
    return np.asarray(quadratic(WATER_COOLED.part_load, running) * full * available_w / 5.0 * cycling)


def _saturated_exit_kg_s(heat_w: FloatArray, air_kg_s: FloatArray, air: Air) -> FloatArray:
    """Return evaporation with air leaving saturated: its enthalpy gives its temperature, that its humidity."""
    leaving = enthalpy_j_kg(air.dry_c, air.humidity) + heat_w / air_kg_s
    grid_c = np.linspace(-40.0, 60.0, 2001)
    out_c = np.interp(leaving, saturated_enthalpy_j_kg(grid_c, air.pressure_pa), grid_c)
    return np.asarray(np.maximum(air_kg_s * (saturated_humidity_ratio(out_c, air.pressure_pa) - air.humidity), 0.0))
