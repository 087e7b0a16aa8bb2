"""``twinloop plan --compare``: plans side by side in the terminal, as JSON and as a page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from twinloop.cli.read import read_plan
from twinloop.errors import InfeasibleError, InputError
from twinloop.model.codec import dumps
from twinloop.model.plan import Plan
from twinloop.report.comparison import Comparison, Row, compare, comparison_data, render_comparison
from twinloop.report.numbers import THIN

WIDTH = 100
MOST = 4
"""Plans that a table of 100 columns holds readably."""
Planner = Callable[[Path, Path], Plan]


def side_by_side(files: tuple[Path, ...], out: Path | None, planner: Planner) -> tuple[Comparison, Path]:
    """Return the comparison of ``files`` and the page written of it.

    Args:
        files: scenarios, which ``planner`` plans into a folder each, or ``plan.json`` files.
        out: folder of the results [out/comparison].
        planner: plans one scenario into a folder.

    Raises:
        InputError: fewer than two files, more than fit, or one that is no plan.
    """
    if not 2 <= len(files) <= MOST:
        raise InputError(f"--compare: got {len(files)} file{'' if len(files) == 1 else 's'}, expected 2 to {MOST}")
    names = labels(files)
    folder = out or Path("out") / "comparison"
    plans = []
    for name, file in zip(names, files, strict=True):
        plans.append((name, read_plan(file) if file.suffix == ".json" else _planned(file, folder / name, planner)))
    found = compare(tuple(plans))
    folder.mkdir(parents=True, exist_ok=True)
    command = f"twinloop plan --compare {' '.join(map(str, files))}"
    page = folder / "comparison.html"
    page.write_text(render_comparison(found, command), encoding="utf-8")
    (folder / "comparison.json").write_text(as_json(found), encoding="utf-8")
    return found, page


def _planned(file: Path, folder: Path, planner: Planner) -> Plan:
    try:
        return planner(file, folder)
    except InfeasibleError:
        click.echo(f"{file}:", err=True)
        raise


def labels(files: tuple[Path, ...]) -> tuple[str, ...]:
    """Return a short name for each file, no two alike.

    >>> labels((Path("a.yaml"), Path("out/b/plan.json"), Path("x/a.yaml")))
    ('a', 'b', 'a-3')
    """
    found: list[str] = []
    for i, file in enumerate(files, 1):
        name = file.parent.name if file.name == "plan.json" and file.parent.name else file.stem
        found.append(f"{name}-{i}" if name in found else name)
    return tuple(found)


def as_json(found: Comparison) -> str:
    """Return the comparison as JSON text."""
    return dumps({"schema": 1, **comparison_data(found)})


def print_comparison(found: Comparison) -> None:
    """Print the comparison in at most 100 columns: figures, what was chosen, and the inputs that differ."""
    from rich.console import Console

    console = Console(width=WIDTH, highlight=False)
    for title, rows in (
        ("Figures", found.figures),
        ("What was chosen", found.choices),
        ("Inputs that differ: the cause", found.inputs),
    ):
        if rows:
            console.print()
            console.print(_table(title, found.names, rows))
    if not found.inputs:
        console.print("\nNo input differs: these are plans of the same scenario.")


def _table(title: str, names: tuple[str, ...], rows: tuple[Row, ...]):  # type: ignore[no-untyped-def]
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("", max_width=34, overflow="fold")
    for name in names:
        table.add_column(name, overflow="fold")
    for row in rows:
        cells = [f"{cell.value} ({cell.change})" if cell.change else cell.value for cell in row.cells]
        mark = "≠ " if row.differs else "  "
        table.add_row(*(each.replace(THIN, " ") for each in (mark + row.name, *cells)))
    return table
