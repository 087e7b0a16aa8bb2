"""Chips and their coolant loops over one step, implicit in every exchange that is faster than the step.

Each chip is two nodes, die and sink; each loop two, the coolant in the racks and the supply. Their heat
balances are linear once flows are known, so backward Euler is solved in closed form: dies and sinks are
eliminated, which leaves two unknowns a loop. Any step is stable and every watt appears in two nodes.
"""

from __future__ import annotations

from typing import NamedTuple

from twinloop.arrays import Array, namespace
from twinloop.cooling.cold_plates import plate_resistance_k_w
from twinloop.cooling.exchangers import exchange, ua_at_flow_w_k
from twinloop.cooling.fans import fan_power_w
from twinloop.cooling.pumps import flow_power_share
from twinloop.cooling.servers import intake_ramp, ramped_sink_share
from twinloop.power.chains import supply_loss_w
from twinloop.power.operating_point import LEAST_POWER_SHARE
from twinloop.twin.transient_boiling import bath_after_c, condenser_w_k
from twinloop.twin.transient_nouns import Inputs, State, clamp
from twinloop.twin.transient_parameters import Chips, Parameters

STILL = 0.02
"""Flow share that a stopped loop keeps by buoyancy, for film resistance alone: the law is fitted above 0.2."""

FLOW_MOST = 2.0
"""Largest flow over the one asked for that cools further: end of the film law's range."""

MOST_IN_RISE = 0.8
"""Largest part of a sink's resistance that the coolant's rise can be."""


class Servers(NamedTuple):
    """Power and heat of the servers in one step."""

    relative: Array
    """(2, groups, loops, cases): accelerator power over full power, before capture."""
    ceiling: Array
    chip_w: Array
    compute_w: Array
    fans_w: Array
    loss_w: Array
    direct_w: Array
    """(loops, cases): caught heat that does not pass a chip's sink."""
    air_direct_w: Array
    """(cases,): into the air past all sinks."""
    on_air_w: Array
    """(groups, cases): DC heat that no coolant catches, what server fans follow."""


class ChipStep(NamedTuple):
    """Temperatures after the step and the heat that left the sinks."""

    die_c: Array
    sink_c: Array
    rack_c: Array
    coolant_c: Array
    loop_heat_w: Array
    air_heat_w: Array
    cdu_heat_w: Array
    drain_w: Array


class _Links(NamedTuple):
    """Conductances per watt of full power, 1/K, and stored heat over the step, same unit."""

    fast: Array
    slow: Array
    die: Array
    sink: Array
    pivot: Array
    """Of the eliminated die."""
    share: Array
    """Of the eliminated sink."""


def demanded_ratio(p: Parameters, heat_w: Array) -> Array:
    """Return the flow ratio that pumps are told by the loops' heat: the hourly plant's pump law."""
    return _asked_ratio(p, heat_w, p.k.minimum_flow_ratio)


def flow_adequacy(p: Parameters, pump: Array, heat_w: Array) -> Array:
    """Return the coolant's flow over what the plates' heat asks for, 0 to :data:`FLOW_MOST`; 1 in the hourly plant.

    Boiling baths need no pump: 1.
    """
    if p.plant.design.boils:
        return 0.0 * heat_w + 1.0
    return clamp(pump / _asked_ratio(p, heat_w, p.least_flow_ratio), 0.0, FLOW_MOST)


def _asked_ratio(p: Parameters, heat_w: Array, least: Array) -> Array:
    if p.plant.warm is None:
        return 0.0 * heat_w + 1.0
    return namespace(heat_w).maximum(heat_w * p.loops / p.plant.warm.heat_w, least)


