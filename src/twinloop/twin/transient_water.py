"""Facility water over one step: the warm loop with its outdoor cooler, the cold loop with its chillers.

Supply and return pipes are mixed volumes that hold over a minute of flow. What leaves a supply pipe rides
on its temperature before the step, wherever it goes, so that both ends count the same watt.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from twinloop.arrays import Array, namespace
from twinloop.cooling.chillers import chiller
from twinloop.cooling.dry_coolers import DryCooler
from twinloop.cooling.exchangers import exchange, ua_at_flow_w_k
from twinloop.cooling.heat_pumps import heat_pump
from twinloop.cooling.pumps import flow_power_share
from twinloop.cooling.thermosyphons import Thermosyphon, ThermosyphonPoint, thermosyphon
from twinloop.cooling.towers import Tower, tower_heat_w
from twinloop.twin.free_coolers import SLOWEST, TowerSet
from twinloop.twin.transient_nouns import Inputs, State, clamp
from twinloop.twin.transient_parameters import Parameters
from twinloop.twin.transient_store import StoreStep, store_step

LEAST_FLOW = 1e-3
"""Share of design flow below which water counts as standing: keeps quotients defined."""
FREEZE_C = 3.0
"""A chiller's own guard: it unloads before its leaving water is this cold."""


class WarmStep(NamedTuple):
    """The warm loop after the step."""

    supply_c: Array
    return_c: Array
    basin_c: Array
    out_c: Array
    cells_c: Array
    cooler_in_c: Array
    flow_kg_s: Array
    pump_w: Array
    tower_pump_w: Array
    free_w: Array
    given_w: Array
    trim_w: Array
    reuse_w: Array
    heat_pump_w: Array
    syphon_w: Array
    syphon_out_c: Array


class ColdStep(NamedTuple):
    """The cold loop after the step."""

    supply_c: Array
    return_c: Array
    basin_c: Array
    coil_out_c: Array
    evaporator_out_c: Array
    cells_c: Array
    in_c: Array
    flow_kg_s: Array
    pump_w: Array
    free_w: Array
    load_w: Array
    compressor_w: Array
    condenser_pump_w: Array
    tower_w: Array
    store: StoreStep
    most_w: Array
    """What all machines together could carry at this step's temperatures."""


def dry_link_w_k(cooler: DryCooler, fan: Array, units: Array, water_w_k: Array, cp_air: float) -> Array:
    """Return a dry cooler's heat per kelvin between entering water and air; ``units`` is the share that runs."""
    ua_w_k = ua_at_flow_w_k(cooler.ua_w_k * units, 1.0, fan, cooler.film_exponent)
    return exchange(1.0, 0.0, water_w_k, fan * units * (cooler.air_design_kg_s * cp_air), ua_w_k, "crossflow").heat_w


def air_at_coil_c(cooler: DryCooler, pads: Array, inputs: Inputs) -> Array:
    """Return the air behind wetted pads, or as it is."""
    xp = namespace(inputs.dry_bulb_c)
    depression_k = cooler.pad_effectiveness * xp.maximum(inputs.dry_bulb_c - inputs.wet_bulb_c, 0.0)
    return inputs.dry_bulb_c - pads * depression_k


def cells_heat_w(
    cells: Tower, fan: Array, units: Array, hot_c: Array, flow_kg_s: Array, inputs: Inputs, pressure_pa: float
) -> Array:
    """Return the heat of a tower's running cells; below the slowest fan speed they cycle."""
    xp = namespace(fan, hot_c)
    running = xp.maximum(units, LEAST_FLOW)
    bank = replace(cells, ua_w_k=cells.ua_w_k * running, air_design_kg_s=cells.air_design_kg_s * running)
    steady = tower_heat_w(bank, xp.maximum(fan, SLOWEST), hot_c, flow_kg_s, inputs.wet_bulb_c, pressure_pa)
    return steady * xp.minimum(fan / SLOWEST, 1.0)


