"""Immersion: single-phase baths with natural and forced convection, two-phase baths with a condenser.

Heat is an inlet here, as servers give it whatever the bath does; the bath's temperature follows.
"""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array, namespace, repeat
from twinloop.cooling.exchangers import (
    SMALL_W_K,
    effectiveness_counterflow,
    ua_at_flow_w_k,
)
from twinloop.fluids.liquids import Liquid

WATER_J_KG_K = 4181.0
"""Water at 30 °C, IAPWS-95."""
GRAVITY_M_S2 = 9.80665
_SURFACE_STEPS = 24  # h ~ ΔT^0.25..0.33 shrinks the error 3-4 times a step: below 1e-9 K
_EXPANSION_STEP_K = 0.5  # central difference of density


@dataclass(frozen=True)
class Bath:
    """Design point of a single-phase tank, or of many alike: exchanger to facility water, and its pump."""

    ua_w_k: float
    fluid_design_kg_s: float
    water_design_kg_s: float
    pump_design_w: float
    fluid_j_kg_k: float
    """1.5-2.3 kJ/(kg K); see :mod:`twinloop.fluids.dielectric`."""
    volume_m3: float = 1.0


@dataclass(frozen=True)
class BathPoint:
    """Operating point of a single-phase bath."""

    supply_c: Array
    """Fluid at the bottom, into the servers."""
    bath_c: Array
    """Fluid at the top, out of the servers: the temperature that tanks are rated by."""
    water_out_c: Array
    heat_w: Array
    """To facility water, the pump's included."""
    pump_w: Array


def bath(unit: Bath, heat_w: Array, fluid_flow_kg_s: Array, water_in_c: Array, water_flow_kg_s: Array) -> BathPoint:
    """Return the temperatures at which a bath hands ``heat_w`` and its pump's heat to the water.

    ``T_bath = T_w,in + Q/(ε C_min)``, counterflow; ``T_supply = T_bath − Q/C``. Films fall with flow^0.6
    on the oil side (laminar to transitional; low confidence) and flow^0.8 on the water side. Baths run at
    40-50 °C. Range: flow ratios 0.2-1.5; a standing stream makes the bath run away, as it does.

    >>> unit = Bath(20e3, 25.0, 3.0, 1500.0, 2200.0)
    >>> point = bath(unit, 98500.0, 25.0, 30.0, 3.0)
    >>> round(float(point.bath_c), 1), round(float(point.supply_c), 1), round(float(point.heat_w))
    (40.5, 38.7, 100000)
    """
    xp = namespace(heat_w, fluid_flow_kg_s, water_in_c, water_flow_kg_s)
    ratio = fluid_flow_kg_s / unit.fluid_design_kg_s
    pump_w = unit.pump_design_w * ratio**3
    total_w = heat_w + pump_w
    ua_w_k = ua_at_flow_w_k(unit.ua_w_k, ratio, water_flow_kg_s / unit.water_design_kg_s, 0.6, 0.8)
    fluid_w_k = xp.maximum(fluid_flow_kg_s * unit.fluid_j_kg_k, SMALL_W_K)
    water_w_k = xp.maximum(water_flow_kg_s * WATER_J_KG_K, SMALL_W_K)
    least, most = xp.minimum(fluid_w_k, water_w_k), xp.maximum(fluid_w_k, water_w_k)
    bath_c = water_in_c + total_w / (effectiveness_counterflow(ua_w_k / least, least / most) * least)
    return BathPoint(bath_c - total_w / fluid_w_k, bath_c, water_in_c + total_w / water_w_k, total_w, pump_w)


