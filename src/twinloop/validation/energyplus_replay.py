"""A small data centre of EnergyPlus replayed with our elements, under its own controls, curves and sizes.

The case: two zones of air-cooled servers, each with an air-side economiser, a direct and an indirect evaporative
cooler and a chilled-water coil in series; one chiller (BLAST curves), a YorkCalc tower with its setpoint on the wet
bulb. File ``2ZoneDataCenterHVAC_wEconomizer_CW`` of EnergyPlus 25.2 (BSD), as shipped by sinergym. What its file
says stands in :data:`ZONES` and ``PLANT``; sizes are EnergyPlus' own for the Chicago design day. What its dynamic
control settles at (supply setpoint by hour, starts at schedule steps) is calibrated on Chicago: :data:`SETTLED`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from twinloop.arrays import FloatArray
from twinloop.cooling.economisers import AirLimits, indirect_evaporative, mix_outdoor_air
from twinloop.cooling.fans import VARIABLE_VOLUME_FAN, polynomial_fan_power_w
from twinloop.fluids.psychrometrics import (
    enthalpy_j_kg,
    humidity_ratio_from_wet_bulb,
    saturated_humidity_ratio,
    wet_bulb_c,
)
from twinloop.validation.energyplus_condenser import PLANT, WATER_J_KG_K, Air, condenser_year

Mask: TypeAlias = NDArray[np.bool_]

PER_HOUR = 4
SIZED_AT_PA = 99063.0
"""Chicago's design day. Where air is thinner the same mass needs more volume, hence fan power."""
LATENT_J_KG = 2.45e6
WATER_KG_M3 = 998.2
AIR_J_KG_K = 1006.0
MOIST_AIR_J_KG_K = 1006.0 + 1860.0 * 0.0085


@dataclass(frozen=True)
class Zone:
    """One zone: what the file says of it, and the sizes of the Chicago design day."""

    floor_m2: float
    air_kg_s: float
    fan_w: float
    direct_wet_bulb_most_c: float
    indirect_wet_above_c: float
    """Outdoor dry bulb from which the indirect stage may be wet."""
    indirect_dry_most_c: float
    indirect_fan_w: float
    indirect_pump_w: float
    indirect_wet: bool
    """Whether the wet stage ever runs: EnergyPlus reports that it cannot find the first zone's secondary flow."""


ZONES = (
    Zone(259.08, 6.99, 2547.85, 20.0, 22.0, 35.0, 1664.60, 1248.45, indirect_wet=False),
    Zone(232.2576, 6.24, 2273.80, 18.0, 20.0, 50.0, 1485.55, 1114.16, indirect_wet=True),
)


WATTS_PER_M2, FAN_SHARE, SUPPLY_EFFICIENCY, RECIRCULATION = 200.0, 0.4, 0.9, 0.1
LOAD = np.array([0.5] * 6 + [0.75] * 2 + [1.0] * 10 + [0.8] * 6)
"""Schedule of processor load by hour of the day."""
LIGHTS_W = 2 * 74.28
"""Annual mean of the schedule."""
ECONOMISER = AirLimits(-20.0, 23.0, -60.0, 13.5)
DIRECT, DIRECT_ABOVE_C, DIRECT_CYCLES, DIRECT_PUMP_W = 0.7, 16.0, 3.0, 30.0
INDIRECT_WET, INDIRECT_DRY, INDIRECT_WET_MOST_C = 0.7 * 1.0776, 0.72, 24.0
"""Effectiveness, the wet one by its table at a secondary flow of 1.4; limit of the wet stage. The file calls the limit
a wet bulb; in Chicago's hours EnergyPlus 25.2 stops the stage at that dry bulb, and while the economiser is open."""
FAN_IN_AIR = 0.9
"""Motor efficiency: the motor stands outside the air stream."""


