"""Heat exchangers by effectiveness and NTU.

Symbols: capacity rate ``C = m cp`` (W/K), ``NTU = UA / C_min``, ``r = C_min / C_max`` (0-1),
effectiveness ``ε = heat / (C_min (T_hot,in − T_cold,in))``. All arguments broadcast.
Source: Incropera et al., Fundamentals of Heat and Mass Transfer, 7th ed. (2011), tables 11.3-11.4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from twinloop.arrays import Array, namespace, power

Arrangement = Literal["counterflow", "crossflow"]
SMALL_W_K = 1e-9
"""Capacity rate below which a stream counts as standing still; also the least flow ratio."""
FILM_EXPONENT = 0.8
"""Of flow, in a turbulent film's conductance: Dittus-Boelter (Incropera et al. 2011, eq. 8.60)."""
_SERIES_BELOW = 1e-6  # (1 − e^−x)/x by its series there: the next term, x²/6, is below rounding
_FEWEST_NTU = 1e-12  # keeps NTU^0.78 differentiable at rest, far below any heat that matters


@dataclass(frozen=True)
class Exchange:
    """Both outlets and the heat, W, from hot to cold."""

    heat_w: Array
    hot_out_c: Array
    cold_out_c: Array
    effectiveness: Array


def mean_decay(x: Array) -> Array:
    """Return ``(1 − exp(−x)) / x``, which is 1 at x = 0; smooth, also in its derivative."""
    xp = namespace(x)
    small = xp.abs(x) < _SERIES_BELOW
    safe = xp.where(small, 1.0, x)
    return xp.where(small, 1.0 - 0.5 * x, -xp.expm1(-safe) / safe)


def effectiveness_counterflow(ntu: Array, capacity_ratio: Array) -> Array:
    """Return ``(1 − e)/(1 − r e)`` with ``e = exp(−NTU (1 − r))``, and ``NTU/(1 + NTU)`` at r = 1.

    Evaluated as ``n/(1 + r n)`` with ``n = NTU (1 − e)/(NTU (1 − r))``, which is smooth through r = 1
    and through NTU = 0. Range: NTU from 0, r 0-1; exact.

    >>> round(float(effectiveness_counterflow(2.0, 0.5)), 4)
    0.7746
    >>> round(float(effectiveness_counterflow(2.0, 1.0)), 4)
    0.6667
    """
    passed = ntu * mean_decay(ntu * (1.0 - capacity_ratio))
    return passed / (1.0 + capacity_ratio * passed)


def effectiveness_crossflow(ntu: Array, capacity_ratio: Array) -> Array:
    """Return ``1 − exp(NTU^0.22 (exp(−r NTU^0.78) − 1) / r)``: single pass, both streams unmixed.

    A closed form near the exact series of Mason (1955): over NTU 0-10 and r 0-1 between 0.020 below and
    0.009 above it. Equal to ``1 − exp(−NTU)`` at r = 0. Range: NTU from 0, r 0-1.

    >>> round(float(effectiveness_crossflow(2.0, 0.5)), 3)
    0.739
    """
    xp = namespace(ntu, capacity_ratio)
    passed = power(xp.maximum(ntu, _FEWEST_NTU), 0.78)
    return -xp.expm1(-ntu * mean_decay(capacity_ratio * passed))


