"""Coolant distribution units: a liquid-to-liquid exchanger and the pumps of the coolant side."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array
from twinloop.cooling.exchangers import FILM_EXPONENT, exchange, ua_at_flow_w_k
from twinloop.cooling.pumps import Pump, PumpPoint, flow_power_share, pump, system_dp_pa

WATER_J_KG_K = 4181.0
"""Water at 30 °C, IAPWS-95."""


@dataclass(frozen=True)
class Cdu:
    """Design point of one unit, or of many alike as one; water on both sides unless said otherwise."""

    ua_w_k: float
    primary_design_kg_s: float
    secondary_design_kg_s: float
    pump_design_w: float
    dp_design_pa: float = 300e3
    """Coolant side at design flow, rack and exchanger. With a wire-to-water efficiency of 0.535 this is
    Frontier's 8.47 kW at 15.1 L/s a unit; low confidence."""
    static_fraction: float = 0.0
    """Share of that pressure held at any flow (a differential-pressure setpoint)."""
    primary_j_kg_k: float = WATER_J_KG_K
    secondary_j_kg_k: float = WATER_J_KG_K
    """PG25 at 35 °C: 3950."""
    film_exponent: float = FILM_EXPONENT


@dataclass(frozen=True)
class CduPoint:
    """Operating point; pump heat is inside the secondary return that the caller passes in."""

    heat_w: Array
    secondary_supply_c: Array
    primary_return_c: Array
    pump_w: Array
    dp_pa: Array


def cdu(
    unit: Cdu,
    secondary_return_c: Array,
    secondary_flow_kg_s: Array,
    primary_supply_c: Array,
    primary_flow_kg_s: Array,
) -> CduPoint:
    """Rate a unit: counterflow, UA by both flows (films 0.8).

    Pump power is flow times pressure at constant efficiency: ``P₀ x (s + (1 − s) x²)``. A unit of
    effectiveness 0.75-0.9 and 2-5 K approach is typical. Source: ε-NTU as in
    :mod:`twinloop.cooling.exchangers`; loops of Frontier follow the same UA law with a yearly CV-RMSE below
    2.7 % (arXiv 2603.01198).

    >>> unit = Cdu(300e3, 20.0, 20.0, 9e3)
    >>> point = cdu(unit, 45.0, 20.0, 30.0, 20.0)
    >>> round(float(point.secondary_supply_c), 2), round(float(point.heat_w) / 1e3)
    (33.27, 981)
    """
    secondary = secondary_flow_kg_s / unit.secondary_design_kg_s
    ua_w_k = ua_at_flow_w_k(unit.ua_w_k, secondary, primary_flow_kg_s / unit.primary_design_kg_s, unit.film_exponent)
    hot_w_k = secondary_flow_kg_s * unit.secondary_j_kg_k
    cold_w_k = primary_flow_kg_s * unit.primary_j_kg_k
    x = exchange(secondary_return_c, primary_supply_c, hot_w_k, cold_w_k, ua_w_k)
    share = system_dp_pa(secondary, 1.0, unit.static_fraction)
    pump_w = unit.pump_design_w * flow_power_share(secondary, unit.static_fraction)
    return CduPoint(x.heat_w, x.hot_out_c, x.cold_out_c, pump_w, unit.dp_design_pa * share)


def pumped_cdu(
    unit: Cdu,
    machine: Pump,
    speed: Array,
    secondary_return_c: Array,
    primary_supply_c: Array,
    primary_flow_kg_s: Array,
    secondary_kg_m3: Array = 1005.0,
    running: Array = 1.0,
) -> tuple[CduPoint, PumpPoint]:
    """Rate a unit by its pumps' speed: pump curve against the racks' gives the flow, the flow gives the heat.

    The circuit takes ``dp_design_pa`` at the design flow, ``static_fraction`` of it held at any flow. ``running``:
    share of the parallel pumps that run (0.5: one of two has failed; a check valve closes behind it).

    >>> unit = Cdu(300e3, 20.0, 20.0, 9e3, dp_design_pa=250e3)
    >>> machine = Pump(350e3, 20.0 / 1005.0, 250e3, 0.55)
    >>> both, _ = pumped_cdu(unit, machine, 1.0, 45.0, 30.0, 20.0)
    >>> one, curve = pumped_cdu(unit, machine, 1.0, 45.0, 30.0, 20.0, running=0.5)
    >>> round(float(curve.flow_m3_s * 1005.0), 1), round(float(one.heat_w / both.heat_w), 2)
    (14.7, 0.83)
    """
    design_m3_s = unit.secondary_design_kg_s / secondary_kg_m3
    static_pa = unit.static_fraction * unit.dp_design_pa
    curve = pump(machine, speed, unit.dp_design_pa - static_pa, design_m3_s, static_pa, running)
    point = cdu(unit, secondary_return_c, curve.flow_m3_s * secondary_kg_m3, primary_supply_c, primary_flow_kg_s)
    return CduPoint(point.heat_w, point.secondary_supply_c, point.primary_return_c, curve.power_w, curve.dp_pa), curve