@dataclass(frozen=True)
class Settled:
    """Calibrated on Chicago, by hour of the day where a tuple has 24 values."""

    supply_c: tuple[float, ...] = (
        16.80, 17.27, 17.38, 17.40, 17.41, 17.41, 15.35, 16.07, 14.09, 14.81, 14.95, 14.97,
        14.97, 14.97, 14.98, 14.98, 14.99, 15.00, 15.60, 15.89, 15.94, 15.95, 15.96, 15.96,
    )  # fmt: skip
    """Loop outlet air as the zone's setpoint manager settles it."""
    flow: tuple[float, ...] = (
        0.916, 0.996, *[1.0] * 4, 0.961, 1.0, 0.98, *[1.0] * 9, 0.99, *[1.0] * 5,
    )  # fmt: skip
    """Air flow over the largest."""
    started: tuple[float, ...] = (0.5, 0.3, *[0.02] * 4, 0.34, 0.02, 0.37, *[0.04] * 9, 0.28, *[0.03] * 5)
    """Share of an economiser hour in which the coil's controller nevertheless starts the water loops."""
    saturation: float = 0.985
    """Relative humidity behind a wet coil."""
    rise: float = 0.56
    """Chilled-water rise over (entering air − chilled water)."""
    plenum_k: float = 0.48
    """Warming of supply air between coil and zone."""
    envelope_w_m2_k: float = 0.85
    """Heat through walls and roof by outdoor air minus 24 °C."""
    envelope_w_m2: float = 13.9
    """Sun, floor and what walls give back later."""


SETTLED = Settled()


@dataclass(frozen=True)
class OutdoorHours:
    """Hourly values of a weather file, shape (8760,), hour ending."""

    dry_bulb_c: FloatArray
    dew_point_c: FloatArray
    pressure_pa: float


@dataclass(frozen=True)
class EndUses:
    """A year by EnergyPlus' end uses, GJ and m³."""

    it_gj: float
    cooling_gj: float
    fans_gj: float
    pumps_gj: float
    rejection_gj: float
    lights_gj: float
    water_m3: float

    @property
    def pue(self) -> float:
        """Everything over "Interior Equipment" (server fans and power supplies inside)."""
        rest = self.cooling_gj + self.fans_gj + self.pumps_gj + self.rejection_gj + self.lights_gj
        return 1.0 + rest / self.it_gj

    @property
    def wue_l_kwh(self) -> float:
        """Site water over IT energy."""
        return self.water_m3 * 1e3 / (self.it_gj * 1e9 / 3.6e6)


@dataclass(frozen=True)
class _Moments:
    """Outdoor air and schedules at every quarter of an hour."""

    dry_c: FloatArray
    wet_c: FloatArray
    humidity: FloatArray
    pressure_pa: float
    hour: NDArray[np.int64]


@dataclass(frozen=True)
class _ZoneYear:
    it_w: FloatArray
    fan_w: FloatArray
    evaporative_w: FloatArray
    coil_w: FloatArray
    coil_in_c: FloatArray
    water_kg_s: FloatArray


def replay_year(outdoor: OutdoorHours, settled: Settled = SETTLED) -> EndUses:
    """Return the case's year in this weather."""
    at = _moments(outdoor)
    zones = [_zone_year(zone, at, settled) for zone in ZONES]
    coil_w = sum((zone.coil_w for zone in zones), start=np.zeros(at.dry_c.size))
    started = np.asarray(settled.started)[at.hour]
    on = np.where(coil_w > 0.0, 1.0, started)
    chilled_kg_s = sum(
        zone.coil_w / (WATER_J_KG_K * settled.rise * np.maximum(zone.coil_in_c - PLANT.chilled_c, 1.0))
        for zone in zones
    )
    chilled_pump_w = PLANT.chilled_pump_w * chilled_kg_s / PLANT.chilled_kg_s
    load_w = coil_w + PLANT.chilled_motor * chilled_pump_w
    entering_c = PLANT.chilled_c + coil_w / np.maximum(chilled_kg_s * WATER_J_KG_K, 1.0)
    rejected = condenser_year(load_w, entering_c, on, Air(at.dry_c, at.wet_c, at.humidity, at.pressure_pa))
    basin_w = PLANT.basin_w_k * np.maximum(PLANT.basin_c - at.dry_c, 0.0) * (1.0 - rejected.wetted)
    water = (
        float(np.sum(rejected.make_up_kg_s) + sum(np.sum(zone.water_kg_s) for zone in zones))
        * 3600.0
        / PER_HOUR
        / WATER_KG_M3
    )
    return EndUses(
        it_gj=_gj(*(zone.it_w for zone in zones)),
        cooling_gj=_gj(rejected.chiller_w, *(zone.evaporative_w for zone in zones)),
        fans_gj=_gj(*(zone.fan_w for zone in zones)),
        pumps_gj=_gj(chilled_pump_w + on * PLANT.condenser_pump_w),
        rejection_gj=_gj(rejected.fan_w + basin_w), lights_gj=LIGHTS_W * 8760.0 * 3600.0 / 1e9, water_m3=water,
    )  # fmt: skip


