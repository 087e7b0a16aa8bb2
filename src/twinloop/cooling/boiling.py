"""Two-phase immersion: nucleate boiling on the chip, its critical heat flux, a condenser above the bath."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twinloop.arrays import Array, namespace
from twinloop.cooling.exchangers import FILM_EXPONENT, SMALL_W_K, ua_at_flow_w_k

WATER_J_KG_K = 4181.0
"""Water at 30 °C, IAPWS-95."""
GRAVITY_M_S2 = 9.80665
ATMOSPHERE_PA = 101_325.0
FLUX_MARGIN = 0.6
"""Share of the critical heat flux that design allows. Practice 0.5-0.7, low confidence."""


@dataclass(frozen=True)
class BoilingFluid:
    """Saturation properties at 1 atm."""

    name: str
    boiling_c: float
    latent_j_kg: float
    liquid_kg_m3: float
    vapour_kg_m3: float
    surface_tension_n_m: float
    critical_pa: float
    molar_mass_g: float


FK_649 = BoilingFluid("FK-649", 49.05, 87_950.0, 1527.0, 12.78, 0.0085, 1.869e6, 316.04)
"""Fluoroketone (PFAS; out of production). McLinden et al. (2015), doi:10.1021/acs.jced.5b00623, by CoolProp;
surface tension from a data sheet by memory, low confidence (CHF goes with its fourth root)."""
HFE_7100 = BoilingFluid("HFE-7100", 61.0, 112_000.0, 1425.0, 9.9, 0.0102, 2.23e6, 250.0)
"""Hydrofluoroether (PFAS; out of production). Data-sheet values from memory: low confidence."""


def boiling_rise_k(fluid: BoilingFluid, flux_w_m2: Array, roughness_um: float = 1.0) -> Array:
    """Return surface minus saturation temperature in nucleate boiling, K: ``q / h``.

    ``h = 55 p_r^(0.12 − 0.2 log₁₀ R_p) (−log₁₀ p_r)^−0.55 M^−0.5 q^0.67`` (``M`` g/mol, ``R_p`` μm, ``q``
    W/m2). Range: below the critical heat flux; boiling coatings do 2-5 times better. Cooper (1984),
    doi:10.1016/S0065-2717(08)70205-3.

    >>> round(float(boiling_rise_k(FK_649, 1e5)), 1)
    23.3
    """
    xp = namespace(flux_w_m2, fluid.critical_pa, fluid.molar_mass_g)
    reduced = ATMOSPHERE_PA / fluid.critical_pa
    exponent = 0.12 - 0.2 * np.log10(roughness_um)
    base = 55.0 * reduced**exponent * (-xp.log10(reduced)) ** -0.55 * fluid.molar_mass_g**-0.5
    return xp.maximum(flux_w_m2, 1.0) ** 0.33 / base


def critical_heat_flux_w_m2(fluid: BoilingFluid, constant: float = 0.131) -> Array:
    """Return ``K h_fg ρ_v^½ (σ g (ρ_l − ρ_v))^¼``: above it the surface dries out and the chip burns.

    ``K`` 0.131 for a large flat plate facing up (Zuber 1959, AECU-4439, doi:10.2172/4175511), 0.149 by
    Lienhard and Dhir's correction. Saturated pool at 1 atm.

    >>> round(critical_heat_flux_w_m2(FK_649) / 1e3)
    138
    """
    buoyancy = fluid.surface_tension_n_m * GRAVITY_M_S2 * (fluid.liquid_kg_m3 - fluid.vapour_kg_m3)
    return constant * fluid.latent_j_kg * fluid.vapour_kg_m3**0.5 * buoyancy**0.25


@dataclass(frozen=True)
class BoilingBath:
    """Design point of a two-phase tank, or of many alike: its condenser and its hottest surfaces."""

    condenser_ua_w_k: float
    water_design_kg_s: float
    boiling_area_m2: float
    """Of the spreaders that carry the chips' heat."""
    fluid: BoilingFluid = FK_649
    flux_margin: float = FLUX_MARGIN
    film_exponent: float = FILM_EXPONENT


@dataclass(frozen=True)
class BoilingPoint:
    """Operating point of a two-phase bath."""

    saturation_c: Array
    surface_c: Array
    water_out_c: Array
    heat_w: Array
    condensable_w: Array
    """What the condenser can take at the fluid's boiling point."""
    overloaded: Array
    """Heat above ``condensable_w``: pressure rises (a sealed tank) or vapour is lost (an open one)."""
    dry_out: Array
    """Flux above the margin of the critical heat flux."""


def boiling_bath(unit: BoilingBath, heat_w: Array, water_in_c: Array, water_flow_kg_s: Array) -> BoilingPoint:
    """Return the state in which the condenser takes ``heat_w``.

    Condenser: ``Q = ε C (T_sat − T_w,in)``, ``ε = 1 − exp(−NTU)`` (one side at constant temperature),
    water film ~ flow^0.8. With capacity to spare part of the condenser is blanketed by gas and the bath
    stays at its boiling point; overloaded, saturation rises to where the heat passes (flagged).

    >>> unit = BoilingBath(10e3, 3.0, 1.0)
    >>> point = boiling_bath(unit, 80e3, 30.0, 3.0)
    >>> round(float(point.saturation_c), 1), round(float(point.water_out_c), 1), bool(point.dry_out)
    (49.0, 36.4, False)
    """
    xp = namespace(heat_w, water_in_c, water_flow_kg_s)
    water_w_k = xp.maximum(water_flow_kg_s * WATER_J_KG_K, SMALL_W_K)
    ua_w_k = ua_at_flow_w_k(unit.condenser_ua_w_k, 1.0, water_flow_kg_s / unit.water_design_kg_s, unit.film_exponent)
    passed_w_k = -xp.expm1(-ua_w_k / water_w_k) * water_w_k
    condensable_w = passed_w_k * (unit.fluid.boiling_c - water_in_c)
    saturation_c = xp.maximum(water_in_c + heat_w / passed_w_k, unit.fluid.boiling_c)
    flux = heat_w / unit.boiling_area_m2
    return BoilingPoint(
        saturation_c=saturation_c, surface_c=saturation_c + boiling_rise_k(unit.fluid, flux),
        water_out_c=water_in_c + heat_w / water_w_k, heat_w=heat_w + 0.0 * saturation_c,
        condensable_w=condensable_w, overloaded=heat_w > condensable_w,
        dry_out=flux > unit.flux_margin * critical_heat_flux_w_m2(unit.fluid) + 0.0 * saturation_c,
    )  # fmt: skip
