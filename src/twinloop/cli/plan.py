"""``twinloop plan``: the main job."""

from __future__ import annotations

import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from twinloop.model.model import Model
    from twinloop.model.plan import Plan, PlannedParallelism
    from twinloop.model.simulation import Incident
    from twinloop.planner.plan import Planned

EPILOG = """
\b
Examples:
  twinloop plan examples/fraud-detection.yaml --out out/fraud-detection
  twinloop plan my.yaml --explain train
  twinloop plan my.yaml --frontier cost,water
  twinloop plan my.yaml --fault "cdu-1 pump stops at 14:00 for 10 min"
  twinloop plan my.yaml --json > plan.json
  twinloop plan --compare today.yaml wished.yaml
  twinloop plan --compare out/a/plan.json out/b/plan.json

Interrupted? The same command goes on where it stopped.
"""


@click.command(epilog=EPILOG)
@click.argument("scenarios", metavar="SCENARIO…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Folder for the results [out/<name>].")
@click.option(
    "--figures", type=click.Path(path_type=Path), default=None, help="Folder for every figure as SVG, its data as CSV."
)
@click.option("--json", "as_json", is_flag=True, help="Print plan.json on standard output and nothing else.")
@click.option("--explain", "stage", default=None, metavar="STAGE", help="Print only why STAGE is as it is.")
@click.option(
    "--frontier", "trade", default=None, metavar="TOTALS",
    help="Print only what one total costs in another: 2 or 3 of cost, energy, carbon, water, time.",
)  # fmt: skip
@click.option(
    "--fault", "faults", multiple=True,
    help="Run this fault on the hottest day, by the second, and draw it in the report; may be repeated.",
)  # fmt: skip
@click.option(
    "--compare", "compares", is_flag=True, help="Plan 2 to 4 scenarios, or take plan.json files: side by side."
)
@click.option("-q", "--quiet", is_flag=True, help="No progress, no tables.")
def command(
    scenarios: tuple[Path, ...],
    out: Path | None,
    figures: Path | None,
    as_json: bool,
    stage: str | None,
    trade: str | None,
    faults: tuple[str, ...],
    compares: bool,
    quiet: bool,
) -> None:
    """Choose hardware, placement and cooling together for SCENARIO.

    Writes plan.json, report.html, equipment.csv and year.parquet into the output folder; with --compare a folder for
    each scenario, and comparison.html and comparison.json.
    """
    from twinloop.cli.frontier import axes_of
    from twinloop.cli.write import check_folder, write_figures
    from twinloop.errors import InputError
    from twinloop.model.codec import dumps

    started = time.perf_counter()
    check_folder(out)
    check_folder(figures, "--figures")
    if compares:
        for option, value in {"--explain": stage, "--frontier": trade, "--figures": figures, "--fault": faults}.items():
            if value not in (None, ()):
                raise InputError(f"{option} asks of one scenario, --compare takes several")
        _compare(scenarios, out, as_json, quiet, started)
        return
    if len(scenarios) != 1:
        raise InputError(f"got {len(scenarios)} scenarios, expected one; --compare puts several side by side")
    axes = None if trade is None else axes_of(trade)
    planned, folder = _plan(scenarios[0], out, quiet or as_json, as_json, faults)
    if figures is not None:
        write_figures(planned, figures, f"twinloop plan {scenarios[0]}")
    if axes is not None:
        _print_frontier(scenarios[0], planned, axes, as_json)
        return
    if as_json:
        click.echo(dumps(planned.plan), nl=False)
    elif stage is not None:
        click.echo(explained(planned.plan, stage))
    else:
        _print_summary(scenarios[0], planned, folder, time.perf_counter() - started, quiet=quiet)


def _print_summary(file: Path, planned: Planned, folder: Path, seconds: float, *, quiet: bool) -> None:
    from twinloop.cli.console import print_plan

    if not quiet:
        print_plan(planned.plan)
    click.echo(f"planned in {seconds:.1f} s; report: {folder / 'report.html'}")
    if not quiet:
        click.echo(f"why: twinloop plan {file} --explain {planned.plan.stages[-1].name}")
        click.echo(f"run: twinloop deploy {folder / 'plan.json'} --target k8s --out deploy")