def _gj(*powers_w: FloatArray) -> float:
    return sum(float(np.mean(power_w)) for power_w in powers_w) * 8760.0 * 3600.0 / 1e9


def _moments(outdoor: OutdoorHours) -> _Moments:
    """Return quarters of hours: linear between the ends of hours, as EnergyPlus interpolates."""
    ends = np.arange(1, 8761, dtype=float)
    quarters = (np.arange(8760 * PER_HOUR) + 1.0) / PER_HOUR
    dry_c = np.interp(quarters, ends, outdoor.dry_bulb_c, period=8760.0)
    dew_c = np.interp(quarters, ends, outdoor.dew_point_c, period=8760.0)
    humidity = saturated_humidity_ratio(np.minimum(dew_c, dry_c), outdoor.pressure_pa)
    wet_c = wet_bulb_c(dry_c, humidity, outdoor.pressure_pa)
    hour = (np.arange(8760 * PER_HOUR) // PER_HOUR) % 24
    return _Moments(dry_c, np.asarray(wet_c), np.asarray(humidity), outdoor.pressure_pa, hour)


def server_power_w(zone: Zone, load: FloatArray, intake_c: FloatArray) -> FloatArray:
    """Return the meter's power of a zone's servers: both curves of the file, supply loss ``1 − η`` of the output.

    Processors ``−1 + x + 0.06667 T``; fans ``−1.4 + 0.9 x + 0.1 T``, linear in their flow.
    """
    design_w = WATTS_PER_M2 * zone.floor_m2
    processors_w = design_w * (1.0 - FAN_SHARE) * (-1.0 + load + 0.06667 * intake_c)
    fans_w = design_w * FAN_SHARE * (-1.4 + 0.9 * load + 0.1 * intake_c)
    return np.asarray((processors_w + fans_w) * (2.0 - SUPPLY_EFFICIENCY))


def _zone_year(zone: Zone, at: _Moments, settled: Settled) -> _ZoneYear:
    supply_c = np.asarray(settled.supply_c)[at.hour]
    air_kg_s = zone.air_kg_s * np.asarray(settled.flow)[at.hour]
    inlet_c = supply_c + settled.plenum_k
    envelope_w = zone.floor_m2 * (settled.envelope_w_m2 + settled.envelope_w_m2_k * (at.dry_c - 24.0))
    it_w, return_c = _servers(zone, LOAD[at.hour], supply_c, inlet_c, air_kg_s, envelope_w)
    thinner = SIZED_AT_PA / at.pressure_pa
    fan_w = polynomial_fan_power_w(air_kg_s / zone.air_kg_s, thinner * zone.fan_w, VARIABLE_VOLUME_FAN)
    fan_k = FAN_IN_AIR * fan_w / (air_kg_s * AIR_J_KG_K)
    wet_most_c = zone.direct_wet_bulb_most_c
    recirculated = _held_humidity(return_c + fan_k, supply_c, wet_most_c, at.pressure_pa, settled)
    mixed = mix_outdoor_air(
        air_kg_s, return_c, recirculated, at.dry_c, at.humidity, supply_c - fan_k, at.pressure_pa, ECONOMISER
    )
    free = np.asarray(mixed.permitted)
    fraction = np.where(free, mixed.outdoor_fraction, 0.0)
    entering_c = np.where(free, return_c + fraction * (at.dry_c - return_c), return_c) + fan_k
    humidity = np.where(free, at.humidity, recirculated)
    asked = entering_c > supply_c + 0.02
    cooled_c, moist, added = _direct(zone, entering_c, humidity, supply_c, asked, at.pressure_pa)
    after_c, evaporative_w, indirect_kg_s = _indirect(zone, air_kg_s, cooled_c, moist, supply_c, ~free, at)
    cooling = after_c > supply_c + 0.02
    dried = np.minimum(moist, settled.saturation * saturated_humidity_ratio(supply_c, at.pressure_pa))
    coil_w = np.where(cooling, air_kg_s * (enthalpy_j_kg(after_c, moist) - enthalpy_j_kg(supply_c, dried)), 0.0)
    direct_kg_s = air_kg_s * added * DIRECT_CYCLES / (DIRECT_CYCLES - 1.0)
    direct_w = np.where(added > 0.0, DIRECT_PUMP_W, 0.0)
    return _ZoneYear(it_w, fan_w, evaporative_w + direct_w, coil_w, after_c, direct_kg_s + indirect_kg_s)


def _servers(
    zone: Zone, load: FloatArray, supply_c: FloatArray, inlet_c: FloatArray, air_kg_s: FloatArray, other_w: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return (power, return air): a tenth of the exhaust is drawn in again, so both settle together."""
    return_c = supply_c + 8.0
    it_w = np.zeros_like(supply_c)
    for _ in range(6):
        it_w = server_power_w(zone, load, (1.0 - RECIRCULATION) * inlet_c + RECIRCULATION * return_c)
        return_c = supply_c + (it_w + other_w + 0.5 * LIGHTS_W) / (air_kg_s * MOIST_AIR_J_KG_K)
    return it_w, return_c


def _held_humidity(
    warm_c: FloatArray, supply_c: FloatArray, wet_most_c: float, pressure_pa: float, settled: Settled
) -> FloatArray:
    """Return the humidity of a hall that only recirculates: wetted until the coil dries it or the limit stops it.

    The direct stage stops at its wet-bulb limit, the coil holds saturation at the supply; air passes every few
    minutes, so the lower of the two is reached within the quarter.
    """
    saturated = settled.saturation * saturated_humidity_ratio(supply_c, pressure_pa)
    limit = humidity_ratio_from_wet_bulb(warm_c, wet_most_c, pressure_pa)
    return np.asarray(np.minimum(saturated, limit))


def _direct(
    zone: Zone, air_c: FloatArray, humidity: FloatArray, supply_c: FloatArray, asked: Mask, pressure_pa: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return (air, humidity, water taken up per kg) behind the direct stage."""
    wet_c = wet_bulb_c(air_c, humidity, pressure_pa)
    runs = asked & (air_c >= DIRECT_ABOVE_C) & (wet_c < zone.direct_wet_bulb_most_c - 0.01)
    cooled_c = np.where(runs, np.maximum(air_c - DIRECT * (air_c - wet_c), supply_c), air_c)
    moist = np.where(runs, humidity_ratio_from_wet_bulb(cooled_c, wet_c, pressure_pa), humidity)
    return cooled_c, moist, np.maximum(moist - humidity, 0.0)


def _indirect(
    zone: Zone,
    air_kg_s: FloatArray,
    air_c: FloatArray,
    humidity: FloatArray,
    supply_c: FloatArray,
    closed: Mask,
    at: _Moments,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return (air, electricity, water) of the indirect stage, which runs the share of time that the setpoint asks."""
    may_wet = closed & (at.dry_c >= zone.indirect_wet_above_c) & (at.dry_c <= INDIRECT_WET_MOST_C) & zone.indirect_wet
    may_run = (air_c > supply_c + 0.02) & (may_wet | (at.dry_c <= zone.indirect_dry_most_c))
    point = indirect_evaporative(
        air_kg_s, air_c, humidity, at.dry_c, at.wet_c, may_wet, INDIRECT_WET, INDIRECT_DRY
    )  # fmt: skip
    drop_k = np.where(may_run, air_c - point.out_c, 0.0)
    share = np.where(drop_k > 0.05, np.clip((air_c - supply_c) / np.maximum(drop_k, 1e-9), 0.0, 1.0), 0.0)
    wet = point.evaporation_kg_s > 0.0
    power_w = share * (zone.indirect_fan_w + np.where(wet, zone.indirect_pump_w, 0.0))
    return air_c - share * drop_k, power_w, share * point.evaporation_kg_s
