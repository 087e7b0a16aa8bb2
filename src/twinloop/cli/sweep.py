"""``twinloop sweep``: what if, many times."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from twinloop.cli.resume import Kept
    from twinloop.sweep.vary import Case, Vary

EPILOG = """
\b
Examples:
  twinloop sweep my.yaml --vary "objective.carbon_price=0,100,400 USD/t"
  twinloop sweep my.yaml --vary "sites.hall.racks.power=20,40,60 kW" \\
      --vary "sites.hall.climate=Frankfurt,Madrid"

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
    Interrupted? The same command goes on, with more values if you like.
    """
    from twinloop.cli.console import narrator
    from twinloop.cli.resume import Kept
    from twinloop.cli.write import check_folder
    from twinloop.model.codec import content_hash, dumps
    from twinloop.scenario.document import read_text
    from twinloop.scenario.load import load_text
    from twinloop.sweep.vary import cases, vary_of

    check_folder(out)
    text = read_text(scenario)
    name = load_text(text, scenario).spec.name
    keys = tuple(vary_of(words) for words in varied)
    todo = cases(text, str(scenario), keys)
    digests = _checked(todo, keys, scenario)
    folder = out or Path("out") / f"{name}-sweep"
    kept = Kept(folder, content_hash(text))
    if kept.resumed and not (quiet or as_json):
        click.echo(f"going on with the interrupted sweep: {kept.resumed} cases are known", err=True)
    with narrator(quiet=quiet or as_json) as say:
        _plan_missing({d: case.text for d, case in zip(digests, todo, strict=True)}, scenario, jobs, kept, say)
    rows = [
        {**{key.key: value for key, value in zip(keys, case.values, strict=True)}, **kept.get(digest)}
        for case, digest in zip(todo, digests, strict=True)
    ]
    path = _written(rows, folder)
    kept.forget()
    if as_json:
        click.echo(dumps({"schema": 1, "rows": rows}), nl=False)
        return
    if not quiet:
        _print(rows, keys)
    click.echo(f"{len(rows)} cases; {path}")


def _checked(todo: tuple[Case, ...], keys: tuple[Vary, ...], file: Path) -> list[str]:
    """Return the hash of each case; refuse the first with faults, before any is planned."""
    from twinloop.errors import InputError
    from twinloop.scenario import load_text, resolve, scenario_hash

    digests = []
    for case in todo:
        try:
            parsed = load_text(case.text, file)
            resolve(parsed)
        except InputError as error:
            given = ", ".join(f"{key.key}={value}" for key, value in zip(keys, case.values, strict=True))
            raise InputError(f"--vary {given}:\n{error}") from error
        digests.append(scenario_hash(parsed))
    return digests


def _plan_missing(texts: dict[str, str], file: Path, jobs: int | None, kept: Kept, say: Callable[[str], None]) -> None:
    """Plan what ``kept`` does not hold yet, in processes, and keep each row as it comes."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor, as_completed

    from twinloop.sweep.case import row_of

    missing = {digest: text for digest, text in texts.items() if kept.get(digest) is None}
    # Fresh processes: a forked one would share the solver's state with its parent.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        running = {pool.submit(row_of, text, file): digest for digest, text in missing.items()}
        try:
            say(f"sweeping: 1 of {len(texts)}")
            for i, future in enumerate(as_completed(running), len(texts) - len(missing) + 2):
                kept.put(running[future], future.result())
                say(f"sweeping: {i} of {len(texts)}")
        except BaseException:
            kept.save()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


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
