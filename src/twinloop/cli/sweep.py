"""``twinloop sweep``: what if, many times."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from twinloop.sweep.vary import Case, Vary

EPILOG = """
\b
Examples:
  twinloop sweep my.yaml --vary "objective.carbon_price=0,100,400 USD/t"
  twinloop sweep my.yaml --vary "sites.hall.racks.power=20,40,60 kW" --vary "sites.hall.climate=Frankfurt,Madrid"

What stands in a list (stages, sites, models) is told by its name.
"""
WIDTH = 100
MOST_ROWS = 40
"""Rows that the terminal shows; the file has all."""


@click.command(epilog=EPILOG)
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option(
    "--vary", "varied", multiple=True, required=True, metavar="KEY=A,B,C", help="A key and its values; may be repeated."
)
@click.option("--jobs", type=click.IntRange(1, 256), default=None, help="Processes [one for each core].")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Folder [out/<name>-sweep].")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON and nothing else.")
@click.option("-q", "--quiet", is_flag=True, help="No progress, no table.")
def command(
    scenario: Path, varied: tuple[str, ...], jobs: int | None, out: Path | None, as_json: bool, quiet: bool
) -> None:
    """Plan every combination of the values given to keys of SCENARIO; write sweep.parquet.

    All cases are checked before the first is planned. A case that no plan satisfies is a row with its clash.
    """
    from twinloop.cli.console import narrator
    from twinloop.cli.write import check_folder
    from twinloop.model.codec import dumps
    from twinloop.scenario.document import read_text
    from twinloop.scenario.load import load_text
    from twinloop.sweep.vary import cases, vary_of

    check_folder(out)
    text = read_text(scenario)
    name = load_text(text, scenario).spec.name
    keys = tuple(vary_of(words) for words in varied)
    todo = cases(text, str(scenario), keys)
    _check(todo, keys, scenario)
    with narrator(quiet=quiet or as_json) as say:
        rows = _planned(todo, keys, scenario, jobs, say)
    path = _written(rows, out or Path("out") / f"{name}-sweep")
    if as_json:
        click.echo(dumps({"schema": 1, "rows": rows}), nl=False)
        return
    if not quiet:
        _print(rows, keys)
    click.echo(f"{len(rows)} cases; {path}")


def _check(todo: tuple[Case, ...], keys: tuple[Vary, ...], file: Path) -> None:
    """Refuse the first case with faults, before any is planned."""
    from twinloop.errors import InputError
    from twinloop.scenario import load_text, resolve

    for case in todo:
        try:
            resolve(load_text(case.text, file))
        except InputError as error:
            given = ", ".join(f"{key.key}={value}" for key, value in zip(keys, case.values, strict=True))
            raise InputError(f"--vary {given}:\n{error}") from error


def _planned(
    todo: tuple[Case, ...], keys: tuple[Vary, ...], file: Path, jobs: int | None, say: Any
) -> list[dict[str, Any]]:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    from twinloop.sweep.case import row_of

    rows = []
    # Fresh processes: a forked one would share the solver's state with its parent.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        running = [pool.submit(row_of, case.text, file) for case in todo]
        try:
            for i, (case, future) in enumerate(zip(todo, running, strict=True), 1):
                say(f"sweeping: {i} of {len(todo)}")
                given = {key.key: value for key, value in zip(keys, case.values, strict=True)}
                rows.append({**given, **future.result()})
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return rows


def _written(rows: list[dict[str, Any]], folder: Path) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "sweep.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path, compression="zstd")
    return path


def _print(rows: list[dict[str, Any]], keys: tuple[Vary, ...]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for key in keys:
        table.add_column(key.key.rpartition(".")[2] if len(keys) > 1 else key.key, overflow="fold")
    for name in ("TCO M$", "PUE", "MWh/a", "m3/a"):
        table.add_column(name, justify="right")
    table.add_column("cooling, or why there is no plan", overflow="fold")
    for row in rows[:MOST_ROWS]:
        figures = (
            _shown(row["tco_usd"], 1e6, 3), _shown(row["pue"], 1.0, 3),
            _shown(row["facility_energy_mwh_per_year"], 1.0, 0), _shown(row["water_m3_per_year"], 1.0, 0),
        )  # fmt: skip
        table.add_row(*(row[key.key] for key in keys), *figures, row["note"] or row["cooling"] or row["devices"])
    console = Console(width=WIDTH, highlight=False)
    console.print(table)
    if len(rows) > MOST_ROWS:
        console.print(f"and {len(rows) - MOST_ROWS} more in the file")


def _shown(value: float | None, unit: float, digits: int) -> str:
    return "—" if value is None else f"{value / unit:,.{digits}f}"