def links(p: Parameters, adequacy: Array, intake_c: Array, dt_s: float) -> _Links:
    """Return the chip network at ``adequacy`` (flow over the flow asked for, (loops, cases)) and intake air."""
    chips, c, xp = p.chips, p.c, namespace(adequacy)
    flow = clamp(adequacy, STILL, FLOW_MOST)
    film = plate_resistance_k_w(1.0, flow)
    ramp = intake_ramp(intake_c, p.k.server_ramp_start_c, p.k.server_ramp_per_k, p.k.server_fan_most)
    flow_share = xp.minimum(ramp, chips.most_air)
    in_air = (ramped_sink_share(flow_share, p.k.sink_convection) - c.fast_share) / (1.0 - c.fast_share)
    film = xp.where(chips.on_coolant > 0.0, xp.where(chips.in_bath > 0.0, 1.0, film), in_air)
    fast = 1.0 / (chips.device_k * c.fast_share)
    # Resistances are stated to the coolant's inlet, half of whose rise is in them: less of it with more flow. With
    # less flow the rise moves into the coolant that the sink sees, and without any it is not in the resistance.
    slow_k = chips.device_k * (1.0 - c.fast_share)
    in_rise = xp.minimum(0.5 * p.k.coolant_rise_k / slow_k, MOST_IN_RISE) * chips.on_coolant
    slow = 1.0 / (slow_k * (film * (1.0 - in_rise) + in_rise * xp.minimum(film * adequacy, 1.0 / flow)))
    die, sink = chips.die_s / dt_s, chips.sink_s / dt_s
    pivot = die + fast
    return _Links(fast, slow, die, sink, pivot, sink + slow + fast * die / pivot)


def servers(
    p: Parameters, state: State, inputs: Inputs, net: _Links, reference_c: Array, fan: Array, dt_s: float
) -> Servers:
    """Return powers: wanted by activity and leakage, held back where the die would pass its throttle temperature.

    The die's temperature after the step is linear in its power, so the ceiling is exact: the clock loop of a
    chip acts within milliseconds, far below the step. Power comes back at a limited rate.
    """
    chips, k, xp = p.chips, p.k, namespace(state.die_c)
    level = inputs.activity[:, None, :]
    idle = (chips.idle_w / chips.busy_w)[:, :, None]
    free = xp.minimum(1.0 + k.leakage_per_k * (state.die_c - k.leakage_reference_c), chips.limit)
    wanted = idle + level * (free - idle)
    base = (net.sink * state.sink_c + net.fast * net.die * state.die_c / net.pivot + net.slow * reference_c) / net.share
    unheated_c = (net.die * state.die_c + net.fast * base) / net.pivot
    per_unit_k = (1.0 + net.fast * net.fast / (net.pivot * net.share)) / net.pivot
    allowed = xp.maximum((chips.throttle_c - unheated_c) / per_unit_k, LEAST_POWER_SHARE)
    recovering = wanted * xp.minimum(state.ceiling + p.c.clock_recovery_per_s * dt_s, 1.0)
    # A server whose chips have switched themselves off is off as a whole, on the loop that failed it.
    awake = inputs.it_power * state.alive[0]
    on = awake.mean(axis=1)
    relative = xp.minimum(recovering, allowed) * state.alive * inputs.it_power
    chip = per_loop_w(p, chips.busy_w) * relative[0]
    chip_w = chip.sum(axis=1)
    other_w = on * (chips.other_idle_w + inputs.activity * (chips.other_busy_w - chips.other_idle_w))
    caught_w = on * (
        chips.other_caught_idle_w + inputs.activity * (chips.other_caught_busy_w - chips.other_caught_idle_w)
    )
    compute_w = chip_w + other_w
    fans_w = on * fan_power_w(fan, chips.fan_w)
    loss_w = _conversion_w(chips, compute_w + fans_w, other_w + fans_w, on)
    share = awake / xp.maximum(awake.sum(axis=1, keepdims=True), 1e-9)
    direct_w = ((caught_w + chips.loss_caught * loss_w)[:, None, :] * share).sum(axis=0)
    past_sinks_w = (chip * (1.0 - chips.caught)).sum(axis=(0, 1))
    air_w = (other_w - caught_w + fans_w + (1.0 - chips.loss_caught) * loss_w).sum(axis=0) + past_sinks_w
    asked = wanted * state.alive * inputs.it_power
    ceiling = xp.where(asked > 1e-9, xp.minimum(relative / xp.maximum(asked, 1e-9), 1.0), 1.0)
    on_air_w = compute_w - caught_w - (chip * chips.caught * chips.on_coolant).sum(axis=1)
    return Servers(relative, ceiling, chip_w, compute_w, fans_w, loss_w, direct_w, air_w, on_air_w)


