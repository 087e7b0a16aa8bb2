"""What a run used and whether it adds up: powers by end use, heat to the outdoors by the air side, storage.

Everything here is computed from the record, after the run, for all moments at once: the air side by rating
the outdoor coolers again (enthalpy, not the water's heat), the storage from temperatures alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from twinloop.arrays import Array, FloatArray
from twinloop.cooling.dry_coolers import DryCooler, Rejection, dry_cooler
from twinloop.cooling.towers import Tower, tower
from twinloop.twin.electrical import electric_state
from twinloop.twin.free_coolers import SLOWEST, TowerSet
from twinloop.twin.transient_nouns import Inputs, State
from twinloop.twin.transient_parameters import Parameters
from twinloop.twin.transient_run import Trace
from twinloop.twin.transient_water import LEAST_FLOW, syphon_point
from twinloop.twin.transient_wetted import outdoor_use

LEAST_IT_SHARE = 0.05
"""Errors are relative to IT power, or to this share of the design's while the IT is off."""


@dataclass(frozen=True)
class Account:
    """Powers of a run, W, shape (steps, cases), and the largest mismatch of two sides over IT power."""

    it_w: FloatArray
    compute_w: FloatArray
    server_fans_w: FloatArray
    psu_loss_w: FloatArray
    crah_fans_w: FloatArray
    pumps_w: FloatArray
    chillers_w: FloatArray
    heat_rejection_w: FloatArray
    ups_loss_w: FloatArray
    distribution_loss_w: FloatArray
    lighting_w: FloatArray
    heat_pump_w: FloatArray
    heat_sold_w: FloatArray
    """Carried off by the heat buyer's water, the heat pump's electricity in it."""
    evaporation_kg_s: FloatArray
    drift_kg_s: FloatArray
    mismatches_w: dict[str, FloatArray]
    balance_error: FloatArray

    @property
    def facility_w(self) -> FloatArray:
        """Everything behind the meter, or behind UPS and generator while the grid is away."""
        return (
            self.it_w + self.crah_fans_w + self.pumps_w + self.chillers_w + self.heat_rejection_w
            + self.ups_loss_w + self.distribution_loss_w + self.lighting_w + self.heat_pump_w
        )  # fmt: skip


@dataclass(frozen=True)
class _Outdoors:
    """Outdoor coolers rated again, by the air side: (steps, cases)."""

    heat_w: FloatArray
    fan_w: FloatArray
    evaporation_kg_s: FloatArray
    drift_kg_s: FloatArray


def account(p: Parameters, trace: Trace) -> Account:
    """Return the powers of ``trace`` and its balances, each side computed on its own."""
    out, before, after = trace.outputs, _before(trace), _after(trace)
    warm = _warm_outdoors(p, trace, before, after)
    coil = _coil_outdoors(p, trace, after)
    cells = _tower_outdoors(p, trace, before, after)
    it_w = out.it_w
    pumps_w = out.cdu_pump_w + out.warm_pump_w + out.tower_pump_w + out.cold_pump_w + out.condenser_pump_w
    outside = outdoor_use(p, after, trace.inputs, out.crah_fan_w)
    rejection_w = warm.fan_w + coil.fan_w + cells.fan_w + outside.fan_w
    lighting_w, sold_w = p.plant.lighting_w + 0.0 * it_w, out.reuse_w + out.heat_pump_w
    mechanical_w = out.crah_fan_w + pumps_w + out.compressor_w + rejection_w + lighting_w + out.heat_pump_w
    electric = electric_state(p.plant.electrics, it_w, mechanical_w)
    on = np.where(it_w > 0.0, 1.0, 0.0)
    powers = Account(
        it_w, out.compute_w.sum(axis=1), out.fans_w.sum(axis=1),
        it_w - out.compute_w.sum(axis=1) - out.fans_w.sum(axis=1), out.crah_fan_w, pumps_w, out.compressor_w,
        rejection_w, electric.ups_loss_w * on, electric.distribution_loss_w, lighting_w, out.heat_pump_w, sold_w,
        warm.evaporation_kg_s + coil.evaporation_kg_s + cells.evaporation_kg_s + outside.evaporation_kg_s,
        warm.drift_kg_s + coil.drift_kg_s + cells.drift_kg_s, {}, 0.0 * it_w,
    )  # fmt: skip
    left_w = (
        warm.heat_w + coil.heat_w + cells.heat_w + rejection_w + electric.outdoor_loss_w + outside.heat_w
        + out.drain_w.sum(axis=1) + sold_w - out.store_lost_w
    )  # fmt: skip
    if p.plant.cold.tower is None:
        left_w = left_w + out.chiller_load_w + out.compressor_w
    sides = _nodes(p, trace, before, after)
    sides["warm cooler to outdoors"] = out.cooler_w - warm.heat_w
    sides["hall air to outdoors"] = out.outdoor_air_w - outside.heat_w
    sides |= _sale(p, trace, after)
    cold_side_w = out.tower_w if p.plant.cold.tower is not None else out.free_cold_w
    sides["cold loop to outdoors"] = cold_side_w - cells.heat_w - coil.heat_w
    sides["hall"] = powers.facility_w - left_w - sum(stored_w(p, before, after, trace.step_s).values())
    worst = np.max(np.abs(np.array(list(sides.values()))), axis=0)
    floor_w = LEAST_IT_SHARE * p.plant.it_w
    return Account(**{**powers.__dict__, "mismatches_w": sides, "balance_error": worst / np.maximum(it_w, floor_w)})


