"""An answer of ``estimate`` on the screen, as JSON, and as a file."""

from __future__ import annotations

from typing import Any

import click


def show(given: dict[str, Any], answer: dict[str, Any], title: str) -> None:
    """Print ``answer`` as the flags ask, and write it where ``--out`` says."""
    import json

    text = json.dumps(answer, indent=1, allow_nan=False)
    if given["out"] is not None:
        from twinloop.cli.write import check_folder

        check_folder(given["out"])
        given["out"].mkdir(parents=True, exist_ok=True)
        (given["out"] / "estimate.json").write_text(text + "\n", encoding="utf-8")
    if given["as_json"]:
        click.echo(text)
    elif not given["quiet"]:
        _table(answer, title, verbose=given["verbose"])


def _table(answer: dict[str, Any], title: str, *, verbose: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("quantity")
    table.add_column("value", justify="right")
    table.add_column("parts")
    for key, value in answer.items():
        if key == "constants" and not verbose:
            table.add_row("constants", str(value.get("software", "")), "-v shows them")
        elif isinstance(value, dict):
            table.add_row(key, "", ", ".join(f"{name} {_short(part)}" for name, part in value.items()))
        elif isinstance(value, list):
            for place, each in enumerate(value[:10], 1):
                table.add_row(f"{key} {place}", "", ", ".join(f"{name} {_short(part)}" for name, part in each.items()))
        else:
            table.add_row(key, _short(value), "")
    console = Console(width=100, highlight=False)
    console.print(table)
    if not answer["fits"]:
        console.print("[bold red]does not fit in memory[/bold red]")
    if answer["extrapolated"]:
        console.print(
            "[yellow]no measured row for this device under this software: class defaults, wide interval[/yellow]"
        )


def _short(value: Any) -> str:
    if value is None:
        return "—"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
