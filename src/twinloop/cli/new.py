"""``twinloop new``: a commented starter file."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import click

KINDS = ("minimal", "fraud-detection")


@click.command(epilog="Example: twinloop new my.yaml && twinloop plan my.yaml")
@click.argument("file", type=click.Path(path_type=Path), default=Path("scenario.yaml"))
@click.option("--kind", type=click.Choice(KINDS), default="minimal", show_default=True, help="Which starter.")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def command(file: Path, kind: str, force: bool) -> None:
    """Write a commented starter scenario to FILE [scenario.yaml]."""
    from twinloop.errors import InputError

    if file.exists() and not force:
        raise InputError(f"{file}: exists already; --force overwrites it")
    text = files("twinloop.scenario").joinpath(f"templates/{kind}.yaml").read_text(encoding="utf-8")
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from error
    click.echo(f"wrote {file}; next: twinloop check {file} && twinloop plan {file}")
