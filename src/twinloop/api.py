"""Notebook faces of results: draw them, tabulate them, show them as a page.

::

    import twinloop
    result = twinloop.plan(twinloop.load("my.yaml"))
    result                          # in a notebook: the whole report
    result.plot("cost")             # one figure
    result.to_frame("year")         # a table
    result.save_figures("figures")  # every figure as SVG and CSV
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa

from twinloop.errors import TwinloopError
from twinloop.model.plan import Plan, Totals
from twinloop.model.simulation import Incident, Simulation, SiteYear
from twinloop.report import gallery, render
from twinloop.report.figures import shares, timeline
from twinloop.report.figures.standalone import csv_file, png_file, svg_file
from twinloop.report.parts import Absent, Figure

FRAMES = ("stages", "sites", "totals", "equipment", "cashflow", "year")
"""What ``PlanResult.to_table`` and ``to_frame`` can return."""


@dataclass(frozen=True, repr=False)
class Drawing:
    """One figure; a notebook shows it, :meth:`save` writes it."""

    figure: Figure

    def __repr__(self) -> str:
        return f"<figure: {self.figure.title}>"

    def _repr_html_(self) -> str:
        return "".join(svg_file(self.figure, i) for i in range(len(self.figure.drawings)))

    def svg(self, drawing: int = 0) -> str:
        """Return one of its drawings as a whole SVG file."""
        return svg_file(self.figure, drawing)

    def png(self, drawing: int = 0) -> bytes:
        """Return one of its drawings as PNG.

        Raises:
            TwinloopError: the renderer is not installed.
        """
        return png_file(self.figure, drawing)

    def csv(self) -> str:
        """Return the numbers behind it as CSV."""
        return csv_file(self.figure)

    def save(self, path: str | Path) -> Path:
        """Write it to ``path``, by its ending ``.svg``, ``.png`` or ``.csv``; return the path.

        Raises:
            TwinloopError: another ending, or PNG without its renderer.
        """
        path = Path(path)
        texts = {".svg": self.svg, ".csv": self.csv}
        if path.suffix == ".png":
            path.write_bytes(self.png())
        elif path.suffix in texts:
            path.write_text(texts[path.suffix](), encoding="utf-8")
        else:
            raise TwinloopError(f"{path}: got {path.suffix or 'no ending'!r}, expected .svg, .png or .csv")
        return path


@dataclass(frozen=True, repr=False)
class PlanResult:
    """A plan, the years of its halls, and what reproduces it."""

    plan: Plan
    years: tuple[SiteYear, ...]
    command: str

    @property
    def metrics(self) -> Totals:
        """The figures the plan is judged by."""
        return self.plan.totals

    @property
    def totals(self) -> Totals:
        """The same as :attr:`metrics`, by its name in ``plan.json``."""
        return self.plan.totals

    @property
    def summary(self) -> str:
        """The recommendation in one sentence."""
        return self.plan.summary

    def figures(self) -> tuple[str, ...]:
        """Return the names that :meth:`plot` knows."""
        return tuple(gallery.figures(self.plan, self.years))

    def plot(self, name: str = "cost") -> Drawing:
        """Return the figure called ``name``.

        Raises:
            TwinloopError: no such figure, or this plan lacks its data; says which.
        """
        found = gallery.figures(self.plan, self.years)
        if name not in found:
            raise TwinloopError(f"plot: got {name!r}, expected one of {', '.join(found)}")
        figure = found[name]
        if isinstance(figure, Absent):
            raise TwinloopError(f"{figure.title}: {figure.why}")
        return Drawing(figure)

    def save_figures(self, folder: str | Path) -> tuple[Path, ...]:
        """Write every figure as SVG, its numbers as CSV, into ``folder`` under :meth:`plot`'s names; return them."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for name, figure in gallery.figures(self.plan, self.years).items():
            if isinstance(figure, Figure):
                for i in range(len(figure.drawings)):
                    path = folder / f"{name}{f'-{i + 1}' if i else ''}.svg"
                    path.write_text(svg_file(figure, i), encoding="utf-8")
                    paths.append(path)
                paths.append(Drawing(figure).save(folder / f"{name}.csv"))
        return tuple(paths)

    def report(self) -> str:
        """Return the report as one HTML page."""
        return render(self.plan, self.years, self.command)

    def __repr__(self) -> str:
        return f"<plan of {self.plan.scenario}: {self.summary}>"

    def _repr_html_(self) -> str:
        return _framed(self.report(), f"Twinloop plan of {self.plan.scenario}")

    def to_table(self, what: str = "stages") -> pa.Table:
        """Return one of :data:`FRAMES` as an Arrow table, SI units and plan.json's own names.

        Raises:
            TwinloopError: another name, or the plan has no such rows.
        """
        if what not in FRAMES:
            raise TwinloopError(f"to_frame: got {what!r}, expected one of {', '.join(FRAMES)}")
        rows = year_rows(self.years) if what == "year" else _plan_rows(self.plan, what)
        if not rows:
            raise TwinloopError(f"to_frame: this plan has no {what}")
        return pa.table(rows) if isinstance(rows, dict) else pa.Table.from_pylist(rows)

    def to_frame(self, what: str = "stages") -> Any:
        """Return :meth:`to_table` as a pandas data frame.

        Raises:
            TwinloopError: as :meth:`to_table`, or pandas is not installed.
        """
        return _frame(self.to_table(what))


