"""The child process that plans one scenario, then stays to answer what-if questions about it.

``python -m twinloop.studio.worker SCENARIO-TEXT SCENARIO-NAME FOLDER``: writes the plan's files into FOLDER. It
speaks one JSON object a line on standard output: ``step``, then ``faults``, ``infeasible``, ``failed`` or ``planned``;
after ``planned`` it answers each line of standard input, ``{"ask": 1, "moved": {…}}``, with ``{"ask": 1, …}``.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from twinloop.errors import InfeasibleError, InputError, TwinloopError
from twinloop.model.codec import dumps, to_data
from twinloop.model.model import Model
from twinloop.model.plan import Totals
from twinloop.planner.check import Checked
from twinloop.planner.plan import Planned, plan
from twinloop.report import render
from twinloop.report.spreadsheets import equipment_csv
from twinloop.scenario import load_text, resolve, scenario_hash
from twinloop.scenario.load import Scenario
from twinloop.studio.levers import levers
from twinloop.studio.verdict import fault_rows, standing_plants
from twinloop.studio.whatif import Answer, ask

Say = Callable[..., None]


def main(arguments: list[str]) -> None:
    """Plan, then answer until standard input ends."""
    text_file, name, folder = arguments
    # Nothing but our own lines may reach the parent: what libraries print goes to standard error.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(**message: Any) -> None:
        out.write(json.dumps(message, ensure_ascii=False) + "\n")
        out.flush()

    try:
        found = _plan(Path(text_file).read_text(encoding="utf-8"), Path(name), Path(folder), say)
    except InputError as error:
        say(kind="faults", message=str(error), faults=fault_rows(error))
    except InfeasibleError as error:
        say(kind="infeasible", message=str(error), report=(Path(folder) / "report.html").is_file())
    except TwinloopError as error:
        say(kind="failed", message=str(error))
    else:
        _answer(*found, sys.stdin, say)


def _plan(text: str, file: Path, folder: Path, say: Say) -> tuple[Model, Planned]:
    scenario = load_text(text, file)
    model = resolve(scenario)
    command = f"twinloop plan {file}"
    try:
        planned = plan(model, scenario_hash(scenario), lambda step: say(kind="step", step=step))
    except InfeasibleError as error:
        if isinstance(error.answer, Planned):
            _write(error.answer, folder, command)
        raise
    say(kind="step", step="writing the report")
    _write(planned, folder, command)
    say(kind="planned", message=planned.plan.summary, levers=to_data(_levers(scenario, model, planned)))
    return model, planned


def _levers(scenario: Scenario, model: Model, planned: Planned) -> tuple[object, ...]:
    return levers(model, planned.plan, standing_plants(scenario))


def _write(planned: Planned, folder: Path, command: str) -> None:
    texts = {
        "plan.json": dumps(planned.plan),
        "report.html": render(planned.plan, planned.years, command),
        "equipment.csv": equipment_csv(planned.plan),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def _answer(model: Model, planned: Planned, lines: Iterator[str], say: Say) -> None:
    for line in lines:
        question = json.loads(line)
        started = time.perf_counter()
        try:
            found = answer_data(planned, ask(model, planned, question["moved"]))
        except TwinloopError as error:
            found = {"error": str(error)}
        say(kind="answer", ask=question["ask"], seconds=time.perf_counter() - started, **found)


def answer_data(planned: Planned, answer: Answer) -> dict[str, Any]:
    """Return ``answer`` beside the plan's own figures, with what another choice would change in words."""
    best = answer.best
    return {
        "plan": figures(planned.plan.totals),
        "kept": {**figures(answer.kept.totals), "broken": list(answer.broken)},
        "best": None if best is None else figures(best.totals),
        "changes": [] if best is None else changes(answer.kept, best),
    }


def figures(totals: Totals) -> dict[str, float | None]:
    """Return the headline figures of ``totals``."""
    return {
        "tco_usd": totals.tco_usd,
        "facility_energy_mwh_per_year": totals.facility_energy_mwh_per_year,
        "pue": totals.pue,
        "water_m3_per_year": totals.water_m3_per_year,
        "carbon_t_per_year": sum(totals.carbon_t_per_year.values()),
        "peak_junction_c": totals.peak_junction_c,
        "throttled_hours": totals.throttled_hours,
    }


def changes(kept: Checked, best: Checked) -> list[str]:
    """Return in words what ``best`` does otherwise than ``kept``."""
    found = []
    for was, now in zip(kept.placements, best.placements, strict=True):
        before, after = (f"{p.option.device_count} × {p.option.device} at {p.site}" for p in (was, now))
        if before != after:
            found.append(f"{was.stage}: {after} instead of {before}")
    designs = [{p.site: p.design for p in checked.placements if p.design} for checked in (kept, best)]
    for site in sorted({*designs[0], *designs[1]}):
        before, after = (str(each.get(site, "nothing")) for each in designs)
        if before != after:
            found.append(f"cooling of {site}: {after} instead of {before}")
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
