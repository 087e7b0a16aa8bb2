"""Sphinx: ``make docs`` builds the pages into ``site/``; warnings are errors."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "generate"))

import references

references.write(HERE)

project = "Twinloop"
author = "the Twinloop contributors"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["generate"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "Twinloop"
html_static_path = []
html_show_sourcelink = False
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_default_options = {"members": True}
napoleon_google_docstring = True
nitpicky = False
