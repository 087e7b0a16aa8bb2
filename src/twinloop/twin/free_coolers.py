"""Outdoor coolers that serve a water loop: the rating element, its controls and its water.

A loop asks for a leaving temperature; the fans (and pads) are driven until they reach it or are at
full speed. The heat is returned from both sides so that closure can be checked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from twinloop.arrays import Array, namespace
from twinloop.cooling.dry_coolers import DryCooler, Rejection, dry_cooler, entering_air_c
from twinloop.cooling.exchangers import Exchange, exchange
from twinloop.cooling.solve import flow_ratio, invert
from twinloop.cooling.thermosyphons import Thermosyphon, ThermosyphonPoint, thermosyphon
from twinloop.cooling.towers import Tower, tower, tower_spare_w
from twinloop.twin.design import PlantConstants

FADE_K = 9.0
"""Below this difference of entering water and air, fan speed is capped in proportion: full speed there
costs more fan than it saves compressor. Chosen so that power never falls as outdoor air warms (a test)."""
FROST_C = 2.0
"""Below this dry bulb pads stay dry: no wet mode in frost."""
SLOWEST = 0.02
"""Lowest share of design air flow in a running tower cell, about what buoyancy alone moves."""
HELD_K = 1e-6
"""Water this near its target is held: a tower behind thermosyphons would else pump by the rounding of their root."""
LEAST_FAN = 1e-6
"""Slowest share of a dry cooler's design air flow that is told from standing still."""
FAN_STEPS = 5
"""Steps of a dry cooler's fan: every balance then closes to 1e-11 of IT power (tests hold 1e-6)."""
BASIN_STEPS = 4
"""The same of a tower's basin and fan, which are closer to a straight line."""


@dataclass(frozen=True)
class OutdoorAir:
    """Outdoor air by hour at the coolers' intakes, shape (hours,)."""

    dry_bulb_c: Array
    wet_bulb_c: Array
    dew_point_c: Array
    pressure_pa: float


@dataclass(frozen=True)
class TowerSet:
    """An open tower behind a plate exchanger."""

    tower: Tower
    exchanger_ua_w_k: float
    water_kg_s: float
    pump_w: float
    syphon: Thermosyphon | None = None
    """Before the plate exchanger, in the loop's water: the dry share."""


@dataclass(frozen=True)
class FreePoint:
    """A free cooler at its operating point, shape (hours,)."""

    water_out_c: Array
    heat_w: Array
    """Taken from the loop's water."""
    air_heat_w: Array
    """Given to outdoor air (dry) or carried by its enthalpy (wet), by the air side alone."""
    fan_w: Array
    pump_w: Array
    evaporation_kg_s: Array
    drift_kg_s: Array
    fan_ratio: Array


def hours_of(outdoor: OutdoorAir, index: Array) -> OutdoorAir:
    """Return ``outdoor`` at the hours ``index`` (integers or booleans)."""
    return OutdoorAir(
        outdoor.dry_bulb_c[index], outdoor.wet_bulb_c[index], outdoor.dew_point_c[index], outdoor.pressure_pa
    )


def free_cool(
    cooler: DryCooler | TowerSet | None,
    water_in_c: Array,
    flow_kg_s: Array,
    target_c: Array,
    outdoor: OutdoorAir,
    k: PlantConstants,
) -> FreePoint:
    """Cool ``flow_kg_s`` of loop water from ``water_in_c`` towards ``target_c`` as far as outdoor air allows."""
    if isinstance(cooler, DryCooler):
        return _dry(cooler, water_in_c, flow_kg_s, target_c, outdoor, k)
    if isinstance(cooler, TowerSet):
        if cooler.syphon is None:
            return _wet(cooler, water_in_c, flow_kg_s, target_c, outdoor, k)
        dry = _syphon(cooler.syphon, water_in_c, flow_kg_s, target_c, outdoor, k)
        return _in_series(dry, _wet(cooler, dry.water_out_c, flow_kg_s, target_c, outdoor, k))
    zero = 0.0 * (water_in_c + flow_kg_s)
    return FreePoint(water_in_c + zero, zero, zero, zero, zero, zero, zero, zero)


