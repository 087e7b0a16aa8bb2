"""Job and heat traces from files: CSV, Parquet and the Standard Workload Format."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.errors import Fault, InputError
from twinloop.twin.job_replay_power import Machine
from twinloop.twin.job_replay_schedule import Jobs

COLUMNS = ("submit_s", "nodes", "run_s")
"""Every table of jobs has these; ``asked_s`` (else ``run_s``), ``cpu`` and ``accelerator`` (else 0.8) may follow."""
USUAL_LOAD = 0.8
"""Utilisation of a job whose trace says nothing of it. Low confidence."""
LOAD_NODES = 64
"""Size of the jobs that a table of hourly load is cut into."""
_SWF = {"submit_s": 1, "run_s": 3, "processors": 4, "asked_processors": 7, "asked_s": 8}
"""Field numbers of the Standard Workload Format 2.2, from 0; -1 in the file is unknown."""


def read_jobs(path: Path, processors_per_node: int = 1, machine_nodes: int = 0) -> Jobs:
    """Return the jobs of a ``.csv``, ``.parquet`` or ``.swf`` file (also ``.gz``), submit times from the first one.

    Args:
        path: the file. Tables have the columns of :data:`COLUMNS`, or ``cpu_load`` alone; SWF counts processors.
        processors_per_node: of the machine that an SWF file describes.
        machine_nodes: of the machine that a table of ``cpu_load`` is spread over; with 0 it is refused.

    Raises:
        InputError: file, line and what is wrong.
    """
    if not path.is_file():
        raise InputError(Fault(str(path), None, "trace", "no file", "a .csv, .parquet or .swf file"))
    kind = "".join(path.suffixes[-2:]).removesuffix(".gz").rpartition(".")[2].lower()
    if kind == "swf":
        columns = _swf(path, processors_per_node)
    elif kind == "csv":
        columns = _csv(path)
    elif kind in ("parquet", "pq"):
        columns = _parquet(path)
    else:
        raise InputError(Fault(str(path), None, "trace", f"a .{kind} file", "a .csv, .parquet or .swf file"))
    if machine_nodes > 0 and "cpu_load" in columns and not set(COLUMNS) & set(columns):
        columns = _jobs_of_load(path, columns["cpu_load"], machine_nodes)
    return _jobs(path, columns)


def _jobs_of_load(path: Path, load: FloatArray, machine_nodes: int) -> dict[str, FloatArray]:
    """Return jobs of an hour each, of :data:`LOAD_NODES` nodes, that keep the share ``load`` of the machine busy."""
    bad = np.flatnonzero(~((load >= 0.0) & (load <= 1.0)))
    if bad.size:
        raise InputError(Fault(str(path), int(bad[0]) + 2, "cpu_load", f"{load[bad[0]]:g}", "0 to 1"))
    counts = np.rint(load * machine_nodes / LOAD_NODES).astype(np.int64)
    submit_s = np.repeat(3600.0 * np.arange(load.size), counts)
    return {
        "submit_s": submit_s, "nodes": np.full(submit_s.size, float(LOAD_NODES)),
        "run_s": np.full(submit_s.size, 3600.0),
    }  # fmt: skip


def _jobs(path: Path, columns: Mapping[str, FloatArray]) -> Jobs:
    faults: list[Fault | str] = [
        Fault(str(path), 1, "columns", ", ".join(columns), f"a column {name}")
        for name in COLUMNS
        if name not in columns
    ]
    if faults:
        raise InputError(tuple(faults))
    submit_s, run_s = columns["submit_s"], columns["run_s"]
    count = len(submit_s)
    if count == 0:
        raise InputError(Fault(str(path), None, "trace", "no job", "at least one"))
    usual = np.full(count, USUAL_LOAD)
    cpu, accelerator = columns.get("cpu", usual), columns.get("accelerator", columns.get("gpu", usual))
    for name, values, low, high in (
        ("nodes", columns["nodes"], 1.0, np.inf), ("run_s", run_s, 0.0, np.inf),
        ("submit_s", submit_s, -np.inf, np.inf), ("cpu", cpu, 0.0, 1.0), ("accelerator", accelerator, 0.0, 1.0),
    ):  # fmt: skip
        bad = np.flatnonzero(~((values >= low) & (values <= high) & np.isfinite(values)))
        if bad.size:
            words = f"{low:g} to {high:g}" if np.isfinite(high) else f"at least {low:g}"
            faults.append(Fault(str(path), int(bad[0]) + 2, name, f"{values[bad[0]]:g}", words))
    if faults:
        raise InputError(tuple(faults))
    asked_s = np.maximum(columns.get("asked_s", run_s), run_s)
    return Jobs(submit_s - submit_s.min(), columns["nodes"].astype(np.int64), run_s, asked_s, cpu, accelerator)


def _lines(path: Path) -> list[str]:
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        return raw.decode("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(Fault(str(path), None, "trace", str(error)[:80], "a text file")) from None


def _csv(path: Path) -> dict[str, FloatArray]:
    rows = list(csv.reader(_lines(path)))
    if not rows:
        raise InputError(Fault(str(path), 1, "trace", "an empty file", "a header and one row a job"))
    header = [name.strip() for name in rows[0]]
    return _columns(path, header, [(number, row) for number, row in enumerate(rows[1:], 2) if row])


def _columns(path: Path, header: Sequence[str], rows: Sequence[tuple[int, Sequence[str]]]) -> dict[str, FloatArray]:
    values = np.empty((len(rows), len(header)))
    for index, (line, row) in enumerate(rows):
        if len(row) != len(header):
            raise InputError(Fault(str(path), line, "row", f"{len(row)} values", f"{len(header)}"))
        for column, text in enumerate(row):
            try:
                values[index, column] = float(text)
            except ValueError:
                raise InputError(Fault(str(path), line, header[column], repr(text)[:60], "a number")) from None
    return {name: values[:, column] for column, name in enumerate(header)}


def _parquet(path: Path) -> dict[str, FloatArray]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        read = pq.read_table(path)
        return {name: np.asarray(read.column(name).to_numpy(), dtype=float) for name in read.column_names}
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise InputError(Fault(str(path), None, "trace", str(error)[:80], "a Parquet table of numbers")) from None


def _swf(path: Path, processors_per_node: int) -> dict[str, FloatArray]:
    numbered = enumerate(_lines(path), 1)
    lines = [(number, line.split()) for number, line in numbered if line.strip() and line.lstrip()[0] != ";"]
    names = [f"field {index + 1}" for index in range(18)]
    field = _columns(path, names, [(number, (row + ["-1"] * 18)[:18]) for number, row in lines])
    by_name = {name: field[names[index]] for name, index in _SWF.items()}
    processors = np.where(by_name["processors"] > 0, by_name["processors"], by_name["asked_processors"])
    known = (processors > 0) & (by_name["run_s"] >= 0)
    asked_s = np.where(by_name["asked_s"] > 0, by_name["asked_s"], by_name["run_s"])
    return {
        "submit_s": by_name["submit_s"][known], "run_s": by_name["run_s"][known], "asked_s": asked_s[known],
        "nodes": np.ceil(processors[known] / processors_per_node),
    }  # fmt: skip


def read_heat(path: Path, machine: Machine) -> tuple[FloatArray, FloatArray, FloatArray | None]:
    """Return (time, heat by distribution unit in W, wet bulb or ``None``) of a CSV table of measured heat.

    Columns: ``t_s``, one ``q_cdu…`` a unit in the machine's order, and maybe ``t_wb_C``.

    Raises:
        InputError: file, line and what is wrong.
    """
    columns = _csv(path)
    heats = [values for name, values in columns.items() if name.startswith("q_cdu")]
    if "t_s" not in columns or len(heats) != machine.cdus:
        expected = f"t_s and {machine.cdus} columns q_cdu…"
        raise InputError(Fault(str(path), 1, "columns", f"{len(heats)} columns q_cdu…", expected))
    return columns["t_s"], np.stack(heats, axis=1), columns.get("t_wb_C")
