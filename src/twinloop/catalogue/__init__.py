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

from twinloop.catalogue.architectures import architecture, architectures
from twinloop.catalogue.climates import climate_place, climate_places
from twinloop.catalogue.cloud import CloudRegion, cloud_offers, cloud_region, cloud_regions
from twinloop.catalogue.cooling_kits import cooling_kit, cooling_kits
from twinloop.catalogue.devices import device, devices
from twinloop.catalogue.grids import grid, grids
from twinloop.catalogue.servers import server, server_cooling, servers
from twinloop.catalogue.tables import TABLES, constant, facts, source_facts
from twinloop.catalogue.tariffs import tariff, tariffs

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
    "source_facts",
    "tariff",
    "tariffs",
]