def _plan(
    file: Path, out: Path | None, silent: bool, echo_infeasible: bool, faults: tuple[str, ...] = ()
) -> tuple[Planned, Path]:
    """Plan ``file`` and write its results; return the plan and its folder."""
    from twinloop.cli.console import narrator
    from twinloop.cli.resume import Kept, remembering
    from twinloop.cli.write import write_infeasible, write_results
    from twinloop.errors import InfeasibleError
    from twinloop.planner.plan import plan
    from twinloop.scenario import load, resolve, scenario_hash

    parsed = load(file)
    model, digest, typed = resolve(parsed), scenario_hash(parsed), f"twinloop plan {file}"
    folder = out or Path("out") / model.name
    kept = Kept(folder, digest)
    if kept.resumed and not silent:
        click.echo(f"going on with the interrupted plan: {kept.resumed} ratings are known", err=True)
    with narrator(quiet=silent) as say:
        try:
            planned = plan(model, digest, say, remember=remembering(kept))
        except KeyboardInterrupt:
            kept.save()
            if not silent:
                click.echo("interrupted: the same command goes on from here", err=True)
            raise
        except InfeasibleError as error:
            kept.forget()
            text = write_infeasible(error, model.name, digest, folder, typed)
            if echo_infeasible:
                click.echo(text, nl=False)
            raise
        incidents = _incidents(model, digest, planned, faults, say)
        say("writing the report")
        write_results(planned, folder, " ".join((typed, *(f'--fault "{fault}"' for fault in faults))), incidents)
    kept.forget()
    return planned, folder


def _incidents(
    model: Model, digest: str, planned: Planned, faults: tuple[str, ...], say: Callable[[str], None]
) -> tuple[Incident, ...]:
    """Return how each hall takes ``faults`` on its hottest day."""
    if not faults:
        return ()
    from twinloop.cli.simulate import FAULT_WINDOW, STEP_S
    from twinloop.planner.replay import plan_window

    _, runs = plan_window(model, digest, planned.plan, FAULT_WINDOW, faults, STEP_S, say)
    return tuple(run.incident for run in runs)


def _print_frontier(file: Path, planned: Planned, axes: tuple[str, ...], as_json: bool) -> None:
    from twinloop.cli.frontier import print_frontier
    from twinloop.model.codec import dumps
    from twinloop.planner.optimise import rating
    from twinloop.planner.trade import trade
    from twinloop.scenario import load, resolve
    from twinloop.twin.design import PlantConstants

    if planned.best is None or planned.screened is None:
        return
    model = resolve(load(file))
    points = trade(model, planned.best, axes, rating(model, planned.screened.designs, PlantConstants()))
    if as_json:
        click.echo(dumps({"schema": 1, "axes": axes, "points": points}), nl=False)
    else:
        print_frontier(points, axes)


def explained(plan: Plan, stage: str) -> str:
    """Return why ``stage`` is as it is: what was chosen, the reason, the layout, and the site's cooling.

    Raises:
        InputError: the plan has no such stage; names those it has.
    """
    from twinloop.errors import InputError

    found = next((each for each in plan.stages if each.name == stage), None)
    if found is None:
        names = ", ".join(each.name for each in plan.stages)
        raise InputError(f"--explain: got {stage!r}, expected one of {names}")
    layout = _layout_words(found.parallelism)
    lines = [
        f"{stage}: {found.device_count} × {found.device} at {found.site} ({found.servers} × {found.server})",
        f"  numbers: {found.precision}, {found.compression}; layout: {layout}",
        *textwrap.wrap(found.why, 98, initial_indent="  why: ", subsequent_indent="    "),
    ]
    for site in plan.sites:
        if site.name == found.site and site.cooling is not None:
            cooled = f"cooled by {site.cooling.name}: {site.cooling.why}"
            lines += textwrap.wrap(cooled, 98, initial_indent="  ", subsequent_indent="    ")
    return "\n".join(lines)


def _layout_words(layout: PlannedParallelism) -> str:
    """Return what is split how often, and how memory is spared.

    >>> from twinloop.model.plan import PlannedParallelism
    >>> _layout_words(PlannedParallelism(8, 2, 1, 1, 1, 1, 64, 1, "selective"))
    'data 8, tensor 2, batch 64, ZeRO-1, recompute selective'
    """
    split = {"data": layout.data, "tensor": layout.tensor, "pipeline": layout.pipeline, "expert": layout.expert,
             "context": layout.context, "micro-batch": layout.micro_batch, "batch": layout.batch,
             "interleave": layout.interleave}  # fmt: skip
    words = [f"{name} {size}" for name, size in split.items() if size > 1]
    words += [f"ZeRO-{layout.zero}"] if layout.zero else []
    words += [f"recompute {layout.recompute}"] if layout.recompute != "none" else []
    return ", ".join(words) or "one device"


def _compare(files: tuple[Path, ...], out: Path | None, as_json: bool, quiet: bool, started: float) -> None:
    from twinloop.cli.compare import as_json as text_of
    from twinloop.cli.compare import print_comparison, side_by_side

    silent = quiet or as_json
    found, page = side_by_side(files, out, lambda file, folder: _plan(file, folder, silent, False)[0].plan)
    if as_json:
        click.echo(text_of(found), nl=False)
        return
    if not quiet:
        print_comparison(found)
    click.echo(f"compared in {time.perf_counter() - started:.1f} s; page: {page}")
