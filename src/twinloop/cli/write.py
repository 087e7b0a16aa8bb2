"""Write a plan's files: all of them, or none."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path

from twinloop.api import PlanResult
from twinloop.errors import InfeasibleError, InputError, TwinloopError
from twinloop.model.codec import dumps
from twinloop.model.plan import SCHEMA, Plan
from twinloop.model.simulation import Incident, SiteYear
from twinloop.planner.plan import Planned
from twinloop.report import render
from twinloop.report.spreadsheets import equipment_csv


def check_folder(folder: Path | None, option: str = "--out") -> None:
    """Refuse an output folder that cannot be made or written, before any work is done for it.

    Raises:
        InputError: names the place that stands in the way.
    """
    if folder is None:
        return
    standing = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not standing.is_dir():
        raise InputError(f"{option}: got {folder}, expected a folder; {standing} is a file")
    # An administrator's access says yes to read-only places too, such as those of the kernel.
    if not os.access(standing, os.W_OK | os.X_OK) or str(standing.absolute()).startswith(("/proc", "/sys")):
        raise InputError(f"{option}: got {folder}, expected a folder that can be written; {standing} cannot")


def write_results(
    planned: Planned, folder: Path, command: str, incidents: tuple[Incident, ...] = ()
) -> dict[str, Path]:
    """Write plan.json, report.html, equipment.csv and year.parquet into ``folder``; return their paths."""
    texts = {
        "plan": ("plan.json", dumps(planned.plan)),
        "report": ("report.html", render(planned.plan, planned.years, command, incidents)),
        "equipment": ("equipment.csv", equipment_csv(planned.plan)),
    }
    paths = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, (file, text) in texts.items():
            paths[name] = folder / file
            paths[name].write_text(text, encoding="utf-8")
        if planned.years:
            paths["year"] = folder / "year.parquet"
            write_year(planned.years, paths["year"])
    except OSError as error:
        raise TwinloopError(f"cannot write to {folder}: {error.strerror}") from error
    return paths


def write_figures(planned: Planned, folder: Path, command: str) -> tuple[Path, ...]:
    """Write every figure of the report as SVG and its numbers as CSV into ``folder``; return their paths."""
    try:
        return PlanResult(planned.plan, planned.years, command).save_figures(folder)
    except OSError as error:
        raise TwinloopError(f"cannot write to {folder}: {error.strerror}") from error


def write_infeasible(error: InfeasibleError, scenario: str, scenario_hash: str, folder: Path, command: str) -> str:
    """Write what is known of a scenario without a plan; return the text of plan.json.

    With a way out: the plan that it allows, marked infeasible, and its report. Without one: plan.json alone, the
    clash in words and everything unknown ``null``.
    """
    if isinstance(error.answer, Planned):
        write_results(error.answer, folder, command)
        return dumps(error.answer.plan)
    known = {
        "schema": SCHEMA, "scenario": scenario, "scenario_hash": scenario_hash, "status": "infeasible",
        "summary": str(error),
        "clashes": [{"name": words.partition(":")[0], "bound": None, "needed": None, "unit": "", "words": words}
                    for words in error.clashes],
        "ways_out": list(error.ways_out),
    }  # fmt: skip
    text = dumps({field.name: known.get(field.name) for field in fields(Plan)})
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "plan.json").write_text(text, encoding="utf-8")
    except OSError as problem:
        raise TwinloopError(f"cannot write to {folder}: {problem.strerror}") from problem
    return text


def write_year(years: tuple[SiteYear, ...], path: Path) -> None:
    """Write the hourly columns of all sites as one Parquet table: site, hour, then the quantities."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = sorted({name for year in years for name in year.hourly})
    tables = []
    for year in years:
        hours = len(next(iter(year.hourly.values())))
        columns = {
            "site": pa.array([year.site] * hours),
            "hour": pa.array(range(hours), pa.int32()),
            **{
                name: pa.array(
                    np.broadcast_to(np.asarray(year.hourly[name], dtype=float), (hours,))
                    if name in year.hourly
                    else [None] * hours,
                    pa.float64(),
                )
                for name in names
            },
        }
        tables.append(pa.table(columns))
    pq.write_table(pa.concat_tables(tables), path, compression="zstd")


def write_trace(incidents: tuple[Incident, ...], path: Path) -> None:
    """Write the step-by-step columns of all halls as one Parquet table; ``…_in_order`` is the run without faults."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables = []
    for incident in incidents:
        steps = len(incident.columns["it_w"])
        in_order = {f"{name}_in_order": values for name, values in incident.in_order.items()}
        tables.append(
            pa.table(
                {
                    "site": pa.array([incident.site] * steps),
                    "time_s": pa.array(np.arange(1, steps + 1) * incident.step_s),
                    **{name: pa.array(np.asarray(v)) for name, v in {**incident.columns, **in_order}.items()},
                }
            )
        )
    pq.write_table(pa.concat_tables(tables, promote_options="default"), path, compression="zstd")
