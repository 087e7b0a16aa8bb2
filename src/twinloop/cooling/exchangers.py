"""Heat exchangers by effectiveness and NTU.

Symbols: capacity rate ``C = m cp`` (W/K), ``NTU = UA / C_min``, ``r = C_min / C_max``,
effectiveness ``ε = heat / (C_min (T_hot,in − T_cold,in))``.
Source: Incropera et al., Fundamentals of Heat and Mass Transfer, 7th ed. (2011), tables 11.3-11.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from twinloop.arrays import Array, namespace

Arrangement = Literal["counterflow", "crossflow"]
SMALL_W_K = 1e-9
"""Capacity rate below which a stream counts as standing still."""


@dataclass(frozen=True)
class Exchange:
    """Both outlets and the heat, W, from hot to cold."""

    heat_w: Array
    hot_out_c: Array
    cold_out_c: Array
    effectiveness: Array


def effectiveness_counterflow(ntu: Array, capacity_ratio: Array) -> Array:
    """Return ``(1 − e)/(1 − r e)`` with ``e = exp(−NTU (1 − r))``, and ``NTU/(1 + NTU)`` at r = 1.

    >>> round(float(effectiveness_counterflow(2.0, 0.5)), 4)
    0.7746
    """
    xp = namespace(ntu, capacity_ratio)
    equal = xp.abs(1.0 - capacity_ratio) < 1e-6
    gap = xp.where(equal, 1.0, 1.0 - capacity_ratio)
    decay = xp.exp(-ntu * gap)
    return xp.where(equal, ntu / (1.0 + ntu), (1.0 - decay) / (1.0 - capacity_ratio * decay))


def effectiveness_crossflow(ntu: Array, capacity_ratio: Array) -> Array:
    """Return ``1 − exp(NTU^0.22 (exp(−r NTU^0.78) − 1) / r)``: single pass, both streams unmixed.

    An approximation, within about 3 % of the exact series over NTU 0-10, r 0-1.

    >>> round(float(effectiveness_crossflow(2.0, 0.5)), 3)
    0.739
    """
    xp = namespace(ntu, capacity_ratio)
    r = xp.maximum(capacity_ratio + 0.0 * ntu, 1e-9)
    n = xp.maximum(ntu, 1e-12)
    return 1.0 - xp.exp(n**0.22 / r * xp.expm1(-r * n**0.78))


def exchange(
    hot_in_c: Array,
    cold_in_c: Array,
    hot_capacity_w_k: Array,
    cold_capacity_w_k: Array,
    ua_w_k: Array,
    arrangement: Arrangement = "counterflow",
) -> Exchange:
    """Rate an exchanger: inlets, capacity rates and UA give heat and outlets.

    Negative heat (cold stream hotter) is returned as such: the caller decides whether a valve closes.
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
    hot_exponent: float = 0.8,
    cold_exponent: float = 0.8,
) -> Array:
    """Return ``UA₀ · 2 / (h^−a + c^−b)``: two equal film resistances at design, each falling as flow^0.8.

    Exponent 0.8: turbulent flow, Dittus-Boelter. ``h``, ``c``: flow over design flow.

    >>> float(ua_at_flow_w_k(1000.0, 1.0, 1.0))
    1000.0
    """
    xp = namespace(hot_flow_ratio, cold_flow_ratio)
    hot = xp.maximum(hot_flow_ratio, SMALL_W_K)
    cold = xp.maximum(cold_flow_ratio, SMALL_W_K)
    return ua_design_w_k * 2.0 / (hot**-hot_exponent + cold**-cold_exponent)


def ua_for_duty_w_k(
    heat_w: float,
    hot_in_c: float,
    cold_in_c: float,
    hot_capacity_w_k: float,
    cold_capacity_w_k: float,
    arrangement: Arrangement = "counterflow",
) -> float:
    """Return the UA that passes ``heat_w``: the inverse of :func:`exchange`, for sizing.

    Raises:
        ValueError: more heat than the temperatures can ever pass.
    """
    low, high = 1e-6, 1e12
    if exchange(hot_in_c, cold_in_c, hot_capacity_w_k, cold_capacity_w_k, high, arrangement).heat_w < heat_w:
        raise ValueError(f"{heat_w:.0f} W cannot pass from {hot_in_c:.1f} °C to {cold_in_c:.1f} °C at these flows")
    for _ in range(120):
        middle = (low * high) ** 0.5
        passed = exchange(hot_in_c, cold_in_c, hot_capacity_w_k, cold_capacity_w_k, middle, arrangement).heat_w
        low, high = (middle, high) if passed < heat_w else (low, middle)
    return high
