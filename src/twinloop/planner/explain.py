"""Why: the runner-up of each choice and what would have to change for it to win."""

from __future__ import annotations

from dataclasses import replace

from twinloop.model.model import Model
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
    text = f"{head} beats {rival.option.device_count} × {rival.option.device} at {rival.site} by {_amount(model, extra)}"
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
        return f"{value / 1e6:.2f} M USD over the horizon" if abs(value) >= 1e5 else f"{value:,.0f} USD over the horizon"
    return f"{value:.3g} of the objective"


def cooling_reason(model: Model, best: Optimised, site: str, kit_of: dict[str, str]) -> str:
    """Return one sentence: the best other kit at ``site``, its price, and the electricity price at which it wins."""
    picked = [best.problem.placements[i] for i in best.choice.picked]
    mine = [p for p in picked if p.site == site]
    kit = kit_of[str(mine[0].design)]
    same = frozenset(
        i for i, p in enumerate(best.problem.placements) if p.site == site and p.design and kit_of[p.design] == kit
    )
    other = solve(without(best.problem, same))
    if other is None:
        return f"{kit}: no other kind of cooling satisfies the constraints."
    rivals = [best.problem.placements[i] for i in other.picked]
    there = [p for p in rivals if p.site == site and p.design]
    extra = other.objective - best.choice.objective
    if not there:
        return f"{kit}: without it the load would leave {site}, {_amount(model, extra)} dearer."
    text = f"{kit} beats {there[0].design} by {_amount(model, extra)}."
    return text + _turning_price(model, picked, rivals, extra)


def _turning_price(model: Model, ours: list[Placement], theirs: list[Placement], extra: float) -> str:
    """Electricity price at which the rival is as cheap: cost is linear in it."""
    if model.objective.name != "cost":
        return ""
    saved_j = sum(p.facility_j for p in theirs) - sum(p.facility_j for p in ours)
    if abs(saved_j) < 1e-3 * sum(p.facility_j for p in ours):
        return " Both take the same energy: the difference is the purchase."
    halls = {site.name: site for site in model.on_premise}
    names = [p.site for p in ours if p.site in halls]
    if not names:
        return ""
    prices = halls[names[0]].tariff.energy_usd_per_j
    price = sum(prices) / len(prices)
    years = model.horizon_s / (8760 * 3600.0)
    factor = sum((1.0 + model.finance.discount_per_year) ** -(year + 1) for year in range(round(years)))
    turn = price - extra / (saved_j * factor)
    if turn <= 0.0:
        return " It wins even with free electricity."
    word = "below" if saved_j > 0.0 else "above"
    return f" The runner-up wins with electricity {word} about {turn * 3.6e6:.3f} USD/kWh (now {price * 3.6e6:.3f})."
