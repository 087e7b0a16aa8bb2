"""Air handlers: a dry chilled-water coil and its fans."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array
from twinloop.cooling.exchangers import FILM_EXPONENT, exchange, ua_at_flow_w_k
from twinloop.cooling.fans import fan_power_w
from twinloop.fluids.psychrometrics import CP_DRY_AIR

WATER_J_KG_K = 4181.0
"""Water at 30 °C, IAPWS-95."""
_NO_MOISTURE_C = -273.15  # the dew point of air without water: nothing condenses


@dataclass(frozen=True)
class Crah:
    """Design point of one handler, or of many alike as one."""

    ua_w_k: float
    air_design_kg_s: float
    water_design_kg_s: float
    fan_design_w: float
    fan_minimum_ratio: float = 0.0
    """Slowest speed of the drive; see :func:`twinloop.cooling.fans.fan_power_w`."""
    water_j_kg_k: float = WATER_J_KG_K
    film_exponent: float = FILM_EXPONENT
    fan_static_share: float = 0.0
    """Of the fans' pressure, kept at any flow; see :func:`twinloop.cooling.fans.fan_power_w`."""
    air_held_kg_s: float = 0.0
    """What a hall's handlers that do not follow its servers keep moving, by however many units are left."""


@dataclass(frozen=True)
class CrahPoint:
    """Operating point; ``heat_w`` by the water side, fan heat not included."""

    heat_w: Array
    air_out_c: Array
    water_out_c: Array
    fan_w: Array
    condensing: Array
    """Water enters below the hall's dew point: the dry coil underestimates, water drips."""


def crah(
    unit: Crah,
    fan_ratio: Array,
    air_in_c: Array,
    water_in_c: Array,
    water_flow_kg_s: Array,
    dew_point_c: Array = _NO_MOISTURE_C,
) -> CrahPoint:
    """Rate a handler: counterflow dry coil, UA by both flows (films 0.8), fans by the cube law.

    Multi-row coils are close to counterflow. Fan heat is left to the caller, who adds it to the air.
    Sensible only: data-hall water is kept above the dew point (14 °C and warmer); ``condensing`` says where
    it is not. Source: ε-NTU as in :mod:`twinloop.cooling.exchangers`.

    >>> unit = Crah(20e3, 12.0, 4.0, 6e3)
    >>> point = crah(unit, 1.0, 35.0, 18.0, 4.0, dew_point_c=12.0)
    >>> round(float(point.heat_w) / 1e3), round(float(point.air_out_c), 1), bool(point.condensing)
    (139, 23.5, False)
    """
    ua_w_k = ua_at_flow_w_k(unit.ua_w_k, fan_ratio, water_flow_kg_s / unit.water_design_kg_s, unit.film_exponent)
    air_w_k = fan_ratio * unit.air_design_kg_s * CP_DRY_AIR
    x = exchange(air_in_c, water_in_c, air_w_k, water_flow_kg_s * unit.water_j_kg_k, ua_w_k)
    fan_w = fan_power_w(fan_ratio, unit.fan_design_w, unit.fan_minimum_ratio, unit.fan_static_share)
    return CrahPoint(x.heat_w, x.hot_out_c, x.cold_out_c, fan_w, water_in_c < dew_point_c + 0.0 * x.heat_w)
