"""Moist air: pressures, humidity, wet bulb, enthalpy and density, for NumPy and JAX alike.

Ideal-gas relations of ASHRAE Handbook - Fundamentals (2017), chapter 1, "Psychrometrics"; the
equation numbers below are that chapter's. All functions broadcast, branch only by ``xp.where`` and
iterate a fixed number of times, so they can be jitted and differentiated.

Symbols: ``t`` dry bulb, degC; ``t*`` wet bulb, degC; ``W`` humidity ratio, kg water per kg dry air;
``p`` total pressure, Pa; ``pw`` vapour pressure, Pa; ``pws`` saturation pressure, Pa; ``Ws``
humidity ratio at saturation. Enthalpy is per kg of **dry** air, zero at 0 degC dry air and liquid water.

Range: -50..90 degC and 60..110 kPa; the saturation formula itself holds over -100..200 degC. Outside,
values are extrapolated silently (an array function cannot raise under ``jit``); callers that read a
person's numbers check them first. Near boiling the partial pressure of dry air is kept above 1 % of the
total, so that humidity ratios stay finite.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from twinloop.arrays import Array, namespace

KELVIN = 273.15
"""0 degC in kelvin."""
TRIPLE_C = 0.01
"""Triple point of water, degC: where the ice and water saturation curves meet."""
MOLAR_RATIO = 0.621945
"""Molar mass of water over that of dry air (eq. 20)."""
GAS_DRY_AIR = 287.042
"""Gas constant of dry air, J/(kg K) (eq. 1)."""
CP_DRY_AIR = 1006.0
"""Heat capacity of dry air, J/(kg K) (eq. 28)."""
CP_VAPOUR = 1860.0
"""Heat capacity of water vapour, J/(kg K) (eq. 28)."""
LATENT_0C = 2_501_000.0
"""Enthalpy of vapour at 0 degC, J/kg (eq. 28)."""
DRIEST = 1e-7
"""Smallest humidity ratio with a dew point and a wet bulb; drier air is treated as this."""

_LN_TRIPLE = 6.416171713551414  # ln(pws) over water at the triple point, eq. 6
_LEAST_DRY_SHARE = 0.01  # of total pressure; see the module's text on boiling
_DEW_STEPS = 3  # Newton steps on ln(pws) from a Magnus guess: 0.3 K -> below 1e-9 K
_WET_STEPS = 7  # Newton steps from the dry bulb: below 1e-6 K for any air in the range above
_HALVINGS = 17  # 100 K down to the 1 mK at which the reference bisection stops


def pressure_at_altitude_pa(elevation_m: Array) -> Array:
    """Return the standard atmosphere's pressure (eq. 3): ``101325 (1 - 2.25577e-5 Z)^5.2559``.

    ``Z`` from -5000 to 11000 m. Above 44 km there is no value (nan).

    >>> round(float(pressure_at_altitude_pa(1650.0)))
    83011
    """
    return 101_325.0 * (1.0 - 2.25577e-5 * elevation_m) ** 5.2559


def _ln_ice(kelvin: Array, log_kelvin: Array) -> Array:
    """Return ln(pws) over ice (eq. 5), in Horner's form: powers of arrays cost ten times more."""
    cubic = -9.677843e-3 + kelvin * (6.2215701e-7 + kelvin * (2.0747825e-9 - kelvin * 9.484024e-13))
    return 6.3925247 - 5.6745359e3 / kelvin + kelvin * cubic + 4.1635019 * log_kelvin


def _ln_ice_slope(kelvin: Array) -> Array:
    """Return d ln(pws)/dT over ice, per K."""
    cubic = -9.677843e-3 + kelvin * (2 * 6.2215701e-7 + kelvin * (3 * 2.0747825e-9 - kelvin * 4 * 9.484024e-13))
    return cubic + (4.1635019 + 5.6745359e3 / kelvin) / kelvin


def _ln_water(kelvin: Array, log_kelvin: Array) -> Array:
    """Return ln(pws) over water (eq. 6), in Horner's form."""
    quadratic = -4.8640239e-2 + kelvin * (4.1764768e-5 - kelvin * 1.4452093e-8)
    return 1.3914993 - 5.8002206e3 / kelvin + kelvin * quadratic + 6.5459673 * log_kelvin


def _ln_water_slope(kelvin: Array) -> Array:
    """Return d ln(pws)/dT over water, per K."""
    quadratic = -4.8640239e-2 + kelvin * (2 * 4.1764768e-5 - kelvin * 3 * 1.4452093e-8)
    return quadratic + (6.5459673 + 5.8002206e3 / kelvin) / kelvin


