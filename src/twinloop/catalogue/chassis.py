"""Chassis and rack-scale tray sets that hold devices, and where their power goes at full load."""

from __future__ import annotations

from functools import cache
from typing import cast

from twinloop.catalogue import tables
from twinloop.catalogue.names import find, index
from twinloop.catalogue.nouns import DeviceKind, Fact, Server


@cache
def servers() -> tuple[Server, ...]:
    """Return every server.

    Powers are at full load, devices, fans and power-supply loss apart. Where the devices *are* the
    CPUs (``device_kind`` is ``cpu``) ``cpu_w`` is zero: their power is the devices'. ``fan_w_air`` is
    what the fans would draw with every component on air, for liquid chassis too: scale it by the
    share of heat that stays on air.
    """
    return tuple(_server(name, row) for name, row in tables.rows("servers").items())


def server(name: str) -> Server:
    """Return the server called ``name``.

    Raises:
        InputError: unknown; names close ones.
    """
    return find("servers", name, _index(), (known.name for known in servers()))


def server_cooling(name: str) -> tuple[str, ...]:
    """Return how the accelerators of server ``name`` may be cooled: of air, rear_door, cold_plate, bath.

    >>> server_cooling("HGX-H100-8-liquid")
    ('cold_plate',)
    """
    return tuple(str(tables.constant("servers", name, "cooling").value).split())


@cache
def _index() -> dict[str, Server]:
    table = tables.rows("servers")
    return index((known, (known.name, *tables.aliases(table[known.name]))) for known in servers())


def _server(name: str, row: dict[str, Fact]) -> Server:
    return Server(
        name=name,
        device_kind=cast(DeviceKind, tables.word(row, "device_kind")),
        device=tables.word(row, "device"),
        devices=int(tables.number(row, "devices")),
        cpu_w=tables.number(row, "cpu_w"),
        memory_w=tables.number(row, "memory_w"),
        network_w=tables.number(row, "network_w"),
        storage_w=tables.number(row, "storage_w"),
        fan_w_air=tables.number(row, "fan_w_air"),
        psu_efficiency=tables.number(row, "psu_efficiency"),
        height_u=tables.number(row, "height_u"),
        weight_kg=tables.number(row, "weight_kg"),
        price_usd=tables.number(row, "price_usd"),
        embodied_kg=tables.number(row, "embodied_kg"),
        network_b_s=tables.number(row, "network_b_s"),
        memory_b=tables.number(row, "memory_b"),
        cores=int(tables.number(row, "cores")),
        lowest_confidence=tables.lowest_confidence(row),
    )
