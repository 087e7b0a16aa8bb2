"""Where an estimate runs: devices, their server, network and cooling, with what the user overrode."""

from __future__ import annotations

import re
from dataclasses import dataclass

from twinloop import catalogue
from twinloop.catalogue.nouns import Device, Server
from twinloop.errors import Fault, InputError
from twinloop.workload.constants import NETWORK_KINDS
from twinloop.workload.machine import scale_up_domain
from twinloop.workload.power import COOLANT_C, Settled, node_power_w, settle


@dataclass(frozen=True)
class Host:
    """Machines of one estimate."""

    device: Device
    server: Server
    devices: int
    domain: int
    network_b_s: float
    """Per device and direction."""
    network_kind: str
    cooling: str
    coolant_c: float
    power_limit_w: float | None

    @property
    def nodes(self) -> int:
        """Servers taken."""
        return -(-self.devices // self.server.devices)

    @property
    def used_per_node(self) -> int:
        """Devices at work in a full server."""
        return min(self.devices, self.server.devices)

    def settle(self, power_w: float) -> Settled:
        """Return the operating point of a device that wants ``power_w``."""
        return settle(self.device, power_w, self.cooling, self.coolant_c, self.power_limit_w)

    def node_w(self, device_w: float) -> dict[str, float]:
        """Return one server's power by component."""
        return node_power_w(self.device, self.server, device_w, self.cooling, self.used_per_node)


def _server_for(device: Device) -> Server | None:
    """Return the server that holds ``device``: air-cooled first, most devices first."""
    found = [each for each in catalogue.servers() if each.device == device.name]
    return min(found, key=lambda each: ("liquid" in each.name, -each.devices), default=None)


PORT_B_S = ((2022, 50e9), (2020, 25e9))
"""Year of a part on a fabric -> the network port that servers of its kind give each: 400 and 200 Gbit/s, as those of
the catalogue do. Other parts share a server's port of 100 Gbit/s. Low confidence where the maker shows no server."""


def _plain_server(device: Device, devices_per_node: int) -> Server:
    """Return a stand-in for a device no listed server holds: host power in proportion, low confidence."""
    limit = devices_per_node * device.power_limit_w
    joined = device.kind in ("gpu", "npu") and device.scale_up_domain > 2
    port_b_s = next((speed for year, speed in PORT_B_S if joined and device.year >= year), 12.5e9)
    return Server(
        name=f"{devices_per_node} x {device.name}", device_kind=device.kind, device=device.name,
        devices=devices_per_node, cpu_w=0.12 * limit, memory_w=0.05 * limit, network_w=0.08 * limit,
        storage_w=0.02 * limit, fan_w_air=0.10 * limit, psu_efficiency=0.94, height_u=4.0, weight_kg=60.0,
        price_usd=devices_per_node * (device.price_usd or 0.0), embodied_kg=0.0, network_b_s=port_b_s,
        memory_b=512e9, cores=64, lowest_confidence="low",
    )  # fmt: skip


def host(
    device: Device,
    devices: int,
    devices_per_node: int | None = None,
    domain: int | None = None,
    network_b_s: float | None = None,
    network_kind: str = "ib",
    cooling: str | None = None,
    coolant_c: float | None = None,
    power_limit_w: float | None = None,
) -> Host:
    """Return the machines; what is ``None`` comes from the catalogue.

    Raises:
        InputError: a value is out of range, or the device is not sold for this cooling.
    """
    from dataclasses import replace

    server = _server_for(device) or _plain_server(device, devices_per_node or 8)
    if devices_per_node is not None and devices_per_node != server.devices:
        share = devices_per_node / server.devices
        scaled = {name: getattr(server, name) * share for name in ("memory_w", "network_w", "storage_w", "fan_w_air")}
        server = replace(server, devices=devices_per_node, **scaled)
    cooling = (
        spelled(cooling)
        if cooling
        else ("air" if "air" in device.cooling else device.cooling[0] if device.cooling else "air")
    )
    _check(device, devices, cooling, network_kind, power_limit_w)
    return Host(
        device=device, server=server, devices=devices, domain=domain or scale_up_domain(device, server),
        network_b_s=network_b_s or server.network_b_s, network_kind=network_kind, cooling=cooling,
        coolant_c=COOLANT_C[cooling] if coolant_c is None else coolant_c, power_limit_w=power_limit_w,
    )  # fmt: skip


def spelled(name: str) -> str:
    """Return ``name`` as tables write it, whatever joins its words.

    >>> spelled("Cold-Plate"), spelled("rear door")
    ('cold_plate', 'rear_door')
    """
    return "_".join(re.findall(r"[a-z0-9]+", name.lower()))


def _check(device: Device, devices: int, cooling: str, network_kind: str, limit_w: float | None) -> None:
    faults = []
    if devices < 1:
        faults.append(Fault("command line", None, "--devices", str(devices), "at least 1"))
    if cooling not in COOLANT_C:
        faults.append(Fault("command line", None, "--cooling", cooling, " | ".join(COOLANT_C)))
    elif device.cooling and cooling not in device.cooling:
        faults.append(
            Fault(
                "command line",
                None,
                "--cooling",
                cooling,
                f"one of {', '.join(device.cooling)} for {device.name}",
            )
        )
    if network_kind not in NETWORK_KINDS:
        faults.append(Fault("command line", None, "--network-kind", network_kind, " | ".join(NETWORK_KINDS)))
    if limit_w is not None and not device.idle_w < limit_w <= device.power_limit_w:
        expected = f"above idle {device.idle_w:g} and at most {device.power_limit_w:g}"
        faults.append(Fault("command line", None, "--power-limit-w", f"{limit_w:g}", expected))
    if faults:
        raise InputError(tuple(faults))
