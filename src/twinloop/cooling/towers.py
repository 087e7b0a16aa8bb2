"""Open cooling towers by Merkel's enthalpy potential in ε-NTU form."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array, namespace
from twinloop.cooling.dry_coolers import Rejection
from twinloop.cooling.exchangers import SMALL_W_K, effectiveness_counterflow, ua_at_flow_w_k
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
_SMALLEST_SPAN_K = 0.05  # below it the saturation chord keeps this width: rounding, not physics
_SECANT_STEPS = 4  # outlet air temperature to below 1e-6 K over the range of the tower's docstring


@dataclass(frozen=True)
class Tower:
    """Design point of all running cells as one. ``ua_w_k`` is Merkel's, per kelvin of dry air.

    ``ua_w_k / 1006`` is the mass transfer conductance ``h_d A`` in kg/s; Merkel's number at design is
    that over the water flow, typically 0.8-2.
    """

    ua_w_k: float
    air_design_kg_s: float
    water_design_kg_s: float
    fan_design_w: float
    drift_fraction: float = 0.0002
    """Of circulating water: 0.005-0.05 %; EnergyPlus example 0.05 %, good eliminators 0.005-0.02 %."""


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

    Moist air is a fictitious fluid of heat capacity ``c_s = Δh_s/ΔT``, the chord of the saturation curve
    between entering wet bulb and leaving (saturated) air; ``UA_e = UA c_s/c_p``; counterflow
    effectiveness; ``Q = ε C_min (T_w − T_wb)``. The leaving temperature is found together with the chord
    by a fixed number of secant steps. Film resistances fall with flow^0.8 on both sides.

    Air leaves saturated (Merkel) at ``h_in + Q/m``; evaporation is its humidity rise. Convention: heat
    and enthalpies are those of the constant circulating flow, ``Q = m_w cp (T_in − T_out) = m_a (h_out −
    h_in)`` exactly; the enthalpy of evaporated water, ``W`` cp times its temperature, enters with the
    make-up and is left out on both sides (some 5 % of Q). Water colder than the wet bulb is warmed.

    Range: wet bulb -10..35 °C, water 5..60 °C, water/air mass 0.4-3: leaving water within 0.6 K of
    Merkel's integral for ranges up to 15 K. Outside it goes on without warning.
    Sources: Braun, Klein, Mitchell (1989), Effectiveness models for cooling towers and cooling coils,
    ASHRAE Transactions 95(2); chord on the air side after EnergyPlus Engineering Reference,
    CoolingTower:VariableSpeed:Merkel.

    >>> cells = Tower(60e3, 40.0, 40.0, 8e3)
    >>> point = tower(cells, 1.0, 35.0, 40.0, 32.0, 25.0, 101325.0)
    >>> round(float(point.water_out_c), 1), round(float(point.evaporation_kg_s), 2)
    (28.5, 0.45)
    """
    xp = namespace(fan_ratio, water_in_c, wet_bulb_c, water_flow_kg_s)
    air = xp.maximum(fan_ratio, LEAST_AIR) * cells.air_design_kg_s
    water_w_k = xp.maximum(water_flow_kg_s * WATER_J_KG_K, SMALL_W_K)
    flow_ratio = water_flow_kg_s / cells.water_design_kg_s
    ua_w_k = ua_at_flow_w_k(cells.ua_w_k, flow_ratio, xp.maximum(fan_ratio, LEAST_AIR))
    moisture = humidity_ratio_from_wet_bulb(dry_bulb_c, wet_bulb_c, pressure_pa)
    entering = enthalpy_j_kg(dry_bulb_c, moisture)
    rise_k, slope = _saturated_rise(air, water_w_k, ua_w_k, water_in_c, wet_bulb_c, pressure_pa)
    heat_w = _heat_w(slope, air, water_w_k, ua_w_k, water_in_c - wet_bulb_c)
    leaving = entering + heat_w / air
    saturated_c = wet_bulb_c + rise_k
    # Entering enthalpy is not quite the wet bulb's saturated one: one step along the curve settles it.
    out_c = saturated_c + (leaving - saturated_enthalpy_j_kg(saturated_c, pressure_pa)) / slope
    gained = xp.maximum(saturated_humidity_ratio(out_c, pressure_pa) - moisture, 0.0)
    return Rejection(
        heat_w=heat_w, water_out_c=water_in_c - heat_w / water_w_k, air_in_c=dry_bulb_c + 0.0 * heat_w,
        air_out_c=out_c, air_flow_kg_s=air + 0.0 * heat_w, fan_w=fan_power_w(fan_ratio, cells.fan_design_w),
        evaporation_kg_s=air * gained, drift_kg_s=cells.drift_fraction * water_flow_kg_s + 0.0 * heat_w,
        air_in_enthalpy_j_kg=entering, air_out_enthalpy_j_kg=leaving,
    )  # fmt: skip