@dataclass(frozen=True, repr=False)
class SimulationResult:
    """A simulated year of all halls and each hall's hours, or a window of it and each hall's steps."""

    simulation: Simulation
    years: tuple[SiteYear, ...]
    incidents: tuple[Incident, ...] = ()
    """Of a window; there are no years then."""

    @property
    def metrics(self) -> Simulation:
        """The totals; every field of ``simulation.json``."""
        return self.simulation

    @property
    def pue(self) -> float:
        """Facility energy over IT energy, of the year."""
        return self.simulation.pue

    def figures(self) -> tuple[str, ...]:
        """Return the names that :meth:`plot` knows."""
        return tuple(self._drawn())

    def _drawn(self) -> dict[str, Figure]:
        if self.incidents:
            return {f"timeline of {each.site}": timeline.draw(f"timeline{i}", each)
                    for i, each in enumerate(self.incidents)}  # fmt: skip
        return gallery.year_figures(self.years)

    def plot(self, name: str | None = None) -> Drawing:
        """Return the figure called ``name``, by default the first: where the heat goes, or a window's timeline.

        Raises:
            TwinloopError: no such figure.
        """
        return _drawing(self._drawn(), name)

    def to_table(self) -> pa.Table:
        """Return the hours (or steps of a window) of all halls as an Arrow table: hall, time, then the quantities."""
        return pa.table(step_rows(self.incidents) if self.incidents else year_rows(self.years))

    def to_frame(self) -> Any:
        """Return :meth:`to_table` as a pandas data frame.

        Raises:
            TwinloopError: pandas is not installed.
        """
        return _frame(self.to_table())

    def __repr__(self) -> str:
        s = self.simulation
        return f"<{s.window or 'a weather year'} of {s.scenario}: PUE {s.pue:.3f}; nearest limit: {s.first_limit}>"

    def _repr_html_(self) -> str:
        s = self.simulation
        rows = [("PUE", f"{s.pue:.3f}"), ("TUE", f"{s.tue:.3f}"), ("facility, MWh", f"{s.facility_energy_mwh:,.0f}"),
                ("site water, m³", f"{sum(s.water_m3.values()):,.0f}"), ("peak, kW", f"{s.peak_power_w / 1e3:,.0f}"),
                ("nearest limit", s.first_limit)]  # fmt: skip
        cells = "".join(f"<tr><th>{name}</th><td>{html.escape(value)}</td></tr>" for name, value in rows)
        what = s.window or "a weather year"
        return f"<table><caption>{html.escape(f'{s.scenario}: {what}')}</caption>{cells}</table>"


@dataclass(frozen=True, repr=False)
class EstimateResult:
    """How fast, how much memory and power, of one model on given devices."""

    title: str
    headline: str
    answer: dict[str, Any]
    """The fields of ``estimate --json``."""

    def figures(self) -> tuple[str, ...]:
        """Return the names that :meth:`plot` knows."""
        return tuple(shares.draw_all(self.answer))

    def plot(self, name: str | None = None) -> Drawing:
        """Return the figure called ``name``, by default the first: time of a training step, or power of a server.

        Raises:
            TwinloopError: no such figure.
        """
        return _drawing(shares.draw_all(self.answer), name)

    def to_table(self, what: str = "quantities") -> pa.Table:
        """Return the figures by name, ``layouts`` the best of a search, as an Arrow table in the JSON's own units.

        Raises:
            TwinloopError: another name, or no search was asked for.
        """
        if what == "layouts" and "best" in self.answer:
            return pa.Table.from_pylist([_flat(SimpleNamespace(**each)) for each in self.answer["best"]])
        if what != "quantities":
            raise TwinloopError(f"to_frame: got {what!r}, expected quantities, or layouts of an estimate with search")
        row = {key: value for key, value in self.answer.items() if not isinstance(value, list)}
        flat = {name: value for name, value in _flat(SimpleNamespace(**row)).items() if not isinstance(value, str)}
        known = [(name, float(value)) for name, value in flat.items() if value is not None]
        return pa.table({"quantity": [name for name, _ in known], "value": [value for _, value in known]})

    def to_frame(self, what: str = "quantities") -> Any:
        """Return :meth:`to_table` as a pandas data frame.

        Raises:
            TwinloopError: as :meth:`to_table`, or pandas is not installed.
        """
        return _frame(self.to_table(what))

    def __repr__(self) -> str:
        return f"<{self.title}: {self.headline}>"

    def _repr_html_(self) -> str:
        found = shares.draw_all(self.answer).values()
        pictures = "".join(f"<p>{html.escape(each.title)}</p>{Drawing(each)._repr_html_()}" for each in found)
        return f"<p><b>{html.escape(self.title)}</b>: {html.escape(self.headline)}</p>{pictures}"


