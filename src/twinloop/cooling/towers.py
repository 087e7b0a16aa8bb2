"""Open cooling towers: Merkel's enthalpy potential in effectiveness-NTU form, and their water."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array, namespace, power, repeat
from twinloop.cooling.dry_coolers import Rejection
from twinloop.cooling.exchangers import SMALL_W_K, mean_decay
from twinloop.cooling.fans import fan_power_w
from twinloop.fluids.psychrometrics import (
    CP_DRY_AIR,
    enthalpy_j_kg,
    humidity_ratio_from_wet_bulb,
    saturated_enthalpy_j_kg,
    saturated_humidity_ratio,
)

WATER_J_KG_K = 4181.0
"""Water at 30 °C, IAPWS-95."""
LEAST_AIR = 1e-4
"""Least share of design air flow, so that a tower whose fans stand still has an outlet state."""
_LEAST_SPAN_K = 1.0  # the saturation curve is read over at least this much: a divided difference needs room
_SECANT_STEPS = 3  # range of the water to below 1e-8 K over the stated range
_MOST_DECAY = 60.0  # exp(60) is beyond any tower and below overflow


@dataclass(frozen=True)
class Tower:
    """Design point of all running cells as one. ``ua_w_k`` is Merkel's, per kelvin of dry air.

    ``ua_w_k / 1006`` is the mass transfer conductance ``K a V`` in kg/s; Merkel's number at design is
    that over the water flow, typically 0.8-2.
    """

    ua_w_k: float
    air_design_kg_s: float
    water_design_kg_s: float
    fan_design_w: float
    drift_fraction: float = 0.0002
    """Of circulating water: 0.005-0.05 %; EnergyPlus example 0.05 %, good eliminators 0.005-0.02 %."""
    flow_exponent: float = 0.6
    """``n`` of Merkel's number ``~ (water/air)^−n``: 0.35-1.1, usually 0.55-0.65 (ASHRAE Handbook - HVAC
    Systems and Equipment 2020, chapter 40)."""
    fan_static_share: float = 0.0
    """Of the fans' pressure, kept at any flow; see :func:`twinloop.cooling.fans.fan_power_w`."""


@dataclass(frozen=True)
class _Wet:
    """The wet side at its inlets, and the saturation curve ``h(T_wb + y) = h₀ + y (a + b y)``."""

    air_kg_s: Array
    water_w_k: Array
    ntu: Array
    span_k: Array
    """Entering water above the wet bulb."""
    enthalpy_j_kg: Array
    """``h₀``."""
    linear: Array
    quadratic: Array

    def heat_w(self, range_k: Array) -> Array:
        """Return the heat passed if the water cools by ``range_k``."""
        xp = namespace(self.ntu, range_k)
        top_slope = self.linear + 2.0 * self.quadratic * self.span_k
        ratio = self.air_kg_s * (top_slope - self.quadratic * range_k) / self.water_w_k
        passed = self.ntu * mean_decay(xp.maximum(self.ntu * (1.0 - ratio), -_MOST_DECAY))
        drive = self.span_k * (self.linear + self.quadratic * self.span_k)
        curvature = 0.125 * self.quadratic * range_k * range_k
        return self.air_kg_s * passed / (1.0 + ratio * passed) * (drive - curvature)


