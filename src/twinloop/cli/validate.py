"""``twinloop validate``: why should I believe you?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

TABLE_WIDTH = 100
"""Columns; a pipe gets the same table as a terminal."""

if TYPE_CHECKING:
    from twinloop.validation.result import Result


@click.command(epilog="Example: twinloop validate climate")
@click.argument("names", nargs=-1, metavar="[climate|cooling|kernels|memory|workload]")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON and nothing else.")
@click.option(
    "--cases",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=None,
    help="Folder with published files that are not shipped: *.epw (climate, cooling); energy_validation.json and power "
    "traces (workload); telemetry (cooling).",
)
def command(names: tuple[str, ...], as_json: bool, cases: Path | None) -> None:
    """Compare published cases with the model and show every error; exit 1 when one is too large."""
    from twinloop.model.codec import dumps
    from twinloop.validation.registry import notes, run

    results = run(names, cases)
    failed = sum(result.failed for result in results)
    if as_json:
        click.echo(
            dumps({"failed": failed, "results": [_row(result) for result in results], "notes": notes(names)}), nl=False
        )
    else:
        passed = sum(result.passed for result in results)
        soft = len(results) - passed - failed
        told = f"{passed} of {len(results)} within tolerance; {failed} failed, {soft} missed where a miss is soft"
        click.echo(f"{told}\n")
        _print(results)
        click.echo("".join(f"\n{line}" for line in notes(names)))
        click.echo(f"\n{told}")
    if failed:
        raise click.exceptions.Exit(1)


def _row(result: Result) -> dict[str, Any]:
    return {**asdict(result), "error": result.error, "passed": result.passed}


def _print(results: Sequence[Result]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name, wide in (
        ("case, quantity", 43), ("published", 9), ("model", 9), ("error", 8), ("±", 6), ("unit", 9), ("", 4),
    ):  # fmt: skip
        right = name in ("published", "model", "error", "±")
        table.add_column(name, justify="right" if right else "left", no_wrap=right, width=wide)
    case = ""
    for result in results:
        if result.case != case:
            case = result.case
            table.add_row(f"[bold]{escape(case)}[/bold]")
        verdict = "ok" if result.passed else "soft" if not result.failed else "FAIL"
        table.add_row(
            f"  {escape(result.quantity)}", _short(result.expected), _short(result.got), f"{result.error:+.3g}",
            _short(result.tolerance), result.unit, verdict, style="bold red" if result.failed else None,
        )  # fmt: skip
    Console(width=TABLE_WIDTH, highlight=False).print(table)


def _short(value: float) -> str:
    return f"{value:.4g}"
