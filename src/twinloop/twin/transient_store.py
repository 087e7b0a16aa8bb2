"""The chilled-water tank over one step: it follows its schedule, and gives more where chilled water floats."""

from __future__ import annotations

import math
from typing import NamedTuple

from twinloop.arrays import Array, namespace
from twinloop.cooling.storage import step as tank_step
from twinloop.twin.cold_store import tank_of
from twinloop.twin.transient_nouns import Inputs, State, clamp
from twinloop.twin.transient_parameters import Parameters

BOOST_FROM_K = 1.0
"""Chilled water this far above its setpoint calls for the tank, whatever its schedule says; further than what restarts
a resting chiller, which is tried first. Low confidence."""


class StoreStep(NamedTuple):
    """The tank after the step."""

    heat_w: Array
    """Into the tank: cold taken out; below 0 while it is charged."""
    lost_w: Array
    stored_j: Array


def wanted_w(p: Parameters, state: State, inputs: Inputs, over_k: Array, flow_w_k: Array, dt_s: float) -> Array:
    """Return the heat asked of the tank: its schedule, and an integral of chilled water's excess beyond the band."""
    most_w = p.plant.cold.heat_w
    gain = 1.0 - math.exp(-dt_s / p.c.control_s)
    boost_w = namespace(over_k).maximum(state.store_w - inputs.store_w, 0.0)
    boost_w = clamp(boost_w + gain * flow_w_k * (over_k - BOOST_FROM_K), 0.0, most_w)
    return clamp(inputs.store_w + boost_w, -most_w, most_w)


def store_step(p: Parameters, state: State, inputs: Inputs, in_c: Array, flow_w_k: Array, dt_s: float) -> StoreStep:
    """Return the tank after ``dt_s``: ``Δstored = (−heat − lost) dt``, exactly.

    The loop's water carries cold both ways: out of the tank it cools the return to the setpoint at most, into it
    the flow fills the tank's whole spread.
    """
    volume_m3 = p.plant.design.cold_store_m3
    none = 0.0 * in_c
    if volume_m3 <= 0.0:
        return StoreStep(none, none, state.stored_j)
    xp, tank = namespace(in_c), tank_of(volume_m3, p.plant.cold, p.k)
    most_out_w = flow_w_k * xp.maximum(in_c - inputs.cold_setpoint_c, 0.0)
    asked_w = clamp(state.store_w, -flow_w_k * tank.spread_k, most_out_w)
    ambient_k = xp.maximum(inputs.dry_bulb_c - p.plant.design.cold_supply_c - 0.5 * tank.spread_k, 0.0)
    after = tank_step(tank, state.stored_j, -asked_w, ambient_k, dt_s)
    return StoreStep(after.discharge_w - after.charge_w, after.lost_w, after.stored_j)