def tower(
    cells: Tower,
    fan_ratio: Array,
    water_in_c: Array,
    water_flow_kg_s: Array,
    dry_bulb_c: Array,
    wet_bulb_c: Array,
    pressure_pa: Array,
) -> Rejection:
    """Rate a tower.

    ``Q = m_a ε (h_s(T_in) − δ − h_s(T_wb))`` with the counterflow effectiveness at ``N = K/m_a`` and capacity
    ratio ``R = m_a f / (m_w cp)``: ``f`` is the saturation curve's mean slope over the water's range ``r``,
    ``δ = h_s'' r²/16`` Berman's correction for its curvature. ``K`` follows ``water^(1−n) air^n``. The range is
    found by secant steps of fixed number; the curve is a parabola through wet bulb, entering water and
    the middle.

    Air leaves saturated (Merkel) at ``h_in + Q/m_a``; evaporation is its humidity rise. Convention: heat
    and enthalpies are those of the constant circulating flow, ``Q = m_w cp (T_in − T_out) = m_a (h_out −
    h_in)`` exactly; the enthalpy of evaporated water, ``W`` cp times its temperature, enters with the
    make-up and is left out on both sides (some 5 % of Q). Water colder than the wet bulb is warmed.

    Range: wet bulb -10..30 °C, water 5..50 °C, water/air 0.4-5, Merkel's number 0.4-3: leaving water on
    average 0.03 K, at worst 0.5 K (24 K of approach plus range) off Merkel's integral. Outside it goes on.
    Sources: Jaber and Webb (1989), Design of cooling towers by the effectiveness-NTU method, J. Heat
    Transfer 111(4) 837-843, doi:10.1115/1.3250794; exponents: Braun, Klein, Mitchell (1989), Effectiveness
    models for cooling towers and cooling coils, ASHRAE Transactions 95(2).

    >>> cells = Tower(60e3, 40.0, 40.0, 8e3)
    >>> point = tower(cells, 1.0, 35.0, 40.0, 32.0, 25.0, 101325.0)
    >>> round(float(point.water_out_c), 1), round(float(point.evaporation_kg_s), 2)
    (28.3, 0.46)
    """
    xp = namespace(fan_ratio, water_in_c, wet_bulb_c, water_flow_kg_s, dry_bulb_c)
    wet = _wet_side(cells, fan_ratio, water_in_c, water_flow_kg_s, wet_bulb_c, pressure_pa)
    heat_w = _settled_heat_w(wet)
    moisture = humidity_ratio_from_wet_bulb(dry_bulb_c, wet_bulb_c, pressure_pa)
    entering = enthalpy_j_kg(dry_bulb_c, moisture)
    leaving = entering + heat_w / wet.air_kg_s
    out_c = wet_bulb_c + _rise_k(wet, leaving - wet.enthalpy_j_kg)
    humidity = saturated_humidity_ratio(out_c, pressure_pa)
    # The parabola is off by up to 0.3 % of the span: one step along it lands on the curve itself.
    slope = wet.linear + 2.0 * wet.quadratic * (out_c - wet_bulb_c)
    step_k = (leaving - enthalpy_j_kg(out_c, humidity)) / slope
    out_c = out_c + step_k
    humidity = saturated_humidity_ratio(out_c, pressure_pa)
    return Rejection(
        heat_w=heat_w,
        water_out_c=water_in_c - heat_w / wet.water_w_k,
        air_in_c=dry_bulb_c + 0.0 * heat_w,
        air_out_c=out_c,
        air_flow_kg_s=wet.air_kg_s + 0.0 * heat_w,
        fan_w=fan_power_w(fan_ratio, cells.fan_design_w, 0.0, cells.fan_static_share) + 0.0 * heat_w,
        evaporation_kg_s=wet.air_kg_s * xp.maximum(humidity - moisture, 0.0),
        drift_kg_s=cells.drift_fraction * water_flow_kg_s + 0.0 * heat_w,
        air_in_enthalpy_j_kg=entering,
        air_out_enthalpy_j_kg=leaving,
    )


def tower_heat_w(
    cells: Tower,
    fan_ratio: Array,
    water_in_c: Array,
    water_flow_kg_s: Array,
    wet_bulb_c: Array,
    pressure_pa: Array,
) -> Array:
    """Return the heat of :func:`tower` alone, at two thirds of its cost.

    >>> cells = Tower(60e3, 40.0, 40.0, 8e3)
    >>> round(float(tower_heat_w(cells, 1.0, 35.0, 40.0, 25.0, 101325.0)) / 1e3)
    1118
    """
    return _settled_heat_w(_wet_side(cells, fan_ratio, water_in_c, water_flow_kg_s, wet_bulb_c, pressure_pa))


def tower_spare_w(
    cells: Tower, fan_ratio: Array, basin_c: Array, load_w: Array, water_flow_kg_s: Array, wet_bulb_c: Array,
    pressure_pa: Array,
) -> Array:  # fmt: skip
    """Return how much more than ``load_w`` the tower would pass while its water cools to ``basin_c`` by that load.

    Zero exactly where a tower fed at ``basin_c + load/(m cp)`` balances: what a solver hunts with. The range being
    known, nothing is iterated, at a third of :func:`tower_heat_w`'s cost.

    >>> cells = Tower(60e3, 40.0, 40.0, 8e3)
    >>> load_w = float(tower_heat_w(cells, 1.0, 35.0, 40.0, 25.0, 101325.0))
    >>> basin_c = 35.0 - load_w / (40.0 * WATER_J_KG_K)
    >>> abs(round(float(tower_spare_w(cells, 1.0, basin_c, load_w, 40.0, 25.0, 101325.0)), 2))
    0.0
    """
    range_k = load_w / (water_flow_kg_s * WATER_J_KG_K)
    wet = _wet_side(cells, fan_ratio, basin_c + range_k, water_flow_kg_s, wet_bulb_c, pressure_pa)
    return wet.heat_w(range_k) - load_w


