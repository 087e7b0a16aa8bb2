"""What both drawings of the loops write: states of points, and which machine rejects the heat."""

from __future__ import annotations

from twinloop.model.simulation import LoopState
from twinloop.report.numbers import fixed, quantity, words
from twinloop.report.numbers import power as watts

EMPTY = LoopState("", None, None, None)
NO_HEAT_W = 1.0
"""A duty below one watt is a machine that is not there, or stands."""
States = dict[str, LoopState]


def state(at: States, tag: str) -> LoopState:
    """Return the point ``tag``, or one of which nothing is known."""
    return at.get(tag, EMPTY)


def power(value_w: float | None) -> str:
    """Return watts; below one watt is round-off of a machine at rest."""
    return watts(0.0 if value_w is not None and abs(value_w) < NO_HEAT_W else value_w)


def works(point: LoopState) -> bool:
    """Return whether the machine at ``point`` moves heat."""
    return point.heat_w is not None and point.heat_w > NO_HEAT_W


def celsius(point: LoopState) -> str:
    """Return its temperature."""
    return fixed(point.temperature_c, "°C")


def kg_s(point: LoopState) -> str:
    """Return its flow; empty where it has none."""
    return quantity(point.flow_kg_s, "kg/s") if point.flow_kg_s is not None else ""


def warm_name(rejection: str) -> str:
    """Return the warm loop's cooler, from the plan's words on heat rejection.

    >>> warm_name("dry cooler (warm loop), air cooled chiller (cold loop)")
    'Dry cooler'
    """
    return rejection.split("(")[0].strip().capitalize() if "warm" in rejection else "Outdoor cooler"


def cold_name(rejection: str) -> str:
    """Return the cold loop's machine, from the same words.

    >>> cold_name("dry cooler (warm loop), air cooled chiller (cold loop)")
    'Air cooled chiller'
    """
    part = rejection.split(",")[-1].split("(")[0].strip()
    return words(part).capitalize() if part else "Chiller"
