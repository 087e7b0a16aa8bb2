"""A plan asked anew: other prices or supply temperatures over what its search has stored.

Nothing is screened again. Stored placements are priced anew, which is exact: prices of carbon and water enter a
placement's yearly amounts and nothing else. The choice is then made anew and confirmed by the twin. A supply
temperature that was not screened is asked of the twin alone, for the design that the plan chose.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from twinloop.model.model import Caps, Model
from twinloop.planner.check import Checked, check
from twinloop.planner.designs import COIL_APPROACH_K
from twinloop.planner.money import present_cost_usd, priced
from twinloop.planner.optimise import acceptable, optimise
from twinloop.planner.placements import Placement
from twinloop.planner.plan import Planned
from twinloop.planner.screen import Screened
from twinloop.studio.broken import broken
from twinloop.studio.levers import KG_PER_T
from twinloop.twin.design import HybridDesign, PlantConstants

ROUNDS = 3
PRICES = {"carbon": ("carbon price", 1.0 / KG_PER_T), "water": ("water price", 1.0)}
"""Lever -> its yearly amount in a ledger, and the factor from the unit shown to SI."""


@dataclass(frozen=True)
class Answer:
    """What the plan would be, and what another choice would give."""

    kept: Checked
    """The plan as it was chosen, at the new prices and temperatures."""
    broken: tuple[str, ...]
    """The limits that it breaks there, in words; empty: it respects every one, and nothing throttles."""
    best: Checked | None
    """The best choice there; ``None``: nothing satisfies the limits."""


def ask(model: Model, planned: Planned, moved: dict[str, float]) -> Answer:
    """Return what becomes of ``planned`` when levers are ``moved``: name -> value in the unit shown.

    Raises:
        ValueError: the plan has no stored search.
    """
    screened, best = planned.screened, planned.best
    if screened is None or best is None:
        raise ValueError("a plan without a stored search cannot be asked anew")
    model = repriced_model(_wished(model, planned.asked), moved)
    placements = tuple(repriced(p, model) for p in screened.placements)
    by_key = {p.key: p for p in placements}
    chosen = tuple(by_key[p.key] for p in best.checked.placements)
    k = PlantConstants()
    designs = resupplied(screened, chosen, moved)
    kept = check(model, chosen, designs, k)
    found = optimise(model, placements, designs, k, {tuple(p.key for p in chosen): kept}, ROUNDS)
    there = None if found is None else found.checked
    if acceptable(model, kept) and (there is None or kept.objective <= there.objective):
        there = kept
    return Answer(kept, broken(model, kept), there)


def _wished(model: Model, asked: Model | None) -> Model:
    """Return ``model`` with what the search of its plan held beside the scenario's limits: its wishes."""
    if asked is None or asked.caps is None:
        return model
    held = asked.caps
    return replace(model, caps=replace(
        model.caps or Caps(), junction_margin_k=held.junction_margin_k, dry_doors=held.dry_doors,
        growth_fits=held.growth_fits,
    ))  # fmt: skip


def repriced_model(model: Model, moved: dict[str, float]) -> Model:
    """Return ``model`` with the moved prices among its weights."""
    weights = dict(model.objective.weights)
    for lever, (_, factor) in PRICES.items():
        if lever in moved:
            weights[lever] = moved[lever] * factor
    return replace(model, objective=replace(model.objective, weights=weights))


def repriced(p: Placement, model: Model) -> Placement:
    """Return ``p`` at the prices of ``model``; only a hall pays for water apart from its tariff."""
    own = {word for word, _ in PRICES.values()}
    plain = {name: usd for name, usd in p.ledger.yearly_usd.items() if name not in own}
    ledger = priced(replace(p.ledger, yearly_usd=plain), model, p.water_m3 if p.design is not None else 0.0)
    return replace(p, ledger=ledger, cost_usd=present_cost_usd(ledger, model))


def resupplied(
    screened: Screened, chosen: tuple[Placement, ...], moved: dict[str, float]
) -> dict[tuple[str, str], HybridDesign]:
    """Return the designs, those of ``chosen`` with the moved supply temperatures."""
    designs = dict(screened.designs)
    for place in {(p.site, p.design) for p in chosen if p.design is not None}:
        key = (place[0], str(place[1]))
        design = designs[key]
        warm_c = moved.get(f"warm_supply@{place[0]}", design.warm_supply_c)
        cold_c = moved.get(f"cold_supply@{place[0]}", design.cold_supply_c)
        designs[key] = replace(
            design, warm_supply_c=warm_c, cold_supply_c=cold_c,
            air_supply_c=cold_c + COIL_APPROACH_K if cold_c != design.cold_supply_c else design.air_supply_c,
        )  # fmt: skip
    return designs
