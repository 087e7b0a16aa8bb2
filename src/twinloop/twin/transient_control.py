"""Controllers and actuators over one step: readings in, positions out, at the speed that motors allow.

Every temperature loop is an integrator scaled by the largest slope of its element, so that one step never
removes more than ``1 - exp(-dt/τ)`` of an error: stable at any step, exact at rest. Sequences (which
cooler serves when) are the hourly plant's.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from twinloop.arrays import Array, namespace
from twinloop.cooling.chiller_curves import AIR_COOLED, WATER_COOLED
from twinloop.cooling.chillers import Chiller
from twinloop.cooling.dry_coolers import DryCooler
from twinloop.cooling.exchangers import exchange
from twinloop.cooling.pumps import flow_power_share
from twinloop.cooling.servers import server_fan_ratio
from twinloop.cooling.thermosyphons import Thermosyphon
from twinloop.twin.air_loop import HANDLER_FLOOR
from twinloop.twin.cold_loop import tower_pays
from twinloop.twin.free_coolers import FADE_K, FROST_C, OutdoorAir, TowerSet
from twinloop.twin.transient_air import water_asked_kg_s
from twinloop.twin.transient_chips import demanded_ratio
from twinloop.twin.transient_nouns import Inputs, State, clamp
from twinloop.twin.transient_parameters import Parameters
from twinloop.twin.transient_store import wanted_w
from twinloop.twin.transient_water import air_at_coil_c, dry_link_w_k, sale
from twinloop.twin.transient_wetted import back_c, damper_target, has_outdoor_side

SUPPLY_AIR, COOLANT, WARM_SUPPLY, COLD_SUPPLY, BASIN = range(5)
PUMP_MOST = 1.3
"""Water flow over design that pumps can move."""
STAGE_UP = 1.1
"""Load over the smallest steady load that each machine would keep after one more starts."""
CYCLE_OFF = 0.2
"""Load over the smallest steady load at which the last machine stops."""
STOP = 0.02
"""Speed share at which friction stops a coasting rotor. Low confidence."""
LEFT_OVER_K = (0.02, 0.08)
"""What thermosyphons leave over at which the tower behind them stops, and starts. Low confidence."""
RESTART_K = 0.5
"""Chilled water this far above its setpoint starts a resting machine."""


class Actuators(NamedTuple):
    """New positions; fields as in :class:`State`."""

    server_fan: Array
    cdu_pump: Array
    cdu_valve: Array
    handler_fan: Array
    coil_valve: Array
    door_valve: Array
    damper: Array
    wall_wet: Array
    warm_pump: Array
    tower_pump: Array
    cooler_fan: Array
    pads: Array
    trim_w: Array
    reuse_w: Array
    syphon_fan: Array
    cold_pump: Array
    condenser_pump: Array
    free_fan: Array
    tower_fan: Array
    chiller_w: Array
    chillers_on: Array
    chiller_timer_s: Array
    store_w: Array


def move(now: Array, target: Array, dt_s: float, stroke_s: float) -> Array:
    """Return the position after ``dt_s`` on the way to ``target`` at full stroke in ``stroke_s``."""
    step = dt_s / stroke_s
    return now + clamp(target - now, -step, step)


def run_down(now: Array, dt_s: float, coast_s: float) -> Array:
    """Return the speed of a tripped pump or fan: ``1/x`` grows by ``dt/τ`` (torque falls with speed squared).

    Below ``STOP`` friction ends it.

    >>> round(float(run_down(1.0, 4.0, 2.0)), 4)
    0.3333
    """
    slower = now / (1.0 + now * dt_s / coast_s)
    return namespace(now).where(slower < STOP, 0.0, slower)


def regulate(now: Array, error_k: Array, slope_k: Array, dt_s: float, p: Parameters) -> Array:
    """Return an actuator's new position 0-1 against ``error_k``; ``slope_k`` is its largest effect, K per stroke."""
    xp = namespace(now, error_k)
    gain = 1.0 - math.exp(-dt_s / p.c.control_s)
    wanted = clamp(now + gain * error_k / xp.maximum(slope_k, 0.5), 0.0, 1.0)
    return move(now, wanted, dt_s, p.c.valve_s)


