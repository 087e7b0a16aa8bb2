"""The YorkCalc tower: a measured polynomial of approach, for replaying plants that are written with it."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array, namespace

WATER_J_KG_K = 4181.0
"""Water at 30 °C, IAPWS-95."""
DESIGN_WET_BULB_C, DESIGN_RANGE_K, DESIGN_APPROACH_K = 25.5556, 5.5556, 3.8889
"""The rating (78/95/85 °F) at which flow ratios are 1."""
COEFFICIENTS = (
    (-0.359741205, -0.055053608, 0.0023850432),
    (0.173926877, -0.0248473764, 0.00048430224),
    (-0.005589849456, 0.0005770079712, -0.00001342427256),
    (2.84765801111111, -0.121765149, 0.0014599242),
    (1.680428651, -0.0166920786, -0.0007190532),
    (-0.025485194448, 0.0000487491696, 0.00002719234152),
    (-0.0653766255555556, -0.002278167, 0.0002500254),
    (-0.0910565458, 0.00318176316, 0.000038621772),
    (-0.0034285382352, 0.00000856589904, -0.000001516821552),
)
"""Rows: liquid/gas^i range^j at 3 i + j; columns: powers of wet bulb. EnergyPlus Engineering Reference,
CoolingTower:VariableSpeed, YorkCalc."""
FAN_POWER = (-0.00931516301535329, 0.0512333965844443, -0.0838364671381841, 1.04191823356909)
"""Power over design by powers of the air ratio; EnergyPlus example curve. Range 0.15-1."""


@dataclass(frozen=True)
class YorkPoint:
    """Operating point; ``outside`` marks a state beyond the polynomial's range (it is held at the range's ends)."""

    water_out_c: Array
    range_k: Array
    approach_k: Array
    outside: Array


def york_approach_k(wet_bulb_c: Array, range_k: Array, liquid_gas_ratio: Array) -> Array:
    """Return leaving water minus wet bulb: 27 terms in wet bulb, range and water/air ratio over design.

    Range: wet bulb -34.4..26.7 °C, range 1.1-22.2 K, approach 1.1-40 K, ratio to 8; not held to it here.

    >>> round(york_approach_k(25.5556, 5.5556, 1.0), 2)   # the rating says 3.89
    3.84
    """
    constant, linear, square = _in_range(wet_bulb_c, liquid_gas_ratio)
    return constant + range_k * (linear + range_k * square)


def york_tower(air_ratio: Array, water_in_c: Array, water_ratio: Array, wet_bulb_c: Array) -> YorkPoint:
    """Rate a tower by entering water: approach is quadratic in range, so leaving water needs no iteration.

    ``a₂ r² + (a₁ + 1) r + a₀ = T_in − T_wb``; wet bulb and water/air ratio held at the ends of their ranges, range
    between 0 and ``T_in − T_wb``. ``air_ratio`` 0.2-1 (EnergyPlus minimum 0.2).

    >>> point = york_tower(1.0, 35.0, 1.0, 25.5556)
    >>> round(float(point.water_out_c), 2), round(float(point.range_k), 2)
    (29.41, 5.59)
    """
    xp = namespace(air_ratio, water_in_c, water_ratio, wet_bulb_c)
    ratio = water_ratio / air_ratio
    held_c, held_ratio = xp.clip(wet_bulb_c, -34.4, 26.6667), xp.minimum(ratio, 8.0)
    constant, linear, square = _in_range(held_c, held_ratio)
    span_k = water_in_c - wet_bulb_c
    slope, rest = linear + 1.0, span_k - constant
    root = xp.sqrt(xp.maximum(slope * slope + 4.0 * square * rest, 1e-6 * slope * slope))
    range_k = xp.clip(2.0 * rest / (slope + root), 0.0, xp.maximum(span_k, 0.0))
    approach_k = span_k - range_k
    outside = (
        (wet_bulb_c < -34.4) | (wet_bulb_c > 26.6667) | (ratio > 8.0)
        | (range_k < 1.1111) | (range_k > 22.2222) | (approach_k < 1.1111) | (approach_k > 40.0)
    )  # fmt: skip
    return YorkPoint(water_in_c - range_k, range_k, approach_k, outside)


def _in_range(wet_bulb_c: Array, ratio: Array) -> list[Array]:
    """Return the coefficients of 1, range and range² at this wet bulb and water/air ratio."""
    rows = [a + wet_bulb_c * (b + wet_bulb_c * c) for a, b, c in COEFFICIENTS]
    return [rows[j] + ratio * (rows[3 + j] + ratio * rows[6 + j]) for j in range(3)]
