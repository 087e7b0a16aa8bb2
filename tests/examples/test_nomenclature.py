"""The page of names and units is complete, and names nothing that is not there."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from pathlib import Path

from twinloop.model.plan import Totals
from twinloop.model.simulation import Simulation

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "twinloop"
PAGE = (ROOT / "docs" / "nomenclature.md").read_text(encoding="utf-8")
UNITS = frozenset(
    ("w", "kw", "mw", "j", "kwh", "mwh", "gwh", "kg", "g", "t", "s", "h", "hours", "month", "months", "year", "years",
     "k", "c", "pa", "kpa", "m", "m2", "m3", "l", "b", "gb", "tb", "usd", "deg", "u", "per", "device")
)  # fmt: skip
"""Words that a suffix is made of."""
BOUNDARY = (*sorted((PACKAGE / "model").rglob("*.py")), PACKAGE / "catalogue" / "nouns.py")
"""What rooms hand each other, and files hold."""


def suffix(name: str) -> str:
    """Return the unit that ends a name, with its underscore; empty: a ratio, a count or a word."""
    parts = name.split("_")
    start = len(parts)
    while start > 1 and parts[start - 1] in UNITS:
        start -= 1
    return "_" + "_".join(parts[start:]) if start < len(parts) else ""


def numbers(path: Path) -> set[str]:
    """Return the names of a module's fields that hold floating numbers."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.AnnAssign)]
    found = [node for node in nodes if re.search("float|Array", ast.unparse(node.annotation))]
    return {node.target.id for node in found if isinstance(node.target, ast.Name)}


def told() -> set[str]:
    """Return the suffixes of the table."""
    table = PAGE[: PAGE.index("| term |")]
    return set(re.findall(r"`(_[a-z0-9_]+)`", table))


def test_every_unit_of_a_boundary_name_is_on_the_page():
    used = {suffix(name) for path in BOUNDARY for name in numbers(path)} - {""}
    assert len(used) > 30
    assert used - told() == set()


def test_the_page_has_no_unit_that_no_name_bears():
    text = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    words = set(re.findall(r"\b[a-z][a-z0-9_]*\b", text))
    assert {each for each in told() if not any(suffix(word) == each for word in words)} == set()


def test_a_suffix_is_the_unit_alone():
    assert suffix("demand_usd_per_w_month") == "_usd_per_w_month"
    assert suffix("embodied_kg_per_device_s") == "_kg_per_device_s"
    assert suffix("accuracy_drop") == suffix("pue") == ""
    assert suffix("flow_kg_s") == "_kg_s"


def test_every_ratio_that_results_hold_is_explained():
    names = {field.name.split("_")[0] for kind in (Totals, Simulation) for field in fields(kind)}
    ratios = names & {"pue", "tue", "itue", "wue", "cue", "ere", "erf", "mlc", "tco", "capex", "opex"}
    assert len(ratios) == 11
    heads = " ".join(re.findall(r"^\| ([^|]+) \|", PAGE, re.MULTILINE)).lower()
    assert {name for name in ratios if not re.search(rf"\b{name}\b", heads)} == set()