def read(state: State, inputs: Inputs, true_c: Array) -> Array:
    """Return the sensors' readings of ``true_c``, (sensors, cases): biased, or held where stuck."""
    return namespace(true_c).where(inputs.sensor_stuck > 0.0, state.readings_c, true_c + inputs.sensor_bias_k)


def control(p: Parameters, state: State, inputs: Inputs, heat_on_air_w: Array, loop_w: Array, dt_s: float) -> Actuators:
    """Return all actuators after ``dt_s``.

    Args:
        p: the hall.
        state: last step; controllers see its readings.
        inputs: setpoints and what can run.
        heat_on_air_w: DC heat left on air by group, (groups, cases): what server fans follow.
        loop_w: heat into each loop's coolant by flow and rise, (loops, cases).
        dt_s: the step.
    """
    xp, c, chips = namespace(loop_w), p.c, p.chips
    fan = server_fan_ratio(
        heat_on_air_w / chips.air_heat_w, state.intake_c, chips.fan_floor, p.k.server_ramp_start_c,
        p.k.server_ramp_per_k, p.k.server_fan_most,
    )  # fmt: skip
    server_fan = state.server_fan + (fan - state.server_fan) * (1.0 - math.exp(-dt_s / c.server_fan_s))
    demand = xp.minimum(demanded_ratio(p, loop_w), PUMP_MOST)
    cdu_pump = _turn(state.cdu_pump, demand, inputs.cdu_ok, dt_s, c.pump_ramp_s, c.pump_coast_s)
    # Below the warm setpoint (winter) the primary valve closes: coolant must not fall to the dew point.
    guard = clamp(state.readings_c[COOLANT] - (inputs.warm_setpoint_c - 1.0), 0.0, 1.0)
    cdu_valve = move(state.cdu_valve, xp.maximum(demand * guard, 0.01) * inputs.cdu_ok, dt_s, c.valve_s)
    return Actuators(
        server_fan, cdu_pump, cdu_valve, *_hall(p, state, inputs, dt_s), *_warm(p, state, inputs, dt_s),
        *_cold(p, state, inputs, dt_s),
    )  # fmt: skip


def _turn(now: Array, target: Array, ok: Array, dt_s: float, ramp_s: float, coast_s: float) -> Array:
    """Return a pump's or fan's speed: driven while ``ok``, else running down."""
    return namespace(now, target).where(ok > 0.5, move(now, target, dt_s, ramp_s), run_down(now, dt_s, coast_s))


