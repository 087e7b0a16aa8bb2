"""Cold plates: resistance by flow and ageing, and a published rack's hydraulics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from twinloop.arrays import Array, namespace
from twinloop.errors import Fault, InputError

PA_PER_PSI = 6894.757
LEAST_FLOW_KG_S = 1e-6
"""Coolant below this stands still: resistance is then huge but finite."""


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
class ColdPlate:
    """A plate's resistance from case (or sensor) to entering coolant: ``R(q) = R₀ + a q^−n``."""

    fixed_k_w: Array
    """``R₀``: interface and base, K/W."""
    convective: Array
    """``a``, K/W at 1 kg/s."""
    exponent: float = 0.8
    """``n``: 0.8 turbulent (Dittus-Boelter), 0.3-0.5 laminar in short channels."""


@dataclass(frozen=True)
class PlatePoint:
    """Operating point of one plate."""

    case_c: Array
    coolant_out_c: Array
    resistance_k_w: Array


def fit_plate(
    first_kg_s: Array, first_k_w: Array, second_kg_s: Array, second_k_w: Array, exponent: float = 0.8
) -> ColdPlate:
    """Return the plate that passes through two published (flow, resistance) points.

    ``a = (R₁ − R₂)/(q₁^−n − q₂^−n)``, ``R₀ = R₁ − a q₁^−n``. Sheets give resistance to the entering coolant,
    whose warming (about ``1/(2 ṁ cp)``) is then inside; it falls as 1/q, close to ``n`` of 0.8.

    >>> plate = fit_plate(0.01, 0.050, 0.04, 0.030)
    >>> round(float(plate.fixed_k_w), 4), round(float(plate_r_k_w(plate, 0.02)), 4)
    (0.0202, 0.0373)
    """
    first, second = first_kg_s**-exponent, second_kg_s**-exponent
    convective = (first_k_w - second_k_w) / (first - second)
    return ColdPlate(first_k_w - convective * first, convective, exponent)


def plate_r_k_w(plate: ColdPlate, flow_kg_s: Array) -> Array:
    """Return ``R₀ + a q^−n``. Range: between a third and three times the fitted flows; infinite at rest.

    >>> round(float(plate_r_k_w(ColdPlate(0.02, 0.0008), 0.02)), 4)
    0.0383
    """
    flow = namespace(flow_kg_s).maximum(flow_kg_s, LEAST_FLOW_KG_S)
    return plate.fixed_k_w + plate.convective * flow**-plate.exponent


def cold_plate(
    plate: ColdPlate, heat_w: Array, coolant_in_c: Array, flow_kg_s: Array, coolant_j_kg_k: Array
) -> PlatePoint:
    """Rate a plate: coolant outlet by the first law, case by the resistance.

    ``T_out = T_in + Q/(ṁ cp)``, ``T_case = T_in + R(ṁ) Q``. Case colder than the outlet means a resistance that
    no plate has: the fit's range is left.

    >>> boyd = cold_plate(ColdPlate(0.02, 0.0008), 500.0, 20.0, 0.03149, 4182.0)   # 0.5 gpm of water
    >>> round(float(boyd.coolant_out_c), 1)
    23.8
    """
    flow = namespace(heat_w, flow_kg_s).maximum(flow_kg_s, LEAST_FLOW_KG_S)
    resistance = plate_r_k_w(plate, flow)
    return PlatePoint(coolant_in_c + resistance * heat_w, coolant_in_c + heat_w / (flow * coolant_j_kg_k), resistance)


def still_heating_k_s(power_w: Array, volume_m3: Array, density_kg_m3: Array, heat_capacity_j_kg_k: Array) -> Array:
    """Return how fast standing coolant warms, K/s: ``P/(V ρ cp)``. Fluid only, adiabatic: the fastest case.

    Metal in contact and the pumps' run-down make it slower.

    >>> round(14.0 / still_heating_k_s(227e3, 33.6e-3, 1005.0, 3950.0), 1)   # a 227 kW rack with 33.6 L of PG25
    8.2
    """
    return power_w / (volume_m3 * density_kg_m3 * heat_capacity_j_kg_k)


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
