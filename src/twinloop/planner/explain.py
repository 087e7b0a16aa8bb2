"""Why: the runner-up of each choice and what would have to change for it to win."""

from __future__ import annotations

from twinloop.economics.periods import YEAR_S, years
from twinloop.model.model import Model
from twinloop.planner.check import Checked
from twinloop.planner.designs import COLD_SUPPLY_C, WARMER_COLD_SUPPLY_C
from twinloop.planner.placements import Placement, standing
from twinloop.planner.runners_up import RunnerUp
from twinloop.planner.ties import TIE, pieces
from twinloop.twin.design import HybridDesign

UNITS = {
    "energy": (3.6e9, "MWh over the horizon"),
    "carbon": (1.0, "kg of CO2e over the horizon"),
    "water": (1.0, "m3 of water over the horizon"),
    "time": (1.0, "s for one pass"),
}
"""Objective -> joule, kg, m3 or s in the unit that people read, and that unit."""


def stage_reasons(model: Model, best: Checked, runners: dict[str, RunnerUp]) -> dict[str, str]:
    """Return sentences a stage: what it beat, by how much, and the price at which that turns."""
    return {p.stage: _sentence(model, best, p, runners.get(p.stage)) for p in best.placements}


def _sentence(model: Model, best: Checked, chosen: Placement, runner: RunnerUp | None) -> str:
    head = f"{chosen.option.device} at {chosen.site}"
    if runner is None:
        return f"{head}: no other device or site satisfies the constraints."
    rival = runner.rival
    other = where_words(rival)
    if not runner.holds:
        return f"{head} is chosen before {other}, with which the twin finds a limit broken or chips throttled."
    extra = runner.extra(best)
    where = " in screening" if runner.checked is None else ""
    share = extra / max(abs(best.objective), 1e-9)
    if share < TIE:
        return f"{head} and {other} come to the same{where}."
    along = f", which moves {' and '.join(runner.moved)} too," if runner.moved else ""
    text = f"{head} beats {other}{along} by {amount_words(model, extra)}{where} ({share:.1%} of the plan)."
    if model.objective.name == "cost" and rival.cost_usd > extra:
        noun = "rental" if rival.offer is not None else "cost of ownership"
        text += f" The runner-up wins when its {noun} falls by {extra / rival.cost_usd:.0%}."
    text += _lacking("The runner-up", runner)
    next_ = runner.device
    if next_ is not None and next_.holds:
        more = next_.extra(best)
        text += f" The nearest other device, {where_words(next_.rival)}, comes to {amount_words(model, more)} more."
        text += _lacking("It", next_)
    return text


def _lacking(subject: str, runner: RunnerUp) -> str:
    return f" {subject} {runner.note}." if runner.note else ""


def where_words(p: Placement) -> str:
    """Return devices, as many as stand there, and the place: ``8 × L40S at hall``."""
    return f"{standing(p)} × {p.option.device} at {p.site}"


def amount_words(model: Model, value: float) -> str:
    """Return ``value`` of the objective in the unit that people read."""
    if model.objective.name == "cost":
        return f"{usd_words(value)} over the horizon"
    scale, unit = UNITS.get(model.objective.name, (1.0, "of the weighted objective"))
    return f"{value / scale:,.3g} {unit}" if abs(value / scale) < 1e3 else f"{value / scale:,.0f} {unit}"


def usd_words(value: float) -> str:
    """Return money in words that a small sum does not vanish in.

    >>> usd_words(19.07e6), usd_words(8300.0), usd_words(12.4), usd_words(2.13e9)
    ('19.07 M USD', '8,300 USD', '12.40 USD', '2130.00 M USD')
    """
    if abs(value) >= 1e5:
        return f"{value / 1e6:.2f} M USD"
    return f"{value:,.0f} USD" if abs(value) >= 100.0 else f"{value:.2f} USD"


def span_words(seconds: float) -> str:
    """Return a horizon in the largest unit of which it holds one.

    >>> span_words(5 * 8760 * 3600.0), span_words(7884000.0), span_words(1.5 * 8760 * 3600.0), span_words(2 * 86400.0)
    ('5 years', '3 months', '1.5 years', '2 days')
    """
    size, noun = next(
        ((size, noun) for size, noun in _SPANS if years(seconds) * YEAR_S >= size * (1.0 - 1e-9)), _SPANS[-1]
    )
    count = float(f"{years(seconds) * YEAR_S / size:.2g}")
    return f"{count:g} {noun}{'' if count == 1.0 else 's'}"


_SPANS = ((YEAR_S, "year"), (YEAR_S / 12.0, "month"), (86400.0, "day"), (3600.0, "hour"))


def cooling_reason(model: Model, best: Checked, rivals: dict[str, Checked], kit: str) -> str:
    """Return one sentence: the best other kit, twin-checked, and by how much it is beaten."""
    if not rivals:
        return f"{kit}: no other kind of cooling satisfies the constraints."
    name, rival = min(rivals.items(), key=lambda item: item[1].objective)
    extra = rival.objective - best.objective
    if extra < TIE * abs(best.objective):
        ours, theirs = pieces(best), pieces(rival)
        text = f"{kit} and {name} come to the same (within {TIE:.2%})"
        return text + (f"; {kit} {_simpler(ours, theirs)}." if ours < theirs else ".")
    return f"{kit} beats {name} by {amount_words(model, extra)}."


def warmer_words(design: HybridDesign) -> str:
    """Say that warmer cold water than usual was tried and kept; nothing for the usual supplies."""
    if design.cold_supply_c not in WARMER_COLD_SUPPLY_C:
        return ""
    usual = max(COLD_SUPPLY_C)
    return f" Cold water at {design.cold_supply_c:g} °C came out better than at {usual:g} °C."


def _simpler(ours: tuple[int, int], theirs: tuple[int, int]) -> str:
    """Say that ``ours`` is the fewer kinds, machines of equipment.

    >>> _simpler((4, 12), (7, 11)), _simpler((4, 12), (4, 20))
    ('has fewer kinds of equipment, 4 against 7', 'has fewer machines, 12 against 20')
    """
    if ours[0] < theirs[0]:
        return f"has fewer kinds of equipment, {ours[0]} against {theirs[0]}"
    return f"has fewer machines, {ours[1]} against {theirs[1]}"
