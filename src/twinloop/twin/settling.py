"""Rounds between chip power and coolant temperature: until they stand still, hour by hour or compiled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from twinloop.arrays import Array, namespace, repeat

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    _Noun = TypeVar("_Noun", bound=DataclassInstance)

Streams = tuple[Array, Array, Array]
"""Intake air, coolant of plates and baths, chilled water, shape (hours,) each."""
MOST_ROUNDS = 200
"""Short of capacity, warm intakes speed up the servers' fans, which warm them further: a round then takes a
fourteenth off what is left."""
LEAST_MOVE_K = 1e-6
"""Two moves are compared from this size on."""
MOST_RATIO = 0.5
"""Of a move to the one before it, as far as it is carried on."""


def at_hours(noun: _Noun, at: Array, hours: int) -> _Noun:
    """Return ``noun`` with those of its fields that hold a value an hour at the hours ``at``."""
    held = {field.name: getattr(noun, field.name) for field in fields(noun)}
    hourly = {
        name: value for name, value in held.items() if isinstance(value, np.ndarray) and value.shape[:1] == (hours,)
    }
    return replace(noun, **{name: value[at] for name, value in hourly.items()}) if hourly else noun


def unsettled(before: Streams, after: Streams, settled_k: float) -> Array:
    """Say in which hours air or coolant moved more than ``settled_k``; the chilled water follows them at once."""
    moves = [np.abs(new - old) for new, old in zip(after[:2], before[:2], strict=True)]
    return np.maximum(*moves) > settled_k


def settle_hours(once: Callable[[Streams, Array], Streams], start: Streams, left: Array, settled_k: float) -> Streams:
    """Return ``start`` with the hours ``left`` moved on until a round moves them less than ``settled_k``.

    Args:
        once: a round: (coolants of some hours, their indices) -> coolants.
        start: shape (hours,) each.
        left: hours to move on, booleans of shape (hours,).
        settled_k: smallest move that counts.
    """
    values = tuple(np.array(each) for each in start)
    at = np.flatnonzero(left)
    share, last_k = np.ones(at.size), np.zeros(at.size)
    for _ in range(MOST_ROUNDS):
        before = tuple(each[at] for each in values)
        after = once((before[0], before[1], before[2]), at)
        # An hour that turns back would go to and fro for ever where a damper's rule answers more than was asked.
        move_k = after[0] - before[0]
        share = np.where(move_k * last_k < 0.0, 0.5 * share, np.minimum(1.2 * share, 1.0))
        for each, old, new in zip(values, before, after, strict=True):
            each[at] = old + share * (new - old)
        on = unsettled((before[0], before[1], before[2]), after, settled_k)
        at, share, last_k = at[on], share[on], move_k[on]
        if not at.size:
            break
    return values[0], values[1], values[2]


def settle_compiled(once: Callable[[Streams], Streams], start: Streams, rounds: int) -> Streams:
    """Return ``start`` after ``rounds`` (two or more), carried on to where their moves, a geometric row, end.

    Exact where a round is linear (Aitken); it saves the rounds that a fixed number would need for the slowest hour.
    """

    def step(trail: tuple[Array, ...]) -> tuple[Array, ...]:
        return (*trail[3:], *once((trail[6], trail[7], trail[8])))

    trail = repeat(rounds, step, (*start, *start, *start))
    return tuple(_carried_on(*trail[i::3]) for i in range(3))


def _carried_on(first: Array, second: Array, third: Array) -> Array:
    """Return the end of the geometric row, ``x₂ + (x₂ − x₁) r/(1 − r)``.

    >>> _carried_on(np.array([1.0]), np.array([1.5]), np.array([1.75]))
    array([2.])
    """
    xp = namespace(first, third)
    before, last = second - first, third - second
    moves = xp.abs(before) > LEAST_MOVE_K
    ratio = xp.clip(xp.where(moves, last, 0.0) / xp.where(moves, before, 1.0), -MOST_RATIO, MOST_RATIO)
    return third + last * ratio / (1.0 - ratio)
