"""Cold plates: resistance by flow and ageing, and a published rack's hydraulics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from twinloop.arrays import Array
from twinloop.errors import Fault, InputError

PA_PER_PSI = 6894.757


def plate_resistance_k_w(
    r_design_k_w: Array, flow_ratio: Array, convective_share: float = 0.4, exponent: float = 0.6
) -> Array:
    """Return ``R₀ ((1 − s) + s x^−n)``: conduction and interface fixed, convection falling with flow.

    ``R₀`` junction (sensor) to coolant at design flow, 0.02-0.05 K/W for a 700 W device; ``s`` the
    convective share, 0.3-0.5, ``n`` 0.5 (laminar, developing) to 0.8 (turbulent): both low confidence.
    Range: flow ratio ``x`` 0.2-2; below it convection is overestimated, at 0 the resistance is infinite.

    >>> plate_resistance_k_w(0.03, 1.0)
    0.03
    >>> round(plate_resistance_k_w(0.03, 0.5), 4)
    0.0362
    """
    return r_design_k_w * ((1.0 - convective_share) + convective_share * flow_ratio**-exponent)


def aged_resistance_k_w(
    r_design_k_w: Array, years: Array, interface_share: float = 1.0 / 3.0, doubling_years: float = 2.5
) -> Array:
    """Return the resistance with pumped-out paste: ``R₀ (1 + s t/t₂)``.

    The interface's share ``s`` doubles in ``t₂`` = 2.5 years (2-3 assumed in a public thermal tool; low
    confidence) and goes on linearly. 0.02 of 0.06 K/W are interface in the same tool, hence ``s`` = 1/3.

    >>> round(aged_resistance_k_w(0.03, 2.5), 4)
    0.04
    """
    return r_design_k_w * (1.0 + interface_share * years / doubling_years)


@dataclass(frozen=True)
class RackHydraulics:
    """A liquid-cooled rack: flow demand ``(a/(T₀ − T_in))^n`` L/min and drop ``dp₀ (q/q₀)^m``."""

    name: str
    power_w: float
    demand_l_min_k: float
    limit_c: float
    exponent: float
    supply_c: tuple[float, float]
    return_limit_c: float
    volume_m3: float
    dp_pa: float
    """At ``dp_flow_l_min``."""
    dp_flow_l_min: float
    dp_exponent: float
    source: str


_MODEL = "vendor rack thermal model v07, as carried in public code (secondary)"
_DROP = (11.72 * PA_PER_PSI, 246.0, 1.76)
"""Our fit to the same code's table, 5-6-8-12-19 psi at 149-171-201-246-324 L/min: within 4 %."""
VR_NVL72_MAX_P = RackHydraulics(
    "VR NVL72 max-p", 227e3, 17370.0, 57.2, 0.796, (17.0, 45.0), 65.0, 33.6e-3, *_DROP, _MODEL
)
VR_NVL72_MAX_Q = RackHydraulics(
    "VR NVL72 max-q", 187e3, 22880.0, 57.39, 0.718, (17.0, 45.0), 65.0, 33.6e-3, *_DROP, _MODEL
)
_RACKS = {"max-p": VR_NVL72_MAX_P, "max-q": VR_NVL72_MAX_Q}


def rack_flow_l_min(supply_c: Array, mode: Literal["max-p", "max-q"] = "max-p") -> Array:
    """Return the coolant that a VR NVL72-class rack asks for: ``(a/(T₀ − T_in))^n`` in L/min of PG25.

    227 kW (``max-p``): a 17370, T₀ 57.2 °C, n 0.796; 187 kW (``max-q``): 22880, 57.39, 0.718. Range:
    17-45 °C supply; at T₀ no flow is enough (infinite), above it there is no value (nan).
    Source: vendor thermal model v07, as carried in public code (secondary).

    Raises:
        InputError: no such mode.

    >>> [round(float(rack_flow_l_min(supply))) for supply in (17.0, 30.0, 45.0)]
    [125, 171, 324]
    """
    if mode not in _RACKS:
        raise InputError(Fault("cooling", None, "rack mode", repr(mode), "max-p or max-q"))
    rack = _RACKS[mode]
    return (rack.demand_l_min_k / (rack.limit_c - supply_c)) ** rack.exponent


def rack_dp_pa(flow_l_min: Array, rack: RackHydraulics = VR_NVL72_MAX_P) -> Array:
    """Return the rack's pressure drop, ``dp₀ (q/q₀)^m``: 11.7 psi at 246 L/min, m 1.76.

    Within 4 % of the published table (149-324 L/min, whole psi); a power law outside it.

    >>> [round(float(rack_dp_pa(flow)) / 6894.757, 1) for flow in (149.0, 246.0, 324.0)]
    [4.8, 11.7, 19.0]
    """
    return rack.dp_pa * (flow_l_min / rack.dp_flow_l_min) ** rack.dp_exponent
