"""The universal hybrid plant: hours in, operating points out.

Degrees of freedom: free are the supply setpoints of warm water, cold water and air; dependent are
fan speeds, valve openings, pads and chiller load; the closing variables, when capacity is short, are
the supply temperatures themselves, which float up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from twinloop.arrays import Array, namespace
from twinloop.cooling.altitude import pressure_ratio
from twinloop.twin.air_loop import AirState, air_loop
from twinloop.twin.cold_loop import ColdState, cold_loop
from twinloop.twin.design import PlantConstants
from twinloop.twin.electrical import ElectricState, electric_state, room_loss_w
from twinloop.twin.floating import EVERY_HOUR
from twinloop.twin.free_coolers import OutdoorAir, hours_of
from twinloop.twin.groups import Coolants, ItGroup, ItState, it_state
from twinloop.twin.settling import Streams, at_hours, settle_compiled, settle_hours, unsettled
from twinloop.twin.sizing import Plant
from twinloop.twin.warm_loop import WarmState, warm_loop

WHOLE_PASSES = 3
"""Over all hours; then over those alone that have not settled."""
SETTLED_K, DOOR_SETTLED_K = 1e-3, 1e-4
"""Rounds between chip power and coolant temperature end when no coolant moves more than this; a kelvin
changes power by some tenths of a percent, so a round contracts the change about fiftyfold. Behind rear doors servers
breathe the room that they warm: a round contracts the change sixfold only, and where their fans speed up with it a
kelvin is a tenth of the power."""

COMPILED_PASSES, DOOR_PASSES = 2, 3
"""Rounds before the last one where their number must be fixed, carried on to their end: about 0.01 mK is left, more in
hours that are just short of capacity."""


@dataclass(frozen=True)
class PlantState:
    """A hall at its operating point, shape (hours,) throughout."""

    it: tuple[ItState, ...]
    it_w: Array
    air: AirState
    warm: WarmState | None
    cold: ColdState
    electric: ElectricState
    crah_fans_w: Array
    pumps_w: Array
    chillers_w: Array
    heat_rejection_w: Array
    heat_pump_w: Array
    heat_sold_w: Array
    """Carried off by the heat buyer's water, the heat pump's electricity in it."""
    store_w: Array
    """Heat into a chilled-water tank; below 0 while it is charged with cold."""
    lighting_w: Array
    facility_w: Array
    evaporation_kg_s: Array
    drift_kg_s: Array
    balance_error: Array
    """Largest mismatch of two independently computed sides of any element or of the hall, over IT power."""


def solve_plant(
    plant: Plant, groups: tuple[ItGroup, ...], outdoor: OutdoorAir, k: PlantConstants, store_w: Array = 0.0
) -> PlantState:
    """Solve the hall for every hour of ``outdoor`` and of the groups' activity.

    ``store_w`` is what a chilled-water tank takes from the cold loop, below 0 where it is charged.
    """
    zero = 0.0 * outdoor.dry_bulb_c
    plate_c = zero + plant.design.warm_supply_c + k.cdu_approach_k
    start = (zero + plant.design.air_supply_c + 0.5, plate_c, zero + plant.design.cold_supply_c)

    def once(coolants: Streams, at: Array | slice = EVERY_HOUR) -> _Pass:
        if at is EVERY_HOUR:
            return _pass(plant, groups, outdoor, coolants, k, zero + store_w)
        here = replace(plant, design=at_hours(plant.design, at, zero.size))
        busy = tuple(at_hours(group, at, zero.size) for group in groups)
        return _pass(here, busy, hours_of(outdoor, at), coolants, at_hours(k, at, zero.size), (zero + store_w)[at])

    rounds, settled_k = (COMPILED_PASSES, SETTLED_K) if plant.door is None else (DOOR_PASSES, DOOR_SETTLED_K)
    return _assemble(plant, _settle(once, start, rounds, settled_k), zero + store_w)


@dataclass(frozen=True)
class _Pass:
    """One round: loads under given coolant temperatures, and the temperatures that follow from them."""

    its: tuple[ItState, ...]
    it_w: Array
    air_heat: Array
    room_w: Array
    air: AirState
    warm: WarmState | None
    cold: ColdState
    coolants: Streams
    """Intake air, coolant of plates and baths, chilled water."""


def _pass(
    plant: Plant,
    groups: tuple[ItGroup, ...],
    outdoor: OutdoorAir,
    coolants: Streams,
    k: PlantConstants,
    store_w: Array,
) -> _Pass:
    design, zero = plant.design, 0.0 * outdoor.dry_bulb_c
    air_c, plate_c, cold_c = coolants
    sigma = pressure_ratio(outdoor.pressure_pa)
    its = tuple(it_state(group, design, Coolants(air_c, plate_c, plate_c), k, sigma) for group in groups)
    it_w = sum((state.it_w for state in its), start=zero)
    air_heat = sum((state.air_heat_w for state in its), start=zero)
    warm_heat = sum((state.warm_heat_w for state in its), start=zero)
    air_flow = sum((state.air_flow_kg_s for state in its), start=zero)
    room_w = room_loss_w(plant.electrics, it_w) + plant.lighting_w
    air = air_loop(air_heat, air_flow, room_w, design, plant.door, plant.handler, plant.aisle, cold_c, outdoor, k)
    warm = warm_loop(warm_heat, plant.warm, design, outdoor, k) if plant.warm else None
    trim_w = warm.trim_w if warm else zero
    trim_kg_s = trim_w / (k.water_heat_capacity_j_kg_k * k.chilled_water_rise_k)
    load_w = air.coil_heat_w + air.door_heat_w + trim_w
    cold = cold_loop(load_w, air.water_kg_s + trim_kg_s, plant.cold, design, outdoor, k, store_w)
    return _Pass(
        its, it_w, air_heat, room_w, air, warm, cold,
        (air.intake_c, warm.coolant_supply_c if warm else plate_c, cold.supply_c),
    )  # fmt: skip


def _settle(once: Callable[..., _Pass], start: Streams, rounds: int, settled_k: float) -> _Pass:
    """Repeat until air and coolant move less than ``settled_k``; compiled, take ``rounds`` and a last one."""
    if namespace(*start) is not np:
        return once(settle_compiled(lambda coolants: once(coolants).coolants, start, rounds))
    last = once(start)
    for _ in range(WHOLE_PASSES - 1):
        if not unsettled(start, last.coolants, settled_k).any():
            return last
        start, last = last.coolants, once(last.coolants)
    left = unsettled(start, last.coolants, settled_k)
    if not left.any():
        return last
    return once(settle_hours(lambda coolants, at: once(coolants, at).coolants, last.coolants, left, settled_k))


def _assemble(plant: Plant, last: _Pass, store_w: Array) -> PlantState:
    its, it_w, air, warm, cold = last.its, last.it_w, last.air, last.warm, last.cold
    zero = 0.0 * it_w
    pumps_w = cold.pump_w + cold.condenser_pump_w
    rejection_w = cold.fan_w + air.outdoor_fan_w
    evaporation, drift = cold.evaporation_kg_s + air.evaporation_kg_s, cold.drift_kg_s
    lift_w, sold_w = (warm.reuse.power_w, warm.reuse.sold_w) if warm else (zero, zero)
    if warm:
        pumps_w = pumps_w + warm.pump_w + warm.cdu_pump_w + warm.free.pump_w
        rejection_w = rejection_w + warm.free.fan_w
        evaporation, drift = evaporation + warm.free.evaporation_kg_s, drift + warm.free.drift_kg_s
    mechanical_w = air.fan_w + pumps_w + cold.chiller_w + rejection_w + lift_w + plant.lighting_w
    electric = electric_state(plant.electrics, it_w, mechanical_w)
    facility_w = it_w + mechanical_w + electric.ups_loss_w + electric.distribution_loss_w
    state = PlantState(
        it=its, it_w=it_w, air=air, warm=warm, cold=cold, electric=electric, crah_fans_w=air.fan_w,
        pumps_w=pumps_w, chillers_w=cold.chiller_w, heat_rejection_w=rejection_w,
        heat_pump_w=lift_w, heat_sold_w=sold_w, store_w=store_w, lighting_w=zero + plant.lighting_w,
        facility_w=facility_w, evaporation_kg_s=evaporation, drift_kg_s=drift, balance_error=zero,
    )  # fmt: skip
    errors = _mismatches_w(state, last.air_heat, last.room_w)
    xp = namespace(it_w)
    worst = zero
    for mismatch in errors.values():
        worst = xp.maximum(worst, xp.abs(mismatch))
    return PlantState(**{**state.__dict__, "balance_error": worst / xp.maximum(it_w, 1.0)})


def mismatches_w(state: PlantState, plant: Plant) -> dict[str, Array]:
    """Return the difference of two independently computed sides of each element, W, shape (hours,)."""
    air_heat = sum((it.air_heat_w for it in state.it), start=0.0 * state.it_w)
    return _mismatches_w(state, air_heat, room_loss_w(plant.electrics, state.it_w) + plant.lighting_w)


def _mismatches_w(state: PlantState, air_heat: Array, room_w: Array) -> dict[str, Array]:
    """Water against air, ε-NTU against m·cp·ΔT, and electricity in against heat sold and to the outdoors."""
    air, warm, cold = state.air, state.warm, state.cold
    out_w = (
        cold.rejected_w
        + cold.fan_w
        + air.outdoor_heat_w
        + air.outdoor_fan_w
        + state.electric.outdoor_loss_w
        + state.store_w
    )
    sides = {
        "hall air": air_heat + room_w + air.fan_w - air.door_heat_w - air.coil_heat_w - air.outdoor_heat_w,
        "air handler coils": air.coil_heat_w - air.coil_air_heat_w,
        "cold loop to outdoors": cold.water_side_w - cold.rejected_w,
    }
    if warm:
        out_w = out_w + warm.free.air_heat_w + warm.free.fan_w + state.heat_sold_w
        loop_w_k = (warm.cdu_heat_w + warm.pump_w) / (warm.return_c - warm.supply_c)
        sides["heat sold"] = loop_w_k * (warm.return_c - warm.reuse.water_out_c) + state.heat_pump_w - state.heat_sold_w
        sides["distribution unit"] = (
            warm.cdu_heat_w - sum((it.warm_heat_w for it in state.it), start=0.0 * state.it_w) - warm.cdu_pump_w
        )
        sides["warm loop to outdoors"] = warm.free.heat_w + warm.free.pump_w - warm.free.air_heat_w
    sides["hall"] = state.facility_w - out_w
    return sides