def warm_step(p: Parameters, state: State, inputs: Inputs, heat_w: Array, dt_s: float) -> WarmStep:
    """Return the warm loop after ``dt_s`` under ``heat_w`` from the distribution units, shape (cases,)."""
    loop, k, xp = p.plant.warm, p.k, namespace(heat_w)
    assert loop is not None  # noqa: S101  the caller asks only where the loop exists
    cp = k.water_heat_capacity_j_kg_k
    flow = xp.maximum(state.warm_pump, LEAST_FLOW) * loop.flow_kg_s
    flow_w_k = flow * cp
    volume = p.warm_j_k / dt_s
    # Water that no unit takes goes past them at supply temperature.
    return_c = (volume * state.warm_return_c + flow_w_k * state.warm_supply_c + heat_w) / (volume + flow_w_k)
    pump_w = loop.pump_w * flow_power_share(state.warm_pump, k.pump_static_share)
    in_c = return_c + pump_w / flow_w_k
    none = 0.0 * in_c
    reuse_w = lift_w = none
    if loop.reuse is not None:
        reuse_w, lift_w = _sold(p, state, inputs, in_c, flow_w_k)
        in_c = in_c - reuse_w / flow_w_k
    syphon_w, plate_in_c = none, in_c
    if isinstance(loop.cooler, TowerSet) and loop.cooler.syphon is not None:
        syphon_w = syphon_point(loop.cooler.syphon, state.syphon_fan, inputs, in_c, flow).heat_w
        plate_in_c = in_c - syphon_w / flow_w_k
    plate_w, cooled_w, basin_c, cells_c, tower_pump_w = _outdoor(p, state, inputs, plate_in_c, flow_w_k, dt_s)
    free_w, given_w = plate_w + syphon_w, cooled_w + syphon_w
    out_c = in_c - free_w / flow_w_k
    trim_w = clamp(xp.minimum(state.trim_w, flow_w_k * (out_c - state.cold_supply_c - 1.0)), 0.0, loop.trim_w)
    leaving_c = out_c - trim_w / flow_w_k
    # Explicit: what leaves the supply pipe is what entered units and return above. A pipe holds 80 s of flow.
    supply_c = state.warm_supply_c + flow_w_k * (leaving_c - state.warm_supply_c) / volume
    return WarmStep(
        supply_c, return_c, basin_c, out_c, cells_c, in_c, flow, pump_w, tower_pump_w, free_w, given_w, trim_w,
        reuse_w, lift_w, syphon_w, plate_in_c,
    )  # fmt: skip


class Sale(NamedTuple):
    """What a heat buyer may take."""

    source_w: Array
    """Of the loop's return."""
    direct: Array
    """Whether the return is hot enough without a heat pump."""
    largest_w: float
    """Of either way, for rates."""


def sale(p: Parameters, inputs: Inputs, in_c: Array, leaving_c: Array, flow_w_k: Array) -> Sale:
    """Return what the buyer is offered of a return of ``in_c`` that leaves him at ``leaving_c``.

    The hourly plant's rule (:func:`twinloop.twin.heat_reuse.reuse_heat`), its inner rounds left to time.
    """
    loop, k, xp = p.plant.warm, p.k, namespace(in_c)
    assert loop is not None and loop.reuse is not None  # noqa: S101, PT018  the caller asks only where there is one
    unit = loop.reuse
    lifted = heat_pump(
        unit.pump, flow_w_k * xp.maximum(in_c - inputs.warm_setpoint_c, 0.0), leaving_c, unit.temperature_c
    )
    coldest_c = xp.maximum(inputs.warm_setpoint_c, unit.temperature_c - k.offtake_spread_k + k.offtake_approach_k)
    direct = in_c - k.offtake_approach_k >= unit.temperature_c
    direct_w = clamp(flow_w_k * (in_c - coldest_c), 0.0, unit.demand_w)
    return Sale(xp.where(direct, direct_w, lifted.source_w), direct, max(unit.demand_w, unit.source_w))


