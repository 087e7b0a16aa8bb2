"""What the loader says of a text, as data for the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twinloop.errors import Fault, InputError
from twinloop.scenario import load_text, resolve, scenario_hash
from twinloop.scenario.load import Scenario
from twinloop.scenario.schema import OnPremiseSpec


def verdict(text: str, file: Path) -> dict[str, Any]:
    """Return whether ``text`` can be planned: its faults by line, or its name and what it holds."""
    try:
        scenario = load_text(text, file)
        model = resolve(scenario)
    except InputError as error:
        return {"ok": False, "faults": fault_rows(error)}
    counts = ((len(model.stages), "stage"), (len(model.on_premise) + len(model.clouds) + len(model.edges), "site"),
              (len(model.devices), "device"))  # fmt: skip
    holds = ", ".join(f"{count} {noun}{'' if count == 1 else 's'}" for count, noun in counts)
    return {"ok": True, "faults": [], "name": model.name, "holds": holds, "hash": scenario_hash(scenario)}


def fault_rows(error: InputError) -> list[dict[str, Any]]:
    """Return the faults of ``error``: line (``None`` for the whole file), what to say, and what fits at the line."""
    return [_row(each) for each in error.faults]


def _row(fault: Fault | str) -> dict[str, Any]:
    if isinstance(fault, str):
        return {"line": None, "message": fault, "short": fault}
    hint = f", did you mean {fault.suggestion}?" if fault.suggestion else ""
    return {
        "line": fault.line,
        "message": f"{fault.path}: got {fault.got}, expected {fault.expected}{hint}",
        "short": f"did you mean {fault.suggestion}?" if fault.suggestion else f"expected {fault.expected}",
    }


def standing_plants(scenario: Scenario) -> tuple[tuple[int, str], ...]:
    """Return position and name of the sites whose plant is written in the scenario."""
    return tuple(
        (i, site.name)
        for i, site in enumerate(scenario.spec.sites)
        if isinstance(site, OnPremiseSpec) and site.design is not None
    )
