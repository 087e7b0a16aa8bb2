"""One self-contained HTML page from a plan, a year or a window; knows only the model."""

from twinloop.report.page import render
from twinloop.report.simulated import render_incidents, render_year

__all__ = ["render", "render_incidents", "render_year"]
