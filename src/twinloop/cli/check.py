"""``twinloop check``: is my file right?"""

from __future__ import annotations

import json
from pathlib import Path

import click

from twinloop.model.model import Provenance


@click.command(epilog="Example: twinloop check examples/fraud-detection.yaml --resolved")
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option("--resolved", is_flag=True, help="Print every value of the resolved model with its source.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on standard output and nothing else.")
def command(scenario: Path, resolved: bool, as_json: bool) -> None:
    """Print every fault of SCENARIO, each with its line, or that there is none."""
    from twinloop.errors import Fault, InputError
    from twinloop.model.codec import to_data
    from twinloop.scenario import load, resolve

    try:
        model = resolve(load(scenario))
    except InputError as error:
        if as_json:
            rows = [to_data(f) if isinstance(f, Fault) else {"message": str(f)} for f in error.faults]
            click.echo(json.dumps({"ok": False, "faults": rows}, indent=1))
            raise click.exceptions.Exit(2) from error
        raise
    if as_json:
        click.echo(json.dumps({"ok": True, "values": to_data(model.provenance)}, indent=1))
        return
    click.echo(f"{scenario}: no fault; {len(model.stages)} stages, {len(model.provenance)} values")
    if resolved:
        _print(model.provenance)


def _print(rows: tuple[Provenance, ...]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name, ratio in (("value of", 3), ("value", 3), ("confidence", 1), ("source", 4)):
        table.add_column(name, overflow="fold", ratio=ratio)
    for row in rows:
        style = "yellow" if row.confidence == "low" else None
        table.add_row(row.path, row.value, row.confidence, row.source, style=style)
    Console(width=100, highlight=False).print(table)
