"""Making a model smaller for serving: what each lever gives and costs, from the catalogue's facts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from twinloop.catalogue import tables
from twinloop.catalogue.nouns import Device
from twinloop.workload.machine import peak_flops


@dataclass(frozen=True)
class Lever:
    """One way to serve a model: formats of weights, arithmetic and cache, and the accuracy it costs."""

    name: str
    precision: str
    """Of the arithmetic."""
    weights: str
    """Format in memory."""
    cache: str
    accuracy_drop: float
    shrink: float
    """Weights and operations left, by pruning."""
    confidence: str


_FORMATS: dict[str, tuple[str, str, str, float]] = {
    "none": ("bf16", "bf16", "bf16", 1.0),
    "fp8_w8a8": ("fp8", "fp8", "bf16", 1.0),
    "fp8_w8a8_kv8": ("fp8", "fp8", "fp8", 1.0),
    "int8_w8a8": ("int8", "int8", "bf16", 1.0),
    "int4_w4a16": ("bf16", "int4", "bf16", 1.0),
    "nvfp4": ("nvfp4", "nvfp4", "fp8", 1.0),
    "mxfp4": ("mxfp4", "mxfp4", "fp8", 1.0),
    "width_prune_distil": ("bf16", "bf16", "bf16", 0.56),
}
"""Catalogue row -> (arithmetic, weights, cache, share of the model left). Pruning's share: Minitron,
arXiv:2408.11796, 4.5 of 8.0 billion."""


@cache
def levers() -> tuple[Lever, ...]:
    """Return every lever the catalogue knows and the formulas model."""
    rows = tables.rows("compression")
    found = []
    for name, (precision, weights, cache_, shrink) in _FORMATS.items():
        if name in rows:
            fact = rows[name]["accuracy_drop"]
            found.append(Lever(name, precision, weights, cache_, float(fact.value), shrink, fact.confidence))
    return tuple(found)


def allowed_levers(device: Device, largest_drop: float, allow: tuple[str, ...]) -> tuple[Lever, ...]:
    """Return the levers ``device`` has units for, within the accuracy the stage allows and the scenario's list."""
    found = []
    for lever in levers():
        named = not allow or lever.name == "none" or lever.name in allow or lever.precision in allow
        if named and lever.accuracy_drop <= largest_drop and _has_units(device, lever):
            found.append(lever)
    return tuple(found)


def _has_units(device: Device, lever: Lever) -> bool:
    if lever.weights == "int4" and device.kind != "gpu":
        return False
    peak = peak_flops(device, lever.precision)
    return peak is not None