def best_leaving_c(
    cooler: DryCooler | TowerSet | None, water_in_c: Array, flow_kg_s: Array, outdoor: OutdoorAir, k: PlantConstants
) -> Array:
    """Return the coldest water that ``cooler`` can make, fans at full speed and pads on; stopped in hotter air."""
    xp = namespace(water_in_c, outdoor.dry_bulb_c)
    off = 0.0 * (water_in_c + outdoor.dry_bulb_c)
    if isinstance(cooler, DryCooler):
        pads = (cooler.pad_effectiveness > 0.0) & (outdoor.dry_bulb_c > FROST_C)
        reached_c = dry_cooler(
            cooler, off + 1.0, water_in_c, flow_kg_s * k.water_heat_capacity_j_kg_k, outdoor.dry_bulb_c,
            outdoor.wet_bulb_c, outdoor.pressure_pa, pads,
        ).water_out_c  # fmt: skip
        return xp.minimum(reached_c, water_in_c)
    if isinstance(cooler, TowerSet):
        if cooler.syphon is not None:
            water_in_c = thermosyphon(cooler.syphon, off + 1.0, water_in_c, flow_kg_s, outdoor.dry_bulb_c).water_out_c
        return _plate(
            cooler, water_in_c, flow_kg_s, _coldest_basin_c(cooler, water_in_c, flow_kg_s, outdoor, k), k
        ).hot_out_c
    return water_in_c + off


def _dry(
    cooler: DryCooler,
    water_in_c: Array,
    flow_kg_s: Array,
    target_c: Array,
    outdoor: OutdoorAir,
    k: PlantConstants,
) -> FreePoint:
    """Fans (and pads) reach the target or stop at the most that pays: they slow down as the air nears the water, where
    full speed would cost more than it rejects."""
    xp = namespace(water_in_c, target_c)
    capacity_w_k = flow_kg_s * k.water_heat_capacity_j_kg_k

    def rate(fan_ratio: Array, pads: Array):  # type: ignore[no-untyped-def]
        return dry_cooler(
            cooler, fan_ratio, water_in_c, capacity_w_k, outdoor.dry_bulb_c, outdoor.wet_bulb_c,
            outdoor.pressure_pa, pads,
        )  # fmt: skip

    off = 0.0 * (water_in_c + outdoor.dry_bulb_c)
    dry_best_c = rate(off + 1.0, off > 1.0).water_out_c
    pads_on = (dry_best_c > target_c) & (cooler.pad_effectiveness > 0.0) & (outdoor.dry_bulb_c > FROST_C)
    air_c = entering_air_c(cooler, outdoor.dry_bulb_c, outdoor.wet_bulb_c, pads_on)
    most = xp.clip((water_in_c - air_c) / FADE_K, 0.0, 1.0)
    helps = (target_c < water_in_c) & (most > LEAST_FAN)
    most = xp.where(helps, most, 1.0)
    wanted_w = xp.where(helps, capacity_w_k * (water_in_c - target_c), 1.0)
    ratio = flow_ratio(lambda fan: rate(fan, pads_on).heat_w, wanted_w, LEAST_FAN, most, FAN_STEPS)
    point = rate(xp.where(helps, ratio, 0.0), pads_on & helps)
    # By the fans' end alone: rounds that ask for temperatures only then need no root.
    leaving_c = xp.where(helps, xp.maximum(target_c, rate(most, pads_on).water_out_c), water_in_c)
    air_heat_w = point.air_flow_kg_s * k.air_heat_capacity_j_kg_k * (point.air_out_c - point.air_in_c)
    return FreePoint(
        leaving_c, point.heat_w, air_heat_w, point.fan_w, off, point.evaporation_kg_s, point.drift_kg_s,
        xp.where(helps, ratio, 0.0),
    )  # fmt: skip


