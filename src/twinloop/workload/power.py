"""Power of devices from what they do, and of servers by component."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from twinloop.arrays import Array, namespace
from twinloop.catalogue.nouns import Device, Server
from twinloop.cooling.servers import least_fan_ratio, server_fan_power_w, server_fan_ratio
from twinloop.model.estimate import ComponentPower
from twinloop.power.operating_point import operating_point

PROCESSOR_DRAW = (0.39, 1.0)
"""(base, arithmetic) of :func:`device_power_w`. Class default, low confidence."""
SERVING_DRAW = {"products": 0.648, "cache": 0.399, "links": 0.2, "host": 0.438}
ARITHMETIC_DRAW = 0.858
"""What a decoder's seconds draw of the span from idle to the limit, and what its arithmetic adds: see
:func:`serving_power_w`. One set for two device families: robust least squares on 381 measured text runs of a public
energy benchmark (coefficients only) given this model's times; the links, which such runs hardly tell apart from
waiting, held at 0.2. 14 % (B200) and 12 % (H100) mean error of power; 16 and 13 % with the model left out."""
IDLE_SHARE = {"cpu": 0.35, "memory": 0.5, "network": 0.7, "storage": 0.6}
"""Idle over full power of the other components. Low confidence."""
LEAKAGE_PER_K = 0.003
"""Relative power per kelvin of junction temperature. Range 0.001-0.008, low confidence."""
REFERENCE_C = 60.0
"""Junction temperature at which ``device_power_w`` is stated: air-cooled data-centre parts under load."""
COOLANT_C = {"air": 25.0, "rear_door": 25.0, "cold_plate": 32.0, "bath": 40.0}
"""Default coolant: ASHRAE's recommended intake centre, W32 supply, a common bath. Medium."""
BATH_R_FACTOR = 0.75
"""Resistance to a bath over that to air: boiler-less single-phase oil with a finned spreader. Low confidence."""


def device_power_w(device: Device, arithmetic: Array) -> Array:
    """Return a processor's power, W: ``idle + (limit − idle) · min(1, base + k √u)``, u operations over peak.

    >>> from twinloop import catalogue
    >>> round(device_power_w(catalogue.device("EPYC-9654"), 0.09))
    276
    """
    xp = namespace(arithmetic)
    base, by_arithmetic = PROCESSOR_DRAW
    activity = base + by_arithmetic * xp.sqrt(arithmetic)
    return device.idle_w + (device.power_limit_w - device.idle_w) * xp.minimum(activity, 1.0)


def serving_power_w(device: Device, parts_s: Mapping[str, Array], arithmetic: Array) -> Array:
    """Return one device's mean power while it decodes, W.

    ``P = idle + (limit − idle) · min(1, Σ draw_i t_i/t + k √u)`` with ``u`` operations per second over the dense peak
    of the precision used, 0-1. Streaming weights draws much whatever their width, as does a slow kernel: so the
    seconds count, not only what they move. The root: busy tensor units draw most of their power long before they reach
    peak (B200 kernels: decode attention 391 W, prefill attention 740 W, floor 243 W of 1000 W; aiconfigurator).

    Args:
        device: what decodes.
        parts_s: seconds of a step by the keys of ``SERVING_DRAW``.
        arithmetic: u.

    >>> from twinloop import catalogue
    >>> round(serving_power_w(catalogue.device("H100"), {"products": 0.8, "cache": 0.1, "host": 0.1}, 0.01))
    503
    """
    xp = namespace(arithmetic)
    total: Array = sum(parts_s.values())
    drawn: Array = sum(SERVING_DRAW[name] * seconds for name, seconds in parts_s.items())
    activity = drawn / total + ARITHMETIC_DRAW * xp.sqrt(arithmetic)
    return device.idle_w + (device.power_limit_w - device.idle_w) * xp.minimum(activity, 1.0)


PHASES = {
    "compute": 0.896, "memory": 0.881, "optimizer": 0.881, "tensor_comm": 0.63, "pipeline_comm": 0.63,
    "data_comm": 0.63, "expert_comm": 0.63,
}  # fmt: skip
"""Cause of a step's seconds -> share of the span from idle to the limit that a device draws meanwhile. Least squares
on 22 node powers of MLPerf Training 4.0 (8 x H100 in immersion; table ``node_power``) with a prior worth one row,
the middle of what is physical: arithmetic 0.7-1, memory 0.6-1, links 0.3-0.9, waiting 0-0.2."""
PHASE_ELSE = 0.116
"""Same while it waits: launches, bubbles, loader. Fitted with them."""