def stored_w(p: Parameters, before: State, after: State, step_s: float) -> dict[str, FloatArray]:
    """Return the rate at which each part of the hall gains heat, W, from temperatures alone, (steps, cases)."""
    chips = p.chips
    weight_w = chips.busy_w[:, :, None] / p.loops * chips.caught

    def gained(capacity: float, name: str) -> FloatArray:
        moved = (getattr(after, name) - getattr(before, name)) * capacity / step_s
        return np.asarray(moved.sum(axis=1) if moved.ndim == 3 else moved)

    dies = (weight_w * chips.die_s * (after.die_c[:, 0] - before.die_c[:, 0])).sum(axis=(1, 2)) / step_s
    sinks = (weight_w * chips.sink_s * (after.sink_c[:, 0] - before.sink_c[:, 0])).sum(axis=(1, 2)) / step_s
    stored = {
        "chips": dies + sinks,
        "coolant": gained(p.rack_j_k, "rack_c") + gained(p.pipe_j_k, "coolant_c"),
        "hall air": gained(p.air_j_k, "room_c") + gained(p.metal_j_k, "metal_c"),
        "cold loop": gained(p.cold_j_k, "cold_return_c") + gained(p.cold_j_k, "cold_supply_c"),
        "tank": -gained(1.0, "stored_j"),
        "basin": gained(p.basin_j_k if p.plant.cold.tower is not None else 0.0, "basin_c"),
    }
    if p.plant.warm is not None:
        stored["warm loop"] = gained(p.warm_j_k, "warm_supply_c") + gained(p.warm_j_k, "warm_return_c")
        wet = isinstance(p.plant.warm.cooler, TowerSet)
        stored["warm basin"] = gained(p.warm_basin_j_k if wet else 0.0, "warm_basin_c")
    return stored


def _nodes(p: Parameters, trace: Trace, before: State, after: State) -> dict[str, FloatArray]:
    """Return heat in less heat out less storage of each part, W: what one part gave, another must have got."""
    out, stored = trace.outputs, stored_w(p, before, after, trace.step_s)
    sides = {
        "servers": out.it_w - out.loop_heat_w.sum(axis=1) - out.air_heat_w - stored["chips"],
        "hall air": out.air_heat_w + out.room_w + out.crah_fan_w - out.coil_w - out.door_w - out.outdoor_air_w
        - stored["hall air"],
        "cold loop": out.coil_w + out.door_w + out.trim_w + out.cold_pump_w - out.free_cold_w - out.chiller_load_w
        - after.store_w - stored["cold loop"],
        "tank": after.store_w + out.store_lost_w - stored["tank"],
    }  # fmt: skip
    if p.plant.warm is not None:
        sides["coolant"] = (
            out.loop_heat_w.sum(axis=1) + out.cdu_pump_w - out.cdu_heat_w.sum(axis=1) - out.drain_w.sum(axis=1)
            - stored["coolant"]
        )  # fmt: skip
        sides["warm loop"] = (
            out.cdu_heat_w.sum(axis=1) + out.warm_pump_w - out.reuse_w - out.free_w - out.trim_w - stored["warm loop"]
        )
    return sides


def _before(trace: Trace) -> State:
    return State(*[values[:-1] for values in trace.states])


def _after(trace: Trace) -> State:
    return State(*[values[1:] for values in trace.states])


def _none(trace: Trace) -> _Outdoors:
    zero = 0.0 * trace.outputs.it_w
    return _Outdoors(zero, zero, zero, zero)


