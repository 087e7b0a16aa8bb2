"""Servers: where each component's heat goes, how much air the rest needs, and what the fans take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from twinloop.arrays import Array, namespace
from twinloop.cooling.fans import fan_power_w
from twinloop.fluids.psychrometrics import CP_DRY_AIR


@dataclass(frozen=True)
class Server:
    """Ratings of one server, or of many alike as one."""

    air_design_kg_s: float
    """Dry air with everything on air, at full load and the design rise."""
    fan_design_w: float
    """At that flow: 5-15 % of an air-cooled server; 9 % derived from Heydari et al., InterPACK 2022."""
    rise_k: float = 12.0
    """Of the air, held by fan control: 10-15 K in practice, 11 K a common rule. Low confidence."""
    least_fan_ratio: float = 0.3
    """Fans never turn slower. Low confidence."""
    ramp_start_c: float = 27.0
    """Intake above which fan control asks for more than the heat needs: end of the ASHRAE recommended range."""
    ramp_per_k: float = 0.04
    """Extra share of flow per kelvin above it: fans about double their power from 27 to 35 °C (ASHRAE TC 9.9,
    Thermal Guidelines, 2011 and later: relative server power 1.04-1.08 at 30 °C, 1.07-1.20 at 35 °C). Low."""


@dataclass(frozen=True)
class ServerPoint:
    """Operating point. ``air_heat_w`` includes the fans: all they take ends in the air."""

    air_heat_w: Array
    liquid_heat_w: Array
    air_flow_kg_s: Array
    fan_ratio: Array
    fan_w: Array
    exhaust_c: Array
    by_component_air_w: dict[str, Array]


def server(
    unit: Server,
    component_w: Mapping[str, Array],
    captured: Mapping[str, Array],
    intake_c: Array,
    density_ratio: Array = 1.0,
) -> ServerPoint:
    """Rate a server: component powers and the share of each that liquid catches give air, fans and exhaust.

    Air heat ``Σ P_i (1 − s_i)``; flow holds the rise, ``x = Q/(m₀ cp ΔT)``, plus the ramp above its start, within
    [least, 1.2]; fans by the cube of the volume flow: thinner air (``density_ratio`` below 1, see
    :mod:`twinloop.cooling.altitude`) needs more volume for the same mass and gives less resistance,
    ``P = P₀ x³/ρ²``. Exhaust by the first law, fans included. A component without an entry in ``captured`` is on air.

    >>> unit = Server(0.85, 800.0)
    >>> powers = {"accelerator": 5600.0, "cpu": 700.0, "memory": 900.0}
    >>> air = server(unit, powers, {}, 25.0)
    >>> plates = server(unit, powers, {"accelerator": 0.95, "cpu": 0.95}, 25.0)
    >>> [round(float(value), 1) for value in (air.fan_ratio, air.fan_w, plates.fan_w, air.exhaust_c)]
    [0.7, 276.4, 21.6, 37.5]
    """
    xp = namespace(intake_c, density_ratio, *component_w.values())
    by_air = {name: power * (1.0 - captured.get(name, 0.0)) for name, power in component_w.items()}
    total_w = sum(component_w.values(), start=0.0 * intake_c)
    heat_w = sum(by_air.values(), start=0.0 * intake_c)
    needed = heat_w / (unit.air_design_kg_s * CP_DRY_AIR * unit.rise_k)
    ramp = 1.0 + unit.ramp_per_k * xp.maximum(intake_c - unit.ramp_start_c, 0.0)
    ratio = xp.clip(needed * ramp, unit.least_fan_ratio, 1.2)
    flow = ratio * unit.air_design_kg_s
    fan_w = server_fan_power_w(ratio, unit.fan_design_w) / (density_ratio * density_ratio)
    air_heat_w = heat_w + fan_w
    return ServerPoint(
        air_heat_w=air_heat_w,
        liquid_heat_w=total_w - heat_w,
        air_flow_kg_s=flow,
        fan_ratio=ratio,
        fan_w=fan_w,
        exhaust_c=intake_c + server_air_rise_k(air_heat_w, flow),
        by_component_air_w=by_air,
    )


def server_air_flow_kg_s(heat_w: Array, rise_k: Array) -> Array:
    """Return ``Q / (cp ΔT)``, kg of dry air a second; cp 1006 J/(kg K), ASHRAE Fundamentals (2017).

    >>> round(server_air_flow_kg_s(1000.0, 11.0), 4)   # 1 kW at 11 K
    0.0904
    """
    return heat_w / (CP_DRY_AIR * rise_k)


def server_air_rise_k(heat_w: Array, air_flow_kg_s: Array) -> Array:
    """Return ``Q / (m cp)``, the first law of a server: what a given flow must warm by.

    >>> round(server_air_rise_k(1000.0, 0.0904), 1)
    11.0
    """
    return heat_w / (CP_DRY_AIR * air_flow_kg_s)


def server_fan_power_w(flow_ratio: Array, design_fan_w: Array) -> Array:
    """Return fan power at ``flow_ratio`` of the all-air design flow, by the cube law.

    Fans take 5-15 % of an air-cooled server and below 3 % of one on cold plates; a published study of a
    hybrid hall has fans at 9 % and an 80 % cut (Heydari et al., InterPACK 2022, V001T01A014; derived).

    >>> float(server_fan_power_w(0.5, 800.0))
    100.0
    """
    return fan_power_w(flow_ratio, design_fan_w)
