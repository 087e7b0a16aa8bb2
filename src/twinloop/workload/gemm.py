"""How fast matrices multiply: a share of peak that small dimensions eat away."""

from __future__ import annotations

from twinloop.arrays import Array


def gemm_s(m: Array, n: Array, k: Array, peak: Array, best: Array, half: Array) -> Array:
    """Return the time of an (m × k)·(k × n) product.

    ``t = 2 m n k / (peak · best) · (1 + half · (1/m + 1/n + 1/k))``

    The bracket is the roofline written as a sum: operands and result move ``mk + kn + mn`` values for
    ``mnk`` multiply-adds, so their ratio is ``1/m + 1/n + 1/k``; ``half`` is the size at which one short
    dimension alone halves the rate (tiles, waves and pipelines fill with it too, so it is calibrated
    rather than computed from bandwidth). Valid for m, n, k ≥ 1; below about 16 in any dimension a decode
    kernel is bandwidth-bound and ``serving`` uses bytes instead.

    Args:
        m: rows, tokens.
        n: columns of the weights.
        k: inner dimension.
        peak: dense operations per second of the precision.
        best: share of peak that a very large product reaches, 0-1.
        half: values.

    >>> round(gemm_s(4096, 4096, 4096, 312e12, 0.8, 0.0) * 1e6, 1)
    550.6
    """
    return 2.0 * m * n * k / (peak * best) * (1.0 + half * (1.0 / m + 1.0 / n + 1.0 / k))