def _syphon(
    unit: Thermosyphon, water_in_c: Array, flow_kg_s: Array, target_c: Array, outdoor: OutdoorAir, k: PlantConstants
) -> FreePoint:
    """Take what dry air takes for little fan power; slow down as the air nears the water, as dry coolers do."""
    xp = namespace(water_in_c, target_c)
    off = 0.0 * (water_in_c + outdoor.dry_bulb_c + flow_kg_s)

    def rate(fan_ratio: Array) -> ThermosyphonPoint:
        return thermosyphon(unit, fan_ratio, water_in_c, flow_kg_s, outdoor.dry_bulb_c)

    most = xp.clip((water_in_c - outdoor.dry_bulb_c) / FADE_K, 0.0, 1.0)
    runs = (target_c < water_in_c) & (most > LEAST_FAN)
    most = xp.where(runs, most, 1.0)
    water_w_k = flow_kg_s * k.water_heat_capacity_j_kg_k
    wanted_w = xp.where(runs, water_w_k * (water_in_c - target_c), 1.0)
    ratio = xp.where(runs, flow_ratio(lambda fan: rate(fan).heat_w, wanted_w, LEAST_FAN, most, FAN_STEPS), 0.0)
    point = rate(ratio)
    helps = xp.where(point.heat_w > 0.0, 1.0, 0.0)
    air_heat_w = point.air_flow_kg_s * k.air_heat_capacity_j_kg_k * (point.air_out_c - outdoor.dry_bulb_c)
    water_out_c = water_in_c - point.heat_w / water_w_k
    return FreePoint(water_out_c, point.heat_w, air_heat_w, helps * point.fan_w, off, off, off, helps * ratio)


def _in_series(first: FreePoint, second: FreePoint) -> FreePoint:
    """Return both on one stream of water; the fan speed is the second's."""
    return FreePoint(
        second.water_out_c, first.heat_w + second.heat_w, first.air_heat_w + second.air_heat_w,
        first.fan_w + second.fan_w, first.pump_w + second.pump_w, first.evaporation_kg_s + second.evaporation_kg_s,
        first.drift_kg_s + second.drift_kg_s, second.fan_ratio,
    )  # fmt: skip


def _wet(
    wet: TowerSet,
    water_in_c: Array,
    flow_kg_s: Array,
    target_c: Array,
    outdoor: OutdoorAir,
    k: PlantConstants,
) -> FreePoint:
    """Loop water through a plate exchanger against tower water; the basin temperature is the unknown."""
    xp = namespace(water_in_c, target_c)
    off = 0.0 * (water_in_c + outdoor.dry_bulb_c + flow_kg_s)
    useful = (target_c < water_in_c - HELD_K) & (outdoor.wet_bulb_c < water_in_c - 0.5)
    wanted_c = _wanted_basin_c(wet, water_in_c, flow_kg_s, target_c, outdoor, k)
    basin_c, ratio = held_basin(
        lambda basin, fan: _overshoot_k(wet, water_in_c, flow_kg_s, basin, fan, outdoor, k),
        wanted_c + off, xp.minimum(outdoor.wet_bulb_c, water_in_c) - 0.5 + off, water_in_c + 1.0 + off,
    )  # fmt: skip
    ratio = xp.where(useful, ratio, 0.0)
    at = _cells(wet, water_in_c, flow_kg_s, basin_c, xp.maximum(ratio, SLOWEST), outdoor, k)
    water = _plate(wet, water_in_c, flow_kg_s, basin_c, k)
    on = xp.where(useful, 1.0, 0.0)
    # Below the lowest fan speed the cells cycle: they run the share of the hour that the load needs.
    cycling = xp.where(ratio <= SLOWEST * 1.01, xp.minimum((water.heat_w + wet.pump_w) / at.heat_w, 1.0), 1.0)
    running = on * cycling
    air_heat_w = at.air_flow_kg_s * (at.air_out_enthalpy_j_kg - at.air_in_enthalpy_j_kg)
    return FreePoint(
        xp.where(useful, water.hot_out_c, water_in_c), on * water.heat_w, running * air_heat_w,
        running * at.fan_w, on * wet.pump_w, running * at.evaporation_kg_s, running * at.drift_kg_s, ratio,
    )  # fmt: skip


def held_basin(
    overshoot_k: Callable[[Array, Array], Array], wanted_c: Array, low_c: Array, high_c: Array
) -> tuple[Array, Array]:
    """Return (basin, fan): the fan that holds the wanted basin, else the basin that full fan balances at.

    Args:
        overshoot_k: load that the tower leaves over at a basin and a fan speed; falls with both.
        wanted_c: shape (hours,).
        low_c: coldest basin looked at.
        high_c: warmest.
    """
    xp = namespace(wanted_c, low_c)
    off = 0.0 * wanted_c
    reached = overshoot_k(wanted_c, off + 1.0) <= 0.0

    def at_share(share: Array) -> tuple[Array, Array]:
        return (
            xp.where(reached, wanted_c, low_c + share * (high_c - low_c)),
            xp.where(reached, SLOWEST + share * (1.0 - SLOWEST), 1.0),
        )

    return at_share(invert(lambda share: overshoot_k(*at_share(share)), off, off, off + 1.0, iterations=BASIN_STEPS))


