"""One step of the hall: controllers, chips, air, water, in that order; nothing outside its arguments.

``step(state, inputs, parameters, dt_s) -> (state, outputs)`` on flat tuples of arrays: a NumPy loop and a
compiled scan run the same function.
"""

from __future__ import annotations

from twinloop.arrays import Array, namespace
from twinloop.cooling.pumps import flow_power_share
from twinloop.twin.transient_air import AirStep, air_step
from twinloop.twin.transient_chips import ChipStep, Servers, chip_step, flow_adequacy, links, servers
from twinloop.twin.transient_control import control, read
from twinloop.twin.transient_nouns import Inputs, Outputs, State
from twinloop.twin.transient_parameters import Parameters
from twinloop.twin.transient_water import ColdStep, WarmStep, cold_step, warm_step


def step(state: State, inputs: Inputs, p: Parameters, dt_s: float) -> tuple[State, Outputs]:
    """Return the hall ``dt_s`` later and what flowed meanwhile.

    Each heat is computed once, from temperatures after the step inside chips, coolant and hall air, and
    from before the step across the slow water volumes, and is added to one node as it is taken from another.
    """
    xp, chips, k = namespace(state.room_c), p.chips, p.k
    adequacy = flow_adequacy(p, state.cdu_pump, state.loop_heat_w)
    net, fresh = links(p, adequacy, state.intake_c, dt_s), xp.minimum(adequacy, 1.0)
    seen_c = fresh * state.coolant_c + (1.0 - fresh) * state.rack_c
    # Coolant that warms now will be warmer within the step: the throttle acts on where it is going.
    ahead_c = seen_c + xp.maximum(state.drift_k, 0.0)
    reference_c = chips.on_coolant * ahead_c + (1.0 - chips.on_coolant) * state.intake_c + chips.spread_k
    power = servers(p, state, inputs, net, reference_c, state.server_fan, dt_s)
    carried_w = 0.0 * state.rack_c
    if p.plant.design.boils:
        carried_w = state.loop_heat_w
    elif p.plant.warm is not None:
        design_w_k = p.plant.warm.cdu.secondary_design_kg_s * k.water_heat_capacity_j_kg_k / p.loops
        carried_w = state.cdu_pump * design_w_k * (state.rack_c - state.coolant_c)
    moved = state._replace(**control(p, state, inputs, power.on_air_w, carried_w, dt_s)._asdict())
    it_w = (power.compute_w + power.fans_w + power.loss_w).sum(axis=0)
    server_kg_s = (state.server_fan * chips.air_kg_s).sum(axis=0)

    chip = chip_step(p, moved, inputs, net, adequacy, power, dt_s)
    air = air_step(p, moved, inputs, chip.air_heat_w, it_w, server_kg_s, dt_s)
    none = 0.0 * state.room_c
    warm = warm_step(p, moved, inputs, chip.cdu_heat_w.sum(axis=0), dt_s) if p.plant.warm else None
    trim_w = warm.trim_w if warm else none
    cold = cold_step(p, moved, inputs, air.coil_w + air.door_w + trim_w, dt_s)

    now_seen_c = fresh * chip.coolant_c + (1.0 - fresh) * chip.rack_c
    cooler = chip.die_c < chips.throttle_c - p.c.throttle_release_k
    throttled = xp.where(power.ceiling < 1.0 - 1e-6, 1.0, xp.where(cooler, 0.0, state.throttled))
    alive = state.alive * xp.where(chip.die_c < chips.throttle_c + p.c.shutdown_above_throttle_k, 1.0, 0.0)
    warm_out_c = warm.out_c if warm else state.warm_out_c
    true_c = xp.stack([air.supply_c, chip.coolant_c.max(axis=0), warm_out_c, cold.evaporator_out_c, cold.cells_c])
    after = moved._replace(
        die_c=chip.die_c, sink_c=chip.sink_c, ceiling=power.ceiling, throttled=throttled, alive=alive,
        rack_c=chip.rack_c, coolant_c=chip.coolant_c, loop_heat_w=chip.loop_heat_w, drift_k=now_seen_c - seen_c,
        room_c=air.room_c, metal_c=air.metal_c, supply_air_c=air.supply_c, intake_c=air.intake_c,
        exhaust_c=air.exhaust_c, door_out_c=air.door_out_c, cold_supply_c=cold.supply_c,
        cold_return_c=cold.return_c, basin_c=cold.basin_c, coil_out_c=cold.coil_out_c,
        evaporator_out_c=cold.evaporator_out_c, cells_c=cold.cells_c, chiller_most_w=cold.most_w,
        readings_c=read(state, inputs, true_c), store_w=cold.store.heat_w, stored_j=cold.store.stored_j,
    )  # fmt: skip
    if warm:
        after = after._replace(
            warm_supply_c=warm.supply_c, warm_return_c=warm.return_c, warm_basin_c=warm.basin_c,
            warm_out_c=warm.out_c, warm_cells_c=warm.cells_c, reuse_w=warm.reuse_w, syphon_out_c=warm.syphon_out_c,
        )  # fmt: skip
    return after, _outputs(p, moved, power, chip, air, warm, cold, it_w, server_kg_s)


def _outputs(
    p: Parameters, moved: State, power: Servers, chip: ChipStep, air: AirStep, warm: WarmStep | None,
    cold: ColdStep, it_w: Array, server_kg_s: Array,
) -> Outputs:  # fmt: skip
    """Return what flows, from the parts of one step; a missing warm loop carries nothing."""
    none = 0.0 * it_w
    return Outputs(
        chip_w=power.chip_w, compute_w=power.compute_w, fans_w=power.fans_w, it_w=it_w,
        loop_heat_w=chip.loop_heat_w, air_heat_w=chip.air_heat_w, server_air_kg_s=server_kg_s,
        cdu_pump_w=none if warm is None else _cdu_pumps_w(p, moved), cdu_heat_w=chip.cdu_heat_w,
        drain_w=chip.drain_w, room_w=air.room_w, crah_fan_w=air.fan_w, coil_w=air.coil_w, door_w=air.door_w,
        outdoor_air_w=air.outdoor_w, warm_pump_w=warm.pump_w if warm else none,
        reuse_w=warm.reuse_w if warm else none, heat_pump_w=warm.heat_pump_w if warm else none,
        syphon_w=warm.syphon_w if warm else none,
        free_w=warm.free_w if warm else none, cooler_in_c=warm.cooler_in_c if warm else none,
        cooler_flow_kg_s=warm.flow_kg_s if warm else none, cooler_w=warm.given_w if warm else none,
        tower_pump_w=warm.tower_pump_w if warm else none, trim_w=warm.trim_w if warm else none, cold_pump_w=cold.pump_w,
        cold_flow_kg_s=cold.flow_kg_s, cold_in_c=cold.in_c, store_lost_w=cold.store.lost_w, free_cold_w=cold.free_w,
        chiller_load_w=cold.load_w, compressor_w=cold.compressor_w, condenser_pump_w=cold.condenser_pump_w,
        tower_w=cold.tower_w,
    )  # fmt: skip


def _cdu_pumps_w(p: Parameters, state: State):  # type: ignore[no-untyped-def]
    """Return the coolant pumps' power, (cases,)."""
    warm = p.plant.warm
    assert warm is not None  # noqa: S101  the caller asks only where the loop exists
    return (warm.cdu.pump_design_w / p.loops * flow_power_share(state.cdu_pump, warm.cdu.static_fraction)).sum(axis=0)
