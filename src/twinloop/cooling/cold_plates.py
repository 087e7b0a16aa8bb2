"""Cold plates: resistance by flow and ageing, and a published rack's flow law."""

from __future__ import annotations

from twinloop.arrays import Array


def plate_resistance_k_w(
    r_design_k_w: Array, flow_ratio: Array, convective_share: float = 0.4, exponent: float = 0.6
) -> Array:
    """Return ``R₀ ((1 − s) + s x^−n)``: conduction and interface fixed, convection falling with flow.

    ``n`` 0.5 (laminar, developing) to 0.8 (turbulent). Range: flow ratio 0.2-2.

    >>> plate_resistance_k_w(0.03, 1.0)
    0.03
    """
    return r_design_k_w * ((1.0 - convective_share) + convective_share * flow_ratio**-exponent)


def aged_resistance_k_w(r_design_k_w: Array, years: Array, interface_share: float = 1.0 / 3.0) -> Array:
    """Return the resistance with pumped-out paste: the interface's share doubles in 2.5 years (assumed 2-3).

    >>> round(aged_resistance_k_w(0.03, 2.5), 4)
    0.04
    """
    return r_design_k_w * (1.0 + interface_share * years / 2.5)


def rack_flow_l_min(supply_c: Array, mode: str = "max-p") -> Array:
    """Return the coolant that a VR NVL72-class rack asks for: ``(a/(T₀ − T_in))^n`` in L/min.

    227 kW (``max-p``): a 17370, T₀ 57.2 °C, n 0.796; 187 kW (``max-q``): 22880, 57.39, 0.718. Range:
    17-45 °C supply. Source: vendor thermal model v07, as carried in public code (secondary).

    >>> round(float(rack_flow_l_min(45.0)))
    324
    """
    a, limit_c, n = {"max-p": (17370.0, 57.2, 0.796), "max-q": (22880.0, 57.39, 0.718)}[mode]
    return (a / (limit_c - supply_c)) ** n
