"""``twinloop simulate``: what happens over a year, on the hottest day, when a pump dies?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from twinloop.model.model import Model
    from twinloop.model.plan import Plan
    from twinloop.model.simulation import Simulation, SiteYear
    from twinloop.twin.incidents import WindowRun

FAULT_WINDOW = "hottest day"
"""Where a fault is named and no window."""
YEAR_H = 8760
SHORTEST_S, STEP_S, LONGEST_S = 1.0, 5.0, 15.0
EPILOG = """
\b
Examples:
  twinloop simulate my.yaml --plan out/my/plan.json
  twinloop simulate my.yaml --window "hottest day" --step 5s
  twinloop simulate my.yaml --plan out/my/plan.json --fault "chiller-1 trips at 14:00 for 1 h"
  twinloop simulate my.yaml --window "07-14 12:00/07-14 18:00" \\
      --fault "cdu-1 pump stops at 13:00 for 10 min" --fault "power fails at 15:00 for 30 s"

\b
Windows: hottest day, coldest day, most humid day, design day, or START/END, at most seven days.

\b
Faults are WHAT at HH:MM [for DURATION]; WHAT is one of:
  cdu-N, crah-N, chiller-N, tower-N, cooler-N, coil-N  fails, stops or trips
  fan wall stops; warm pump, cold pump, condenser pump stops
  power fails; generator fails
  cdu-N leaks 2 L/min
  supply air|coolant|warm supply|cold supply|basin sensor  sticks, reads 3 K high|low
  containment opens; heat wave of 8 K; STAGE swings 40 % every 20 s
