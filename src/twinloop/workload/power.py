"""Power of servers by component, from what the devices do."""

from __future__ import annotations

from twinloop.catalogue.nouns import Device, Server
from twinloop.model.estimate import ComponentPower
from twinloop.workload.constants import COMPUTE_POWER_FLOOR, COMPUTE_POWER_SLOPE, IDLE_SHARE


def device_power_w(device: Device, compute_share: float) -> float:
    """Return one device's power at ``compute_share`` of peak arithmetic (MFU, 0-1).

    ``P = idle + (limit − idle) · min(1, floor + slope · share)``.
    """
    activity = min(1.0, COMPUTE_POWER_FLOOR + COMPUTE_POWER_SLOPE * compute_share)
    return device.idle_w + (device.power_limit_w - device.idle_w) * activity


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