def _hall(p: Parameters, state: State, inputs: Inputs, dt_s: float) -> tuple[Array, Array, Array, Array, Array]:
    """Return (handler fans, coil valve, door valve, damper, whether the wall is wetted)."""
    xp, k, c, unit, door = namespace(state.room_c), p.k, p.c, p.plant.handler, p.plant.door
    server_kg_s = (state.server_fan * p.chips.air_kg_s).sum(axis=0)
    running = xp.maximum(inputs.handler_ok.sum(axis=0), 1e-9)
    drawn = server_kg_s * (1.0 + p.plant.aisle.leak) / unit.air_design_kg_s
    turning = xp.maximum(state.handler_fan.sum(axis=0) / p.fleet.handlers.running, 1e-6)
    wanted = 1.0 + 0.0 * drawn
    if p.plant.design.handlers_follow_servers:
        # The heat that the air carries now, at the most that it may warm by.
        asked = turning * (state.room_c - state.readings_c[SUPPLY_AIR]) / k.crah_most_rise_k
        wanted = xp.maximum(xp.maximum(drawn, asked), HANDLER_FLOOR)
    speed = xp.minimum(wanted * p.fleet.handlers.running / running, k.crah_fan_most)
    fans = _turn(state.handler_fan, speed, inputs.handler_ok, dt_s, c.fan_ramp_s, c.fan_coast_s)
    # By the air that really moves: beside fans that run down a valve which moves as usual swings from end to end.
    air_w_k = turning * unit.air_design_kg_s * k.air_heat_capacity_j_kg_k
    water_w_k = unit.water_design_kg_s * k.water_heat_capacity_j_kg_k
    steep_k = water_w_k / air_w_k * xp.maximum(state.room_c - state.cold_supply_c, 1.0)
    valve = regulate(state.coil_valve, state.readings_c[SUPPLY_AIR] - inputs.air_setpoint_c, steep_k, dt_s, p)
    door_valve = state.door_valve
    if door is not None:
        steep_k = (
            door.water_design_kg_s * k.water_heat_capacity_j_kg_k
            / xp.maximum(server_kg_s * k.air_heat_capacity_j_kg_k, 1e-6)
            * xp.maximum(state.exhaust_c - state.cold_supply_c, 1.0)
        )  # fmt: skip
        # Doors aim at the setpoint, not at supply air that has drifted off it: else they would let it.
        door_valve = regulate(door_valve, state.door_out_c - inputs.air_setpoint_c, steep_k, dt_s, p)
    damper, wet = state.damper, state.wall_wet
    if has_outdoor_side(p):
        share, wet = damper_target(p, state, inputs, back_c(p, state))
        damper = move(damper, share, dt_s, c.valve_s)
    return fans, xp.maximum(valve, 1e-4), xp.maximum(door_valve, 1e-3), damper, wet


def _warm(
    p: Parameters, state: State, inputs: Inputs, dt_s: float
) -> tuple[Array, Array, Array, Array, Array, Array, Array]:
    """Return (warm pump, tower pump, cooler fan, pads, trim, heat for the buyer, thermosyphon fan)."""
    loop, k, c, xp = p.plant.warm, p.k, p.c, namespace(state.room_c)
    still = (state.tower_pump, state.cooler_fan, state.pads)
    if loop is None:
        return state.warm_pump, *still, state.trim_w, state.reuse_w, state.syphon_fan
    cp = k.water_heat_capacity_j_kg_k
    target = xp.maximum(state.cdu_valve.mean(axis=0), k.minimum_flow_ratio)
    pump = _turn(state.warm_pump, target, inputs.warm_pump_ok, dt_s, c.pump_ramp_s, c.pump_coast_s)
    flow_w_k = xp.maximum(pump, 1e-3) * loop.flow_kg_s * cp
    over_k = state.readings_c[WARM_SUPPLY] - inputs.warm_setpoint_c
    trim_w = clamp(flow_w_k * over_k, 0.0, loop.trim_w)
    trim_w = state.trim_w + (trim_w - state.trim_w) * (1.0 - math.exp(-dt_s / c.control_s))
    in_c = state.warm_return_c + loop.pump_w * flow_power_share(state.warm_pump, k.pump_static_share) / flow_w_k
    reuse_w, syphon_fan = state.reuse_w, state.syphon_fan
    if loop.reuse is not None:
        reuse_w = _sale_w(p, state, inputs, in_c, flow_w_k, dt_s)
        in_c = in_c - reuse_w / flow_w_k
    if isinstance(loop.cooler, DryCooler):
        fan, pads = _dry_fan(p, state, inputs, loop.cooler, in_c, flow_w_k, dt_s)
        return pump, state.tower_pump, fan, pads, trim_w, reuse_w, syphon_fan
    if isinstance(loop.cooler, TowerSet):
        if loop.cooler.syphon is not None:
            syphon_fan = _syphon_fan(p, state, inputs, loop.cooler.syphon, in_c, flow_w_k, dt_s)
            in_c = state.syphon_out_c
        return pump, *_wet_fan(p, state, inputs, in_c, flow_w_k, dt_s), state.pads, trim_w, reuse_w, syphon_fan
    return pump, *still, trim_w, reuse_w, syphon_fan