def _sold(p: Parameters, state: State, inputs: Inputs, in_c: Array, flow_w_k: Array) -> tuple[Array, Array]:
    """Return (heat taken from the return, heat pump's power): what is asked, as far as the return has it."""
    loop, xp = p.plant.warm, namespace(in_c)
    assert loop is not None and loop.reuse is not None  # noqa: S101, PT018  the caller asks only where there is one
    asked_w = xp.minimum(state.reuse_w, flow_w_k * xp.maximum(in_c - inputs.warm_setpoint_c, 0.0))
    leaving_c = in_c - asked_w / flow_w_k
    direct = sale(p, inputs, in_c, leaving_c, flow_w_k).direct
    lifted = heat_pump(loop.reuse.pump, asked_w, leaving_c, loop.reuse.temperature_c)
    return xp.where(direct, asked_w, lifted.source_w), xp.where(direct, 0.0, lifted.power_w)


def syphon_point(unit: Thermosyphon, fan: Array, inputs: Inputs, in_c: Array, flow_kg_s: Array) -> ThermosyphonPoint:
    """Rate the thermosyphons that run: those without fan or power pass next to nothing."""
    running = namespace(fan).maximum(inputs.syphons_ok, LEAST_FLOW)
    bank = replace(
        unit, evaporator_ua_w_k=unit.evaporator_ua_w_k * running, condenser_ua_w_k=unit.condenser_ua_w_k * running,
        air_design_kg_s=unit.air_design_kg_s * running, fan_design_w=unit.fan_design_w * running,
    )  # fmt: skip
    return thermosyphon(bank, fan, in_c, flow_kg_s, inputs.dry_bulb_c)


def _outdoor(
    p: Parameters, state: State, inputs: Inputs, in_c: Array, flow_w_k: Array, dt_s: float
) -> tuple[Array, Array, Array, Array, Array]:
    """Return (heat from water, heat to air, basin after the step, water leaving cells, tower pump power)."""
    loop, k = p.plant.warm, p.k
    cooler = loop.cooler if loop else None
    none = 0.0 * in_c
    if isinstance(cooler, DryCooler):
        link = dry_link_w_k(cooler, state.cooler_fan, inputs.coolers_ok, flow_w_k, k.air_heat_capacity_j_kg_k)
        free_w = link * (in_c - air_at_coil_c(cooler, state.pads, inputs))
        return free_w, free_w, state.warm_basin_c, in_c, none
    if not isinstance(cooler, TowerSet):
        return none, none, state.warm_basin_c, in_c, none
    xp = namespace(in_c)
    tower_w_k = xp.maximum(state.tower_pump, LEAST_FLOW) * cooler.water_kg_s * k.water_heat_capacity_j_kg_k
    link = exchange(1.0, 0.0, flow_w_k, tower_w_k, cooler.exchanger_ua_w_k).heat_w * xp.minimum(
        state.tower_pump / LEAST_FLOW, 1.0
    )
    free_w = link * (in_c - state.warm_basin_c)
    pump_w = cooler.pump_w * flow_power_share(state.tower_pump, k.pump_static_share)
    hot_c = state.warm_basin_c + (free_w + pump_w) / tower_w_k
    flow = tower_w_k / k.water_heat_capacity_j_kg_k
    given_w = cells_heat_w(cooler.tower, state.cooler_fan, inputs.coolers_ok, hot_c, flow, inputs, p.pressure_pa)
    basin_c = state.warm_basin_c + (free_w + pump_w - given_w) * dt_s / p.warm_basin_j_k
    return free_w, given_w, basin_c, hot_c - given_w / tower_w_k, pump_w


