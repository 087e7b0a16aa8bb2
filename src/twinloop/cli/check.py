"""``twinloop check``: is my scenario file right?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from twinloop.errors import Fault
    from twinloop.model.model import Model, Provenance

WIDTH = 100
"""Columns that the table of values fits."""
PATH_WIDTH, VALUE_WIDTH = 40, 26


@click.command(epilog="Example: twinloop check examples/fraud-detection.yaml --resolved")
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option("--resolved", is_flag=True, help="Print every value of the model with its source.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output and nothing else.")
@click.pass_context
def command(ctx: click.Context, scenario: Path, resolved: bool, as_json: bool) -> None:
    """Check SCENARIO: print every fault with its line, or that there is none.

    Exit code 2 when there is a fault.
    """
    from twinloop.errors import InputError
    from twinloop.scenario import load, resolve, scenario_hash

    try:
        parsed = load(scenario)
        model = resolve(parsed)
    except InputError as error:
        if as_json:
            click.echo(json.dumps({"ok": False, "faults": [_fault(each) for each in error.faults]}, indent=1))
        else:
            click.echo("\n".join(str(each) for each in error.faults), err=True)
            count = len(error.faults)
            click.echo(f"{count} fault{'' if count == 1 else 's'} in {scenario}", err=True)
        ctx.exit(2)
    if as_json:
        result = {"ok": True, "name": model.name, "hash": scenario_hash(parsed), "faults": []}
        if resolved:
            result["values"] = [_row(each) for each in model.provenance]
        click.echo(json.dumps(result, indent=1, ensure_ascii=False))
        return
    if resolved:
        _print_values(model)
    click.echo(f"{scenario}: ok ({summary(model)}; hash {scenario_hash(parsed)})")


def summary(model: Model) -> str:
    """Return what a model holds, in words."""
    counts = (
        (len(model.stages), "stage"),
        (len(model.networks), "AI model"),
        (len(model.on_premise) + len(model.clouds) + len(model.edges), "site"),
        (len(model.devices), "device"),
    )
    return ", ".join(f"{count} {noun}{'' if count == 1 else 's'}" for count, noun in counts)


def _fault(fault: Fault | str) -> dict[str, object]:
    if isinstance(fault, str):
        return {"message": fault}
    return {**vars(fault), "message": str(fault)}


def _row(row: Provenance) -> dict[str, object]:
    return vars(row)


def _print_values(model: Model) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, title=f"{model.name}: every value and its source", title_justify="left")
    table.add_column("value of", width=PATH_WIDTH, overflow="fold")
    table.add_column("is", width=VALUE_WIDTH, overflow="fold")
    table.add_column("because", overflow="fold")
    for row in sorted(model.provenance, key=_section):
        given = row.confidence == "given"
        source = f"line {row.source.rpartition(':')[2]}" if given else f"{row.source} [{row.confidence}]"
        table.add_row(*(_plain(text) for text in (row.path, row.value, source)))
    console = Console(width=WIDTH, highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def _plain(text: str) -> str:
    """Keep one row one line of text: what a person wrote may hold breaks."""
    return " ".join(text.split())


def _section(row: Provenance) -> tuple[int, str]:
    """Order by section and item, so that a site's defaults stand beside what was given."""
    sections = (
        "twinloop",
        "name",
        "horizon",
        "objective",
        "datasets",
        "models",
        "stages",
        "sites",
        "finance",
        "allow",
    )
    first, _, rest = row.path.partition(".")
    item = rest.partition(".")[0] if first in ("datasets", "models", "stages", "sites") else ""
    return (sections.index(first) if first in sections else len(sections), item)
