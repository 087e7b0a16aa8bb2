"""Why: the runner-up of each choice and what would have to change for it to win."""

from __future__ import annotations

from dataclasses import replace

from twinloop.economics.periods import YEAR_S, years
from twinloop.model.model import Model
from twinloop.planner.check import Checked
from twinloop.planner.money import Ledger, present_cost_usd
from twinloop.planner.optimise import Optimised
from twinloop.planner.placements import Placement
from twinloop.planner.selection import Choice, Limit, Problem, solve


def without(problem: Problem, drop: frozenset[int]) -> Problem:
    """Return ``problem`` with the placements ``drop`` made unaffordable by a zero-bound row."""
    row = Limit("left out", 0.5, "", dict.fromkeys(sorted(drop), 1.0))
    return replace(problem, limits=(*problem.limits, row))


def stage_reasons(model: Model, best: Optimised) -> dict[str, str]:
    """Return one sentence a stage: what it beat, by how much, and the price at which that turns."""
    reasons = {}
    for position, stage in enumerate(problem_stages(best)):
        chosen = best.problem.placements[best.choice.picked[position]]
        same = frozenset(
            i
            for i, p in enumerate(best.problem.placements)
            if p.stage == stage and (p.site, p.option.device) == (chosen.site, chosen.option.device)
        )
        other = solve(without(best.problem, same))
        reasons[stage] = _sentence(model, best, chosen, other, position)
    return reasons


def problem_stages(best: Optimised) -> tuple[str, ...]:
    """Return the stages in the order of the choice."""
    return best.problem.stages


def _sentence(model: Model, best: Optimised, chosen: Placement, other: Choice | None, position: int) -> str:
    option = chosen.option
    head = f"{option.device} at {chosen.site}"
    if other is None:
        return f"{head}: no other device or site satisfies the constraints."
    rival = best.problem.placements[other.picked[position]]
    extra = other.objective - best.choice.objective
    share = extra / max(best.choice.objective, 1e-9)
    text = (
        f"{head} beats {rival.option.device_count} × {rival.option.device} at {rival.site} by {_amount(model, extra)}"
    )
    text += f" ({share:.1%} of the plan)."
    if model.objective.name != "cost" or extra <= 0.0:
        return text
    price = rival.cost_usd
    if price > extra:
        noun = "rental" if rival.offer is not None else "cost of ownership"
        text += f" The runner-up wins when its {noun} falls by {extra / price:.0%}."
    return text


def _amount(model: Model, value: float) -> str:
    if model.objective.name == "cost":
        return f"{usd_words(value)} over the horizon"
    return f"{value:.3g} of the objective"


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
    """Return one sentence: the best other kit, twin-checked, and the electricity price at which it wins."""
    if not rivals:
        return f"{kit}: no other kind of cooling satisfies the constraints."
    name, rival = min(rivals.items(), key=lambda item: item[1].objective)
    extra = rival.objective - best.objective
    return f"{kit} beats {name} by {_amount(model, extra)}.{_turning_price(model, best, rival, extra)}"


def _turning_price(model: Model, best: Checked, rival: Checked, extra: float) -> str:
    """Electricity price at which the rival is as cheap: cost is linear in it."""
    halls = {site.name: site for site in model.on_premise}
    here = [halls[site.planned.name] for site in best.sites if site.planned.name in halls]
    if model.objective.name != "cost" or not here:
        return ""
    ours_mwh, theirs_mwh = best.totals.facility_energy_mwh_per_year, rival.totals.facility_energy_mwh_per_year
    if abs(theirs_mwh - ours_mwh) < 2e-3 * ours_mwh:
        return " Both take the same energy: the difference is the purchase."
    prices = here[0].tariff.energy_usd_per_j
    price = sum(prices) / len(prices) * 3.6e9
    factor = present_cost_usd(Ledger((), {"electricity": 1.0}, best.ledger.escalation, {}), model)
    turn = price - extra / ((theirs_mwh - ours_mwh) * factor)
    if turn <= 0.0:
        return " It wins even with free electricity."
    word = "below" if theirs_mwh > ours_mwh else "above"
    return f" The runner-up wins with electricity {word} about {turn / 1e3:.3f} USD/kWh (now {price / 1e3:.3f})."
