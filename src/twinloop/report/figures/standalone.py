"""A figure as files of its own: SVG that carries its style, the same as PNG, and the numbers behind it as CSV."""

from __future__ import annotations

import re
from importlib import import_module
from importlib.resources import files
from importlib.util import find_spec

from twinloop.errors import TwinloopError
from twinloop.report.parts import Figure
from twinloop.report.spreadsheets import as_csv


def svg_file(figure: Figure, drawing: int = 0) -> str:
    """Return drawing number ``drawing`` of ``figure`` as a whole SVG file, light or dark as the viewer is.

    Raises:
        IndexError: the figure has fewer drawings.
    """
    body = str(figure.drawings[drawing][1])
    head, _, rest = body.partition(">")
    box = head.split('viewBox="', 1)[1].split('"', 1)[0]
    width, height = box.split()[2:]
    style = files("twinloop.report").joinpath("templates/figure.css").read_text(encoding="utf-8").replace("\n", "")
    return (
        f'{head} xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"><style>{style}</style>'
        f'<rect width="100%" height="100%" style="fill:var(--card)"/>{rest}\n'
    )


PIXELS = 2
"""Of a PNG to a unit of the drawing: sharp in print and on dense screens."""


def png_file(figure: Figure, drawing: int = 0) -> bytes:
    """Return drawing number ``drawing`` of ``figure`` as PNG, light, on the machine's own fonts.

    Raises:
        TwinloopError: the renderer is not installed.
    """
    if find_spec("resvg_py") is None:
        raise TwinloopError("PNG needs resvg_py (pip install 'twinloop[notebook]'); SVG does not")
    found = import_module("resvg_py").svg_to_bytes(svg_string=plain_colours(svg_file(figure, drawing)), zoom=PIXELS)
    return bytes(found)


def plain_colours(text: str) -> str:
    """Return an SVG file with its light palette written out, for readers that know no variables.

    >>> plain_colours("<style>:root{--a:#fff}@media (x){:root{--a:#000}}.b{fill:var(--a)}</style>")
    '<style>.b{fill:#fff}</style>'
    """
    palette = re.search(r":root\{([^}]*)\}", text)
    values = dict(pair.split(":", 1) for pair in palette[1].split(";") if pair) if palette else {}
    text = re.sub(r"@media[^{]*\{[^{}]*\{[^}]*\}\s*\}", "", text)
    text = re.sub(r":root\{[^}]*\}", "", text)
    return re.sub(r"var\(([^)]+)\)", lambda found: values[found[1]], text)


def csv_file(figure: Figure) -> str:
    """Return the numbers behind ``figure`` as CSV."""
    return as_csv(figure.table)
