"""The coupled operating point of a chip: coolant, power, junction, leakage, clock."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array, namespace

LEAST_POWER_SHARE = 0.2
"""A throttled chip keeps at least this share of its power: leakage and uncore. Low confidence."""
CLOCK_EXPONENT = 1.0 / 2.5
"""Dynamic power ~ f V² with V nearly ~ f gives f ~ P^(1/3)..P^(1/2). Low confidence."""


@dataclass(frozen=True)
class OperatingPoint:
    """Where a chip settles; ``clock_ratio`` is over the unthrottled clock."""

    power_w: Array
    junction_c: Array
    clock_ratio: Array
    throttled: Array


def operating_point(
    device_w: float,
    coolant_c: Array,
    r_k_w: Array,
    leakage_per_k: float,
    reference_c: float,
    power_limit_w: float,
    throttle_c: float,
) -> OperatingPoint:
    """Settle power and junction temperature.

    ``P = P_ref (1 + λ (T_j − T_ref))`` and ``T_j = T_coolant + R P`` are linear in P, so
    ``P = P_ref (1 + λ (T_c − T_ref)) / (1 − λ R P_ref)``, held to the power limit. Above the throttle
    temperature the clock falls until ``T_j`` is back at it. Below both limits a cooler chip runs no
    faster: only its energy falls (published MLPerf runs agree within 1 % across air, liquid, immersion).

    Args:
        device_w: power at the workload's clock with the junction at ``reference_c``, W.
        coolant_c: air, plate or bath temperature.
        r_k_w: junction to coolant, K/W.
        leakage_per_k: λ, relative power per kelvin, 0.001-0.008.
        reference_c: junction temperature at which ``device_w`` is stated.
        power_limit_w: enforced by the device.
        throttle_c: junction temperature at which the clock is reduced.

    >>> point = operating_point(700.0, 30.0, 0.03, 0.003, 51.0, 700.0, 87.0)
    >>> round(float(point.junction_c), 3), bool(point.throttled)
    (51.0, False)
    """
    xp = namespace(coolant_c, r_k_w)
    gain = leakage_per_k * r_k_w * device_w
    free_w = device_w * (1.0 + leakage_per_k * (coolant_c - reference_c)) / (1.0 - gain)
    capped_w = xp.minimum(free_w, power_limit_w)
    throttled = coolant_c + r_k_w * capped_w > throttle_c
    cooled_w = xp.maximum((throttle_c - coolant_c) / r_k_w, LEAST_POWER_SHARE * device_w)
    power_w = xp.where(throttled, xp.minimum(cooled_w, capped_w), capped_w)
    return OperatingPoint(power_w, coolant_c + r_k_w * power_w, (power_w / free_w) ** CLOCK_EXPONENT, throttled)
