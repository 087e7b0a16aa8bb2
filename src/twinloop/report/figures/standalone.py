"""A figure as files of its own: SVG that carries its style, and the numbers behind it as CSV."""

from __future__ import annotations

from importlib.resources import files

from twinloop.report.parts import Figure
from twinloop.report.tables import as_csv


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


def csv_file(figure: Figure) -> str:
    """Return the numbers behind ``figure`` as CSV."""
    return as_csv(figure.table)
