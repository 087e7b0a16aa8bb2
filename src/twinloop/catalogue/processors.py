"""Accelerators and processors: GPU, CPU, TPU, FPGA, NPU, edge, and what-if neuromorphic and quantum."""

from __future__ import annotations

from functools import cache
from typing import cast

from twinloop.catalogue import tables
from twinloop.catalogue.names import find, index
from twinloop.catalogue.nouns import Device, DeviceKind, Fact

PRECISIONS = ("fp64", "fp32", "tf32", "bf16", "fp8", "fp4", "int8")
"""Quantities of the table that are dense peak rates; ``bf16`` is fp16 where a part has only that."""


@cache
def devices() -> tuple[Device, ...]:
    """Return every device of the catalogue, what-if rows included (see ``Device.what_if``)."""
    return tuple(_device(name, row) for name, row in tables.rows("devices").items())


def device(name: str) -> Device:
    """Return the device called ``name``, any case, punctuation, word order or alias.

    Raises:
        InputError: unknown; names close ones.
    """
    return find("devices", name, _index(), (known.name for known in devices()))


@cache
def _index() -> dict[str, Device]:
    return index((known, (known.name, *known.aliases)) for known in devices())


def _device(name: str, row: dict[str, Fact]) -> Device:
    return Device(
        name=name,
        kind=cast(DeviceKind, tables.word(row, "kind")),
        year=int(tables.number(row, "year")),
        power_limit_w=tables.number(row, "power_limit_w"),
        idle_w=tables.number(row, "idle_w"),
        memory_b=tables.number(row, "memory_b"),
        memory_bandwidth_b_s=tables.number(row, "memory_bandwidth_b_s"),
        flops={key: tables.number(row, key) for key in PRECISIONS if key in row},
        scale_up_b_s=tables.number(row, "scale_up_b_s"),
        scale_up_domain=int(tables.number(row, "scale_up_domain")),
        cooling=tuple(tables.word(row, "cooling").split()),
        throttle_c=tables.number(row, "throttle_c"),
        r_air_k_w=tables.number(row, "r_air_k_w"),
        r_plate_k_w=tables.number(row, "r_plate_k_w"),
        price_usd=tables.number_or_none(row, "price_usd"),
        embodied_kg=tables.number_or_none(row, "embodied_kg"),
        lowest_confidence=tables.lowest_confidence(row),
        aliases=tables.aliases(row),
    )
