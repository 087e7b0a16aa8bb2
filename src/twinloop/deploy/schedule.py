"""When recurring stages start: cron's words for a period, after the deadlines of the stages before."""

from __future__ import annotations

from twinloop.deploy.intent import Work

DAY_S, HOUR_S = 86400.0, 3600.0


def start_s(work: Work, works: tuple[Work, ...]) -> float:
    """Return the time of day at which ``work`` may start: after the deadlines (or durations) of those before it."""
    by_name = {each.name: each for each in works}
    ends = [
        start_s(by_name[name], works) + (by_name[name].deadline_s or by_name[name].duration_s or 0.0)
        for name in work.after
        if name in by_name and by_name[name].every_s is not None
    ]
    return max(ends, default=0.0)


def cron(every_s: float, start_s: float = 0.0) -> str:
    """Return the cron schedule nearest to a period and never much rarer; from four weeks on it counts months.

    What cron cannot say runs more often: each 36 h become each day, each 5 h each 4 h.

    >>> cron(86400.0, 2 * 3600.0), cron(6 * 3600.0), cron(900.0), cron(7 * 86400.0), cron(36 * 3600.0)
    ('0 2 * * *', '0 */6 * * *', '*/15 * * * *', '0 0 * * 0', '0 0 * * *')
    >>> cron(6 * 3600.0, 8.5 * 3600.0), cron(900.0, 2 * 60.0), cron(10 * 86400.0), cron(14 * 86400.0)
    ('30 2-23/6 * * *', '2-59/15 * * * *', '0 0 1,11,21 * *', '0 0 1,15 * *')
    >>> cron(48 * 3600.0, 86400.0)
    '0 0 2,4,6,8,10,12,14,16,18,20,22,24,26,28,30 * *'
    >>> cron(30 * 86400.0, 20 * 86400.0), cron(180 * 86400.0, 40 * 86400.0), cron(365 * 86400.0)
    ('0 0 21 * *', '0 0 11 2-12/6 *', '0 0 1 1 *')
    """
    minute, hour, day = int(start_s // 60 % 60), int(start_s // HOUR_S % 24), int(start_s // DAY_S)
    if every_s >= 28 * DAY_S:
        months = max(n for n in (1, 2, 3, 4, 6, 12) if 28 * n * DAY_S <= every_s)
        first = 1 + day // 30 % months
        chosen = {1: "*", 12: str(first)}.get(months, f"{first}-12/{months}" if first > 1 else f"*/{months}")
        return f"{minute} {hour} {min(1 + day % 30, 28)} {chosen} *"
    days = int(every_s // DAY_S)
    if days == 7:
        return f"{minute} {hour} * * {day % 7}"
    if days > 1:
        # Of short periods, one day too many at a month's end beats one too few.
        chosen = ",".join(map(str, range(1 + day % days, 32 if days < 7 else 29, days)))
        return f"{minute} {hour} {chosen} * *"
    if days == 1:
        return f"{minute} {hour} * * *"
    if every_s >= HOUR_S:
        hours = max(n for n in (1, 2, 3, 4, 6, 8, 12) if n * HOUR_S <= every_s)
        return f"{minute} {_every(hours, hour, 23)} * * *"
    minutes = max((n for n in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30) if n * 60 <= every_s), default=1)
    return f"{_every(minutes, minute, 59)} * * * *"


def _every(step: int, start: int, last: int) -> str:
    """Return the field of a cron schedule that has each ``step``-th value, ``start`` among them."""
    if step == 1:
        return "*"
    return f"{start % step}-{last}/{step}" if start % step else f"*/{step}"
