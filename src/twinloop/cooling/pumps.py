"""Pumps: power from flow and pressure, pressure from the system's curve."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array, namespace


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


def flow_power_share(flow_ratio: Array, static_fraction: Array = 0.0) -> Array:
    """Return pump power over design power at constant efficiency, ``x (s + (1 − s) x²)``: flow times pressure.

    >>> flow_power_share(0.5), flow_power_share(0.5, 0.2)
    (0.125, 0.2)
    """
    return flow_ratio * system_dp_pa(flow_ratio, 1.0, static_fraction)


@dataclass(frozen=True)
class Pump:
    """A centrifugal pump at full speed, or several alike in parallel as one: ``Δp = Δp₀ − k V²``."""

    shutoff_pa: float
    design_m3_s: float
    design_pa: float
    efficiency: float = 0.6
    """Wire to water at its best point, which is taken to be the design flow. 0.5-0.75; low confidence."""


@dataclass(frozen=True)
class PumpPoint:
    """Where pump and system curve meet."""

    flow_m3_s: Array
    dp_pa: Array
    power_w: Array
    efficiency: Array


def pump(
    machine: Pump, speed: Array, system_pa: Array, system_m3_s: Array, static_pa: Array = 0.0, running: Array = 1.0
) -> PumpPoint:
    """Rate a pump against a system that takes ``system_pa`` (above ``static_pa``) at ``system_m3_s``.

    Pump at speed ``n``: ``Δp = n² Δp₀ − k V²/N²`` (affinity laws), ``N`` = ``running``, the share of the parallel
    units that run; system: ``Δp = s + c V²``. They meet at ``V = √((n² Δp₀ − s)/(k/N² + c))``, 0 where the pump
    cannot lift the static head (a check valve holds). Efficiency ``η (2 z − z²)`` with ``z = V/(N n V_design)``, a
    parabola through rest and the best point, held above a tenth of it. Range: speed 0-1.1, flow to 1.4 of design.
    Source: affinity laws and parabolic curves, ASHRAE Handbook - HVAC Systems and Equipment (2020), chapter 44.

    >>> machine = Pump(400e3, 0.0151, 300e3, 0.535)
    >>> full = pump(machine, 1.0, 300e3, 0.0151)
    >>> round(float(full.flow_m3_s), 4), round(float(full.power_w))
    (0.0151, 8467)
    >>> half = pump(machine, 0.5, 300e3, 0.0151)
    >>> round(float(half.flow_m3_s / full.flow_m3_s), 6), round(float(half.power_w / full.power_w), 6)
    (0.5, 0.125)
    """
    xp = namespace(speed, system_pa, system_m3_s, static_pa, running)
    units = xp.maximum(running, 1e-6)
    turns = xp.maximum(speed, 1e-6)
    droop = (machine.shutoff_pa - machine.design_pa) / (machine.design_m3_s * units) ** 2
    lift_pa = turns * turns * machine.shutoff_pa - static_pa
    lifts = lift_pa > 0.0
    flow = xp.where(lifts, xp.sqrt(xp.where(lifts, lift_pa, 1.0) / (droop + system_pa / system_m3_s**2)), 0.0)
    dp_pa = turns * turns * machine.shutoff_pa - droop * flow * flow
    load = flow / (units * turns * machine.design_m3_s)
    efficiency = machine.efficiency * xp.maximum(load * (2.0 - load), 0.1)
    return PumpPoint(flow, dp_pa, flow * dp_pa / efficiency, efficiency)


def coasting_speed(speed: Array, seconds: Array, time_constant_s: float = 3.0) -> Array:
    """Return a stopped pump's speed after ``seconds``: ``n/(1 + t/τ)``, inertia against a torque ~ n².

    ``τ`` 1-5 s for glandless and close-coupled pumps, low confidence: ``J ω/M`` at the stop.

    >>> round(coasting_speed(1.0, 9.0), 3)
    0.25
    """
    return speed / (1.0 + speed * seconds / time_constant_s)
