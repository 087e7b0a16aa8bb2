"""Facts with their sources: CSV tables and typed look-ups.

Every number is one row of ``tables/*.csv``: name, quantity, value, unit, low, high, source, year,
confidence, note. The look-ups turn rows into the frozen nouns of ``catalogue.nouns``, in SI:

>>> from twinloop import catalogue
>>> catalogue.device("h100 sxm").power_limit_w
700.0

Names are matched without regard to case, punctuation, word order or the maker's name; an unknown
name raises :class:`~twinloop.errors.InputError` naming close matches.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twinloop.catalogue.chassis import server, server_cooling, servers
    from twinloop.catalogue.cloud import CloudRegion, cloud_offers, cloud_region, cloud_regions
    from twinloop.catalogue.equipment import cooling_kit, cooling_kits
    from twinloop.catalogue.fabrics import shared_storage, switch_kind
    from twinloop.catalogue.grid_mix import grid, grids
    from twinloop.catalogue.networks import architecture, architectures
    from twinloop.catalogue.normals import climate_place, climate_places
    from twinloop.catalogue.prices import tariff, tariffs
    from twinloop.catalogue.processors import device, devices
    from twinloop.catalogue.tables import TABLES, constant, facts, source_facts

_HOMES = {  # no file has the name of a look-up: importing it would shadow the function
    "TABLES": "tables",
    "constant": "tables",
    "facts": "tables",
    "source_facts": "tables",
    "device": "processors",
    "devices": "processors",
    "server": "chassis",
    "server_cooling": "chassis",
    "servers": "chassis",
    "cooling_kit": "equipment",
    "cooling_kits": "equipment",
    "shared_storage": "fabrics",
    "switch_kind": "fabrics",
    "grid": "grid_mix",
    "grids": "grid_mix",
    "tariff": "prices",
    "tariffs": "prices",
    "climate_place": "normals",
    "climate_places": "normals",
    "CloudRegion": "cloud",
    "cloud_offers": "cloud",
    "cloud_region": "cloud",
    "cloud_regions": "cloud",
    "architecture": "networks",
    "architectures": "networks",
}

__all__ = [
    "TABLES",
    "CloudRegion",
    "architecture",
    "architectures",
    "climate_place",
    "climate_places",
    "cloud_offers",
    "cloud_region",
    "cloud_regions",
    "constant",
    "cooling_kit",
    "cooling_kits",
    "device",
    "devices",
    "facts",
    "grid",
    "grids",
    "server",
    "server_cooling",
    "servers",
    "shared_storage",
    "source_facts",
    "switch_kind",
    "tariff",
    "tariffs",
]


def __getattr__(name: str) -> object:
    """Import a look-up's file when it is first asked for, so that importing the catalogue costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