def _warm_outdoors(p: Parameters, trace: Trace, before: State, after: State) -> _Outdoors:
    loop, k, out, given = p.plant.warm, p.k, trace.outputs, trace.inputs
    cooler = loop.cooler if loop else None
    if isinstance(cooler, DryCooler):
        return _dry(p, cooler, after.cooler_fan, given.coolers_ok, out.cooler_in_c, out.cooler_flow_kg_s, given,
                    after.pads > 0.0)  # fmt: skip
    if not isinstance(cooler, TowerSet):
        return _none(trace)
    flow = np.maximum(after.tower_pump, LEAST_FLOW) * cooler.water_kg_s
    plate_w = out.free_w - out.syphon_w
    hot_c = before.warm_basin_c + (plate_w + out.tower_pump_w) / (flow * k.water_heat_capacity_j_kg_k)
    wet = _cells(p, cooler.tower, after.cooler_fan, given.coolers_ok, hot_c, flow, given)
    if cooler.syphon is None:
        return wet
    dry = syphon_point(cooler.syphon, after.syphon_fan, given, out.cooler_in_c, out.cooler_flow_kg_s)
    air_w = dry.air_flow_kg_s * k.air_heat_capacity_j_kg_k * (dry.air_out_c - given.dry_bulb_c)
    return replace(wet, heat_w=wet.heat_w + air_w, fan_w=wet.fan_w + dry.fan_w)


def _sale(p: Parameters, trace: Trace, after: State) -> dict[str, FloatArray]:
    """Return what the loop's water lost on its way past the buyer less what he got of it, W."""
    if p.plant.warm is None or p.plant.warm.reuse is None:
        return {}
    out = trace.outputs
    flow_w_k = out.cooler_flow_kg_s * p.k.water_heat_capacity_j_kg_k
    lost_w = flow_w_k * (after.warm_return_c - out.cooler_in_c) + out.warm_pump_w
    return {"heat sold": lost_w - out.reuse_w}


def _coil_outdoors(p: Parameters, trace: Trace, after: State) -> _Outdoors:
    coil, out, given = p.plant.cold.free_coil, trace.outputs, trace.inputs
    if coil is None:
        return _none(trace)
    dry = after.free_fan < 0.0
    rated = _dry(p, coil, after.free_fan, given.coils_ok, out.cold_in_c, out.cold_flow_kg_s, given, dry)
    # Water colder than the air passes the coil by: fans that still run down must not warm it.
    return replace(rated, heat_w=np.where(out.cold_in_c > given.dry_bulb_c, rated.heat_w, 0.0))


def _tower_outdoors(p: Parameters, trace: Trace, before: State, after: State) -> _Outdoors:
    loop, out, given = p.plant.cold, trace.outputs, trace.inputs
    if loop.tower is None:
        return _none(trace)
    flow = np.maximum(after.condenser_pump, LEAST_FLOW) * loop.condenser_kg_s
    water_w = out.free_cold_w + out.chiller_load_w + out.compressor_w + out.condenser_pump_w
    hot_c = before.basin_c + water_w / (flow * p.k.water_heat_capacity_j_kg_k)
    return _cells(p, loop.tower, after.tower_fan, given.towers_ok, hot_c, flow, given)


def _dry(
    p: Parameters, cooler: DryCooler, fan: FloatArray, units: Array, in_c: FloatArray, flow: FloatArray,
    given: Inputs, pads: FloatArray,
) -> _Outdoors:  # fmt: skip
    bank = replace(
        cooler, ua_w_k=cooler.ua_w_k * units, air_design_kg_s=cooler.air_design_kg_s * units,
        fan_design_w=cooler.fan_design_w * units,
    )  # fmt: skip
    at: Rejection = dry_cooler(
        bank, fan, in_c, flow * p.k.water_heat_capacity_j_kg_k, given.dry_bulb_c, given.wet_bulb_c, p.pressure_pa, pads
    )
    air_w = at.air_flow_kg_s * p.k.air_heat_capacity_j_kg_k * (at.air_out_c - at.air_in_c)
    return _Outdoors(air_w, at.fan_w, at.evaporation_kg_s, at.drift_kg_s)


def _cells(
    p: Parameters, cells: Tower, fan: FloatArray, units: Array, hot_c: FloatArray, flow: FloatArray, given: Inputs
) -> _Outdoors:
    running = np.maximum(units, LEAST_FLOW)
    bank = replace(
        cells, ua_w_k=cells.ua_w_k * running, air_design_kg_s=cells.air_design_kg_s * running,
        fan_design_w=cells.fan_design_w * running,
    )  # fmt: skip
    at = tower(bank, np.maximum(fan, SLOWEST), hot_c, flow, given.dry_bulb_c, given.wet_bulb_c, p.pressure_pa)
    duty = np.minimum(fan / SLOWEST, 1.0)
    air_w = at.air_flow_kg_s * (at.air_out_enthalpy_j_kg - at.air_in_enthalpy_j_kg)
    return _Outdoors(duty * air_w, duty * at.fan_w, duty * at.evaporation_kg_s, duty * at.drift_kg_s)
