"""Long runs of the hall compiled by JAX: the same step, in double precision, some fifty times faster once compiled."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np

from twinloop.arrays import Array
from twinloop.twin.transient_nouns import Inputs, Outputs, State
from twinloop.twin.transient_parameters import Parameters
from twinloop.twin.transient_run import Trace, run
from twinloop.twin.transient_step import step

COMPILE_FROM = 6000
"""Steps from which compiling (about 4 s of a core) is cheaper than a NumPy loop of about a millisecond a step."""
CHUNK = 1440
"""Steps in one call, so that progress can be told."""


def run_long(
    p: Parameters, start: State, series: Inputs, step_s: float, say: Callable[[int, int], None] | None = None
) -> Trace:
    """Return :func:`twinloop.twin.transient_run.run`, compiled where that pays and JAX is there; equal to rounding."""
    if len(series.dry_bulb_c) < COMPILE_FROM or importlib.util.find_spec("jax") is None:
        return run(p, start, series, step_s, say)
    return run_compiled(p, start, series, step_s, say)


def run_compiled(
    p: Parameters, start: State, series: Inputs, step_s: float, say: Callable[[int, int], None] | None = None
) -> Trace:
    """Return the hall over ``series``, whose arrays carry time first; ``say`` hears (step, steps) now and then."""
    import jax

    def advance(state: State, inputs: Inputs) -> tuple[State, tuple[State, Outputs]]:
        after, out = step(state, inputs, p, step_s)
        return after, (after, out)

    total = len(series.dry_bulb_c)
    kept: list[tuple[State, Outputs]] = []
    with _double_precision(jax):
        scan = jax.jit(lambda state, inputs: jax.lax.scan(advance, state, inputs))
        state = State(*[jax.numpy.asarray(values, dtype=float) for values in start])
        for first in range(0, total, CHUNK):
            state, record = scan(state, Inputs(*[_chunk(values, first) for values in series]))
            kept.append(jax.tree.map(np.asarray, record))
            if say is not None:
                say(min(first + CHUNK, total), total)
    states, outputs = (
        [np.concatenate(column)[:total] for column in zip(*parts, strict=True)] for parts in zip(*kept, strict=True)
    )
    with_start = [np.concatenate([np.asarray(first)[None], later]) for first, later in zip(start, states, strict=True)]
    return Trace(State(*with_start), Outputs(*outputs), series, step_s)


def _chunk(values: Array, first: int) -> Array:
    """Return ``CHUNK`` moments from ``first``; past the end the last one is held, so that one shape is compiled."""
    at = np.minimum(np.arange(first, first + CHUNK), len(values) - 1)
    return np.asarray(values[at], dtype=float)


def _double_precision(jax: Any) -> Any:
    """Return the context in which JAX keeps float64; it moved out of ``jax.experimental`` with version 0.8."""
    return jax.enable_x64(True) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64()
