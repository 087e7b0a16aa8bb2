"""``twinloop plan``: the main job."""

from __future__ import annotations

import time
from pathlib import Path

import click


@click.command(epilog="Example: twinloop plan examples/fraud-detection.yaml --out out/fraud-detection")
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Folder for the results [out/<name>].")
@click.option(
    "--figures", type=click.Path(path_type=Path), default=None, help="Folder for every figure as SVG, its data as CSV."
)
@click.option("--json", "as_json", is_flag=True, help="Print plan.json on standard output and nothing else.")
@click.option("--explain", "stage", default=None, metavar="STAGE", help="Print only why STAGE is as it is.")
@click.option("-q", "--quiet", is_flag=True, help="No progress, no tables.")
def command(
    scenario: Path, out: Path | None, figures: Path | None, as_json: bool, stage: str | None, quiet: bool
) -> None:
    """Choose hardware, placement and cooling together for SCENARIO.

    Writes plan.json, report.html, equipment.csv and year.parquet into the output folder.
    """
    from twinloop.cli.console import narrator, print_plan
    from twinloop.cli.write import check_folder, write_figures, write_infeasible, write_results
    from twinloop.errors import InfeasibleError, InputError
    from twinloop.model.codec import dumps
    from twinloop.planner.plan import plan
    from twinloop.scenario import load, resolve, scenario_hash

    started = time.perf_counter()
    check_folder(out)
    check_folder(figures, "--figures")
    parsed = load(scenario)
    model = resolve(parsed)
    with narrator(quiet=quiet or as_json) as say:
        try:
            planned = plan(model, scenario_hash(parsed), say)
        except InfeasibleError as error:
            folder = out or Path("out") / model.name
            text = write_infeasible(error, model.name, scenario_hash(parsed), folder, f"twinloop plan {scenario}")
            if as_json:
                click.echo(text, nl=False)
            raise
        folder = out or Path("out") / model.name
        say("writing the report")
        paths = write_results(planned, folder, f"twinloop plan {scenario}")
        if figures is not None:
            write_figures(planned, figures, f"twinloop plan {scenario}")
    if as_json:
        click.echo(dumps(planned.plan), nl=False)
        return
    if stage is not None:
        chosen = [each for each in planned.plan.stages if each.name == stage]
        if not chosen:
            names = ", ".join(each.name for each in planned.plan.stages)
            raise InputError(f"--explain: got {stage!r}, expected one of {names}")
        click.echo(chosen[0].why)
        return
    if not quiet:
        print_plan(planned.plan)
    click.echo(f"planned in {time.perf_counter() - started:.1f} s; report: {paths['report']}")