def cold_step(p: Parameters, state: State, inputs: Inputs, load_w: Array, dt_s: float) -> ColdStep:
    """Return the cold loop after ``dt_s`` under ``load_w`` from coils, doors and trim, shape (cases,)."""
    loop, k, xp = p.plant.cold, p.k, namespace(load_w)
    cp = k.water_heat_capacity_j_kg_k
    flow = xp.maximum(state.cold_pump, LEAST_FLOW) * loop.flow_kg_s
    flow_w_k = flow * cp
    volume = p.cold_j_k / dt_s
    return_c = (volume * state.cold_return_c + flow_w_k * state.cold_supply_c + load_w) / (volume + flow_w_k)
    pump_w = loop.pump_w * flow_power_share(state.cold_pump, k.pump_static_share)
    store = store_step(p, state, inputs, return_c + pump_w / flow_w_k, flow_w_k, dt_s)
    in_c = return_c + (pump_w - store.heat_w) / flow_w_k
    tower_kg_s = xp.maximum(state.condenser_pump, LEAST_FLOW) * max(loop.condenser_kg_s, 1e-9)
    condenser_w = loop.condenser_pump_w * flow_power_share(state.condenser_pump, k.pump_static_share)
    if loop.tower is not None:
        link = exchange(1.0, 0.0, flow_w_k, tower_kg_s * cp, loop.exchanger_ua_w_k).heat_w
        turning = xp.minimum(state.condenser_pump / LEAST_FLOW, 1.0)
        # Past the plate runs a bypass: the plate alone does not cool below the setpoint.
        most_free_w = flow_w_k * xp.maximum(in_c - inputs.cold_setpoint_c, 0.0)
        free_w = xp.minimum(turning * link * xp.maximum(in_c - state.basin_c, 0.0), most_free_w)
        condenser_c = xp.maximum(state.basin_c, k.condenser_minimum_c)
    else:
        coil = loop.free_coil
        free_w, condenser_c, turning = 0.0 * in_c, inputs.dry_bulb_c, 1.0
        if coil is not None:
            link = dry_link_w_k(coil, state.free_fan, inputs.coils_ok, flow_w_k, k.air_heat_capacity_j_kg_k)
            free_w = link * xp.maximum(in_c - inputs.dry_bulb_c, 0.0)
    coil_out_c = in_c - free_w / flow_w_k
    units = xp.minimum(state.chillers_on / p.fleet.chillers.running, inputs.chillers_ok)
    share = xp.maximum(units, LEAST_FLOW)
    machine = replace(loop.chiller, capacity_w=loop.chiller.capacity_w * share)
    most_w = flow_w_k * xp.maximum(coil_out_c - FREEZE_C, 0.0) * turning
    # The rating depends on the leaving water, which is last step's: it moves by hundredths of a kelvin.
    asked_w = clamp(state.chiller_w, 0.0, most_w)
    rated = chiller(machine, asked_w, state.evaporator_out_c, condenser_c)
    available_w = rated.available_w * xp.where(units > 0.0, 1.0, 0.0)
    load_w = xp.minimum(asked_w, available_w)
    compressor_w = rated.power_w * load_w / xp.maximum(asked_w, 1e-9)
    evaporator_out_c = coil_out_c - load_w / flow_w_k
    supply_c = state.cold_supply_c + flow_w_k * (evaporator_out_c - state.cold_supply_c) / volume
    water_w = free_w + load_w + compressor_w + condenser_w
    tower_w, basin_c, cells_c = _condenser_tower(p, state, inputs, water_w, tower_kg_s, dt_s)
    return ColdStep(
        supply_c, return_c, basin_c, coil_out_c, evaporator_out_c, cells_c, in_c, flow, pump_w, free_w, load_w,
        compressor_w, condenser_w, tower_w, store, rated.available_w / share,
    )  # fmt: skip


def _condenser_tower(
    p: Parameters, state: State, inputs: Inputs, water_w: Array, tower_kg_s: Array, dt_s: float
) -> tuple[Array, Array, Array]:
    """Return (heat given to air, basin, water leaving the cells) when ``water_w`` is brought to the tower."""
    if p.plant.cold.tower is None:
        return 0.0 * water_w, state.basin_c, state.basin_c
    tower_w_k = tower_kg_s * p.k.water_heat_capacity_j_kg_k
    hot_c = state.basin_c + water_w / tower_w_k
    tower_w = cells_heat_w(
        p.plant.cold.tower, state.tower_fan, inputs.towers_ok, hot_c, tower_kg_s, inputs, p.pressure_pa
    )  # fmt: skip
    return tower_w, state.basin_c + (water_w - tower_w) * dt_s / p.basin_j_k, hot_c - tower_w / tower_w_k