def natural_convection_w_m2_k(liquid: Liquid, surface_c: Array, fluid_c: Array, height_m: Array) -> Array:
    """Return the mean coefficient of a vertical plate in a still bath.

    ``Nu = (0.825 + 0.387 Ra^(1/6) / (1 + (0.492/Pr)^(9/16))^(8/27))²``, properties at film temperature.
    Range: all Ra up to 1e12. Churchill and Chu (1975), doi:10.1016/0017-9310(75)90243-4.

    >>> from twinloop.fluids.liquids import liquid
    >>> round(float(natural_convection_w_m2_k(liquid("PAO-4"), 60.0, 40.0, 0.1)))
    134
    """
    xp = namespace(surface_c, fluid_c)
    film_c = 0.5 * (surface_c + fluid_c)
    density, conductivity = liquid.density_kg_m3(film_c), liquid.conductivity_w_m_k(film_c)
    capacity, viscosity = liquid.heat_capacity_j_kg_k(film_c), liquid.viscosity_pa_s(film_c)
    step_k = _EXPANSION_STEP_K
    thinning = liquid.density_kg_m3(film_c - step_k) - liquid.density_kg_m3(film_c + step_k)
    expansion = thinning / (2.0 * step_k * density)
    prandtl = capacity * viscosity / conductivity
    rise_k = xp.abs(surface_c - fluid_c)
    grashof = GRAVITY_M_S2 * expansion * rise_k * height_m**3 * (density / viscosity) ** 2
    rayleigh = xp.maximum(grashof * prandtl, 1e-12)  # keeps the sixth root differentiable at rest
    damping = (1.0 + (0.492 / prandtl) ** (9.0 / 16.0)) ** (8.0 / 27.0)
    return (0.825 + 0.387 * rayleigh ** (1.0 / 6.0) / damping) ** 2 * conductivity / height_m


def forced_convection_w_m2_k(liquid: Liquid, film_c: Array, speed_m_s: Array, length_m: Array) -> Array:
    """Return the mean coefficient of a flat plate in laminar flow: ``Nu = 0.664 Re^½ Pr^⅓``.

    Range: Re below 5e5, Pr above 0.6. Incropera et al. (2011), eq. 7.30.

    >>> from twinloop.fluids.liquids import liquid
    >>> round(float(forced_convection_w_m2_k(liquid("PAO-4"), 50.0, 0.1, 0.05)))
    204
    """
    density, conductivity = liquid.density_kg_m3(film_c), liquid.conductivity_w_m_k(film_c)
    viscosity = liquid.viscosity_pa_s(film_c)
    # Above zero, so that the root has a derivative in a still bath.
    reynolds = namespace(film_c, speed_m_s).maximum(density * speed_m_s * length_m / viscosity, 1e-9)
    prandtl = liquid.heat_capacity_j_kg_k(film_c) * viscosity / conductivity
    return 0.664 * reynolds**0.5 * prandtl ** (1.0 / 3.0) * conductivity / length_m


def surface_c(liquid: Liquid, flux_w_m2: Array, fluid_c: Array, height_m: Array, speed_m_s: Array = 0.0) -> Array:
    """Return the surface temperature that passes ``flux_w_m2`` (on the fins' area) into the bath.

    Natural and forced convection aid each other: ``h³ = h_n³ + h_f³`` (Incropera et al. 2011, eq. 9.64).
    A fixed number of fixed-point steps on ``ΔT = q/h(ΔT)``, a contraction.

    >>> from twinloop.fluids.liquids import liquid
    >>> round(float(surface_c(liquid("PAO-4"), 2000.0, 40.0, 0.1)), 1)
    56.2
    """

    def settle(state: tuple[Array, ...]) -> tuple[Array, ...]:
        (hot_c,) = state
        still = natural_convection_w_m2_k(liquid, hot_c, fluid_c, height_m)
        moving = forced_convection_w_m2_k(liquid, 0.5 * (hot_c + fluid_c), speed_m_s, height_m)
        return (fluid_c + flux_w_m2 / (still**3 + moving**3) ** (1.0 / 3.0),)

    start_c = fluid_c + 10.0 + 0.0 * (flux_w_m2 + height_m + speed_m_s)
    return repeat(_SURFACE_STEPS, settle, (start_c,))[0]
