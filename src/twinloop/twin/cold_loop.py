"""The cold loop: economiser in series before the chiller, and what takes the condenser's heat."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array, namespace
from twinloop.cooling.chillers import Chiller, ChillerPoint, chiller
from twinloop.cooling.dry_coolers import DryCooler
from twinloop.cooling.exchangers import exchange
from twinloop.cooling.pumps import flow_power_share
from twinloop.cooling.solve import invert
from twinloop.cooling.towers import Tower, tower, tower_spare_w
from twinloop.twin.design import HybridDesign, PlantConstants
from twinloop.twin.floating import EVERY_HOUR, floated_c
from twinloop.twin.free_coolers import SLOWEST, OutdoorAir, free_cool, held_basin, hours_of

MOST_FLOAT_K = 40.0
"""Furthest that chilled water may float above its setpoint."""
SURE_K = 8.0
"""Added to the approach where a cheap test asks whether the tower surely holds its basin."""
WIDEST_K = 40.5
"""Basins are sought from half a kelvin below the wet bulb on over this much."""
SETTLING = 4
"""Steps over a tenth of a kelvin, where the basin is close to linear in its overshoot."""
WORTH_A_TOWER_K = 1.0
"""Least that a basin must be colder than the return for the plate economiser to run. Low confidence."""
LEFT_OVER = 1e-9
"""Share of the heat below which capacity counts as enough."""


@dataclass(frozen=True)
class ColdLoop:
    """Sizes of the cold loop, all units as one. Air-cooled: ``tower`` is ``None``."""

    chiller: Chiller
    heat_w: float
    """Design heat, pumps included."""
    flow_kg_s: float
    pump_w: float
    free_coil: DryCooler | None
    """Air-cooled plant: outdoor coil before the evaporator."""
    tower: Tower | None
    condenser_kg_s: float
    condenser_pump_w: float
    exchanger_ua_w_k: float
    """Water-cooled plant: plate economiser."""


@dataclass(frozen=True)
class ColdState:
    """The cold loop at its operating point, shape (hours,)."""

    supply_c: Array
    return_c: Array
    flow_kg_s: Array
    """Through the pump: never below its least, whatever coils and doors ask for."""
    heat_w: Array
    free_w: Array
    chiller_load_w: Array
    chiller_w: Array
    condenser_c: Array
    fan_w: Array
    pump_w: Array
    condenser_pump_w: Array
    evaporation_kg_s: Array
    drift_kg_s: Array
    rejected_w: Array
    """Given to outdoor air, by the air side alone."""
    water_side_w: Array
    """The same heat by the water side: free + load + compressor + condenser pump."""
    extrapolated: Array


@dataclass(frozen=True)
class _Outdoor:
    """What the outdoor side does for one supply temperature."""

    free_w: Array
    chiller_w: Array
    available_w: Array
    condenser_c: Array
    fan_w: Array
    condenser_pump_w: Array
    evaporation_kg_s: Array
    drift_kg_s: Array
    rejected_w: Array
    water_side_w: Array
    extrapolated: Array


def cold_loop(
    load_w: Array,
    flow_kg_s: Array,
    loop: ColdLoop,
    design: HybridDesign,
    outdoor: OutdoorAir,
    k: PlantConstants,
    store_w: Array = 0.0,
) -> ColdState:
    """Solve the cold loop for ``load_w`` from coils, doors and trim less ``store_w`` into a tank, shape (hours,).

    The economiser precools the return; the chiller does the rest. Where economiser and chiller at
    full capacity cannot hold the setpoint, supply floats up to where they can.
    """
    xp = namespace(load_w, flow_kg_s)
    ratio = xp.maximum(flow_kg_s / loop.flow_kg_s, k.minimum_flow_ratio)
    flow = ratio * loop.flow_kg_s
    pump_w = loop.pump_w * flow_power_share(ratio, k.pump_static_share)
    heat_w = load_w + pump_w - store_w
    capacity_w_k = flow * k.water_heat_capacity_j_kg_k
    approach_k = k.tower_approach_k + 0.0 * heat_w

    def outside(supply_c: Array, at: Array) -> _Outdoor:
        return_c = supply_c + heat_w[at] / capacity_w_k[at]
        here = hours_of(outdoor, at)
        if loop.tower is None:
            return _air_cooled(heat_w[at], return_c, supply_c, flow[at], loop, here, k)
        return _water_cooled(heat_w[at], return_c, supply_c, flow[at], approach_k[at], loop, here, k)

    def shortage_w(supply_c: Array, at: Array) -> Array:
        here = outside(supply_c, at)
        return heat_w[at] - here.free_w - here.available_w

    setpoint_c = 0.0 * heat_w + design.cold_supply_c
    enough = _carried(heat_w, setpoint_c, approach_k, loop, outdoor, k)
    supply_c = floated_c(setpoint_c, shortage_w, LEFT_OVER * heat_w, MOST_FLOAT_K, enough)
    state = outside(supply_c, EVERY_HOUR)
    return ColdState(
        supply_c=supply_c, return_c=supply_c + heat_w / capacity_w_k, flow_kg_s=flow, heat_w=heat_w,
        free_w=state.free_w,
        chiller_load_w=heat_w - state.free_w, chiller_w=state.chiller_w, condenser_c=state.condenser_c,
        fan_w=state.fan_w, pump_w=pump_w, condenser_pump_w=state.condenser_pump_w,
        evaporation_kg_s=state.evaporation_kg_s, drift_kg_s=state.drift_kg_s, rejected_w=state.rejected_w,
        water_side_w=state.water_side_w, extrapolated=state.extrapolated,
    )  # fmt: skip


def _carried(
    heat_w: Array, supply_c: Array, approach_k: Array, loop: ColdLoop, outdoor: OutdoorAir, k: PlantConstants
) -> Array:
    """Say where the chiller alone carries all heat, towers at full fan or better: no economiser needs to be rated."""
    xp = namespace(heat_w)
    if loop.tower is None:
        return chiller(loop.chiller, heat_w, supply_c, outdoor.dry_bulb_c).available_w >= heat_w
    # A basin that the tower surely holds: warmer than any that the control sequence aims at.
    basin_c = xp.maximum(outdoor.wet_bulb_c + approach_k + SURE_K, supply_c)
    condenser_c = xp.maximum(basin_c, k.condenser_minimum_c)
    point = chiller(loop.chiller, heat_w, supply_c, condenser_c)
    load_w = heat_w + point.power_w + loop.condenser_pump_w
    spare_w = tower_spare_w(
        loop.tower, 1.0 + 0.0 * heat_w, basin_c, load_w, loop.condenser_kg_s, outdoor.wet_bulb_c, outdoor.pressure_pa
    )
    return (spare_w > 0.0) & (point.available_w >= heat_w)


def _air_cooled(
    heat_w: Array, return_c: Array, supply_c: Array, flow: Array, loop: ColdLoop, outdoor: OutdoorAir, k: PlantConstants
) -> _Outdoor:
    xp = namespace(heat_w)
    free = free_cool(loop.free_coil, return_c, flow, supply_c, outdoor, k)
    load_w = xp.maximum(heat_w - free.heat_w, 0.0)
    point = chiller(loop.chiller, load_w, supply_c, outdoor.dry_bulb_c)
    return _Outdoor(
        free_w=free.heat_w, chiller_w=point.power_w, available_w=point.available_w,
        condenser_c=outdoor.dry_bulb_c, fan_w=free.fan_w, condenser_pump_w=0.0 * heat_w,
        evaporation_kg_s=free.evaporation_kg_s, drift_kg_s=free.drift_kg_s,
        rejected_w=free.air_heat_w + point.heat_rejected_w,
        water_side_w=free.heat_w + load_w + point.power_w, extrapolated=point.extrapolated,
    )  # fmt: skip


def _water_cooled(
    heat_w: Array,
    return_c: Array,
    supply_c: Array,
    flow: Array,
    approach_k: Array,
    loop: ColdLoop,
    outdoor: OutdoorAir,
    k: PlantConstants,
) -> _Outdoor:
    """Tower basin temperature is the unknown: economiser, condenser and tower share its water."""
    xp = namespace(heat_w)
    cells = loop.tower
    assert cells is not None  # noqa: S101  the caller chose this branch by it
    tower_w_k = loop.condenser_kg_s * k.water_heat_capacity_j_kg_k

    def overshoot_k(basin_c: Array, fan_ratio: Array) -> Array:
        return _overshoot_k(heat_w, return_c, supply_c, flow, basin_c, fan_ratio, loop, outdoor, k)

    off = 0.0 * (heat_w + outdoor.wet_bulb_c)
    target_c = xp.where(
        tower_pays(heat_w, return_c, supply_c, flow, loop, outdoor, k), supply_c - k.plate_exchanger_approach_k,
        xp.maximum(outdoor.wet_bulb_c + approach_k, k.condenser_minimum_c),
    )  # fmt: skip
    low_c = outdoor.wet_bulb_c - 0.5 + off
    basin_c, ratio = held_basin(overshoot_k, target_c + off, low_c, low_c + WIDEST_K)
    # Near the wet bulb the fan hardly moves the basin: solving the basin again at that fan closes the balance.
    settled_c = invert(lambda t: overshoot_k(t, ratio), off, basin_c - 0.05, basin_c + 0.05, iterations=SETTLING)
    basin_c = xp.where(ratio > SLOWEST * 1.01, settled_c, basin_c)
    free_w, point, water_side_w = _at_basin(heat_w, return_c, supply_c, flow, basin_c, loop, k)
    at = tower(
        cells, ratio, basin_c + water_side_w / tower_w_k, loop.condenser_kg_s, outdoor.dry_bulb_c,
        outdoor.wet_bulb_c, outdoor.pressure_pa,
    )  # fmt: skip
    # Below the lowest fan speed the cells cycle: they run the share of the hour that the load needs.
    cycling = xp.where(ratio <= SLOWEST * 1.01, xp.minimum(water_side_w / at.heat_w, 1.0), 1.0)
    return _Outdoor(
        free_w=free_w, chiller_w=point.power_w, available_w=point.available_w, condenser_c=basin_c,
        fan_w=cycling * at.fan_w, condenser_pump_w=loop.condenser_pump_w + off,
        evaporation_kg_s=cycling * at.evaporation_kg_s, drift_kg_s=cycling * at.drift_kg_s,
        rejected_w=cycling * at.air_flow_kg_s * (at.air_out_enthalpy_j_kg - at.air_in_enthalpy_j_kg),
        water_side_w=water_side_w, extrapolated=point.extrapolated,
    )  # fmt: skip


def tower_pays(
    heat_w: Array, return_c: Array, supply_c: Array, flow: Array, loop: ColdLoop, outdoor: OutdoorAir, k: PlantConstants
) -> Array:
    """Say where the towers of ``loop`` at full fan make a basin a kelvin colder than the return: the plate then works.

    Under the hour's own heat: where there is next to none, neither is there anything that fans at full speed could win.
    Shapes (hours,); the loop has towers.
    """
    off = 0.0 * (heat_w + outdoor.wet_bulb_c)
    return _overshoot_k(heat_w, return_c, supply_c, flow, return_c - WORTH_A_TOWER_K, off + 1.0, loop, outdoor, k) < 0.0


def _at_basin(
    heat_w: Array, return_c: Array, supply_c: Array, flow: Array, basin_c: Array, loop: ColdLoop, k: PlantConstants
) -> tuple[Array, ChillerPoint, Array]:
    """Return (plate's heat, chiller, heat that the tower's water brings)."""
    xp, cp = namespace(heat_w), k.water_heat_capacity_j_kg_k
    plate = exchange(return_c, basin_c, flow * cp, loop.condenser_kg_s * cp, loop.exchanger_ua_w_k)
    free_w = xp.clip(plate.heat_w, 0.0, heat_w)
    point = chiller(loop.chiller, heat_w - free_w, supply_c, xp.maximum(basin_c, k.condenser_minimum_c))
    return free_w, point, heat_w + point.power_w + loop.condenser_pump_w


def _overshoot_k(
    heat_w: Array,
    return_c: Array,
    supply_c: Array,
    flow: Array,
    basin_c: Array,
    fan_ratio: Array,
    loop: ColdLoop,
    outdoor: OutdoorAir,
    k: PlantConstants,
) -> Array:
    """Return the load that the tower leaves over, in kelvin of its water: zero where it balances."""
    cells = loop.tower
    assert cells is not None  # noqa: S101  only loops with towers are asked
    load_w = _at_basin(heat_w, return_c, supply_c, flow, basin_c, loop, k)[2]
    spare_w = tower_spare_w(
        cells, fan_ratio, basin_c, load_w, loop.condenser_kg_s, outdoor.wet_bulb_c, outdoor.pressure_pa
    )
    return -spare_w / (loop.condenser_kg_s * k.water_heat_capacity_j_kg_k)
