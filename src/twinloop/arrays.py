"""Which array library a value belongs to, so that one formula serves NumPy and JAX.

Elements in ``cooling`` and ``power`` call :func:`namespace` on their arguments; JAX is never
imported here, only recognised when the caller already uses it.
"""

from __future__ import annotations

import sys
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = Any
"""A float, a NumPy array or a JAX array; shapes broadcast."""

FloatArray: TypeAlias = npt.NDArray[np.float64]


def namespace(*values: Array) -> Any:
    """Return ``jax.numpy`` if any of ``values`` is a JAX array or tracer, else ``numpy``.

    >>> namespace(1.0, np.zeros(3)).__name__
    'numpy'
    """
    jax = sys.modules.get("jax")
    if jax is not None and any(isinstance(value, jax.Array) for value in values):
        return jax.numpy
    return np