def _conversion_w(chips: Chips, output_w: Array, at_12v_w: Array, on: Array) -> Array:
    """Return the loss of power supplies or of the racks' converters, (groups, cases); ``on``: share that has power."""
    if chips.supply is None:
        return output_w * (1.0 / chips.efficiency - 1.0)
    each = namespace(on).maximum(on, 1e-9)
    return on * supply_loss_w(chips.supply, output_w / each, at_12v_w / each)


def per_loop_w(p: Parameters, group_w: Array) -> Array:
    """Return each loop's even share of a group's watt, (groups, 1, 1)."""
    return group_w[:, :, None] / p.loops


def chip_step(
    p: Parameters, state: State, inputs: Inputs, net: _Links, adequacy: Array, power: Servers, dt_s: float
) -> ChipStep:
    """Return temperatures after ``dt_s``: chips, racks' coolant and supply of every loop at once."""
    chips, k, xp = p.chips, p.k, namespace(state.die_c)
    fresh = xp.minimum(adequacy, 1.0)
    weight_w = per_loop_w(p, chips.busy_w) * chips.caught
    driven = (net.sink * state.sink_c + net.fast * (net.die * state.die_c + power.relative) / net.pivot) / net.share
    follow = net.slow / net.share
    on = chips.on_coolant
    # Sinks in coolant give source_w - link_w_k * reference, the reference mixing supply and racks' coolant.
    link = weight_w * net.slow[0] * (1.0 - follow[0]) * on
    source_w = (weight_w * net.slow[0] * driven[0] * on).sum(axis=0)
    link_w_k = link.sum(axis=0)
    if p.plant.design.boils:
        return _boiling_step(p, state, net, power, driven, follow, source_w, link_w_k, dt_s)
    mix = 1.0 - fresh
    flow_w_k, unit_w_k = 0.0 * adequacy, 0.0 * adequacy
    pump_w = 0.0 * adequacy
    if p.plant.warm is not None:
        flow_w_k, unit_w_k, pump_w = distribution_unit(p, state)
    leak_w_k = inputs.leak_kg_s * k.water_heat_capacity_j_kg_k
    rack_j, pipe_j = p.rack_j_k / dt_s, p.pipe_j_k / dt_s
    # rack:  a11 T_rack + a12 T_supply = b1;  supply: a21 T_rack + a22 T_supply = b2
    a11, a12 = rack_j + flow_w_k + link_w_k * mix + leak_w_k, link_w_k * fresh - flow_w_k
    b1 = rack_j * state.rack_c + source_w + power.direct_w + leak_w_k * p.c.fill_c
    a21, a22 = unit_w_k - flow_w_k, pipe_j + flow_w_k
    rise_k = pump_w / xp.maximum(flow_w_k, 1e-9)
    b2 = pipe_j * state.coolant_c + pump_w - unit_w_k * (rise_k - state.warm_supply_c)
    determinant = a11 * a22 - a12 * a21
    rack_c, coolant_c = (b1 * a22 - a12 * b2) / determinant, (a11 * b2 - a21 * b1) / determinant
    in_coolant_c = fresh * coolant_c + mix * rack_c
    reference_c = on * in_coolant_c + (1.0 - on) * state.intake_c + chips.spread_k
    sink_c = driven + follow * reference_c
    die_c = (net.die * state.die_c + power.relative + net.fast * sink_c) / net.pivot
    given_w = weight_w * net.slow[0] * (sink_c[0] - reference_c[0])
    return ChipStep(
        die_c, sink_c, rack_c, coolant_c, (given_w * on).sum(axis=0) + power.direct_w,
        (given_w * (1.0 - on)).sum(axis=(0, 1)) + power.air_direct_w,
        unit_w_k * (rack_c + rise_k - state.warm_supply_c), leak_w_k * (rack_c - p.c.fill_c),
    )  # fmt: skip


