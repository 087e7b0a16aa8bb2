"""What a person sees in the terminal: progress on standard error, tables that fit 100 columns."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from twinloop.model.plan import Plan, Sequential, Totals
from twinloop.report.numbers import THIN, duration
from twinloop.report.tables import layout

PHASES = (
    ("workload options", 0.01, 0.03),
    ("screening cooling designs", 0.03, 0.83),
    ("choosing and checking", 0.83, 0.86),
    ("checking", 0.86, 0.9),
    ("compute first", 0.9, 0.91),
    ("baseline", 0.91, 0.94),
    ("explaining", 0.94, 0.97),
    ("writing", 0.97, 1.0),
    ("sweeping", 0.0, 1.0),
)
"""How a step of the planner begins, and the shares of a plan's time at which it begins and ends."""


@contextmanager
def narrator(*, quiet: bool) -> Iterator[Callable[[str], None]]:
    """Yield a function that shows the current step and how far it is on a terminal, and nothing elsewhere."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    columns = (BarColumn(24), TaskProgressColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=1.0)
        done = 0.0

        def say(step: str) -> None:
            nonlocal done
            done = max(done, share_done(step))
            # Painted at once: a quick step would else end between two paintings and never be seen.
            bar.update(task, description=step, completed=done, total=None if done == 0.0 else 1.0, refresh=True)

        yield say


def share_done(step: str) -> float:
    """Return how much of a plan is done when ``step`` begins; 0 for a step that no plan has.

    A step may end in ``: 3 of 40``; screening takes most of a plan's time.

    >>> share_done("screening cooling designs of hall: 31 of 61"), share_done("explaining"), share_done("x")
    (0.42, 0.94, 0.0)
    """
    begin, end = next(((low, high) for words, low, high in PHASES if step.startswith(words)), (0.0, 0.0))
    at = re.search(r": (\d+) of (\d+)$", step)
    return round(begin + (end - begin) * ((int(at[1]) - 1) / int(at[2]) if at else 0.0), 2)


def print_plan(plan: Plan) -> None:
    """Print the recommendation: a sentence, the stages, the cooling, the totals beside the baselines."""
    console = Console(width=100, highlight=False)
    console.print(f"\n[bold]{plan.summary}[/bold]\n")
    stages = Table(title="Stages", title_justify="left", box=None, pad_edge=False)
    for name in ("stage", "site", "devices", "precision", "layout", "IT kW", "takes"):
        stages.add_column(name, justify="right" if name == "IT kW" else "left")
    for stage in plan.stages:
        stages.add_row(
            stage.name, stage.site, f"{stage.device_count} × {stage.device}", stage.precision,
            layout(stage), f"{stage.power_w / 1e3:.1f}",
            _takes(stage.duration_s, stage.latency_p99_s),
        )  # fmt: skip
    console.print(stages)
    for site in plan.sites:
        if site.cooling is not None:
            console.print(f"\n[bold]Cooling of {site.name}[/bold]: {site.cooling.name}")
            console.print(Padding(site.cooling.why, (0, 0, 0, 2)))
    console.print()
    console.print(_totals_table(plan))
    if plan.sequential is not None:
        console.print(f"\n[bold]Together or one after the other[/bold]: {_gain(plan.sequential)}")
    for breach in plan.warnings:
        console.print(f"[yellow]warning[/yellow] {breach.rule}: {breach.message}")
    console.print()


def _gain(found: Sequential) -> str:
    if found.saving is None:
        return found.cause
    if abs(found.saving) < 5e-5:
        return f"choosing together gains {found.cause}."
    return f"choosing together saves {found.saving:.2%}; {found.cause}."


def _takes(duration_s: float | None, latency_s: float | None) -> str:
    if duration_s is not None:
        return f"{duration_s / 3600.0:.2f} h a run"
    return f"p99 {duration(latency_s).replace(THIN, ' ')}" if latency_s is not None else "continuous"


def _totals_table(plan: Plan) -> Table:
    table = Table(title="Totals", title_justify="left", box=None, pad_edge=False)
    for name in ("plan", "TCO M$", "capex M$", "MWh/a", "PUE", "TUE", "m3/a", "tCO2e/a", "saving"):
        table.add_column(name, justify="left" if name == "plan" else "right")
    table.add_row("recommended", *_cells(plan.totals), "", style="bold")
    for baseline in plan.baselines:
        if baseline.totals is None:
            table.add_row(baseline.name, *["—"] * 7, "infeasible")
        else:
            saving = "—" if baseline.saving is None else f"{baseline.saving:+.1%}"
            saving = saving if baseline.feasible else "does not fit"
            table.add_row(baseline.name, *_cells(baseline.totals), saving)
    return table


def _cells(totals: Totals) -> list[str]:
    def ratio(value: float | None) -> str:
        return "—" if value is None else f"{value:.3f}"

    return [
        f"{totals.tco_usd / 1e6:.2f}", f"{totals.capex_usd / 1e6:.2f}", f"{totals.facility_energy_mwh_per_year:,.0f}",
        ratio(totals.pue), ratio(totals.tue), f"{totals.water_m3_per_year:,.0f}",
        f"{sum(totals.carbon_t_per_year.values()):,.0f}",
    ]  # fmt: skip