def exchange(
    hot_in_c: Array,
    cold_in_c: Array,
    hot_capacity_w_k: Array,
    cold_capacity_w_k: Array,
    ua_w_k: Array,
    arrangement: Arrangement = "counterflow",
) -> Exchange:
    """Rate an exchanger: inlets, capacity rates (W/K) and UA (W/K) give heat and outlets.

    Outlets never cross: each stays between the two inlets. Negative heat (cold stream hotter) is
    returned as such: the caller decides whether a valve closes.

    >>> point = exchange(60.0, 20.0, 1000.0, 2000.0, 2000.0)
    >>> round(float(point.heat_w)), round(float(point.hot_out_c), 2), round(float(point.cold_out_c), 2)
    (30984, 29.02, 35.49)
    """
    xp = namespace(hot_in_c, cold_in_c, hot_capacity_w_k, cold_capacity_w_k, ua_w_k)
    hot = xp.maximum(hot_capacity_w_k, SMALL_W_K)
    cold = xp.maximum(cold_capacity_w_k, SMALL_W_K)
    least, most = xp.minimum(hot, cold), xp.maximum(hot, cold)
    rule = effectiveness_counterflow if arrangement == "counterflow" else effectiveness_crossflow
    effectiveness = rule(ua_w_k / least, least / most)
    heat_w = effectiveness * least * (hot_in_c - cold_in_c)
    return Exchange(heat_w, hot_in_c - heat_w / hot, cold_in_c + heat_w / cold, effectiveness)


def ua_at_flow_w_k(
    ua_design_w_k: Array,
    hot_flow_ratio: Array,
    cold_flow_ratio: Array,
    exponent: Array = FILM_EXPONENT,
    cold_exponent: Array | None = None,
) -> Array:
    """Return ``UA₀ · 2 / (h^−n + c^−n)``: two equal film resistances at design, each falling as flow^n.

    ``h``, ``c``: flow over design flow; range 0.1-1.5, below it the flow turns laminar and the law
    underestimates. ``n``: :data:`FILM_EXPONENT`, or one a side. Wall resistance is left out; 0 on one side
    standing still.

    >>> float(ua_at_flow_w_k(1000.0, 1.0, 1.0))
    1000.0
    >>> round(float(ua_at_flow_w_k(1000.0, 0.5, 0.5)), 1)
    574.3
    """
    xp = namespace(hot_flow_ratio, cold_flow_ratio)
    hot = xp.maximum(hot_flow_ratio, SMALL_W_K)
    cold = xp.maximum(cold_flow_ratio, SMALL_W_K)
    return (
        ua_design_w_k
        * 2.0
        / (power(hot, -exponent) + power(cold, -(exponent if cold_exponent is None else cold_exponent)))
    )


def ua_for_duty_w_k(
    heat_w: float,
    hot_in_c: float,
    cold_in_c: float,
    hot_capacity_w_k: float,
    cold_capacity_w_k: float,
    arrangement: Arrangement = "counterflow",
) -> float:
    """Return the UA that passes ``heat_w``: the inverse of :func:`exchange`, for sizing.

    Counterflow: ``NTU = ln((1 − r ε)/(1 − ε)) / (1 − r)``, ``ε/(1 − ε)`` at r = 1. Cross-flow by halving.

    Raises:
        ValueError: more heat than these temperatures and flows can ever pass, or less than none.

    >>> round(ua_for_duty_w_k(30984.0, 60.0, 20.0, 1000.0, 2000.0))
    2000
    """
    least = min(hot_capacity_w_k, cold_capacity_w_k)
    ratio = least / max(hot_capacity_w_k, cold_capacity_w_k)
    most_w = least * (hot_in_c - cold_in_c)
    if not 0.0 <= heat_w < most_w:
        raise ValueError(f"{heat_w:.0f} W cannot pass from {hot_in_c:.1f} °C to {cold_in_c:.1f} °C at these flows")
    wanted = heat_w / most_w
    if arrangement == "counterflow":
        gap = 1.0 - ratio
        spread = gap * wanted / (1.0 - wanted)  # (1 − r ε)/(1 − ε) − 1
        return least * (wanted / (1.0 - wanted) if gap < 1e-12 else math.log1p(spread) / gap)
    low, high = 0.0, 1.0
    while float(effectiveness_crossflow(high, ratio)) < wanted:
        low, high = high, 2.0 * high
        if math.isinf(high):
            raise ValueError(f"cross-flow cannot reach an effectiveness of {wanted:.6f}")
    for _ in range(100):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if effectiveness_crossflow(middle, ratio) < wanted else (low, middle)
    return least * high
