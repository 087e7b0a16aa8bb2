"""The network behind the servers of one stage: fat trees of switches, their links, power, price and making.

Every server has front-end ports. Accelerator servers that work as one, for a run or for one copy of a model, have a
fabric besides, at the full scale-out rate of each device. Fabrics are bought whole, a stage its own; front-end
switches are shared, so that a stage takes a part of them.

A fat tree of switches with ``R`` ports and ``s`` times the rate down than up at its leaves has, with ``H`` ports to
hosts, ``H / (R s/(1+s))`` leaves and ``U = H/s`` links up; each tier between has ``2U/R`` switches and the same links,
the top one ``U/R``. One switch that has the ports is the whole tree. Al-Fares et al. 2008, doi:10.1145/1402958.1402967.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

from twinloop.catalogue import switch_kind
from twinloop.catalogue.nouns import Server, SwitchKind
from twinloop.model.estimate import StageOption
from twinloop.model.site import RackLimits

FABRIC, FRONT_END = "fabric-400g", "front-end-100g"


@dataclass(frozen=True)
class Tree:
    """One network: ``switches`` and ``uplinks`` may be parts where others share them."""

    kind: SwitchKind
    host_ports: float
    tiers: int
    switches: float
    uplinks: float

    @property
    def power_w(self) -> float:
        """At the inlet, all hours: a switch takes next to the same idle and busy."""
        kind = self.kind
        return self.switches * kind.power_w + self.host_ports * kind.host_link_w + self.uplinks * kind.uplink_w

    @property
    def price_usd(self) -> float:
        """Switches and both ends of all links."""
        kind = self.kind
        return self.switches * kind.price_usd + self.host_ports * kind.host_link_usd + self.uplinks * kind.uplink_usd

    @property
    def embodied_kg(self) -> float:
        """Of making switches and links."""
        kind = self.kind
        return self.switches * kind.embodied_kg + (self.host_ports + self.uplinks) * kind.link_embodied_kg


@dataclass(frozen=True)
class Wiring:
    """The networks of one stage."""

    trees: tuple[Tree, ...] = ()

    @property
    def power_w(self) -> float:
        """At the inlet."""
        return math.fsum(tree.power_w for tree in self.trees)

    @property
    def price_usd(self) -> float:
        """Of switches, optics and cables; adapters are the servers'."""
        return math.fsum(tree.price_usd for tree in self.trees)

    @property
    def embodied_kg(self) -> float:
        """Of making them."""
        return math.fsum(tree.embodied_kg for tree in self.trees)

    @property
    def switches(self) -> float:
        """Of all kinds, parts of shared ones with them."""
        return math.fsum(tree.switches for tree in self.trees)

    @property
    def weight_kg(self) -> float:
        """Of the switches."""
        return math.fsum(tree.switches * tree.kind.weight_kg for tree in self.trees)

    @property
    def height_u(self) -> float:
        """Rack units of the switches."""
        return math.fsum(tree.switches * tree.kind.height_u for tree in self.trees)


def wiring(option: StageOption, server: Server) -> Wiring:
    """Return the network behind ``option``'s servers."""
    front = switch_kind(FRONT_END)
    shared = fat_tree(FRONT_END, option.servers * (front.ports_per_server or 0.0), whole=False)
    alone = option.servers <= (1 if option.duration_s is not None else option.parallelism.data)
    if alone or server.device_kind == "cpu":
        return Wiring((shared,))
    ports = server.network_b_s * server.devices * option.servers / switch_kind(FABRIC).port_b_s
    return Wiring((shared, fat_tree(FABRIC, ports)))


@cache
def fat_tree(name: str, host_ports: float, *, whole: bool = True) -> Tree:
    """Return the tree of switches ``name`` for ``host_ports``; not ``whole``: its share of a shared one of two tiers.

    >>> [(tree.tiers, tree.switches, tree.uplinks) for tree in (fat_tree("fabric-400g", n) for n in (64, 128, 4096))]
    [(1, 1.0, 0.0), (2, 6.0, 128.0), (3, 320.0, 8192.0)]
    """
    kind = switch_kind(name)
    spread = kind.oversubscription
    down, up = kind.ports * spread / (1.0 + spread), host_ports / spread
    if whole and host_ports <= kind.ports:
        return Tree(kind, host_ports, 1, float(math.ceil(host_ports / kind.ports)), 0.0)
    tiers = 2
    while host_ports > kind.ports * down * (kind.ports / 2.0) ** (tiers - 2):
        tiers += 1
    layers = (host_ports / down, *[2.0 * up / kind.ports] * (tiers - 2), up / kind.ports)
    switches = math.fsum(math.ceil(each - 1e-9) if whole else each for each in layers)
    return Tree(kind, host_ports, tiers, float(switches), (tiers - 1.0) * (math.ceil(up - 1e-9) if whole else up))


def rack_share(limits: RackLimits, air_w: float, power_w: float, height_u: float, weight_kg: float) -> float:
    """Return the positions that machines on air take in racks of their own: parts add up, whole racks stand.

    Args:
        limits: the site's position.
        air_w: heat that a rack's air carries off.
        power_w: of the machines, at the inlet.
        height_u: of the machines.
        weight_kg: of the machines.
    """
    return max(power_w / min(limits.power_w, air_w), height_u / limits.height_u, weight_kg / limits.weight_kg)
