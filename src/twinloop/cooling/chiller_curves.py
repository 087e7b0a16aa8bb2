"""Published performance curves of chillers: capacity and energy input ratio by temperatures and part load.

``T_e`` leaving chilled water, ``T_c`` entering condenser water or air, degC; ``x`` part-load ratio.
Biquadratics are ``c₀ + c₁ T_e + c₂ T_e² + c₃ T_c + c₄ T_c² + c₅ T_e T_c``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from twinloop.arrays import Array

Quadratic: TypeAlias = tuple[float, float, float]
Biquadratic: TypeAlias = tuple[float, float, float, float, float, float]


@dataclass(frozen=True)
class EirCurves:
    """DOE-2 form (EnergyPlus ``Chiller:Electric:EIR``); each factor is 1 near the reference point."""

    name: str
    capacity: Biquadratic
    eir: Biquadratic
    part_load: Quadratic
    leaving_c: tuple[float, float]
    """Range in which the fit is used."""
    condenser_c: tuple[float, float]
    minimum_plr: float
    source: str


@dataclass(frozen=True)
class LiftCurves:
    """BLAST form (EnergyPlus ``Chiller:Electric``): everything by one temperature difference.

    ``Δ = (T_c − T_c,ref)/k − (T_e − T_e,ref)``; capacity factor ``A = a₀ + a₁ Δ + a₂ Δ²``; energy input
    ratio ``b₀ + b₁ A + b₂ A²``. No range is published: the ones here keep ``A`` before its vertex and
    within practice (low confidence).
    """

    name: str
    capacity: Quadratic
    eir_by_capacity: Quadratic
    part_load: Quadratic
    rise_coefficient: float
    reference_leaving_c: float
    reference_condenser_c: float
    leaving_c: tuple[float, float]
    condenser_c: tuple[float, float]
    minimum_plr: float
    source: str


Curves: TypeAlias = EirCurves | LiftCurves

DOE2_CENTRIFUGAL = EirCurves(
    name="DOE-2 Centrifugal/5.50COP",
    capacity=(0.257896, 0.0389016, -0.00021708, 0.0468684, -0.00094284, -0.00034344),
    eir=(0.933884, -0.058212, 0.00450036, 0.00243, 0.000486, -0.001215),
    part_load=(0.222903, 0.313387, 0.463710),
    leaving_c=(5.0, 7.5),  # fitted to 10; past 7.5 it wants more power for warmer water at part load
    condenser_c=(24.0, 35.0),
    minimum_plr=0.1,
    source="DOE-2.1E generic centrifugal chiller, as in the EnergyPlus data set of chillers",
)
DOE2_RECIPROCATING = EirCurves(
    name="DOE-2 Reciprocating/3.67COP",
    capacity=(0.507883, 0.145228, -0.00625644, -0.0011178, -0.0001296, -0.00028188),
    eir=(1.03076, -0.103536, 0.00710208, 0.0093186, 0.00031752, -0.00104328),
    part_load=(0.088065, 1.137742, -0.225806),
    leaving_c=(5.0, 8.0),
    condenser_c=(24.0, 35.0),
    minimum_plr=0.25,
    source="DOE-2.1E generic reciprocating chiller, as in the EnergyPlus data set of chillers",
)
WATER_COOLED = LiftCurves(
    name="EnergyPlus water-cooled, COP 5",
    capacity=(0.944836, -0.0570088, -0.00185486),
    eir_by_capacity=(1.907846, -1.204987, 0.2634623),
    part_load=(0.03303, 0.6852, 0.2818),
    rise_coefficient=2.682759,
    reference_leaving_c=6.667,
    reference_condenser_c=29.44,
    leaving_c=(4.0, 14.0),
    condenser_c=(20.5, 38.0),
    minimum_plr=0.15,
    source="EnergyPlus two-zone data-centre example with water economiser, Chiller:Electric",
)
AIR_COOLED = LiftCurves(
    name="EnergyPlus air-cooled, COP 3",
    capacity=(0.944836, -0.0570088, -0.00185486),
    eir_by_capacity=(2.333, -1.975, 0.6121),
    part_load=(0.03303, 0.6852, 0.2818),
    rise_coefficient=2.778,
    reference_leaving_c=6.67,
    reference_condenser_c=35.0,
    leaving_c=(4.0, 14.0),
    condenser_c=(20.0, 46.0),
    minimum_plr=0.1,
    source="EnergyPlus unit test of Chiller:Electric, as read in public code",
    # There the third capacity coefficient is positive; the example above and its physics say negative.,
)


def biquadratic(c: Biquadratic, leaving_c: Array, condenser_c: Array) -> Array:
    """Return the biquadratic's value.

    >>> round(biquadratic(DOE2_CENTRIFUGAL.eir, 6.67, 29.4), 3)
    0.999
    """
    by_leaving = c[0] + leaving_c * (c[1] + c[2] * leaving_c)
    return by_leaving + condenser_c * (c[3] + c[4] * condenser_c + c[5] * leaving_c)


def quadratic(c: Quadratic, x: Array) -> Array:
    """Return ``c₀ + c₁ x + c₂ x²``.

    >>> quadratic((1.0, 2.0, 3.0), 2.0)
    17.0
    """
    return c[0] + x * (c[1] + c[2] * x)


def factors(curves: Curves, leaving_c: Array, condenser_c: Array) -> tuple[Array, Array]:
    """Return (capacity, energy input ratio at full load) over their reference values, inside the range.

    >>> capacity, eir = factors(WATER_COOLED, 6.667, 29.44)
    >>> round(capacity, 4), round(eir, 4)
    (0.9448, 1.0045)
    """
    if isinstance(curves, EirCurves):
        capacity = biquadratic(curves.capacity, leaving_c, condenser_c)
        return capacity, biquadratic(curves.eir, leaving_c, condenser_c)
    condenser_k = (condenser_c - curves.reference_condenser_c) / curves.rise_coefficient
    capacity = quadratic(curves.capacity, condenser_k - (leaving_c - curves.reference_leaving_c))
    return capacity, quadratic(curves.eir_by_capacity, capacity)