def _sale_w(p: Parameters, state: State, inputs: Inputs, in_c: Array, flow_w_k: Array, dt_s: float) -> Array:
    """Return the heat that the buyer's valve or heat pump takes of the return: all he is offered, at its own pace.

    A machine loads as chillers do. One that trips, or whose buyer closes his valve, takes nothing at once.
    """
    xp, c = namespace(in_c), p.c
    offered = sale(p, inputs, in_c, in_c - state.reuse_w / flow_w_k, flow_w_k)
    gain, rate_w = 1.0 - math.exp(-dt_s / c.control_s), offered.largest_w * dt_s / c.chiller_load_s
    moved_w = state.reuse_w + clamp(gain * (offered.source_w - state.reuse_w), -rate_w, rate_w)
    return xp.where(inputs.buyer_ok > 0.0, moved_w, 0.0)


def _syphon_fan(
    p: Parameters, state: State, inputs: Inputs, unit: Thermosyphon, in_c: Array, flow_w_k: Array, dt_s: float
) -> Array:
    """Return the thermosyphons' fan: to the setpoint as far as they reach, slower as air nears the water."""
    xp, air_w_k = namespace(in_c), unit.air_design_kg_s * p.k.air_heat_capacity_j_kg_k
    span_k = in_c - inputs.dry_bulb_c
    aim_c = inputs.warm_setpoint_c - (state.readings_c[WARM_SUPPLY] - state.warm_out_c)
    steep_k = air_w_k / flow_w_k * xp.maximum(span_k, 1.0)
    fan = regulate(state.syphon_fan, state.syphon_out_c - aim_c, steep_k, dt_s, p)
    return xp.where(inputs.syphons_ok > 0.0, xp.minimum(fan, clamp(span_k / FADE_K, 0.0, 1.0)), 0.0)


def _dry_fan(
    p: Parameters, state: State, inputs: Inputs, cooler: DryCooler, in_c: Array, flow_w_k: Array, dt_s: float
) -> tuple[Array, Array]:
    """Return (fan, pads) of the warm loop's dry or adiabatic cooler; fans fade as air nears the water."""
    xp, k = namespace(in_c), p.k
    target_c = inputs.warm_setpoint_c
    pads = state.pads
    if cooler.pad_effectiveness > 0.0:
        full = dry_link_w_k(cooler, 1.0 + 0.0 * in_c, inputs.coolers_ok, flow_w_k, k.air_heat_capacity_j_kg_k)
        dry_c = in_c - full / flow_w_k * (in_c - inputs.dry_bulb_c)
        over_k = dry_c - target_c
        pads = xp.where(over_k > p.c.water_band_k, 1.0, xp.where(over_k < -p.c.water_band_k, 0.0, pads))
        pads = xp.where(inputs.dry_bulb_c > FROST_C, pads, 0.0)
    air_c = air_at_coil_c(cooler, pads, inputs)
    air_w_k = cooler.air_design_kg_s * k.air_heat_capacity_j_kg_k
    steep_k = air_w_k / flow_w_k * xp.maximum(in_c - air_c, 1.0)
    fan = regulate(state.cooler_fan, state.readings_c[WARM_SUPPLY] - target_c, steep_k, dt_s, p)
    fan = xp.minimum(fan, clamp((in_c - air_c) / FADE_K, 0.0, 1.0))
    return xp.where(inputs.coolers_ok > 0.0, fan, 0.0), pads