class _Curve(NamedTuple):
    """A saturation curve's coefficients as a polynomial in degC: the same function as eq. 5 or 6 in kelvin."""

    at_0c_pa: float
    inverse: float
    linear: float
    quadratic: float
    cubic: float
    quartic: float
    logarithm: float


def _in_celsius(
    curve: Callable[[Array, Array], Array], inverse: float, c: tuple[float, ...], logarithm: float
) -> _Curve:
    """Return ``curve`` with ``c``, its polynomial's coefficients from kelvin on, expanded around 0 degC."""
    t, (a, b, d, e) = KELVIN, c
    return _Curve(
        math.exp(curve(t, math.log(t))), inverse, a + t * (2.0 * b + t * (3.0 * d + t * 4.0 * e)),
        b + t * (3.0 * d + t * 6.0 * e), d + t * 4.0 * e, e, logarithm,
    )  # fmt: skip


_ICE = _in_celsius(_ln_ice, -5.6745359e3, (-9.677843e-3, 6.2215701e-7, 2.0747825e-9, -9.484024e-13), 4.1635019)
_WATER = _in_celsius(_ln_water, -5.8002206e3, (-4.8640239e-2, 4.1764768e-5, -1.4452093e-8, 0.0), 6.5459673)


def saturation_pressure_pa(temperature_c: Array) -> Array:
    """Return the saturation pressure of water, over ice up to 0.01 degC and over water above.

    Hyland and Wexler (1983), "Formulations for the thermodynamic properties of the saturated phases
    of H2O from 173.15 K to 473.15 K", ASHRAE Transactions 89(2A); eq. 5 and 6.

    >>> round(float(saturation_pressure_pa(20.0)), 1)
    2338.8
    """
    xp = namespace(temperature_c)
    log_ratio = xp.log1p(temperature_c / KELVIN)
    ice, water = (_ln_over_0c(curve, temperature_c, log_ratio) for curve in (_ICE, _WATER))
    frozen = temperature_c <= TRIPLE_C
    return xp.where(frozen, _ICE.at_0c_pa, _WATER.at_0c_pa) * xp.exp(xp.where(frozen, ice, water))


def _ln_over_0c(curve: _Curve, temperature_c: Array, log_ratio: Array) -> Array:
    """Return ln(pws) over that at 0 degC, every term of the difference by itself: the terms of ln(pws) are up to six
    times its value, and single precision would lose a digit to them."""
    by_kelvin = -curve.inverse / (KELVIN * (temperature_c + KELVIN))
    inside = by_kelvin + curve.linear + temperature_c * (
        curve.quadratic + temperature_c * (curve.cubic + temperature_c * curve.quartic)
    )  # fmt: skip
    return temperature_c * inside + curve.logarithm * log_ratio


def _ratio(vapour_pa: Array, pressure_pa: Array, xp: Array) -> Array:
    return MOLAR_RATIO * vapour_pa / xp.maximum(pressure_pa - vapour_pa, _LEAST_DRY_SHARE * pressure_pa)


def saturated_humidity_ratio(temperature_c: Array, pressure_pa: Array) -> Array:
    """Return ``Ws = 0.621945 pws / (p - pws)``, kg/kg (eq. 21).

    >>> round(float(saturated_humidity_ratio(20.0, 101325.0)), 5)
    0.0147
    """
    xp = namespace(temperature_c, pressure_pa)
    return _ratio(saturation_pressure_pa(temperature_c), pressure_pa, xp)


def humidity_ratio_from_dew_point(dew_point_c: Array, pressure_pa: Array) -> Array:
    """Return ``W``: that of air saturated at the dew point, at the same pressure (eq. 35).

    >>> round(float(humidity_ratio_from_dew_point(10.0, 101325.0)), 5)
    0.00763
    """
    return saturated_humidity_ratio(dew_point_c, pressure_pa)


def humidity_ratio_from_relative_humidity(dry_bulb_c: Array, relative_humidity: Array, pressure_pa: Array) -> Array:
    """Return ``W`` from relative humidity as a fraction, 0..1 (eq. 20 and 22).

    >>> round(float(humidity_ratio_from_relative_humidity(25.0, 0.5, 101325.0)), 5)
    0.00988
    """
    xp = namespace(dry_bulb_c, relative_humidity, pressure_pa)
    return _ratio(relative_humidity * saturation_pressure_pa(dry_bulb_c), pressure_pa, xp)