With several halls, start with the hall's name: "frankfurt: crah-1 fails at 14:00".
"""


@click.command(epilog=EPILOG)
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=None,
    help="A plan.json of this scenario; without it the scenario is planned first.",
)
@click.option("--window", default=None, help='Part of the year to run second by second: "hottest day", START/END, …')
@click.option(
    "--step", "step_text", default=f"{STEP_S:g} s", show_default=True, help="Length of a step in a window, 1 s to 15 s."
)
@click.option("--fault", "faults", multiple=True, help='"cdu-1 pump stops at 14:00 for 10 min"; may be repeated.')
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Folder [out/<name>-simulation].")
@click.option("--json", "as_json", is_flag=True, help="Print simulation.json on standard output and nothing else.")
@click.option("-q", "--quiet", is_flag=True, help="No progress, no tables.")
def command(
    scenario: Path, plan_file: Path | None, window: str | None, step_text: str, faults: tuple[str, ...],
    out: Path | None, as_json: bool, quiet: bool,
) -> None:  # fmt: skip
    """Run the halls of SCENARIO through their weather year, hour by hour, or a part of it second by second.

    With --window or --fault, the hall runs at --step with its controllers, and beside it the same hall without the
    faults. Writes simulation.json, trace.parquet (hourly, or at the step) and report.html into the output folder.
    """
    if window is not None or faults:
        _run_window(scenario, plan_file, window or FAULT_WINDOW, step_text, faults, out, as_json, quiet)
        return
    from twinloop.cli.console import narrator
    from twinloop.model.codec import dumps
    from twinloop.planner.replay import plan_simulation
    from twinloop.scenario import load, resolve, scenario_hash

    parsed = load(scenario)
    model, digest = resolve(parsed), scenario_hash(parsed)
    with narrator(quiet=quiet or as_json) as say:
        planned, years = _planned(model, digest, plan_file, say)
        found, years = plan_simulation(model, digest, planned, years)
        folder = out or Path("out") / f"{model.name}-simulation"
        say("writing the report")
        _write(folder, found, planned, years, f"twinloop simulate {scenario}")
    if as_json:
        click.echo(dumps(found), nl=False)
    elif not quiet:
        _print(found)
        click.echo(f"report: {folder / 'report.html'}")


def _run_window(
    scenario: Path, plan_file: Path | None, window: str, step_text: str, faults: tuple[str, ...], out: Path | None,
    as_json: bool, quiet: bool,
) -> None:  # fmt: skip
    from twinloop.cli.console import narrator
    from twinloop.model.codec import dumps
    from twinloop.planner.plan import plan
    from twinloop.planner.replay import plan_window
    from twinloop.scenario import load, resolve, scenario_hash

    step_s = _step_s(step_text)
    parsed = load(scenario)
    model, digest = resolve(parsed), scenario_hash(parsed)
    with narrator(quiet=quiet or as_json) as say:
        given = plan(model, digest, say).plan if plan_file is None else _given(plan_file, digest)
        found, runs = plan_window(model, digest, given, window, faults, step_s, say)
        folder = out or Path("out") / f"{model.name}-simulation"
        words = " ".join(f'--fault "{fault}"' for fault in faults)
        _write_window(
            folder, found, runs, f'twinloop simulate {scenario} --window "{window}" --step {step_text} {words}'
        )
    if as_json:
        click.echo(dumps(found), nl=False)
    elif not quiet:
        _print_window(found)
        click.echo(f"report: {folder / 'report.html'}")


def _step_s(text: str) -> float:
    from twinloop.errors import InputError
    from twinloop.units import UnitError, parse

    try:
        step_s = parse(text, "duration")
    except UnitError as error:
        raise InputError(f"--step: {error}") from error
    if not SHORTEST_S <= step_s <= LONGEST_S:
        raise InputError(f"--step: got {text}, expected {SHORTEST_S:g} s to {LONGEST_S:g} s")
    return step_s


def _given(plan_file: Path, digest: str) -> Plan:
    from twinloop.cli.read import read_plan
    from twinloop.errors import InputError

    given = read_plan(plan_file)
    if given.scenario_hash != digest:
        raise InputError(
            f"--plan: got the plan of scenario {given.scenario!r} as it was (hash {given.scenario_hash[:12]}), "
            f"expected hash {digest[:12]}: the scenario has changed, plan it again"
        )
    return given


def _write_window(folder: Path, found: Simulation, runs: list[WindowRun], command: str) -> None:
    from twinloop.cli.write import write_trace
    from twinloop.errors import TwinloopError
    from twinloop.model.codec import dumps
    from twinloop.report import render_incidents

    incidents = tuple(run.incident for run in runs)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "simulation.json").write_text(dumps(found), encoding="utf-8")
        (folder / "report.html").write_text(render_incidents(found, incidents, command), encoding="utf-8")
        write_trace(incidents, folder / "trace.parquet")
    except OSError as error:
        raise TwinloopError(f"cannot write to {folder}: {error.strerror}") from error


def _planned(
    model: Model, digest: str, plan_file: Path | None, say: Callable[[str], None]
) -> tuple[Plan, tuple[SiteYear, ...] | None]:
    """Return the given plan, or a fresh one with the years that planning ran."""
    from twinloop.planner.plan import plan

    if plan_file is not None:
        return _given(plan_file, digest), None
    fresh = plan(model, digest, say)
    return fresh.plan, fresh.years


def _write(folder: Path, found: Simulation, planned: Plan, years: tuple[SiteYear, ...], command: str) -> None:
    from twinloop.cli.write import write_year
    from twinloop.errors import TwinloopError
    from twinloop.model.codec import dumps
    from twinloop.report import render_year

    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "simulation.json").write_text(dumps(found), encoding="utf-8")
        (folder / "report.html").write_text(render_year(found, planned, years, command), encoding="utf-8")
        write_year(years, folder / "trace.parquet")
    except OSError as error:
        raise TwinloopError(f"cannot write to {folder}: {error.strerror}") from error


def _print(found: Simulation) -> None:
    from rich.console import Console
    from rich.table import Table

    from twinloop.report.numbers import words

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
        table.add_row(words(name), f"{mwh:,.1f}", f"{mwh / found.facility_energy_mwh:.1%}")
    console.print(table)
    hours = found.free_cooling_hours
    console.print(
        f"water {sum(found.water_m3.values()):,.0f} m³   peak {found.peak_power_w / 1e3:,.0f} kW   chiller off "
        f"{hours['full']} h, part {hours['partial']} h, all {hours['none']} h, {found.chiller_starts} starts"
    )
    console.print(f"nearest limit: {found.first_limit}; throttled device hours {found.throttled_device_hours:,.0f}")
    console.print(_kept(found) + "\n")


def _kept(found: Simulation) -> str:
    """Return in words how intake air and water keep their classes."""
    hours = found.class_hours
    told = [f"{name} {hours[name]:,.0f} h" for name in ("recommended", "A1", "A2") if hours[name] is not None]
    water = next((name for name in ("W17", "W27", "W32", "W40", "W45") if hours[name] == YEAR_H), None)
    words = [f"intake air within {', '.join(told)}"] if told else []
    if found.rci_percent["high_worst_rack"] is not None:
        words.append(f"rack cooling index {found.rci_percent['high_worst_rack']:.0f} % (worst rack)")
    return "; ".join([*words, *([f"facility water within {water} all year"] if water else [])])


def _print_window(found: Simulation) -> None:
    from rich.console import Console

    console = Console(width=100, highlight=False)
    console.print(
        f"\n[bold]{found.scenario}[/bold]: {', '.join(found.halls)}, {found.window}, {found.step_s:g} s steps\n"
    )
    for event in found.events:
        console.print(f"  {event}", markup=False)
    console.print(
        f"\nIT {found.it_energy_mwh:,.2f} MWh  PUE {found.pue:.3f}  peak {found.peak_power_w / 1e3:,.0f} kW  "
        f"hottest chip {found.peak_junction_c:.1f} °C\nnearest limit: {found.first_limit}"
    )
    if found.recovered is not None:
        throttle = _after(found.time_to_throttle_s, "no chip throttles", "the hottest chip throttles")
        shutdown = _after(found.time_to_shutdown_s, "none switches itself off", "one switches itself off")
        console.print(
            f"{throttle}; {shutdown}; smallest margin {round(found.min_margin_k or 0.0, 1) + 0.0:.1f} K; "
            f"{'recovered' if found.recovered else 'not recovered'} at the end\n"
        )


def _after(seconds: float | None, never: str, what: str) -> str:
    return never if seconds is None else f"{what} after {seconds:g} s"
