"""Dataclasses to JSON and back, by their annotations; the inverse of each other.

Rules: a float must be finite (unknown is ``None`` -> ``null``); NumPy arrays become lists of floats;
tuples become lists; keys keep declaration order, so equal objects give equal bytes.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import types
import typing
from functools import cache
from typing import Any, TypeVar

import numpy as np

from twinloop.errors import InputError

T = TypeVar("T")


def to_data(value: Any) -> Any:
    """Turn ``value`` into plain lists, dicts, strings and finite numbers.

    >>> to_data((1, 2.5, None))
    [1, 2.5, None]
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_data(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, np.ndarray):
        return [to_data(item) for item in value.tolist()]
    if isinstance(value, np.generic):
        return to_data(value.item())
    if isinstance(value, dict):
        return {str(key): to_data(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_data(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} has no place in a result; unknown is None")
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise TypeError(f"no JSON form for {type(value).__name__}")


def from_data(cls: type[T], data: Any, where: str = "$") -> T:
    """Rebuild an object of type ``cls`` from :func:`to_data`'s output.

    Raises:
        InputError: a key is missing, unknown, or of the wrong kind; names the place.
    """
    return typing.cast(T, _build(cls, data, where))


@cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _build(kind: Any, data: Any, where: str) -> Any:
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return data
    if dataclasses.is_dataclass(kind):
        return _build_dataclass(typing.cast(type, kind), data, where)
    if origin in (typing.Union, types.UnionType):
        return _build_union(args, data, where)
    if origin is typing.Literal:
        _expect(data in args, where, data, " | ".join(map(str, args)))
        return data
    if origin is tuple:
        _expect(isinstance(data, list), where, data, "a list")
        return tuple(_build(args[0], item, f"{where}[{i}]") for i, item in enumerate(data))
    if origin is dict:
        _expect(isinstance(data, dict), where, data, "an object")
        return {key: _build(args[1], item, f"{where}.{key}") for key, item in data.items()}
    if origin is np.ndarray:
        _expect(isinstance(data, list), where, data, "a list of numbers")
        return np.asarray(data, dtype=np.float64)
    if kind is float:
        _expect(isinstance(data, (int, float)) and not isinstance(data, bool), where, data, "a number")
        return float(data)
    _expect(isinstance(data, kind) and not (kind is int and isinstance(data, bool)), where, data, kind.__name__)
    return data


def _build_union(args: tuple[Any, ...], data: Any, where: str) -> Any:
    if data is None and type(None) in args:
        return None
    options = [option for option in args if option is not type(None)]
    for option in options[:-1]:
        try:
            return _build(option, data, where)
        except InputError:
            continue
    return _build(options[-1], data, where)


def _build_dataclass(cls: type, data: Any, where: str) -> Any:
    _expect(isinstance(data, dict), where, data, f"an object ({cls.__name__})")
    fields = {field.name: field for field in dataclasses.fields(cls)}
    unknown = sorted(set(data) - set(fields))
    _expect(not unknown, where, f"unknown keys {unknown}", f"keys of {cls.__name__}")
    hints = _hints(cls)
    values = {}
    for name, field in fields.items():
        if name in data:
            values[name] = _build(hints[name], data[name], f"{where}.{name}")
        else:
            optional = field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
            _expect(optional, where, "nothing", f"key {name!r}")
    return cls(**values)


def _expect(condition: object, where: str, got: Any, expected: str) -> None:
    if not condition:
        raise InputError(f"{where}: got {got!r:.80}, expected {expected}")


def dumps(value: Any) -> str:
    """Return indented JSON text of ``value``, newline at its end; equal values give equal bytes."""
    return json.dumps(to_data(value), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def loads(cls: type[T], text: str) -> T:
    """Parse JSON ``text`` into ``cls``; see :func:`from_data`."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"not JSON: {error}") from error
    return from_data(cls, data)


def content_hash(value: Any) -> str:
    """Return the first 16 hex digits of the SHA-256 of ``value``'s JSON."""
    return hashlib.sha256(dumps(value).encode()).hexdigest()[:16]