def _heat_w(slope: Array, air: Array, water_w_k: Array, ua_w_k: Array, span_k: Array) -> Array:
    """Return the heat from water to air of heat capacity ``slope``, J/(kg K)."""
    xp = namespace(slope, air, water_w_k)
    air_w_k = air * slope
    least, most = xp.minimum(air_w_k, water_w_k), xp.maximum(air_w_k, water_w_k)
    ntu = ua_w_k * slope / CP_DRY_AIR / least
    return effectiveness_counterflow(ntu, least / most) * least * span_k


def _saturated_rise(
    air: Array, water_w_k: Array, ua_w_k: Array, water_in_c: Array, wet_bulb_c: Array, pressure_pa: Array
) -> tuple[Array, Array]:
    """Return the air's rise over its wet bulb and the saturation chord over that rise.

    The root of ``y − Q(c(y)) / (m c(y))``, which rises in ``y`` by at least 1, between 0 and water − wet
    bulb: four guarded secant steps from the middle.
    """
    xp = namespace(air, water_w_k, ua_w_k, water_in_c, wet_bulb_c, pressure_pa)
    at_wet_bulb = saturated_enthalpy_j_kg(wet_bulb_c, pressure_pa)
    span_k = water_in_c - wet_bulb_c

    def chord(rise_k: Array) -> Array:
        width_k = xp.sqrt(rise_k * rise_k + _SMALLEST_SPAN_K**2)
        return (saturated_enthalpy_j_kg(wet_bulb_c + width_k, pressure_pa) - at_wet_bulb) / width_k

    def excess(rise_k: Array) -> Array:
        slope = chord(rise_k)
        return rise_k - _heat_w(slope, air, water_w_k, ua_w_k, span_k) / (air * slope)

    before_k = 0.5 * span_k + 0.0 * air
    at_before = excess(before_k)
    rise_k = before_k - at_before
    for _ in range(_SECANT_STEPS):
        at = excess(rise_k)
        change_k = rise_k - before_k
        still = xp.abs(change_k) < 1e-9
        gain = xp.where(still, 1.0, (at - at_before) / xp.where(still, 1.0, change_k))
        before_k, at_before = rise_k, at
        rise_k = rise_k - at / xp.maximum(gain, 1.0)
    return rise_k, chord(rise_k)


def make_up(evaporation_kg_s: Array, drift_kg_s: Array, cycles: float) -> tuple[Array, Array]:
    """Return (make-up, blow-down): ``E C/(C − 1)`` and ``E/(C − 1) − drift``, not below zero.

    ``C``: cycles of concentration, 2-8. Where drift alone exceeds ``E/(C − 1)`` no blow-down is needed and
    the make-up, ``E + drift``, is more than the formula's, so that water is conserved: make-up =
    evaporation + blow-down + drift always.

    Raises:
        ValueError: cycles of concentration not above 1.

    >>> [round(float(flow), 9) for flow in make_up(3.0, 0.1, 4.0)]
    [4.0, 0.9]
    """
    if not cycles > 1.0:
        raise ValueError(f"cycles of concentration {cycles} must be above 1")
    xp = namespace(evaporation_kg_s, drift_kg_s)
    blowdown = xp.maximum(evaporation_kg_s / (cycles - 1.0) - drift_kg_s, 0.0)
    return evaporation_kg_s + blowdown + drift_kg_s, blowdown
