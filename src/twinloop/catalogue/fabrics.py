"""What stands beside servers: switches of the network, and shared storage."""

from __future__ import annotations

from functools import cache

from twinloop.catalogue import tables
from twinloop.catalogue.nouns import StorageKind, SwitchKind


@cache
def switch_kind(name: str) -> SwitchKind:
    """Return the kind of switch called ``name``.

    >>> switch_kind("fabric-400g").ports
    64

    Raises:
        InputError: unknown; names close ones.
    """
    row = tables.row_of("fabrics", name)
    figures = (
        "port_b_s", "oversubscription", "power_w", "host_link_w", "uplink_w", "price_usd", "host_link_usd",
        "uplink_usd", "embodied_kg", "link_embodied_kg", "height_u", "weight_kg",
    )  # fmt: skip
    return SwitchKind(
        name=row["ports"].name, ports=round(tables.number(row, "ports")),
        lowest_confidence=tables.lowest_confidence(row),
        ports_per_server=tables.number_or_none(row, "ports_per_server"),
        **{figure: tables.number(row, figure) for figure in figures},
    )  # fmt: skip


@cache
def shared_storage() -> StorageKind:
    """Return the servers that datasets are stored on."""
    row = tables.row_of("fabrics", "shared-storage")
    figures = (
        "usable_b", "power_w_per_b", "fan_share", "psu_efficiency", "price_usd_per_b", "embodied_kg_per_b", "height_u",
        "weight_kg",
    )  # fmt: skip
    return StorageKind(
        name="shared-storage", lowest_confidence=tables.lowest_confidence(row),
        **{figure: tables.number(row, figure) for figure in figures},
    )  # fmt: skip