def _wet_side(
    cells: Tower, fan_ratio: Array, water_in_c: Array, water_flow_kg_s: Array, wet_bulb_c: Array, pressure_pa: Array
) -> _Wet:
    xp = namespace(fan_ratio, water_in_c, water_flow_kg_s, wet_bulb_c)
    fans = xp.maximum(fan_ratio, LEAST_AIR)
    air = fans * cells.air_design_kg_s
    water_w_k = xp.maximum(water_flow_kg_s * WATER_J_KG_K, SMALL_W_K)
    wetted = xp.maximum(water_flow_kg_s / cells.water_design_kg_s, SMALL_W_K)
    n = cells.flow_exponent
    ntu = cells.ua_w_k / CP_DRY_AIR * power(wetted, 1.0 - n) * power(fans, n) / air

    span_k = water_in_c - wet_bulb_c
    width_k = xp.sqrt(span_k * span_k + _LEAST_SPAN_K**2)
    low = saturated_enthalpy_j_kg(wet_bulb_c, pressure_pa)
    middle = saturated_enthalpy_j_kg(wet_bulb_c + 0.5 * width_k, pressure_pa)
    high = saturated_enthalpy_j_kg(wet_bulb_c + width_k, pressure_pa)
    quadratic = 2.0 * (high - 2.0 * middle + low) / (width_k * width_k)
    linear = (high - low) / width_k - quadratic * width_k
    return _Wet(air, water_w_k, ntu, span_k, low, linear, quadratic)


def _settled_heat_w(wet: _Wet) -> Array:
    """Return the heat whose own range passes it."""
    xp = namespace(wet.ntu, wet.span_k)

    def secant(state: tuple[Array, ...]) -> tuple[Array, ...]:
        before_k, at_before, range_k = state
        at = wet.heat_w(range_k) / wet.water_w_k
        change_k = range_k - before_k
        still = xp.abs(change_k) < 1e-9
        gain = xp.where(still, 0.0, (at - at_before) / xp.where(still, 1.0, change_k))
        return range_k, at, range_k + (at - range_k) / (1.0 - xp.clip(gain, -1.0, 0.9))

    before_k = 0.5 * wet.span_k + 0.0 * wet.ntu
    at_before = wet.heat_w(before_k) / wet.water_w_k
    _, _, range_k = repeat(_SECANT_STEPS, secant, (before_k, at_before, at_before))
    return range_k * wet.water_w_k


def _rise_k(wet: _Wet, gained: Array) -> Array:
    """Return ``y`` of ``y (a + b y) = gained``: the warmer root, written without cancellation."""
    xp = namespace(gained)
    root = xp.sqrt(xp.maximum(wet.linear * wet.linear + 4.0 * wet.quadratic * gained, 0.01 * wet.linear * wet.linear))
    return 2.0 * gained / (wet.linear + root)


def make_up(evaporation_kg_s: Array, drift_kg_s: Array, cycles: Array) -> tuple[Array, Array]:
    """Return (make-up, blow-down): ``E C/(C − 1)`` and ``E/(C − 1) − drift``, not below zero.

    ``C``: cycles of concentration, 2-8. Where drift alone exceeds ``E/(C − 1)`` no blow-down is needed and
    the make-up, ``E + drift``, is more than the formula's, so that water is conserved: make-up =
    evaporation + blow-down + drift always.

    Raises:
        ValueError: cycles of concentration not above 1 (plain numbers only: an array cannot raise).

    >>> [round(float(flow), 9) for flow in make_up(3.0, 0.1, 4.0)]
    [4.0, 0.9]
    """
    if isinstance(cycles, (int, float)) and not cycles > 1.0:
        raise ValueError(f"cycles of concentration {cycles} must be above 1")
    xp = namespace(evaporation_kg_s, drift_kg_s, cycles)
    blowdown = xp.maximum(evaporation_kg_s / (cycles - 1.0) - drift_kg_s, 0.0)
    return evaporation_kg_s + blowdown + drift_kg_s, blowdown
