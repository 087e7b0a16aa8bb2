"""How many servers fit a rack position, and how many positions a stage takes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from twinloop.catalogue import cooling_kit, server_cooling
from twinloop.catalogue.nouns import COMPONENTS, Server
from twinloop.model.model import Model
from twinloop.model.site import RackLimits
from twinloop.twin.design import HybridDesign
from twinloop.twin.groups import carrier_of

AIR_RACK_W = 20e3
"""Contained aisles, practice 15-40 kW; vendor guides, medium confidence."""
PLATE_RACK_W = 227e3
"""Largest published direct-to-chip rack."""
BATH_RACK_W = 100e3
"""Single-phase tank, 50-200 kW; low confidence."""

SHARED = ("rack power", "rack height", "rack weight", "liquid limit", "air limit")
"""What servers of several stages share in one rack."""


@dataclass(frozen=True)
class Packing:
    """Servers alike in racks alike."""

    servers_per_rack: int
    limit: str
    """What binds: power, air, height or weight."""
    short: tuple[tuple[str, float, float, str], ...] = ()
    """Limits of the site's position that not even one server respects: name, limit, need, unit."""
    share: tuple[float, ...] = ()
    """What one server takes of each limit, at most 1."""


def pack(server: Server, server_w: float, server_air_w: float, limits: RackLimits, design: HybridDesign) -> Packing:
    """Return how many of ``server`` one position holds under ``design``.

    Args:
        server: for height and weight.
        server_w: at the IT meter, full load.
        server_air_w: of which into the rack's air.
        limits: the site's position.
        design: which carriers exist.
    """
    carrier_w = BATH_RACK_W if design.immersed else PLATE_RACK_W
    bounds = {
        "rack power": limits.power_w / server_w,
        "rack height": limits.height_u / server.height_u,
        "rack weight": limits.weight_kg / server.weight_kg,
        "liquid limit": carrier_w / server_w,
    }
    if not design.immersed:
        bounds["air limit"] = air_rack_w(design) / max(server_air_w, 1.0)
    limit = min(bounds, key=lambda name: bounds[name])
    wants = (
        ("rack power", limits.power_w, server_w, "W"),
        ("rack height", limits.height_u, server.height_u, "U"),
        ("rack weight", limits.weight_kg, server.weight_kg, "kg"),
    )
    short = tuple(want for want in wants if want[2] > want[1] * (1.0 + 1e-9))
    share = tuple(min(1.0 / bounds[name], 1.0) if name in bounds else 0.0 for name in SHARED)
    return Packing(math.floor(bounds[limit] + 1e-9), limit, short, share)


def door_rack_w() -> float:
    """Return what a rear door takes of one rack's heat: the doors of plans are passive (catalogue, 27-40 kW)."""
    limit_w = cooling_kit("rear_door_passive").rack_limit_w
    if limit_w is None:
        raise ValueError("cooling_kits: rear_door_passive has no rack_limit_w")
    return limit_w


def air_rack_w(design: HybridDesign) -> float:
    """Return the heat that the air of one rack carries off under ``design``, by its door where it has one."""
    return door_rack_w() if design.has_door else AIR_RACK_W


def kind_of(server: Server, design: HybridDesign) -> str:
    """Return what racks of ``server`` have for each component: servers of one kind share racks."""
    offered = server_cooling(server.name)
    return "+".join(carrier_of(offered, component, design) for component in COMPONENTS)


def server_of(model: Model, name: str) -> Server:
    """Return the server called ``name``."""
    return next(server for server in model.servers if server.name == name)
