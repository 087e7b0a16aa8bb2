"""Pumps: power from flow and pressure, pressure from the system's curve."""

from __future__ import annotations

from twinloop.arrays import Array


def pump_power_w(flow_m3_s: Array, dp_pa: Array, efficiency: Array) -> Array:
    """Return ``V Δp / η``: ``V`` m3/s, ``Δp`` Pa, ``η`` wire to water, 0-1.

    Nearly all of it ends as heat in the liquid; the caller puts it there.

    >>> round(pump_power_w(0.0151, 300e3, 0.535))   # Frontier's distribution unit: 8.47 kW at 15.1 L/s
    8467
    """
    return flow_m3_s * dp_pa / efficiency


def system_dp_pa(flow_ratio: Array, design_dp_pa: Array, static_fraction: float = 0.0) -> Array:
    """Return ``Δp₀ (s + (1 − s) x²)``: turbulent losses plus a kept static share ``s`` (0-1).

    Darcy-Weisbach with a constant friction factor; range x 0.2-1.5, below it laminar flow falls slower.

    >>> system_dp_pa(0.5, 100e3)
    25000.0
    """
    return design_dp_pa * (static_fraction + (1.0 - static_fraction) * flow_ratio**2)
