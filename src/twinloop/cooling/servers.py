"""Servers: where each component's heat goes, how much air the rest needs, and what the fans take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from twinloop.arrays import Array, namespace
from twinloop.cooling.fans import fan_power_w
from twinloop.fluids.psychrometrics import CP_DRY_AIR

LEAST_FAN_RATIO = 0.3
"""Slowest fans over their design speed; 0.2-0.4. Zones in public configurations of OpenBMC's fan control start at
25, 30 and 40 % duty. Low confidence."""
HYBRID_FAN_RATIO = 0.585
"""The same where plates catch the chips and memory, drives, network and regulators stay on air, which a quarter of
the heat would not cool at a quarter of the speed: a fifth of the all-air fan power is left at 75 % liquid (Heydari et
al., InterPACK 2022, V001T01A014), ``0.2^(1/3)``; 0.3-0.67, the drive alone to 30 % of the power. Low confidence."""
FANLESS_RATIO = 0.05
"""Air through servers all of whose parts are on plates, over an air-cooled server's: such servers have no fan wall
(HPE Cray EX, Lenovo Neptune N1380: fanless), what leaks past the plates warms the air around them. 0.02-0.1. Low
confidence."""
RAMP_START_C = 27.0
"""Intake above which fan control asks for more than the heat needs: end of the ASHRAE recommended range."""
RAMP_PER_K = 0.04
"""Extra share of flow per kelvin above it: fans about double their power from 27 to 35 °C (ASHRAE TC 9.9,
Thermal Guidelines, 2011 and later: relative server power 1.04-1.08 at 30 °C, 1.07-1.20 at 35 °C). Low."""
MOST_FAN_RATIO = 1.2
"""Full speed over design speed. Low confidence."""
SINK_CONVECTION = 0.5
"""Share of a chip's resistance to air that is convection in its sink, 0.3-0.7. Low confidence."""