def _wanted_basin_c(
    wet: TowerSet, water_in_c: Array, flow_kg_s: Array, target_c: Array, outdoor: OutdoorAir, k: PlantConstants
) -> Array:
    """Return the basin at which the plate cools the loop to ``target_c``: its heat is linear in the basin."""
    xp = namespace(water_in_c, target_c)
    per_k = _plate(wet, water_in_c, flow_kg_s, water_in_c - 1.0, k).heat_w
    basin_c = water_in_c - flow_kg_s * k.water_heat_capacity_j_kg_k * (water_in_c - target_c) / per_k
    return xp.clip(basin_c, xp.minimum(outdoor.wet_bulb_c, water_in_c) - 0.5, water_in_c + 0.0 * basin_c)


def reaches(
    cooler: DryCooler | TowerSet | None,
    water_in_c: Array,
    flow_kg_s: Array,
    target_c: Array,
    outdoor: OutdoorAir,
    k: PlantConstants,
) -> Array:
    """Say where ``cooler`` at full power surely makes water of ``target_c``, for a fraction of the answer's cost."""
    if isinstance(cooler, TowerSet) and cooler.syphon is None:
        off = 0.0 * (water_in_c + outdoor.dry_bulb_c + flow_kg_s)
        wanted_c = _wanted_basin_c(cooler, water_in_c, flow_kg_s, target_c, outdoor, k)
        inside = (wanted_c < water_in_c) & (wanted_c > outdoor.wet_bulb_c)
        return inside & (_overshoot_k(cooler, water_in_c, flow_kg_s, wanted_c, off + 1.0, outdoor, k) < 0.0)
    return best_leaving_c(cooler, water_in_c, flow_kg_s, outdoor, k) < target_c


def _plate(wet: TowerSet, water_in_c: Array, flow_kg_s: Array, basin_c: Array, k: PlantConstants) -> Exchange:
    cp = k.water_heat_capacity_j_kg_k
    return exchange(water_in_c, basin_c, flow_kg_s * cp, wet.water_kg_s * cp, wet.exchanger_ua_w_k)


def _cells(
    wet: TowerSet,
    water_in_c: Array,
    flow_kg_s: Array,
    basin_c: Array,
    fan_ratio: Array,
    outdoor: OutdoorAir,
    k: PlantConstants,
) -> Rejection:
    tower_w_k = wet.water_kg_s * k.water_heat_capacity_j_kg_k
    hot_c = _plate(wet, water_in_c, flow_kg_s, basin_c, k).cold_out_c + wet.pump_w / tower_w_k
    return tower(
        wet.tower, fan_ratio, hot_c, wet.water_kg_s, outdoor.dry_bulb_c, outdoor.wet_bulb_c, outdoor.pressure_pa
    )


def _overshoot_k(
    wet: TowerSet,
    water_in_c: Array,
    flow_kg_s: Array,
    basin_c: Array,
    fan_ratio: Array,
    outdoor: OutdoorAir,
    k: PlantConstants,
) -> Array:
    """Return the load that the tower leaves over, in kelvin of its water: zero where it balances."""
    tower_w_k = wet.water_kg_s * k.water_heat_capacity_j_kg_k
    load_w = _plate(wet, water_in_c, flow_kg_s, basin_c, k).heat_w + wet.pump_w
    spare_w = tower_spare_w(
        wet.tower, fan_ratio, basin_c, load_w, wet.water_kg_s, outdoor.wet_bulb_c, outdoor.pressure_pa
    )
    return -spare_w / tower_w_k


def _coldest_basin_c(
    wet: TowerSet, water_in_c: Array, flow_kg_s: Array, outdoor: OutdoorAir, k: PlantConstants
) -> Array:
    """Return the basin temperature with fans at full speed, where the tower gives back what the plate brings."""
    xp = namespace(water_in_c)
    off = 0.0 * (water_in_c + outdoor.dry_bulb_c + flow_kg_s)
    return invert(
        lambda basin: _overshoot_k(wet, water_in_c, flow_kg_s, basin, off + 1.0, outdoor, k),
        off, xp.minimum(outdoor.wet_bulb_c, water_in_c) - 0.5, water_in_c + 1.0 + off, iterations=BASIN_STEPS,
    )  # fmt: skip
