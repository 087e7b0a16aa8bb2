"""The coupled operating point of a chip: coolant, power, junction, leakage, clock."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array, namespace

LEAST_POWER_SHARE = 0.2
"""A throttled chip keeps at least this share of its power: leakage and uncore. Low confidence."""
CLOCK_EXPONENT = 1.0 / 2.5
"""Dynamic power ~ f V² with V nearly ~ f gives f ~ P^(1/3)..P^(1/2). Low confidence."""
MOST_FEEDBACK = 0.95
"""Largest ``λ R P``: at 1 leakage runs away and only the limits stop it, which they then do."""


@dataclass(frozen=True)
class OperatingPoint:
    """Where a chip settles; ``clock_ratio`` is over the unthrottled clock."""

    power_w: Array
    junction_c: Array
    clock_ratio: Array
    throttled: Array
    """By temperature. A chip held by its power limit alone shows as ``clock_ratio`` below 1."""


def operating_point(
    device_w: Array,
    coolant_c: Array,
    r_k_w: Array,
    leakage_per_k: Array,
    reference_c: Array,
    power_limit_w: Array,
    throttle_c: Array,
    utilisation: Array = 1.0,
    idle_w: Array = 0.0,
) -> OperatingPoint:
    """Settle power and junction temperature.

    ``P_ref = idle + u (device − idle)``; ``P = P_ref (1 + λ (T_j − T_ref))`` and ``T_j = T_coolant + R P``
    are linear in P, so ``P = P_ref (1 + λ (T_c − T_ref)) / (1 − λ R P_ref)`` needs no iteration; then it is
    held to the power limit, and above the throttle temperature to ``(T_throttle − T_c)/R``, so that ``T_j``
    is back at it (unless a fifth of the reference power already overheats: ``T_j`` then says so).
    Clock: ``(P / P_full)^0.4`` with ``P_full`` what the full clock would draw at the settled ``T_j``. Below
    both limits it is 1: a cooler chip runs no faster, only its energy falls (published MLPerf runs agree within
    1 % across air, liquid and immersion).

    Args:
        device_w: power at the workload's clock with the junction at ``reference_c``, W.
        coolant_c: air, plate or bath temperature.
        r_k_w: junction to coolant, K/W; above 0.
        leakage_per_k: λ, relative power per kelvin, 0.001-0.008. Linear: within 2 % of an exponential law
            over ±20 K of the reference.
        reference_c: junction temperature at which ``device_w`` is stated.
        power_limit_w: enforced by the device.
        throttle_c: junction temperature at which the clock is reduced, 83-90 °C.
        utilisation: share of the device's activity, 0-1.
        idle_w: power at no activity, same reference.

    >>> point = operating_point(700.0, 30.0, 0.03, 0.003, 51.0, 700.0, 87.0)
    >>> round(float(point.junction_c), 3), bool(point.throttled)
    (51.0, False)
    >>> hot = operating_point(700.0, 70.0, 0.03, 0.003, 51.0, 700.0, 87.0)
    >>> round(float(hot.power_w)), round(float(hot.junction_c)), round(float(hot.clock_ratio), 3)
    (567, 87, 0.882)
    """
    xp = namespace(device_w, coolant_c, r_k_w, power_limit_w, throttle_c, utilisation)
    wanted_w = idle_w + utilisation * (device_w - idle_w)
    feedback = xp.minimum(leakage_per_k * r_k_w * wanted_w, MOST_FEEDBACK)
    least = LEAST_POWER_SHARE
    free_w = wanted_w * xp.maximum(1.0 + leakage_per_k * (coolant_c - reference_c), least) / (1.0 - feedback)
    capped_w = xp.minimum(free_w, power_limit_w)
    throttled = coolant_c + r_k_w * capped_w > throttle_c
    cooled_w = xp.maximum((throttle_c - coolant_c) / r_k_w, least * wanted_w)
    power_w = xp.where(throttled, xp.minimum(cooled_w, capped_w), capped_w)
    junction_c = coolant_c + r_k_w * power_w
    full_w = wanted_w * xp.maximum(1.0 + leakage_per_k * (junction_c - reference_c), least)
    limited = power_w < free_w
    share = xp.minimum(power_w / xp.where(limited, full_w, 1.0), 1.0)
    clock = xp.where(limited, xp.where(limited, share, 1.0) ** CLOCK_EXPONENT, 1.0)
    return OperatingPoint(power_w, junction_c, clock, throttled)
