"""A few immersion fluids, single phase and two phase, for NumPy and JAX alike.

The constants are typical data-sheet values given from memory (confidence low) unless the row says
otherwise; a vendor's sheet for the fluid actually bought replaces them. Density, heat capacity and
conductivity are straight lines in temperature from their value at 25 degC; viscosity goes through two
sheet points. Use between -20 and 110 degC, a two-phase fluid below its boiling point; outside, the
lines continue without warning.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twinloop.arrays import Array, namespace
from twinloop.catalogue.nouns import Confidence
from twinloop.errors import Fault, InputError

_KELVIN = 273.15
_REFERENCE_C = 25.0


@dataclass(frozen=True)
class Dielectric:
    """One fluid; slopes are per kelvin."""

    name: str
    density_25c_kg_m3: float
    density_slope: float
    heat_capacity_25c_j_kg_k: float
    heat_capacity_slope: float
    conductivity_25c_w_m_k: float
    conductivity_slope: float
    viscosity_points: tuple[tuple[float, float], tuple[float, float]]
    """Two of (degC, kinematic viscosity in mm2/s)."""
    thin: bool
    """Below 2 mm2/s: Andrade's line instead of Walther's."""
    boiling_c: float | None
    """At 1 atm; ``None`` for oils, used in single phase only."""
    latent_j_kg: float | None
    source: str
    confidence: Confidence


_SHEETS = "typical of published data sheets, from memory"
FLUIDS: tuple[Dielectric, ...] = (
    Dielectric(
        "PAO-2", 792.0, -0.65, 2200.0, 3.8, 0.137, -0.00007,
        ((40.0, 5.1), (100.0, 1.75)), thin=False, boiling_c=None, latent_j_kg=None,
        source=f"polyalphaolefin, 2 mm2/s grade; {_SHEETS}", confidence="low",
    ),
    Dielectric(
        "PAO-4", 813.0, -0.63, 2180.0, 3.7, 0.143, -0.00007,
        ((40.0, 17.5), (100.0, 3.9)), thin=False, boiling_c=None, latent_j_kg=None,
        source=f"polyalphaolefin, 4 mm2/s grade; {_SHEETS}", confidence="low",
    ),
    Dielectric(
        "mineral oil", 845.0, -0.65, 1900.0, 4.0, 0.130, -0.00007,
        ((40.0, 9.5), (100.0, 2.4)), thin=False, boiling_c=None, latent_j_kg=None,
        source=f"inhibited transformer oil after IEC 60296; {_SHEETS}", confidence="low",
    ),
    Dielectric(
        "natural ester", 915.0, -0.66, 1880.0, 2.5, 0.167, -0.00015,
        ((40.0, 33.0), (100.0, 8.0)), thin=False, boiling_c=None, latent_j_kg=None,
        source=f"vegetable ester after IEC 62770; {_SHEETS}", confidence="low",
    ),
    Dielectric(
        "FC-3283", 1820.0, -2.2, 1050.0, 1.6, 0.066, -0.0001,
        ((25.0, 0.75), (60.0, 0.48)), thin=True, boiling_c=128.0, latent_j_kg=78_000.0,
        source=f"perfluorinated amine (PFAS), single phase below 100 degC; {_SHEETS}", confidence="low",
    ),
    Dielectric(
        "HFE-7100", 1515.0, -2.5, 1183.0, 2.0, 0.069, -0.000195,
        ((25.0, 0.38), (50.0, 0.30)), thin=True, boiling_c=61.0, latent_j_kg=112_000.0,
        source=f"hydrofluoroether (PFAS), two phase; {_SHEETS}", confidence="low",
    ),
    Dielectric(
        "FK-649", 1600.0, -3.13, 1103.0, 1.0, 0.059, -0.00017,
        ((25.0, 0.40), (45.0, 0.32)), thin=True, boiling_c=49.0, latent_j_kg=88_000.0,
        source=f"fluoroketone (PFAS), two phase; {_SHEETS}", confidence="low",
    ),
)  # fmt: skip
"""Known fluids. PFAS rows are out of production or restricted in many places; they stay for comparison."""


def fluid(name: str) -> Dielectric:
    """Return the fluid called ``name`` (any case).

    Raises:
        InputError: no such fluid; the message lists those known.

    >>> fluid("pao-4").name
    'PAO-4'
    """
    for row in FLUIDS:
        if row.name.casefold() == name.casefold():
            return row
    known = ", ".join(row.name for row in FLUIDS)
    raise InputError(Fault("fluids", None, "dielectric", repr(name), f"one of {known}"))


def density_kg_m3(row: Dielectric, temperature_c: Array) -> Array:
    """Return density, kg/m3.

    >>> density_kg_m3(fluid("PAO-4"), 25.0)
    813.0
    """
    return row.density_25c_kg_m3 + row.density_slope * (temperature_c - _REFERENCE_C)


def heat_capacity_j_kg_k(row: Dielectric, temperature_c: Array) -> Array:
    """Return isobaric heat capacity, J/(kg K).

    >>> heat_capacity_j_kg_k(fluid("PAO-4"), 35.0)
    2217.0
    """
    return row.heat_capacity_25c_j_kg_k + row.heat_capacity_slope * (temperature_c - _REFERENCE_C)


def conductivity_w_m_k(row: Dielectric, temperature_c: Array) -> Array:
    """Return thermal conductivity, W/(m K).

    >>> conductivity_w_m_k(fluid("PAO-4"), 25.0)
    0.143
    """
    return row.conductivity_25c_w_m_k + row.conductivity_slope * (temperature_c - _REFERENCE_C)


def viscosity_pa_s(row: Dielectric, temperature_c: Array) -> Array:
    """Return dynamic viscosity, Pa s: kinematic viscosity through two points, times density.

    Oils: ``log10 log10 (nu + 0.7) = a - b log10 T`` (Walther; ASTM D341). Thin fluids:
    ``ln nu = a + b / T`` (Andrade). ``nu`` in mm2/s, ``T`` in kelvin.

    >>> round(float(viscosity_pa_s(fluid("PAO-4"), 40.0)) * 1e3, 2)
    14.06
    """
    xp = namespace(temperature_c)
    kelvin = temperature_c + _KELVIN
    (t1, nu1), (t2, nu2) = ((t + _KELVIN, nu) for t, nu in row.viscosity_points)
    if row.thin:
        b = np.log(nu1 / nu2) / (1.0 / t1 - 1.0 / t2)
        kinematic = nu1 * xp.exp(b * (1.0 / kelvin - 1.0 / t1))
    else:
        z1, z2 = (np.log10(np.log10(nu + 0.7)) for nu in (nu1, nu2))
        b = (z1 - z2) / (np.log10(t2) - np.log10(t1))
        kinematic = 10.0 ** (10.0 ** (z1 - b * (xp.log10(kelvin) - np.log10(t1)))) - 0.7
    return 1e-6 * kinematic * density_kg_m3(row, temperature_c)
