"""The hall compiled by JAX: a year as one call, many years in one call, and gradients by every number.

One compiled function serves every hall of the same make-up (which technologies exist, which carrier each
component has); all numbers are parameters, named by their place: sizes and setpoints (``plant.warm.cdu.ua_w_k``),
the elements' laws (``plant.cold.chiller.curves.capacity.0``), chips (``groups.0.r_plate_k_w``) and what else is
assumed (``constants.leakage_per_k``). Single precision unless the caller enables ``jax_enable_x64``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, NamedTuple, TypeVar

import numpy as np

from twinloop.arrays import Array
from twinloop.errors import MissingExtraError
from twinloop.twin.design import PlantConstants
from twinloop.twin.free_coolers import OutdoorAir
from twinloop.twin.groups import ItGroup
from twinloop.twin.plant import PlantState, solve_plant
from twinloop.twin.sizing import Plant

try:
    import jax
    import jax.numpy as jnp
except ImportError as error:  # pragma: no cover - the development environment has it
    raise MissingExtraError("jax", "compiled", "the compiled hall") from error

HOUR_S = 3600.0
Parameters = Mapping[str, Array]


@dataclass(frozen=True)
class Hall:
    """Everything that a year of a hall is computed from, its weather and its groups' activity apart."""

    plant: Plant
    groups: tuple[ItGroup, ...]
    constants: PlantConstants


_Noun = TypeVar("_Noun", Hall, Plant, ItGroup, PlantConstants)


class YearSums(NamedTuple):
    """A year of one hall: energies in J, evaporation in kg, peaks, and the largest imbalance over IT power."""

    it_j: Array
    facility_j: Array
    chillers_j: Array
    crah_fans_j: Array
    pumps_j: Array
    heat_rejection_j: Array
    electrical_loss_j: Array
    heat_sold_j: Array
    evaporation_kg: Array
    peak_facility_w: Array
    peak_junction_c: Array
    balance_error: Array


def parameters(noun: Hall | Plant | ItGroup | PlantConstants) -> dict[str, float]:
    """Return every number of ``noun`` by its place: sizes, ratings, setpoints, and coefficients of its laws.

    Whole numbers, words and the groups' hourly activity are its make-up, not parameters.
    """
    return dict(_numbers(noun, ""))


def _numbers(value: Any, name: str) -> list[tuple[str, float]]:
    if isinstance(value, float):
        return [(name, float(value))]
    return [pair for part, inside in _parts(value, name) for pair in _numbers(inside, part)]


def _parts(value: Any, name: str) -> list[tuple[str, Any]]:
    """Return (place, value) of what ``value`` holds; empty for what holds nothing that may change."""
    stem = f"{name}." if name else ""
    if is_dataclass(value):
        return [(f"{stem}{field.name}", getattr(value, field.name)) for field in fields(value)]
    if isinstance(value, tuple):
        return [(f"{stem}{number}", inside) for number, inside in enumerate(value)]
    return []


def with_parameters(noun: _Noun, values: Parameters) -> _Noun:
    """Return ``noun`` with the numbers that ``values`` names.

    Raises:
        KeyError: a name that ``noun`` has not.
    """
    unknown = set(values) - set(parameters(noun))
    if unknown:
        raise KeyError(f"no parameter {sorted(unknown)} in this {type(noun).__name__}")
    changed: _Noun = _replaced(noun, values, "")
    return changed


def _replaced(value: Any, values: Parameters, name: str) -> Any:
    parts = _parts(value, name)
    if not parts:
        return values.get(name, value)
    inside = [_replaced(each, values, part) for part, each in parts]
    if isinstance(value, tuple):
        return tuple(inside)
    return replace(value, **{field.name: each for field, each in zip(fields(value), inside, strict=True)})


def year_sums(state: PlantState) -> YearSums:
    """Return the sums of ``state``'s hours."""
    worst_c = jnp.stack([it.worst_junction_c for it in state.it])

    def joules(power_w: Array) -> Array:
        return HOUR_S * jnp.sum(power_w)

    return YearSums(
        it_j=joules(state.it_w), facility_j=joules(state.facility_w), chillers_j=joules(state.chillers_w),
        crah_fans_j=joules(state.crah_fans_w), pumps_j=joules(state.pumps_w),
        heat_rejection_j=joules(state.heat_rejection_w),
        electrical_loss_j=joules(state.electric.ups_loss_w + state.electric.distribution_loss_w),
        heat_sold_j=joules(state.heat_sold_w),
        evaporation_kg=HOUR_S * jnp.sum(state.evaporation_kg_s), peak_facility_w=jnp.max(state.facility_w),
        peak_junction_c=jnp.max(worst_c), balance_error=jnp.max(state.balance_error),
    )  # fmt: skip


Hours = tuple[Array, Array, Array, Array, tuple[Array, ...]]
"""Dry bulb, wet bulb and dew point in °C, pressure in Pa, and the groups' activity."""
YearFunction = Callable[[Parameters, Hours], YearSums]


def hours(outdoor: OutdoorAir, groups: Sequence[ItGroup]) -> Hours:
    """Return what a year function takes: outdoor air and activity, shape (hours,) each."""
    activity = tuple(jnp.asarray(np.broadcast_to(group.activity, outdoor.dry_bulb_c.shape)) for group in groups)
    air = (jnp.asarray(outdoor.dry_bulb_c), jnp.asarray(outdoor.wet_bulb_c), jnp.asarray(outdoor.dew_point_c))
    return *air, jnp.asarray(outdoor.pressure_pa), activity


def year_function(hall: Hall) -> YearFunction:
    """Return the compiled year of halls made up like ``hall``: (parameters, hours) -> :class:`YearSums`.

    Parameters are any of :func:`parameters` of the hall; the others stay as they are in ``hall``, and cost less.
    Compiles at its first call, tens of seconds for a hall with towers and chillers; JAX's persistent
    compilation cache keeps it. Differentiable in the parameters in both modes.
    """

    def year(values: Parameters, at: Hours) -> YearSums:
        dry, wet, dew, pressure, activities = at
        now = with_parameters(hall, values)
        busy = tuple(replace(group, activity=activity) for group, activity in zip(now.groups, activities, strict=True))
        return year_sums(solve_plant(now.plant, busy, OutdoorAir(dry, wet, dew, pressure), now.constants))

    compiled: YearFunction = jax.jit(year)
    return compiled


def many_years(year: YearFunction) -> YearFunction:
    """Return ``year`` over many halls or sites in one call: each leaf gains a leading axis, shape (n, …).

    Halls follow one another inside the call, so that hours short of capacity are solved only where there are any.
    """
    compiled: YearFunction = jax.jit(lambda values, at: jax.lax.map(lambda pair: year(*pair), (values, at)))
    return compiled


def gradient(year: YearFunction, values: Parameters, at: Hours, of: str = "facility_j") -> dict[str, float]:
    """Return the derivative of one of the year's sums by each parameter, in its unit per the parameter's.

    At an active limit (a fan at full speed, pads that start) the derivative is one-sided.
    """
    found = jax.jit(jax.grad(lambda numbers: getattr(year(numbers, at), of)))(
        {name: jnp.asarray(value, dtype=float) for name, value in values.items()}
    )
    return {name: float(value) for name, value in found.items()}
