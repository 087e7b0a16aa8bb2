"""Published architectures of AI models, with the field names of ``model.network.Network``."""

from __future__ import annotations

from functools import cache

from twinloop.catalogue import tables
from twinloop.catalogue.conversion import FLAG
from twinloop.catalogue.nouns import Fact

_WHOLE = "count"
_REAL = frozenset(("parameters",))
"""Counts that ``Network`` keeps as floats."""


@cache
def architectures() -> dict[str, dict[str, float | str | int | bool]]:
    """Return name -> fields of ``Network`` (only those of its kind). Shared: do not change it.

    ``parameters`` is the published total; counting from the layer fields must come near it.
    """
    return {name: _fields(row) for name, row in tables.rows("architectures").items()}


def architecture(name: str) -> dict[str, float | str | int | bool]:
    """Return a copy of the fields of the architecture called ``name``.

    >>> architecture("Llama 3.1 8B")["kv_heads"]
    8

    Raises:
        InputError: unknown; names close ones.
    """
    return _fields(tables.row_of("architectures", name))


def _fields(row: dict[str, Fact]) -> dict[str, float | str | int | bool]:
    return {key: _value(fact) for key, fact in row.items() if key != "aliases"}


def _value(fact: Fact) -> float | str | int | bool:
    if isinstance(fact.value, str):
        return fact.value
    if fact.unit == FLAG:
        return bool(fact.value)
    if fact.unit == _WHOLE and fact.quantity not in _REAL:
        return round(fact.value)
    return fact.value