def humidity_ratio_from_wet_bulb(dry_bulb_c: Array, wet_bulb_c: Array, pressure_pa: Array) -> Array:
    """Return ``W`` from the psychrometer equation, wick iced below 0 degC (eq. 33 and 35).

    ``W = ((2501 - 2.326 t*) Ws(t*) - 1.006 (t - t*)) / (2501 + 1.86 t - 4.186 t*)`` for ``t* >= 0``;
    ``W = ((2830 - 0.24 t*) Ws(t*) - 1.006 (t - t*)) / (2830 + 1.86 t - 2.1 t*)`` below.
    Impossible pairs (wet bulb far under the dry bulb) give the driest air, 1e-7.

    >>> round(float(humidity_ratio_from_wet_bulb(30.0, 20.0, 101325.0)), 5)
    0.01052
    """
    xp = namespace(dry_bulb_c, wet_bulb_c, pressure_pa)
    saturated = saturated_humidity_ratio(wet_bulb_c, pressure_pa)
    sensible = 1.006 * (dry_bulb_c - wet_bulb_c)
    water = ((2501.0 - 2.326 * wet_bulb_c) * saturated - sensible) / (2501.0 + 1.86 * dry_bulb_c - 4.186 * wet_bulb_c)
    ice = ((2830.0 - 0.24 * wet_bulb_c) * saturated - sensible) / (2830.0 + 1.86 * dry_bulb_c - 2.1 * wet_bulb_c)
    return xp.maximum(xp.where(wet_bulb_c >= 0.0, water, ice), DRIEST)


def vapour_pressure_pa(humidity_ratio: Array, pressure_pa: Array) -> Array:
    """Return ``pw = p W / (0.621945 + W)`` (eq. 20).

    >>> round(float(vapour_pressure_pa(0.01, 101325.0)), 1)
    1603.4
    """
    return pressure_pa * humidity_ratio / (MOLAR_RATIO + humidity_ratio)


def dew_point_c(humidity_ratio: Array, pressure_pa: Array) -> Array:
    """Return the dew point (frost point below 0.01 degC): where ``pws`` equals the vapour pressure.

    Newton on ln(pws) from a Magnus guess; within 1e-6 K of the exact inverse over -90..90 degC.

    >>> round(float(dew_point_c(0.0076300, 101325.0)), 2)
    10.0
    """
    xp = namespace(humidity_ratio, pressure_pa)
    target = xp.log(vapour_pressure_pa(xp.maximum(humidity_ratio, DRIEST), pressure_pa))
    over_triple = target - _LN_TRIPLE
    frozen = over_triple < 0.0
    # Magnus coefficients, Sonntag (1990), only as the first guess.
    guess = xp.where(
        frozen,
        272.62 * over_triple / (22.46 - over_triple),
        243.12 * over_triple / (17.62 - xp.minimum(over_triple, 10.0)),
    )
    for _ in range(_DEW_STEPS):
        kelvin = guess + KELVIN
        log_kelvin = xp.log(kelvin)
        value = xp.where(frozen, _ln_ice(kelvin, log_kelvin), _ln_water(kelvin, log_kelvin))
        step = (value - target) / xp.where(frozen, _ln_ice_slope(kelvin), _ln_water_slope(kelvin))
        guess = guess - step
    return guess


def _wick_root(t: Array, w: Array, p: Array, xp: Array, *, iced: bool) -> Array:
    """Return the root of one branch of the psychrometer equation, by Newton from the dry bulb.

    The equation, multiplied out, is convex and rising in ``t*``, so that Newton from above never
    oscillates; seven steps reach 1e-6 K from a dry 60 degC.
    """
    latent, fall, vapour_fall = (2830.0, 0.24, 2.1) if iced else (2501.0, 2.326, 4.186)
    curve, curve_slope = (_ln_ice, _ln_ice_slope) if iced else (_ln_water, _ln_water_slope)
    root = t
    for _ in range(_WET_STEPS):
        kelvin = root + KELVIN
        pw, slope = xp.exp(curve(kelvin, xp.log(kelvin))), curve_slope(kelvin)
        dry = xp.maximum(p - pw, _LEAST_DRY_SHARE * p)
        saturated = MOLAR_RATIO * pw / dry
        rise = saturated * slope * p / dry
        excess = (latent - fall * root) * saturated - 1.006 * (t - root) - w * (latent + 1.86 * t - vapour_fall * root)
        gradient = (latent - fall * root) * rise - fall * saturated + 1.006 + w * vapour_fall
        root = root - excess / gradient
    return root