def _wet_fan(
    p: Parameters, state: State, inputs: Inputs, in_c: Array, flow_w_k: Array, dt_s: float
) -> tuple[Array, Array]:
    """Return (tower pump, tower fan): the basin that the plate needs, then the fan that keeps it."""
    loop, k, c, xp = p.plant.warm, p.k, p.c, namespace(in_c)
    assert loop is not None and isinstance(loop.cooler, TowerSet)  # noqa: S101, PT018  chosen by the caller
    # Behind thermosyphons that hold the setpoint, the tower waits for a lack worth its pump.
    lack_k = xp.where(state.tower_pump > 0.5, *LEFT_OVER_K) if loop.cooler.syphon is not None else 0.0
    useful = (inputs.wet_bulb_c < in_c - 0.5) & (inputs.warm_setpoint_c + lack_k < in_c)
    running = xp.where(useful, inputs.warm_pump_ok, 0.0)
    pump = _turn(state.tower_pump, 1.0 + 0.0 * in_c, running, dt_s, c.pump_ramp_s, c.pump_coast_s)
    tower_w_k = xp.maximum(pump, 1e-3) * loop.cooler.water_kg_s * k.water_heat_capacity_j_kg_k
    link = exchange(1.0, 0.0, flow_w_k, tower_w_k, loop.cooler.exchanger_ua_w_k).heat_w
    # What the plate's leaving water lacks, in kelvin of basin; a wrong reading shifts the aim by its error.
    aim_c = inputs.warm_setpoint_c - (state.readings_c[WARM_SUPPLY] - state.warm_out_c)
    basin_c = xp.maximum(in_c - (in_c - aim_c) * flow_w_k / xp.maximum(link, 1e-9), inputs.wet_bulb_c - 5.0)
    steep_k = loop.cooler.tower.air_design_kg_s * 4e3 / tower_w_k * xp.maximum(in_c - inputs.wet_bulb_c, 1.0)
    fan = regulate(state.cooler_fan, state.warm_cells_c - basin_c, steep_k, dt_s, p)
    return pump, xp.where((inputs.coolers_ok > 0.0) & useful, fan, 0.0)


def _cold(
    p: Parameters, state: State, inputs: Inputs, dt_s: float
) -> tuple[Array, Array, Array, Array, Array, Array, Array, Array]:
    """Return (cold pump, condenser pump, free fan, tower fan, chiller load, machines on, timer, heat to the tank)."""
    loop, k, c, xp = p.plant.cold, p.k, p.c, namespace(state.room_c)
    cp = k.water_heat_capacity_j_kg_k
    asked = clamp(water_asked_kg_s(p, state) / loop.flow_kg_s, k.minimum_flow_ratio, PUMP_MOST)
    pump = _turn(state.cold_pump, asked, inputs.cold_pump_ok, dt_s, c.pump_ramp_s, c.pump_coast_s)
    flow_w_k = xp.maximum(pump, 1e-3) * loop.flow_kg_s * cp
    pump_w = loop.pump_w * flow_power_share(state.cold_pump, k.pump_static_share)
    in_c = state.cold_return_c + (pump_w - state.store_w) / flow_w_k
    condenser = _turn(
        state.condenser_pump, 1.0 + 0.0 * in_c, inputs.condenser_pump_ok, dt_s, c.pump_ramp_s, c.pump_coast_s
    )
    free_fan, tower_fan = state.free_fan, state.tower_fan
    if loop.free_coil is not None:
        air_w_k = loop.free_coil.air_design_kg_s * k.air_heat_capacity_j_kg_k
        span_k = in_c - inputs.dry_bulb_c
        steep_k = air_w_k / flow_w_k * xp.maximum(span_k, 1.0)
        free_fan = regulate(free_fan, state.coil_out_c - inputs.cold_setpoint_c, steep_k, dt_s, p)
        free_fan = xp.minimum(free_fan, clamp(span_k / FADE_K, 0.0, 1.0)) * xp.where(inputs.coils_ok > 0.0, 1.0, 0.0)
    if loop.tower is not None:
        outdoor = OutdoorAir(inputs.dry_bulb_c, inputs.wet_bulb_c, inputs.dew_point_c, p.pressure_pa)
        heat_w, flow_kg_s = flow_w_k * xp.maximum(in_c - state.cold_supply_c, 0.0), flow_w_k / cp
        target_c = xp.where(
            tower_pays(heat_w, in_c, state.cold_supply_c, flow_kg_s, loop, outdoor, k),
            inputs.cold_setpoint_c - k.plate_exchanger_approach_k,
            xp.maximum(inputs.wet_bulb_c + k.tower_approach_k, k.condenser_minimum_c),
        )  # fmt: skip
        tower_w_k = loop.condenser_kg_s * cp
        steep_k = loop.tower.air_design_kg_s * 4e3 / tower_w_k * xp.maximum(state.basin_c - inputs.wet_bulb_c, 1.0)
        tower_fan = regulate(tower_fan, state.readings_c[BASIN] - target_c, steep_k, dt_s, p)
        tower_fan = xp.where(inputs.towers_ok > 0.0, tower_fan, 0.0)
    store_w = state.store_w
    if p.plant.design.cold_store_m3 > 0.0:
        over_k = state.readings_c[COLD_SUPPLY] - inputs.cold_setpoint_c
        store_w = wanted_w(p, state, inputs, over_k, flow_w_k, dt_s)
    return pump, condenser, free_fan, tower_fan, *_chillers(p, state, inputs, flow_w_k, dt_s), store_w