def phase_power_w(device: Device, parts_s: Mapping[str, Array]) -> Array:
    """Return one device's mean power over a step whose seconds are given by cause, W.

    >>> from twinloop import catalogue
    >>> round(phase_power_w(catalogue.device("H100"), {"compute": 0.8, "data_comm": 0.1, "bubble": 0.1}))
    569
    """
    total: Array = sum(parts_s.values())
    drawn: Array = sum(PHASES.get(name, PHASE_ELSE) * seconds for name, seconds in parts_s.items())
    return device.idle_w + (device.power_limit_w - device.idle_w) * drawn / total


def busy_power(server: Server, servers: int, device_w: float, load: float = 1.0) -> ComponentPower:
    """Return the power of ``servers`` while busy; ``load`` scales the parts around the devices above their idle."""

    def part(full_w: float, name: str) -> float:
        return servers * full_w * (IDLE_SHARE[name] + (1.0 - IDLE_SHARE[name]) * load)

    return ComponentPower(
        servers * server.devices * device_w, part(server.cpu_w, "cpu"), part(server.memory_w, "memory"),
        part(server.network_w, "network"), part(server.storage_w, "storage"),
    )  # fmt: skip


def idle_power(device: Device, server: Server, servers: int) -> ComponentPower:
    """Return the power of ``servers`` while they wait."""
    return busy_power(server, servers, device.idle_w, 0.0)


@dataclass(frozen=True)
class Settled:
    """A device at its operating point."""

    power_w: float
    junction_c: float
    clock: float
    """Over the clock at which the workload was estimated; below 1 where power or temperature limits."""


def settle(device: Device, power_w: float, cooling: str, coolant_c: float, limit_w: float | None = None) -> Settled:
    """Return where a device settles under ``cooling`` with its coolant at ``coolant_c``.

    A power limit below what the work wants lowers the clock as ``(P/P_wanted)^0.4`` on the dynamic part.
    """
    resistance = device.r_plate_k_w if cooling == "cold_plate" else device.r_air_k_w
    resistance *= BATH_R_FACTOR if cooling == "bath" else 1.0
    limit = min(limit_w or device.power_limit_w, device.power_limit_w)
    point = operating_point(
        power_w, coolant_c, resistance, LEAKAGE_PER_K, REFERENCE_C, limit, device.throttle_c
    )  # fmt: skip
    return Settled(float(point.power_w), float(point.junction_c), min(float(point.clock_ratio), 1.0))


def fan_power_w(server: Server, share_of_full: float, cooling: str) -> float:
    """Return the fans of one server by the hall's law; intakes as cool as recommended. Baths have none.

    Plates leave memory, drives and network on air: less heat than the fans' slowest speed carries.
    """
    if cooling == "bath":
        return 0.0
    plated = cooling == "cold_plate"
    floor = least_fan_ratio([True, False] if plated else [True])
    ratio = server_fan_ratio(0.0 if plated else min(share_of_full, 1.0), COOLANT_C["air"], floor)
    return float(server_fan_power_w(ratio, server.fan_w_air))


def node_power_w(
    device: Device, server: Server, device_w: float, cooling: str, used: int, load: float = 1.0
) -> dict[str, float]:
    """Return one server's power by component, with ``used`` of its devices at work; keys of ``estimate``.

    ``node_dc`` is behind the power supplies, ``node_ac`` before them.
    """
    chassis = busy_power(server, 1, device_w, load)
    scale = min(used / server.devices, 1.0) if server.devices > 8 else 1.0  # rack-scale servers: by the tray
    accelerator = used * device_w
    parts = {
        "accelerator": accelerator,
        "cpu": scale * chassis.cpu_w,
        "memory": scale * chassis.memory_w,
        "network": scale * chassis.network_w,
        "storage": scale * chassis.storage_w,
    }
    full = server.devices * device.power_limit_w
    parts["fans"] = scale * fan_power_w(server, accelerator / (full * scale) if full else 1.0, cooling)
    node_dc = sum(parts.values())
    node_ac = node_dc / server.psu_efficiency
    return {**parts, "psu_loss": node_ac - node_dc, "node_dc": node_dc, "node_ac": node_ac}
