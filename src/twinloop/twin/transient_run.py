"""Many steps of the hall: a start at rest, the loop over time, and the record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.cooling.storage import capacity_j
from twinloop.twin.cold_store import tank_of
from twinloop.twin.transient_nouns import SENSORS, Inputs, Outputs, State
from twinloop.twin.transient_parameters import Parameters
from twinloop.twin.transient_step import step
from twinloop.twin.transient_wetted import back_c, damper_target, has_outdoor_side

SETTLE_S = 2.0 * 3600.0
SETTLE_STEP_S = 15.0


@dataclass(frozen=True)
class Trace:
    """A run: ``states`` holds one entry more than ``outputs`` (the start); time is the first axis."""

    states: State
    outputs: Outputs
    inputs: Inputs
    step_s: float

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.outputs.it_w)


def steady_inputs(p: Parameters, cases: int, activity: FloatArray, dry_bulb_c: float, wet_bulb_c: float,
                  dew_point_c: float) -> Inputs:  # fmt: skip
    """Return the inputs of one moment with everything in order; ``activity`` has shape (groups,)."""
    one, design, fleet = np.ones(cases), p.plant.design, p.fleet
    handlers = np.zeros((fleet.handlers.running + fleet.handlers.spare, cases))
    handlers[: fleet.handlers.running] = 1.0
    loops, sensors = np.zeros((p.loops, cases)), np.zeros((len(SENSORS), cases))
    return Inputs(
        dry_bulb_c=dry_bulb_c * one, wet_bulb_c=wet_bulb_c * one, dew_point_c=dew_point_c * one,
        activity=np.asarray(activity, dtype=float)[:, None] * one, it_power=one,
        air_setpoint_c=design.air_supply_c * one,
        warm_setpoint_c=design.warm_supply_c * one, cold_setpoint_c=design.cold_supply_c * one,
        recirculation=p.plant.aisle.recirculation * one,
        cdu_ok=loops + 1.0, handler_ok=handlers,
        chillers_ok=one, towers_ok=one, coolers_ok=one, coils_ok=one, syphons_ok=one, walls_ok=one, buyer_ok=one,
        store_w=0.0 * one, warm_pump_ok=one, cold_pump_ok=one,
        condenser_pump_ok=one, leak_kg_s=loops, sensor_bias_k=sensors, sensor_stuck=sensors,
    )  # fmt: skip


def settle(p: Parameters, inputs: Inputs, seconds: float = SETTLE_S, start: State | None = None) -> State:
    """Return the hall at rest under constant ``inputs``, run until nothing moves; a tank keeps its filling.

    Within the dead band of its water a wall may rest both wet and dry: it rests as the hourly plant's rule has it,
    which knows no band.
    """
    state = _rest(p, inputs, seconds, start or guess(p, inputs))
    if not has_outdoor_side(p):
        return state
    share, wet = damper_target(replace(p, c=replace(p.c, water_band_k=0.0)), state, inputs, back_c(p, state))
    turned = wet != state.wall_wet
    if not np.any(turned):
        return state
    damper = np.where(turned, share, state.damper)
    return _rest(p, inputs, seconds, state._replace(wall_wet=wet, damper=damper))


def _rest(p: Parameters, inputs: Inputs, seconds: float, state: State) -> State:
    stored_j = state.stored_j
    for _ in range(round(seconds / SETTLE_STEP_S)):
        state, _ = step(state._replace(stored_j=stored_j), inputs, p, SETTLE_STEP_S)
    return state._replace(stored_j=stored_j)


def guess(p: Parameters, inputs: Inputs) -> State:
    """Return a plausible start: loops at their setpoints, pumps and fans running."""
    cases, groups, design = inputs.dry_bulb_c.size, len(p.chips.names), p.plant.design
    one = np.ones(cases)
    loops, chips = np.ones((p.loops, cases)), np.ones((2, groups, p.loops, cases))
    coolant_c = design.warm_supply_c + p.k.cdu_approach_k
    if p.plant.warm is not None and p.plant.warm.boiling is not None:
        coolant_c = p.plant.warm.boiling.fluid.boiling_c
    air_c, rise_k = design.air_supply_c, p.k.server_air_rise_k
    warm = p.plant.warm
    return State(
        die_c=55.0 * chips, sink_c=45.0 * chips, ceiling=chips, throttled=0.0 * chips, alive=chips,
        server_fan=0.5 * np.ones((groups, cases)), rack_c=(coolant_c + 5.0) * loops, coolant_c=coolant_c * loops,
        loop_heat_w=loops * (warm.heat_w / p.loops if warm else 0.0), drift_k=0.0 * loops, cdu_pump=loops,
        cdu_valve=loops, room_c=(air_c + rise_k) * one, metal_c=(air_c + rise_k) * one, supply_air_c=air_c * one,
        intake_c=air_c * one, exhaust_c=(air_c + rise_k) * one, door_out_c=air_c * one,
        handler_fan=np.where(inputs.handler_ok > 0.0, 0.6, 0.0), coil_valve=0.5 * one, door_valve=0.5 * one,
        damper=0.0 * one, warm_supply_c=design.warm_supply_c * one, warm_return_c=(design.warm_supply_c + 8.0) * one,
        warm_basin_c=(design.warm_supply_c - 3.0) * one, warm_out_c=design.warm_supply_c * one,
        warm_cells_c=(design.warm_supply_c - 3.0) * one, warm_pump=one, tower_pump=one, cooler_fan=0.5 * one,
        pads=0.0 * one, trim_w=0.0 * one, reuse_w=0.0 * one, syphon_fan=0.0 * one,
        syphon_out_c=design.warm_supply_c * one, cold_supply_c=design.cold_supply_c * one,
        cold_return_c=(design.cold_supply_c + 5.0) * one, basin_c=(inputs.wet_bulb_c + 5.0) * one,
        coil_out_c=design.cold_supply_c * one, evaporator_out_c=design.cold_supply_c * one,
        cells_c=(inputs.wet_bulb_c + 5.0) * one, cold_pump=one, condenser_pump=one, free_fan=0.5 * one,
        tower_fan=0.5 * one, chiller_w=0.5 * p.plant.cold.heat_w * one,
        chiller_most_w=p.plant.cold.heat_w * (1.0 + p.k.sizing_margin) * one,
        chillers_on=float(p.fleet.chillers.running) * one, chiller_timer_s=1e4 * one,
        wall_wet=0.0 * one, store_w=0.0 * one, stored_j=_full_j(p) * one,
        readings_c=np.array([[air_c], [coolant_c], [design.warm_supply_c], [design.cold_supply_c], [25.0]]) * one,
    )  # fmt: skip


def _full_j(p: Parameters) -> float:
    """Return the cold in a full chilled-water tank, 0 without one."""
    volume_m3 = p.plant.design.cold_store_m3
    return capacity_j(tank_of(volume_m3, p.plant.cold, p.k)) if volume_m3 > 0.0 else 0.0


def run(
    p: Parameters, start: State, series: Inputs, step_s: float, say: Callable[[int, int], None] | None = None
) -> Trace:
    """Return the hall over ``series``, whose arrays carry time first; ``say`` hears (step, steps) now and then.

    One pass through time; groups, loops, units and cases are arrays inside each step.
    """
    state, states, outputs = start, [start], []
    total = len(series.dry_bulb_c)
    for i in range(total):
        state, out = step(state, Inputs(*[values[i] for values in series]), p, step_s)
        states.append(state)
        outputs.append(out)
        if say is not None and i % 720 == 0:
            say(i, total)
    return Trace(
        State(*[np.array(column) for column in zip(*states, strict=True)]),
        Outputs(*[np.array(column) for column in zip(*outputs, strict=True)]), series, step_s,
    )  # fmt: skip


def constant_series(inputs: Inputs, steps: int) -> Inputs:
    """Return ``steps`` equal moments, without copying."""
    return Inputs(*[np.broadcast_to(values, (steps, *values.shape)) for values in inputs])
