"""One self-contained HTML page from a plan; knows only the model."""

from twinloop.report.page import render

__all__ = ["render"]
