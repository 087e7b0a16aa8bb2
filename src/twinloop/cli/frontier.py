"""``twinloop plan --frontier cost,water``: what one total costs in another."""

from __future__ import annotations

from twinloop.errors import InputError
from twinloop.planner.trade import AXES, TradePoint

WIDTH = 100
SHOWN = {
    "cost": ("cost, M USD", 1e6),
    "energy": ("energy, GWh", 3.6e12),
    "carbon": ("CO2e, t", 1e3),
    "water": ("water, m3", 1.0),
    "time": ("time, h", 3600.0),
}
"""Axis -> heading and the SI amount of one unit of it; all but time over the horizon."""


def axes_of(text: str) -> tuple[str, ...]:
    """Return the axes named in ``text``.

    >>> axes_of("cost, water")
    ('cost', 'water')

    Raises:
        InputError: not two or three different ones of those that there are.
    """
    axes = tuple(each.strip() for each in text.split(","))
    if not 2 <= len(axes) <= 3 or len(set(axes)) < len(axes) or not set(axes) <= set(AXES):
        raise InputError(f"--frontier: got {text!r}, expected two or three of {', '.join(AXES)}, such as cost,water")
    return axes


def print_frontier(points: tuple[TradePoint, ...], axes: tuple[str, ...]) -> None:
    """Print the points as a table, the knee marked."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Undominated plans, by the twin", title_justify="left", box=None, pad_edge=False)
    table.add_column("")
    for axis in axes:
        table.add_column(SHOWN[axis][0], justify="right")
    for name in ("devices", "cooling"):
        table.add_column(name, overflow="fold")
    for point in points:
        cells = [f"{point.amounts[axis] / SHOWN[axis][1]:,.6g}" for axis in axes]
        table.add_row("knee" if point.knee else "", *cells, "; ".join(point.devices), "; ".join(point.designs))
    Console(width=WIDTH, highlight=False).print(table)
