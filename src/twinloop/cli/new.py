"""``twinloop new``: a commented starter scenario."""

from __future__ import annotations

from pathlib import Path

import click

KINDS = ("minimal", "fraud-detection")


@click.command(epilog="Example: twinloop new my.yaml && twinloop plan my.yaml")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), default=Path("scenario.yaml"))
@click.option("--kind", type=click.Choice(KINDS), default="minimal", show_default=True, help="Which starter.")
@click.option("--force", is_flag=True, help="Overwrite FILE.")
def command(file: Path, kind: str, force: bool) -> None:
    """Write a commented scenario into FILE [scenario.yaml], ready to check and to plan."""
    from twinloop.errors import InputError, TwinloopError
    from twinloop.scenario.starters import starter

    if file.exists() and not force:
        raise InputError(f"{file} is there already: choose another name, or --force to overwrite it")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(starter(kind), encoding="utf-8")
    except OSError as error:
        raise TwinloopError(f"cannot write {file}: {error.strerror}") from error
    click.echo(f"wrote {file}; next: twinloop check {file} --resolved, then twinloop plan {file}")
    click.echo("every key, its range and what leaving it out means: docs/scenario.md")
