"""``twinloop simulate``: what happens over a year?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from twinloop.model.model import Model
    from twinloop.model.plan import Plan
    from twinloop.model.simulation import Simulation, SiteYear


@click.command(epilog="Example: twinloop simulate examples/fraud-detection.yaml --plan out/fraud-detection/plan.json")
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=None,
    help="A plan.json of this scenario; without it the scenario is planned first.",
)
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Folder [out/<name>-simulation].")
@click.option("--json", "as_json", is_flag=True, help="Print simulation.json on standard output and nothing else.")
@click.option("-q", "--quiet", is_flag=True, help="No progress, no tables.")
def command(scenario: Path, plan_file: Path | None, out: Path | None, as_json: bool, quiet: bool) -> None:
    """Run the halls of SCENARIO through their weather year, hour by hour.

    Writes simulation.json, trace.parquet (hourly) and report.html into the output folder.
    """
    from twinloop.cli.console import narrator
    from twinloop.errors import TwinloopError
    from twinloop.model.codec import dumps
    from twinloop.scenario import load, resolve, scenario_hash
    from twinloop.twin.metrics import simulation

    parsed = load(scenario)
    model, digest = resolve(parsed), scenario_hash(parsed)
    with narrator(quiet=quiet or as_json) as say:
        planned, years = _years(model, digest, plan_file, say)
        halls = {site.name: site for site in model.on_premise}
        if not years:
            raise TwinloopError("the plan uses no hall of its own: a provider's year cannot be simulated")
        found = simulation(model.name, digest, [(halls[year.site], year) for year in years])
        folder = out or Path("out") / f"{model.name}-simulation"
        say("writing the report")
        _write(folder, found, planned, years, f"twinloop simulate {scenario}")
    if as_json:
        click.echo(dumps(found), nl=False)
    elif not quiet:
        _print(found)
        click.echo(f"report: {folder / 'report.html'}")


def _years(model: Model, digest: str, plan_file: Path | None, say: object) -> tuple[Plan, tuple[SiteYear, ...]]:
    from twinloop.errors import InputError
    from twinloop.model.codec import loads
    from twinloop.model.plan import Plan
    from twinloop.planner.plan import plan
    from twinloop.planner.replay import planned_years

    if plan_file is None:
        fresh = plan(model, digest, say if callable(say) else print)
        return fresh.plan, fresh.years
    given = loads(Plan, plan_file.read_text(encoding="utf-8"))
    if given.scenario_hash != digest:
        raise InputError(
            f"--plan: got the plan of scenario {given.scenario!r} as it was (hash {given.scenario_hash[:12]}), "
            f"expected hash {digest[:12]}: the scenario has changed, plan it again"
        )
    return given, planned_years(model, given)


def _write(folder: Path, found: Simulation, planned: Plan, years: tuple[SiteYear, ...], command: str) -> None:
    from twinloop.cli.write import write_year
    from twinloop.errors import TwinloopError
    from twinloop.model.codec import dumps
    from twinloop.report import render

    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "simulation.json").write_text(dumps(found), encoding="utf-8")
        (folder / "report.html").write_text(render(planned, years, command), encoding="utf-8")
        write_year(years, folder / "trace.parquet")
    except OSError as error:
        raise TwinloopError(f"cannot write to {folder}: {error.strerror}") from error


def _print(found: Simulation) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(width=100, highlight=False)
    console.print(f"\n[bold]{found.scenario}[/bold]: {', '.join(found.halls)}, one weather year\n")
    console.print(
        f"PUE {found.pue:.3f}  TUE {found.tue:.3f}  WUE {found.wue_site_l_per_kwh:.2f} L/kWh  "
        f"CUE {found.cue_kg_per_kwh:.3f} kg/kWh  MLC {found.mlc_annual:.3f} (design {found.mlc_design:.3f})"
    )
    table = Table(box=None, pad_edge=False, title="Energy, MWh", title_justify="left")
    table.add_column("end use")
    table.add_column("MWh", justify="right")
    table.add_column("share", justify="right")
    for name, mwh in found.energy_mwh.items():
        table.add_row(name.replace("_", " "), f"{mwh:,.1f}", f"{mwh / found.facility_energy_mwh:.1%}")
    console.print(table)
    hours = found.free_cooling_hours
    console.print(
        f"water {sum(found.water_m3.values()):,.0f} m³   peak {found.peak_power_w / 1e3:,.0f} kW   chiller off "
        f"{hours['full']} h, part {hours['partial']} h, all {hours['none']} h, {found.chiller_starts} starts"
    )
    console.print(f"nearest limit: {found.first_limit}; throttled device hours {found.throttled_device_hours:,.0f}\n")
