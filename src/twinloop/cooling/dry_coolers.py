"""Dry and adiabatic coolers: fans draw outdoor air through a coil, behind wetted pads if there are any."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array, namespace
from twinloop.cooling.exchangers import FILM_EXPONENT, exchange, ua_at_flow_w_k
from twinloop.cooling.fans import fan_power_w
from twinloop.fluids.psychrometrics import CP_DRY_AIR, humidity_ratio_from_wet_bulb


@dataclass(frozen=True)
class DryCooler:
    """Design point of one cooler, or of many alike as one; ``pad_effectiveness`` 0: no pads.

    ``air_design_kg_s`` is dry air at the site: fans move volume, so at altitude it is less.
    """

    ua_w_k: float
    air_design_kg_s: float
    fan_design_w: float
    pad_effectiveness: float = 0.0
    film_exponent: float = FILM_EXPONENT
    fan_static_share: float = 0.0
    """Of the fans' pressure, kept at any flow; see :func:`twinloop.cooling.fans.fan_power_w`."""


@dataclass(frozen=True)
class Rejection:
    """An outdoor cooler's operating point. Air flow is dry air; fan heat is not in the air outlet."""

    heat_w: Array
    """Given up by the water."""
    water_out_c: Array
    air_in_c: Array
    """At the coil, behind pads."""
    air_out_c: Array
    air_flow_kg_s: Array
    fan_w: Array
    evaporation_kg_s: Array
    drift_kg_s: Array
    air_in_enthalpy_j_kg: Array
    """Per kg of dry air. Dry coils: sensible only, ``1006 T``, since humidity passes unchanged."""
    air_out_enthalpy_j_kg: Array


def dry_cooler(
    cooler: DryCooler,
    fan_ratio: Array,
    water_in_c: Array,
    water_capacity_w_k: Array,
    dry_bulb_c: Array,
    wet_bulb_c: Array,
    pressure_pa: Array,
    pads_on: Array,
) -> Rejection:
    """Rate a cooler: cross-flow ε-NTU, air-side film ~ flow^0.8, water side at its design flow.

    Pads cool air along constant wet bulb: ``T = T_db − e (T_db − T_wb)``; evaporation is the rise of
    humidity along it; ``e`` 0.7-0.9 (EnergyPlus example 0.7). ``pads_on`` is taken as given: frost
    protection is the controller's. Air hotter than the water gives negative heat.
    Range: fan ratio 0-1.2; glycol by its own ``water_capacity_w_k``.

    >>> cooler = DryCooler(60e3, 60.0, 20e3, pad_effectiveness=0.7)
    >>> dry = dry_cooler(cooler, 1.0, 40.0, 60e3, 30.0, 20.0, 101325.0, False)
    >>> wet = dry_cooler(cooler, 1.0, 40.0, 60e3, 30.0, 20.0, 101325.0, True)
    >>> round(float(dry.water_out_c), 1), round(float(wet.water_out_c), 1), round(float(wet.air_in_c), 1)
    (35.3, 32.0, 23.0)
    """
    xp = namespace(fan_ratio, water_in_c, dry_bulb_c)
    air_in_c = entering_air_c(cooler, dry_bulb_c, wet_bulb_c, pads_on)
    flow = fan_ratio * cooler.air_design_kg_s
    ua_w_k = ua_at_flow_w_k(cooler.ua_w_k, 1.0, fan_ratio, cooler.film_exponent)
    x = exchange(water_in_c, air_in_c, water_capacity_w_k, flow * CP_DRY_AIR, ua_w_k, "crossflow")
    evaporation = 0.0 * (flow + air_in_c)
    padless = isinstance(cooler.pad_effectiveness, (int, float)) and cooler.pad_effectiveness == 0.0
    if not padless:  # a plain zero spares two saturation curves; a traced value must go through them
        taken_up = _pad_moisture(dry_bulb_c, wet_bulb_c, air_in_c, pressure_pa)
        evaporation = xp.where(pads_on, flow * taken_up, 0.0)
    enthalpy = CP_DRY_AIR * air_in_c
    return Rejection(
        heat_w=x.heat_w, water_out_c=x.hot_out_c, air_in_c=air_in_c, air_out_c=x.cold_out_c,
        air_flow_kg_s=flow, fan_w=fan_power_w(fan_ratio, cooler.fan_design_w, 0.0, cooler.fan_static_share),
        evaporation_kg_s=evaporation,
        drift_kg_s=0.0 * evaporation, air_in_enthalpy_j_kg=enthalpy,
        air_out_enthalpy_j_kg=enthalpy + CP_DRY_AIR * (x.cold_out_c - air_in_c),
    )  # fmt: skip


def entering_air_c(cooler: DryCooler, dry_bulb_c: Array, wet_bulb_c: Array, pads_on: Array) -> Array:
    """Return the air at the coil, behind pads where they are on.

    >>> float(entering_air_c(DryCooler(60e3, 60.0, 20e3, pad_effectiveness=0.7), 30.0, 20.0, True))
    23.0
    """
    xp = namespace(dry_bulb_c, wet_bulb_c, pads_on)
    depression_k = cooler.pad_effectiveness * xp.maximum(dry_bulb_c - wet_bulb_c, 0.0)
    return xp.where(pads_on, dry_bulb_c - depression_k, dry_bulb_c)


def _pad_moisture(dry_bulb_c: Array, wet_bulb_c: Array, leaving_c: Array, pressure_pa: Array) -> Array:
    """Return the humidity that air takes up in the pads, kg per kg dry air, at constant wet bulb."""
    before = humidity_ratio_from_wet_bulb(dry_bulb_c, wet_bulb_c, pressure_pa)
    after = humidity_ratio_from_wet_bulb(leaving_c, wet_bulb_c, pressure_pa)
    return namespace(before).maximum(after - before, 0.0)
