"""Waiting for a replica: latency at the 99th percentile under Poisson arrivals."""

from __future__ import annotations

from twinloop.arrays import Array, namespace

P99_EXPONENTIAL = 4.605170185988091
"""ln 100: the 99th percentile of an exponential over its mean."""


def mean_wait_s(service_s: Array, load: Array, servers: Array, variation: float = 0.5) -> Array:
    """Return the mean wait of an M/G/k queue.

    Sakasegawa's closed form ``(1 + c²)/2 · ρ^(√(2(k+1)) − 1)/(k (1 − ρ)) · S`` (Sakasegawa 1977, doi:10.1007/
    BF02532254); exact for M/M/1 with c² = 1. Infinite at ρ ≥ 1.

    Args:
        service_s: mean service time S.
        load: ρ, 0-1.
        servers: k ≥ 1.
        variation: squared coefficient of variation of service, c².

    >>> float(mean_wait_s(1.0, 0.5, 1.0, 1.0))
    1.0
    """
    xp = namespace(service_s, load, servers)
    spare = xp.maximum(1.0 - load, 1e-12)
    wait = 0.5 * (1.0 + variation) * service_s * load ** (xp.sqrt(2.0 * (servers + 1.0)) - 1.0) / (servers * spare)
    return xp.where(load < 1.0, wait, xp.inf) if xp.ndim(wait) else (wait if load < 1.0 else xp.inf)


def p99_wait_s(service_s: Array, load: Array, servers: Array, variation: float = 0.5) -> Array:
    """Return the 99th percentile of the wait: exponential beyond the chance of waiting at all.

    With W the mean wait and ``p ≈ ρ^(√(2(k+1)) − 1)`` the chance to wait, the conditional wait is near
    exponential of mean W/p, so the percentile is ``W/p · ln(100 p)``, zero where p < 1 %.
    """
    xp = namespace(service_s, load, servers)
    chance = xp.clip(load ** (xp.sqrt(2.0 * (servers + 1.0)) - 1.0), 1e-12, 1.0)
    mean = mean_wait_s(service_s, load, servers, variation)
    return xp.maximum(mean / chance * (P99_EXPONENTIAL + xp.log(chance)), 0.0)


def batch_latency_p99_s(batch_s: Array, batch: Array, rate_per_s: Array, replicas: Array) -> Array:
    """Return the 99th percentile of one request served in batches of up to ``batch``.

    It gathers while a batch fills (at most until the running one ends: dynamic batching), waits for a
    replica, and runs: ``min(batch/(rate/replicas), batch_s) + wait + batch_s``.

    >>> bool(batch_latency_p99_s(0.010, 8, 100.0, 4.0) < 0.030)
    True
    """
    xp = namespace(batch_s, batch, rate_per_s)
    load = rate_per_s * batch_s / (batch * replicas)
    gather = xp.minimum(batch * replicas / xp.maximum(rate_per_s, 1e-12), batch_s)
    return batch_s + gather + p99_wait_s(batch_s, load, replicas)