def _drawing(found: Mapping[str, Figure], name: str | None) -> Drawing:
    """Return the figure called ``name``, by default the first."""
    name = next(iter(found), None) if name is None else name
    if name is None or name not in found:
        raise TwinloopError(f"plot: got {name!r}, expected one of {', '.join(found)}")
    return Drawing(found[name])


def step_rows(incidents: tuple[Incident, ...]) -> dict[str, Any]:
    """Return the steps of all halls under each other: site, time_s, then the quantities, ``…_in_order`` without faults.

    Unknown is NaN.
    """
    halls = [
        each.columns | {f"{name}_in_order": values for name, values in each.in_order.items()} for each in incidents
    ]
    steps = [len(each.columns["it_w"]) for each in incidents]
    rows: dict[str, Any] = {
        "site": [each.site for each, n in zip(incidents, steps, strict=True) for _ in range(n)],
        "time_s": np.concatenate([np.arange(1, n + 1) * each.step_s for each, n in zip(incidents, steps, strict=True)]),
    }
    for name in sorted({name for hall in halls for name in hall}):
        rows[name] = np.concatenate(
            [np.broadcast_to(hall.get(name, np.array(np.nan)), (n,)) for hall, n in zip(halls, steps, strict=True)]
        )
    return rows


def year_rows(years: tuple[SiteYear, ...]) -> dict[str, Any]:
    """Return the hourly columns of all halls under each other: site, hour, then the quantities; unknown is NaN."""
    names = sorted({name for year in years for name in year.hourly})
    if not years:
        return {}
    hours = [len(next(iter(year.hourly.values()))) for year in years]
    columns: dict[str, Any] = {
        "site": [year.site for year, n in zip(years, hours, strict=True) for _ in range(n)],
        "hour": np.concatenate([np.arange(n) for n in hours]),
    }
    for name in names:
        parts = [
            np.broadcast_to(np.asarray(year.hourly.get(name, np.nan), dtype=float), (n,))
            for year, n in zip(years, hours, strict=True)
        ]
        columns[name] = np.concatenate(parts)
    return columns


def _plan_rows(plan: Plan, what: str) -> list[dict[str, Any]]:
    if what == "stages":
        return [_flat(stage, "parallelism") for stage in plan.stages]
    if what == "sites":
        return [
            {"name": site.name, "kind": site.kind, "racks": site.racks, **_flat(site.totals)} for site in plan.sites
        ]
    if what == "equipment":
        return [{"site": site.name, **_flat(line)} for site in plan.sites for line in site.equipment]
    if what == "cashflow":
        return [
            {"year": year.year, "purpose": purpose, "amount_usd": amount}
            for year in plan.cashflow
            for purpose, amount in year.amounts_usd.items()
        ]
    named = [("recommended", plan.totals), *((b.name, b.totals) for b in plan.baselines if b.totals is not None)]
    return [{"plan": name, **_flat(totals)} for name, totals in named]


def _flat(noun: Any, *opened: str) -> dict[str, Any]:
    """Return the plain fields of ``noun``; those of the fields in ``opened`` and of mappings by dotted names."""
    row: dict[str, Any] = {}
    for key, value in vars(noun).items():
        if key in opened:
            row |= {f"{key}.{name}": each for name, each in vars(value).items()}
        elif isinstance(value, dict):
            row |= {f"{key}.{name}": each for name, each in value.items()}
        else:
            row[key] = value
    return row


def _frame(table: pa.Table) -> Any:
    if find_spec("pandas") is None:
        raise TwinloopError("to_frame needs pandas (pip install 'twinloop[notebook]'); to_table does not")
    return table.to_pandas()


def _framed(page: str, title: str) -> str:
    """Return ``page`` inside a frame, so that its style and script stay its own."""
    return (
        f'<iframe title="{html.escape(title)}" srcdoc="{html.escape(page)}" '
        'style="width:100%;height:80vh;border:0" sandbox="allow-scripts allow-downloads"></iframe>'
    )