@dataclass(frozen=True)
class Server:
    """Ratings of one server, or of many alike as one."""

    air_design_kg_s: float
    """Dry air with everything on air, at full load and the design rise."""
    fan_design_w: float
    """At that flow: 5-15 % of an air-cooled server; 9 % derived from Heydari et al., InterPACK 2022."""
    rise_k: float = 12.0
    """Of the air, held by fan control: 10-15 K in practice, 11 K a common rule. Low confidence."""
    least_fan_ratio: float = LEAST_FAN_RATIO
    hybrid_fan_ratio: float = HYBRID_FAN_RATIO
    """Where liquid catches some components."""
    ramp_start_c: float = RAMP_START_C
    ramp_per_k: float = RAMP_PER_K


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

    Air heat ``Σ P_i (1 − s_i)``; flow holds the rise, ``x = Q/(m₀ cp ΔT)``, within the bounds and with the ramp of
    :func:`server_fan_ratio`; fans by the cube of the volume flow: thinner air (``density_ratio`` below 1, see
    :mod:`twinloop.cooling.altitude`) needs more volume for the same mass and gives less resistance,
    ``P = P₀ x³/ρ²``. Exhaust by the first law, fans included. A component without an entry in ``captured`` is on air.

    >>> unit = Server(0.5964, 800.0)   # 7.2 kW at 12 K
    >>> powers = {"accelerator": 5600.0, "cpu": 700.0, "memory": 900.0}
    >>> air = server(unit, powers, {}, 25.0)
    >>> plates = server(unit, powers, {"accelerator": 0.95, "cpu": 0.95}, 25.0)
    >>> [round(float(value), 1) for value in (air.fan_ratio, air.fan_w, plates.fan_w, air.exhaust_c)]
    [1.0, 800.1, 160.2, 38.3]
    """
    by_air = {name: power * (1.0 - captured.get(name, 0.0)) for name, power in component_w.items()}
    total_w = sum(component_w.values(), start=0.0 * intake_c)
    heat_w = sum(by_air.values(), start=0.0 * intake_c)
    needed = heat_w / (unit.air_design_kg_s * CP_DRY_AIR * unit.rise_k)
    least = unit.hybrid_fan_ratio if captured else unit.least_fan_ratio
    ratio = server_fan_ratio(needed, intake_c, least, unit.ramp_start_c, unit.ramp_per_k)
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


def least_fan_ratio(
    on_air: Iterable[bool], whole: float = LEAST_FAN_RATIO, mixed: float = HYBRID_FAN_RATIO, none: float = FANLESS_RATIO
) -> float:
    """Return the slowest that fans turn over design speed, by which components are left on air.

    ``mixed`` where liquid catches some and leaves others, ``whole`` where it catches none, ``none`` where it catches
    all.

    >>> least_fan_ratio([True, False]), least_fan_ratio([True, True]), least_fan_ratio([False, False])
    (0.585, 0.3, 0.05)
    """
    left = list(on_air)
    if all(left):
        return whole
    return mixed if any(left) else none


def server_fan_ratio(
    heat_ratio: Array,
    intake_c: Array,
    least: Array,
    ramp_start_c: Array = RAMP_START_C,
    ramp_per_k: Array = RAMP_PER_K,
    most: Array = MOST_FAN_RATIO,
) -> Array:
    """Return the fans' speed over design, ``min(max(x ramp, least), most)``; air flow is in proportion.

    ``x``: heat on air over what the design flow carries at the design rise. Where ``least`` holds, the rise is smaller.
    Source: :data:`HYBRID_FAN_RATIO`, :data:`LEAST_FAN_RATIO`, :data:`RAMP_PER_K`.

    >>> [round(float(server_fan_ratio(*at)), 3) for at in ((0.8, 25.0, 0.3), (0.8, 32.0, 0.3), (0.25, 25.0, 0.585))]
    [0.8, 0.96, 0.585]
    """
    xp = namespace(heat_ratio, intake_c)
    asked = heat_ratio * intake_ramp(intake_c, ramp_start_c, ramp_per_k, most)
    return xp.minimum(xp.maximum(asked, least), most)


def intake_ramp(
    intake_c: Array, start_c: Array = RAMP_START_C, per_k: Array = RAMP_PER_K, most: Array = MOST_FAN_RATIO
) -> Array:
    """Return what warm intakes multiply the fans' speed by, ``1 + r (T − T_r)⁺``, at most full over design speed.

    >>> [float(intake_ramp(at)) for at in (25.0, 29.5, 40.0)]
    [1.0, 1.1, 1.2]
    """
    xp = namespace(intake_c)
    return xp.minimum(1.0 + per_k * xp.maximum(intake_c - start_c, 0.0), most)


def ramped_sink_share(flow: Array, convection: Array = SINK_CONVECTION) -> Array:
    """Return a chip's resistance to air over that at its usual flow: faster air is why fans speed up.

    ``(1 − s) + s φ^−n``, ``φ`` the mass ``flow`` over the usual one: the ramp of warm intakes (:func:`intake_ramp`) as
    far as fans at full speed give it, below 1 where thin air leaves them short. ``s`` of it is convection in the sink,
    ``n`` = 0.5 for developing laminar flow between fins, whose Reynolds number goes with mass, not volume (Teertstra
    et al. 2000, Journal of Electronics Manufacturing 10(4), 253-261). Low confidence.

    >>> [round(float(ramped_sink_share(intake_ramp(at))), 4) for at in (25.0, 32.0)]
    [1.0, 0.9564]
    >>> round(float(ramped_sink_share(0.81)), 4)
    1.0556
    """
    return 1.0 - convection + convection * flow**-0.5


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

    Fans take 5-15 % of an air-cooled server and about 2 % of one on cold plates: a published study of a
    hybrid hall has 9 % and an 80 % cut (Heydari et al., InterPACK 2022, V001T01A014; derived).

    >>> float(server_fan_power_w(0.5, 800.0))
    100.0
    """
    return fan_power_w(flow_ratio, design_fan_w)
