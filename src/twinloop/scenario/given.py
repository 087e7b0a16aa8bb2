"""A value that the person gave, or the catalogue's in its place."""

from __future__ import annotations

from twinloop.scenario.defaults import DEFAULTS, WORDS
from twinloop.scenario.provenance import Sources
from twinloop.units import show


def number(given: float | None, path: str, key: str, sources: Sources) -> float:
    """Return ``given``, or the default ``key``, noted under ``path``."""
    if given is not None:
        return given
    default = DEFAULTS[key]
    shown = show(default.value, default.quantity)
    sources.choice(path, shown, default.source, default.confidence, default.low, default.high)
    return default.value


def word(given: str | None, path: str, key: str, sources: Sources) -> str:
    """Return ``given``, or the default word ``key``, noted under ``path``."""
    if given is not None:
        return given
    value, source = WORDS[key]
    sources.choice(path, value, source, "medium")
    return value
