"""Open cooling towers by Merkel's enthalpy potential in ε-NTU form."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array, namespace
from twinloop.cooling.dry_coolers import Rejection
from twinloop.cooling.exchangers import effectiveness_counterflow, ua_at_flow_w_k
from twinloop.cooling.fans import fan_power_w
from twinloop.fluids.psychrometrics import (
    enthalpy_j_kg,
    humidity_ratio_from_wet_bulb,
    saturated_enthalpy_j_kg,
    saturated_humidity_ratio,
)

WATER_J_KG_K = 4181.0
AIR_J_KG_K = 1006.0
SMALLEST_SPAN_K = 0.05
"""Below this span between water and wet bulb the saturation slope is taken over the span itself."""


@dataclass(frozen=True)
class Tower:
    """Design point of all running cells as one. ``ua_w_k`` is Merkel's, per kelvin of dry air."""

    ua_w_k: float
    air_design_kg_s: float
    water_design_kg_s: float
    fan_design_w: float
    drift_fraction: float = 0.0002


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

    Moist air is a fictitious fluid of heat capacity ``c_s = Δh_s/ΔT`` between wet bulb and entering
    water; ``UA_e = UA · c_s/c_p``; counterflow effectiveness; ``Q = ε C_min (T_w − T_wb)``. Film
    resistances fall with flow^0.8 on both sides. The air leaves saturated at the enthalpy ``h_in + Q/m``
    (Merkel); evaporation is its humidity rise. Water side = air side: the make-up's sensible heat is
    left out on both, below 2 % of Q. Range: wet bulb -10..35 °C, water 5..60 °C.
    Source: J. E. Braun, S. A. Klein, J. W. Mitchell, Effectiveness models for cooling towers and cooling
    coils, ASHRAE Transactions 95 (1989), part 2.
    """
    heat_w = tower_heat_w(cells, fan_ratio, water_in_c, water_flow_kg_s, wet_bulb_c, pressure_pa)
    air = fan_ratio * cells.air_design_kg_s
    moisture = humidity_ratio_from_wet_bulb(dry_bulb_c, wet_bulb_c, pressure_pa)
    entering = enthalpy_j_kg(dry_bulb_c, moisture)
    leaving = entering + heat_w / air
    out_c = _saturated_at_c(leaving, wet_bulb_c, water_in_c, pressure_pa)
    gained = namespace(heat_w).maximum(saturated_humidity_ratio(out_c, pressure_pa) - moisture, 0.0)
    return Rejection(
        heat_w, water_in_c - heat_w / (water_flow_kg_s * WATER_J_KG_K), dry_bulb_c, out_c, air,
        fan_power_w(fan_ratio, cells.fan_design_w), air * gained,
        cells.drift_fraction * water_flow_kg_s + 0.0 * air, entering, leaving,
    )  # fmt: skip


def tower_heat_w(
    cells: Tower,
    fan_ratio: Array,
    water_in_c: Array,
    water_flow_kg_s: Array,
    wet_bulb_c: Array,
    pressure_pa: Array,
) -> Array:
    """Return the heat of :func:`tower` alone: what a solver that hunts a basin temperature needs."""
    xp = namespace(fan_ratio, water_in_c, wet_bulb_c)
    span_k = xp.maximum(xp.abs(water_in_c - wet_bulb_c), SMALLEST_SPAN_K)
    wet_enthalpy = saturated_enthalpy_j_kg(wet_bulb_c, pressure_pa)
    slope = (saturated_enthalpy_j_kg(wet_bulb_c + span_k, pressure_pa) - wet_enthalpy) / span_k
    air_w_k, water_w_k = fan_ratio * cells.air_design_kg_s * slope, water_flow_kg_s * WATER_J_KG_K
    least, most = xp.minimum(air_w_k, water_w_k), xp.maximum(air_w_k, water_w_k)
    flow_ratio = water_flow_kg_s / cells.water_design_kg_s
    ua_w_k = ua_at_flow_w_k(cells.ua_w_k, flow_ratio, fan_ratio) * slope / AIR_J_KG_K
    return effectiveness_counterflow(ua_w_k / least, least / most) * least * (water_in_c - wet_bulb_c)


def _saturated_at_c(enthalpy: Array, low_c: Array, high_c: Array, pressure_pa: Array) -> Array:
    """Return the temperature of saturated air of ``enthalpy``: two secant steps between wet bulb and water."""
    a_c, b_c = low_c, high_c + 0.1
    at_a = saturated_enthalpy_j_kg(a_c, pressure_pa) - enthalpy
    at_b = saturated_enthalpy_j_kg(b_c, pressure_pa) - enthalpy
    for _ in range(3):
        c_c = a_c - at_a * (b_c - a_c) / (at_b - at_a)
        a_c, at_a = c_c, saturated_enthalpy_j_kg(c_c, pressure_pa) - enthalpy
    return a_c


def make_up(evaporation_kg_s: Array, drift_kg_s: Array, cycles: float) -> tuple[Array, Array]:
    """Return (make-up, blow-down): ``E C/(C − 1)`` and ``E/(C − 1) − drift``, not below zero.

    Raises:
        ValueError: cycles of concentration not above 1.

    >>> total, bled = make_up(3.0, 0.1, 4.0)
    >>> round(total, 6), round(float(bled), 6)
    (4.0, 0.9)
    """
    if not cycles > 1.0:
        raise ValueError(f"cycles of concentration {cycles} must be above 1")
    xp = namespace(evaporation_kg_s, drift_kg_s)
    blowdown = xp.maximum(evaporation_kg_s / (cycles - 1.0) - drift_kg_s, 0.0)
    return evaporation_kg_s * cycles / (cycles - 1.0), blowdown
