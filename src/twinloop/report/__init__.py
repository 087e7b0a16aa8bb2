"""One self-contained HTML page from a plan or a window; knows only the model."""

from twinloop.report.incident import render_incidents
from twinloop.report.page import render

__all__ = ["render", "render_incidents"]
