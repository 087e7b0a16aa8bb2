"""Thermosyphon coolers: refrigerant boils on the water side, rises, condenses in outdoor air and runs back.

No pump and no freezing water outdoors; placed before a tower it takes the dry share of the heat and saves water.
"""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array, namespace, power
from twinloop.cooling.exchangers import FILM_EXPONENT, SMALL_W_K
from twinloop.cooling.fans import fan_power_w
from twinloop.fluids.psychrometrics import CP_DRY_AIR

WATER_J_KG_K = 4181.0
"""Water at 30 °C, IAPWS-95."""


@dataclass(frozen=True)
class Thermosyphon:
    """Design point of one cooler, or of many alike as one."""

    evaporator_ua_w_k: float
    condenser_ua_w_k: float
    water_design_kg_s: float
    air_design_kg_s: float
    fan_design_w: float
    start_k: float = 2.0
    """Water above air below which too little vapour rises to carry the loop. Low confidence."""
    film_exponent: float = FILM_EXPONENT
    fan_static_share: float = 0.0
    """Of the fans' pressure, kept at any flow; see :func:`twinloop.cooling.fans.fan_power_w`."""


@dataclass(frozen=True)
class ThermosyphonPoint:
    """Operating point: one heat by three sides (water, refrigerant, air)."""

    heat_w: Array
    water_out_c: Array
    refrigerant_c: Array
    air_out_c: Array
    air_flow_kg_s: Array
    fan_w: Array


def thermosyphon(
    unit: Thermosyphon, fan_ratio: Array, water_in_c: Array, water_flow_kg_s: Array, dry_bulb_c: Array
) -> ThermosyphonPoint:
    """Rate a cooler: two exchangers against one boiling temperature.

    ``Q = ε_e C_w (T_w − T_r) = ε_c C_a (T_r − T_a)`` with ``ε = 1 − exp(−NTU)``, so ``Q = (T_w − T_a)/(1/(ε_e C_w) +
    1/(ε_c C_a))``. Films: water ~ flow^0.8, air ~ flow^0.8, boiling and condensing constant and counted in the UA.
    Below ``start_k`` the loop fades to nothing along a smooth step of that width; never backwards, as condensate
    lies at the bottom. Range: fan ratio 0-1.2. Source: ε-NTU with one isothermal side, Incropera et al. (2011),
    eq. 11.35a; arrangement: Sickinger, Van Geet, Ravenscroft, Thermosyphon Cooler Hybrid System for Water Savings
    in an Energy-Efficient HPC Data Center, NREL (2018).

    >>> unit = Thermosyphon(120e3, 150e3, 25.0, 90.0, 20e3)
    >>> point = thermosyphon(unit, 1.0, 30.0, 25.0, 10.0)
    >>> round(float(point.heat_w) / 1e3), round(float(point.water_out_c), 1), round(float(point.refrigerant_c), 1)
    (723, 23.1, 19.9)
    """
    xp = namespace(fan_ratio, water_in_c, water_flow_kg_s, dry_bulb_c)
    water_w_k = xp.maximum(water_flow_kg_s * WATER_J_KG_K, SMALL_W_K)
    air = fan_ratio * unit.air_design_kg_s
    air_w_k = xp.maximum(air * CP_DRY_AIR, SMALL_W_K)
    n = unit.film_exponent
    wet = unit.evaporator_ua_w_k * power(xp.maximum(water_flow_kg_s / unit.water_design_kg_s, SMALL_W_K), n)
    dry = unit.condenser_ua_w_k * power(xp.maximum(fan_ratio, SMALL_W_K), n)
    by_water = -xp.expm1(-wet / water_w_k) * water_w_k
    by_air = -xp.expm1(-dry / air_w_k) * air_w_k
    span_k = water_in_c - dry_bulb_c
    part = xp.clip(span_k / unit.start_k - 1.0, 0.0, 1.0)
    heat_w = part * part * (3.0 - 2.0 * part) * span_k * by_water * by_air / (by_water + by_air)
    return ThermosyphonPoint(
        heat_w=heat_w,
        water_out_c=water_in_c - heat_w / water_w_k,
        refrigerant_c=xp.where(part > 0.0, water_in_c - heat_w / by_water, dry_bulb_c),
        air_out_c=dry_bulb_c + heat_w / air_w_k,
        air_flow_kg_s=air + 0.0 * heat_w,
        fan_w=fan_power_w(fan_ratio, unit.fan_design_w, 0.0, unit.fan_static_share) + 0.0 * heat_w,
    )
