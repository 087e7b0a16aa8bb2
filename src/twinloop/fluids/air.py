"""Transport properties of air, and its mass flow at altitude, for NumPy and JAX alike.

Thermodynamic properties of moist air are in :mod:`twinloop.fluids.psychrometrics`.
"""

from __future__ import annotations

from twinloop.arrays import Array
from twinloop.fluids.psychrometrics import (
    CP_DRY_AIR,
    CP_VAPOUR,
    KELVIN,
    density_kg_m3,
    pressure_at_altitude_pa,
)


def viscosity_pa_s(dry_bulb_c: Array) -> Array:
    """Return dynamic viscosity of dry air, Pa s: ``1.458e-6 T^1.5 / (T + 110.4)``.

    Sutherland's law, U.S. Standard Atmosphere 1976. Within 1 % over -40..100 degC.

    >>> round(float(viscosity_pa_s(25.0)) * 1e6, 2)
    18.37
    """
    kelvin = dry_bulb_c + KELVIN
    return 1.458e-6 * kelvin**1.5 / (kelvin + 110.4)


def conductivity_w_m_k(dry_bulb_c: Array) -> Array:
    """Return thermal conductivity of dry air, W/(m K): ``2.64638e-3 T^1.5 / (T + 245.4 10^(-12/T))``.

    U.S. Standard Atmosphere 1976. Within 2 % over -40..100 degC.

    >>> round(float(conductivity_w_m_k(25.0)), 4)
    0.0261
    """
    kelvin = dry_bulb_c + KELVIN
    return 2.64638e-3 * kelvin**1.5 / (kelvin + 245.4 * 10.0 ** (-12.0 / kelvin))


def heat_capacity_j_kg_k(humidity_ratio: Array) -> Array:
    """Return the heat capacity of moist air per kg of **dry** air, ``1006 + 1860 W``, J/(kg K).

    >>> round(heat_capacity_j_kg_k(0.01), 1)
    1024.6
    """
    return CP_DRY_AIR + CP_VAPOUR * humidity_ratio


def prandtl(dry_bulb_c: Array) -> Array:
    """Return the Prandtl number of dry air.

    >>> round(float(prandtl(25.0)), 3)
    0.708
    """
    return CP_DRY_AIR * viscosity_pa_s(dry_bulb_c) / conductivity_w_m_k(dry_bulb_c)


def density_at_altitude_kg_m3(dry_bulb_c: Array, humidity_ratio: Array, elevation_m: Array) -> Array:
    """Return moist-air density in the standard atmosphere at an elevation, kg/m3.

    >>> round(float(density_at_altitude_kg_m3(25.0, 0.008, 1650.0)), 3)
    0.965
    """
    return density_kg_m3(dry_bulb_c, humidity_ratio, pressure_at_altitude_pa(elevation_m))


def dry_mass_flow_kg_s(volume_flow_m3_s: Array, dry_bulb_c: Array, humidity_ratio: Array, pressure_pa: Array) -> Array:
    """Return kg of **dry** air a second in a volume flow: a fan moves volume, heat rides on mass.

    >>> round(float(dry_mass_flow_kg_s(1.0, 25.0, 0.008, 101325.0)), 3)
    1.169
    """
    return volume_flow_m3_s * density_kg_m3(dry_bulb_c, humidity_ratio, pressure_pa) / (1.0 + humidity_ratio)
