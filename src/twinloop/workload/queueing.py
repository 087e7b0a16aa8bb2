"""Waiting for a replica: latency at the 99th percentile under Poisson arrivals.

Checked against simulations event by event (``tests/workload/test_queueing.py``): batches and continuous batching
within 15 % up to a load of 0.85, within 25 % at 0.95, where the percentile of a simulation itself is uncertain.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from twinloop.arrays import Array, FloatArray, namespace

P99_EXPONENTIAL = 4.605170185988091
"""ln 100: the 99th percentile of an exponential over its mean."""
P99_NORMAL = 2.3263478740408408


def mean_wait_s(
    service_s: Array, load: Array, servers: Array, variation: float = 0.5, arrivals: Array = 1.0
) -> Array:  # fmt: skip
    """Return the mean wait of a G/G/k queue.

    Sakasegawa's closed form ``(c_a² + c²)/2 · ρ^(√(2(k+1)) − 1)/(k (1 − ρ)) · S`` (Sakasegawa 1977, Ann. Inst.
    Stat. Math. 29, 67-75); exact for M/M/1 with c² = 1. Infinite at ρ ≥ 1.

    Args:
        service_s: mean service time S.
        load: ρ, 0-1.
        servers: k ≥ 1.
        variation: squared coefficient of variation of service, c².
        arrivals: same of the time between arrivals, c_a²: 1 for Poisson.

    >>> float(mean_wait_s(1.0, 0.5, 1.0, 1.0))
    1.0
    """
    xp = namespace(service_s, load, servers)
    spare = xp.maximum(1.0 - load, 1e-12)
    wait = 0.5 * (arrivals + variation) * service_s * load ** (xp.sqrt(2.0 * (servers + 1.0)) - 1.0) / (servers * spare)
    return xp.where(load < 1.0, wait, xp.inf) if xp.ndim(wait) else (wait if load < 1.0 else xp.inf)


def p99_wait_s(
    service_s: Array, load: Array, servers: Array, variation: float = 0.5, arrivals: Array = 1.0
) -> Array:  # fmt: skip
    """Return the 99th percentile of the wait: exponential beyond the chance of waiting at all.

    With W the mean wait and ``p ≈ ρ^(√(2(k+1)) − 1)`` the chance to wait, the conditional wait is near
    exponential of mean W/p, so the percentile is ``W/p · ln(100 p)``, zero where p < 1 %.
    """
    xp = namespace(service_s, load, servers)
    chance = xp.clip(load ** (xp.sqrt(2.0 * (servers + 1.0)) - 1.0), 1e-12, 1.0)
    mean = mean_wait_s(service_s, load, servers, variation, arrivals)
    return xp.maximum(mean / chance * (P99_EXPONENTIAL + xp.log(chance)), 0.0)


def batch_latency_p99_s(batch_s: Array, batch: Array, rate_per_s: Array, replicas: Array) -> Array:
    """Return the 99th percentile of one request served in batches of up to ``batch``.

    Requests go to replicas in turn; a replica that gets free takes all that wait, at most a batch. So a request
    waits for the running batch, whatever the load, and where batches queue up (they arrive more evenly than
    requests: c_a² = 1/batch), for those before it. The two are joined as a root of squares.

    >>> bool(batch_latency_p99_s(0.010, 8, 100.0, 4.0) < 0.030)
    True
    """
    xp = namespace(batch_s, batch, rate_per_s)
    load = rate_per_s * batch_s / (batch * replicas)
    busy = xp.clip(rate_per_s * batch_s / replicas, 1e-12, 1.0)
    # The rest of the running batch is uniform; alone (batch 1) it is part of the queue already.
    running = batch_s * xp.maximum(1.0 - 0.01 / busy, 0.0) * (1.0 - 1.0 / batch**2)
    queued = p99_wait_s(batch_s, load, replicas, 0.0, 1.0 / batch)
    return batch_s + xp.sqrt(running**2 + queued**2)


@dataclass(frozen=True)
class Continuous:
    """One replica that works on up to ``slots`` sequences at once; they join and leave between steps."""

    fixed_s: float
    """Step of an empty batch: weights are read once."""
    each_s: float
    """What one more sequence adds to a step."""
    prefill_s: float
    """Reading one prompt, during which nobody decodes."""
    output_tokens: float
    slots: int

    def gap_s(self, crowd: Array, rate_per_s: float) -> Array:
        """Return the time between two tokens with ``crowd`` sequences at work and prompts arriving."""
        return (self.fixed_s + self.each_s * crowd) / max(1.0 - rate_per_s * self.prefill_s, 1e-12)


def crowd(replica: Continuous, rate_per_s: float) -> FloatArray:
    """Return the chances of 0, 1, ... ``slots`` sequences in work or waiting, the last one all above.

    A birth and death chain with arrivals at ``rate_per_s`` and ends at ``n / (tokens · gap(n))``: exact for shared
    work whatever its length (Cohen 1979, Acta Informatica 12, 245-284), as long as there is a free slot. Shape
    (slots + 1,); not a number where arrivals outrun the full replica.
    """
    n = np.arange(1, replica.slots + 1, dtype=np.float64)
    ends = n / (replica.output_tokens * np.asarray(replica.gap_s(n, rate_per_s)))
    if rate_per_s * replica.prefill_s >= 1.0 or rate_per_s >= ends[-1]:
        return np.full(replica.slots + 1, math.nan)
    logs = np.concatenate([[0.0], np.cumsum(np.log(rate_per_s) - np.log(ends))])
    chance = np.exp(logs - logs.max())
    chance[-1] /= 1.0 - rate_per_s / ends[-1]
    return np.asarray(chance / chance.sum())


def _seen(replica: Continuous, mean: float) -> float:
    """Return the variance of the crowd averaged over one stay, over its variance at an instant.

    A surplus decays at the rate ``κ`` a stay, the share of a step that does not grow with the crowd; the average of
    ``e^(−κ|t|)`` over one stay is ``2 (κ − 1 + e^−κ)/κ²``.
    """
    decay = max(replica.fixed_s / (replica.fixed_s + replica.each_s * mean), 1e-3)
    return 2.0 * (decay - 1.0 + math.exp(-decay)) / decay**2


def _prompts_s(replica: Continuous, rate_per_s: float, stay_s: float) -> float:
    """Return what prompts of others add to the mean in 1 % of stays.

    While one is read more come: in a stay of mean L the time lost has variance ``λ p² L / (1 − ρ)²`` and skewness
    ``(1 + 2 ρ) / ((1 − ρ) √(λ L))``, ρ = λ p (cumulants of the busy period of constant services); the percentile is
    normal with a first correction for skewness (Cornish and Fisher 1938, doi:10.2307/1400905).
    """
    reading = rate_per_s * replica.prefill_s
    deviation = replica.prefill_s * math.sqrt(rate_per_s * stay_s) / (1.0 - reading)
    skewness = (1.0 + 2.0 * reading) / ((1.0 - reading) * math.sqrt(rate_per_s * stay_s))
    return deviation * (P99_NORMAL + (P99_NORMAL**2 - 1.0) / 6.0 * min(skewness, 2.0))


def continuous_latency_p99_s(replica: Continuous, rate_per_s: float) -> float:
    """Return the 99th percentile from arrival to last token on one replica; infinite where it cannot keep up.

    Its prompt, then a token a gap among the crowd that 1 % of stays exceed; where more than 1 % find no slot free,
    the wait for one too.

    Args:
        replica: its steps and slots.
        rate_per_s: requests a second that come to it.

    >>> quiet = Continuous(0.010, 0.0001, 0.05, 100.0, 64)
    >>> round(continuous_latency_p99_s(quiet, 1e-6), 1)
    1.1
    """
    if rate_per_s <= 0.0:
        rate_per_s = 1e-9
    chance = crowd(replica, rate_per_s)
    if not np.isfinite(chance).all():
        return math.inf
    n = np.arange(replica.slots + 1, dtype=np.float64)
    mean, full = float(chance @ n), float(chance[-1])
    crowded = float(np.interp(0.99, np.cumsum(chance), n))
    many = min(max(mean + (crowded - mean) * math.sqrt(_seen(replica, mean)), 1.0), float(replica.slots))
    # It arrives within a step and waits for its end.
    latency = replica.prefill_s + (replica.output_tokens + 0.5) * float(replica.gap_s(many, rate_per_s))
    latency += _prompts_s(replica, rate_per_s, latency)
    if full <= 0.01:
        return latency
    ends = replica.slots / (replica.output_tokens * float(replica.gap_s(float(replica.slots), rate_per_s)))
    # Ends of equal lengths come half as unevenly as the chain's.
    return latency + 0.5 * math.log(100.0 * full) / (ends - rate_per_s)