def _chillers(p: Parameters, state: State, inputs: Inputs, flow_w_k: Array, dt_s: float) -> tuple[Array, Array, Array]:
    """Return (evaporator load, machines on, seconds since the last start or stop).

    All running machines share the load, at most what they can carry at the last step's temperatures. One
    more starts when each would still keep ``STAGE_UP`` times the smallest steady load of its curves, one
    stops below that load, the last below ``CYCLE_OFF`` of it; least running and resting times hold.
    """
    xp, c, n = namespace(flow_w_k), p.c, p.fleet.chillers.running
    able = xp.minimum(xp.round(inputs.chillers_ok * n), float(n))
    # Warm water lets a machine carry far more than its rating, hot outdoor air less: limits move with both.
    one_w = state.chiller_most_w / n
    least_w = _minimum_plr(p.plant.cold.chiller) * one_w
    over_k = state.readings_c[COLD_SUPPLY] - inputs.cold_setpoint_c
    on, timer = xp.minimum(state.chillers_on, able), state.chiller_timer_s + dt_s
    rested, run = timer >= c.chiller_rest_s, timer >= c.chiller_run_s
    first = (on == 0.0) & (over_k > RESTART_K) & rested
    more = (on > 0.0) & (on < able) & (state.chiller_w > STAGE_UP * least_w * (on + 1.0))
    fewer = run & (((on > 1.0) & (state.chiller_w < least_w * on)) | (
        (on == 1.0) & (state.chiller_w < CYCLE_OFF * least_w)
    ))  # fmt: skip
    after = xp.minimum(on + xp.where(first | more, 1.0, 0.0) - xp.where(fewer, 1.0, 0.0), able)
    timer = xp.where(after == state.chillers_on, timer, 0.0)
    gain = 1.0 - math.exp(-dt_s / c.control_s)
    wanted_w = clamp(state.chiller_w + gain * flow_w_k * over_k, 0.0, one_w * after)
    rate_w = state.chiller_most_w * dt_s / c.chiller_load_s
    load_w = state.chiller_w + clamp(wanted_w - state.chiller_w, -rate_w, rate_w)
    return xp.where(after > 0.0, load_w, 0.0), after, timer


def _minimum_plr(machine: Chiller) -> float:
    """Return the part load below which ``machine`` cycles."""
    return (machine.curves or (AIR_COOLED if machine.kind == "air" else WATER_COOLED)).minimum_plr
