"""When to save a job's state, and how long the job then takes: Young, Daly, and the exact optimum."""

from __future__ import annotations

from twinloop.arrays import Array, namespace

_ROUNDS = 30


def young_interval_s(dump_s: Array, between_s: Array) -> Array:
    """Return work between two dumps, ``√(2 δ M)`` (Young 1974, doi:10.1145/361147.361115); for δ ≪ M.

    >>> round(float(young_interval_s(300.0, 86400.0)) / 60.0)
    120
    """
    xp = namespace(dump_s, between_s)
    return xp.sqrt(2.0 * dump_s * between_s)


def daly_interval_s(dump_s: Array, between_s: Array) -> Array:
    """Return ``√(2δM) (1 + ⅓ √(δ/2M) + ⅑ δ/2M) − δ`` for δ < 2M, else M.

    Daly 2006, doi:10.1016/j.future.2004.11.016, equation 37: within a few per cent of the best wall time
    even at δ near M.

    Args:
        dump_s: δ, time the job stands still for one dump.
        between_s: M, mean time between interruptions.

    >>> [round(float(daly_interval_s(300.0, m)) / 60.0, 1) for m in (86400.0, 21600.0, 900.0)]  # its figures 3 to 5
    [116.7, 56.7, 9.1]
    """
    xp = namespace(dump_s, between_s)
    small = dump_s / (2.0 * between_s)
    root = xp.sqrt(2.0 * dump_s * between_s) * (1.0 + xp.sqrt(small) / 3.0 + small / 9.0) - dump_s
    return xp.where(small < 1.0, root, between_s)


def best_interval_s(dump_s: Array, between_s: Array) -> Array:
    """Return the interval of least expected wall time, ``M (1 + W₀(−e^(−1−δ/M)))``.

    The root of ``1 − x = e^(−x−δ/M)`` with x the interval over M, by Newton's steps from Young's value.

    >>> round(float(best_interval_s(300.0, 86400.0)) / 60.0, 1)
    116.7
    """
    xp = namespace(dump_s, between_s)
    share = dump_s / between_s
    x = xp.minimum(xp.sqrt(2.0 * share), 1.0) + 0.0 * share
    for _ in range(_ROUNDS):
        late = xp.exp(-x - share)
        x = x + (1.0 - x - late) / xp.maximum(1.0 - late, 1e-300)
    return between_s * x


def wall_time_s(work_s: Array, interval_s: Array, dump_s: Array, restart_s: Array, between_s: Array) -> Array:
    """Return the expected time until ``work_s`` of work is done: ``M e^(R/M) (e^((τ+δ)/M) − 1) · work/τ``.

    Daly 2006, equation 20: interruptions come at random (Poisson), during work, dumps and restarts alike; each
    costs a restart and all work since the last dump. Exact where work is a whole number of intervals.

    Args:
        work_s: without any interruption or dump.
        interval_s: τ, work between dumps.
        dump_s: δ.
        restart_s: R, from the interruption until work goes on, work that is lost apart.
        between_s: M.

    >>> round(float(wall_time_s(3600.0, 600.0, 6.0, 300.0, 1e12)))  # never interrupted: six dumps
    3636
    """
    xp = namespace(work_s, interval_s, between_s)
    segment = between_s * xp.exp(restart_s / between_s) * xp.expm1((interval_s + dump_s) / between_s)
    return segment * work_s / interval_s