def wet_bulb_c(dry_bulb_c: Array, humidity_ratio: Array, pressure_pa: Array) -> Array:
    """Return the thermodynamic wet bulb, the inverse of :func:`humidity_ratio_from_wet_bulb`.

    Newton on the water and on the ice branch. For air whose wet bulb is within 0.8 K of 0 degC *both*
    may hold (the wick may be wet or iced); then the root taken is the one at which bisection from the
    dew point would end, the convention of PsychroLib (Meyer and Thevenard 2019,
    doi:10.21105/joss.01137). Within 0.02 K of it over -20..50 degC and 0..3000 m. Never above the
    dry bulb nor below the dew point; supersaturated air counts as saturated.

    >>> round(float(wet_bulb_c(30.0, 0.01052, 101325.0)), 2)
    20.0
    """
    xp = namespace(dry_bulb_c, humidity_ratio, pressure_pa)
    w = xp.maximum(humidity_ratio, DRIEST)
    water = _wick_root(dry_bulb_c, w, pressure_pa, xp, iced=False)
    ice = _wick_root(dry_bulb_c, w, pressure_pa, xp, iced=True)
    dew = xp.minimum(dew_point_c(w, pressure_pa), dry_bulb_c)
    low = dew
    high = dry_bulb_c + 0.0 * low
    middle = 0.5 * (low + high)
    for _ in range(_HALVINGS):
        too_high = xp.where(middle >= 0.0, middle > water, middle > ice)
        high = xp.where(too_high, middle, high)
        low = xp.where(too_high, low, middle)
        middle = 0.5 * (low + high)
    return xp.clip(xp.where(middle >= 0.0, water, ice), dew, dry_bulb_c)


def relative_humidity(dry_bulb_c: Array, humidity_ratio: Array, pressure_pa: Array) -> Array:
    """Return relative humidity as a fraction: vapour pressure over saturation pressure (eq. 12).

    Above 1 for supersaturated air.

    >>> round(float(relative_humidity(25.0, 0.00988, 101325.0)), 3)
    0.5
    """
    return vapour_pressure_pa(humidity_ratio, pressure_pa) / saturation_pressure_pa(dry_bulb_c)


def enthalpy_j_kg(dry_bulb_c: Array, humidity_ratio: Array) -> Array:
    """Return ``h = 1006 t + W (2501000 + 1860 t)``, J per kg of dry air (eq. 30).

    >>> round(float(enthalpy_j_kg(25.0, 0.01)))
    50625
    """
    return CP_DRY_AIR * dry_bulb_c + humidity_ratio * (LATENT_0C + CP_VAPOUR * dry_bulb_c)


def dry_bulb_from_enthalpy_c(enthalpy_j_kg: Array, humidity_ratio: Array) -> Array:
    """Return the dry bulb of air of this enthalpy and humidity; the inverse of :func:`enthalpy_j_kg`.

    >>> round(float(dry_bulb_from_enthalpy_c(50625.0, 0.01)), 6)
    25.0
    """
    return (enthalpy_j_kg - humidity_ratio * LATENT_0C) / (CP_DRY_AIR + humidity_ratio * CP_VAPOUR)


def saturated_enthalpy_j_kg(temperature_c: Array, pressure_pa: Array) -> Array:
    """Return the enthalpy of saturated air, J per kg of dry air: what a wet tower surface drives to.

    >>> round(float(saturated_enthalpy_j_kg(20.0, 101325.0)))
    57419
    """
    return enthalpy_j_kg(temperature_c, saturated_humidity_ratio(temperature_c, pressure_pa))


def density_kg_m3(dry_bulb_c: Array, humidity_ratio: Array, pressure_pa: Array) -> Array:
    """Return the density of moist air: mass of air **and** vapour per volume (eq. 11 and 26).

    ``rho = (1 + W) p / (287.042 (t + 273.15) (1 + 1.607858 W))``

    >>> round(float(density_kg_m3(20.0, 0.0, 101325.0)), 4)
    1.2042
    """
    volume = (
        GAS_DRY_AIR * (dry_bulb_c + KELVIN) * (1.0 + 1.607858 * humidity_ratio) / pressure_pa
    )  # m3 per kg of dry air
    return (1.0 + humidity_ratio) / volume
