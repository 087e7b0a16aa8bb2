"""What a report is made of: tables and figures, ready for the template."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    numeric: bool = False
    wide: bool = False
    """Holds sentences: give it room."""


@dataclass(frozen=True)
class Table:
    """Text in rows; the template escapes the cells. ``—`` is shown with the title "not known"."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    flags: tuple[str, ...] = ()
    """One CSS class a row (``good``, ``bad``, ``low``, …), or empty for none."""


@dataclass(frozen=True)
class Figure:
    """One drawing with the words and the numbers that say the same."""

    ident: str
    title: str
    desc: str
    drawings: tuple[tuple[str, Markup], ...]
    """(label, SVG) pairs: more than one are shown by a switch."""
    table: Table
    note: str = ""
    wide: bool = True
    """Takes the whole width; else two stand side by side."""
    phone: tuple[tuple[str, Markup], ...] = ()
    """The same drawings for a narrow screen, where the wide ones could not be read."""


@dataclass(frozen=True)
class Absent:
    """A drawing whose data this plan does not carry: said in one line, never faked."""

    ident: str
    title: str
    why: str


def columns(*names: str) -> tuple[Column, ...]:
    """Return columns from names: ``#`` before a name means numeric, ``~`` means sentences.

    >>> columns("Tag", "#Power")[1]
    Column(name='Power', numeric=True, wide=False)
    """
    return tuple(Column(name.lstrip("#~"), name.startswith("#"), name.startswith("~")) for name in names)