def _boiling_step(
    p: Parameters, state: State, net: _Links, power: Servers, driven: Array, follow: Array, source_w: Array,
    link_w_k: Array, dt_s: float,
) -> ChipStep:  # fmt: skip
    """Return :func:`chip_step` in two-phase baths: one temperature a loop, no pump, a condenser that follows."""
    chips, stored_w_k = p.chips, (p.rack_j_k + p.pipe_j_k) / dt_s
    passed_w_k = condenser_w_k(p, state.cdu_valve * primary_adequacy(state))
    into_w = source_w + power.direct_w
    warm = p.plant.warm
    assert warm is not None and warm.boiling is not None  # noqa: S101, PT018  the design says so
    bath_c = bath_after_c(
        warm.boiling.fluid.boiling_c, stored_w_k, state.rack_c, into_w, link_w_k, passed_w_k, state.warm_supply_c
    )
    on = chips.on_coolant
    reference_c = on * bath_c + (1.0 - on) * state.intake_c + chips.spread_k
    sink_c = driven + follow * reference_c
    die_c = (net.die * state.die_c + power.relative + net.fast * sink_c) / net.pivot
    given_w = per_loop_w(p, chips.busy_w) * chips.caught * net.slow[0] * (sink_c[0] - reference_c[0])
    to_bath_w = (given_w * on).sum(axis=0) + power.direct_w
    condensed_w = into_w - link_w_k * bath_c - stored_w_k * (bath_c - state.rack_c)
    return ChipStep(
        die_c, sink_c, bath_c, bath_c, to_bath_w, (given_w * (1.0 - on)).sum(axis=(0, 1)) + power.air_direct_w,
        condensed_w, 0.0 * bath_c,
    )  # fmt: skip


def distribution_unit(p: Parameters, state: State) -> tuple[Array, Array, Array]:
    """Return (coolant m·cp, heat per kelvin of inlet difference, pump power) of every loop, (loops, cases).

    At given flows an exchanger's heat is proportional to the difference of its inlets, so one rating at
    1 K gives the factor.
    """
    warm, k, xp = p.plant.warm, p.k, namespace(state.cdu_pump)
    assert warm is not None  # noqa: S101  the caller asks only where the loop exists
    cp = k.water_heat_capacity_j_kg_k
    secondary, primary = state.cdu_pump, state.cdu_valve * primary_adequacy(state)
    flow_w_k = secondary * (warm.cdu.secondary_design_kg_s * cp / p.loops)
    ua_w_k = ua_at_flow_w_k(warm.cdu.ua_w_k / p.loops, secondary, primary, warm.cdu.film_exponent)
    unit_w_k = exchange(1.0, 0.0, flow_w_k, primary * (warm.cdu.primary_design_kg_s * cp / p.loops), ua_w_k).heat_w
    pump_w = warm.cdu.pump_design_w / p.loops * flow_power_share(secondary, warm.cdu.static_fraction)
    return xp.maximum(flow_w_k, 1e-9), unit_w_k, pump_w


def primary_adequacy(state: State) -> Array:
    """Return the share of the valves' water that the warm pump moves, at most 1."""
    xp = namespace(state.warm_pump)
    asked = state.cdu_valve.mean(axis=0)
    return xp.minimum(state.warm_pump / xp.maximum(asked, 1e-9), 1.0)
