"""Moist air for drawing charts: accurate to a pixel, not for design.

Saturation pressure over water: Magnus form of Alduchov and Eskridge (1996),
doi:10.1175/1520-0450(1996)035<0601:IMFAOS>2.0.CO;2, within 0.4 % from -40 to 50 °C; above 50 °C it is
extended unflagged, for
axis ends only.
"""

from __future__ import annotations

import math

import numpy as np

from twinloop.arrays import FloatArray

STANDARD_PA = 101_325.0
RATIO = 0.621945
"""Molar mass of water over dry air, ASHRAE Handbook Fundamentals 2021, chapter 1."""


def saturation_pa(temperature_c: float) -> float:
    """Return the saturation pressure of water, Pa: ``610.94 exp(17.625 t / (t + 243.04))``.

    >>> round(saturation_pa(20.0))
    2333
    """
    return 610.94 * math.exp(17.625 * temperature_c / (temperature_c + 243.04))


def humidity_ratio(dry_bulb_c: float, relative_humidity: float, pressure_pa: float = STANDARD_PA) -> float:
    """Return kg of water a kg of dry air.

    >>> round(humidity_ratio(20.0, 0.5), 5)
    0.00724
    """
    vapour_pa = relative_humidity * saturation_pa(dry_bulb_c)
    return RATIO * vapour_pa / (pressure_pa - vapour_pa)


def humidity_ratio_from_wet_bulb(
    dry_bulb_c: FloatArray, wet_bulb_c: FloatArray, pressure_pa: float = STANDARD_PA
) -> FloatArray:
    """Return kg/kg by the wet-bulb balance (ASHRAE Handbook Fundamentals 2021, 1.35), never below zero.

    >>> float(np.round(humidity_ratio_from_wet_bulb(np.array([30.0]), np.array([20.0])), 4)[0])
    0.0105
    """
    wet = np.minimum(wet_bulb_c, dry_bulb_c)
    vapour = 610.94 * np.exp(17.625 * wet / (wet + 243.04))
    saturated = RATIO * vapour / (pressure_pa - vapour)
    top = (2501.0 - 2.326 * wet) * saturated - 1.006 * (dry_bulb_c - wet)
    result: FloatArray = np.maximum(top / (2501.0 + 1.86 * dry_bulb_c - 4.186 * wet), 0.0)
    return result
