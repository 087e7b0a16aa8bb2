"""A model in, a defended plan out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from twinloop.model.codec import content_hash
from twinloop.model.model import Model
from twinloop.model.plan import (
    SCHEMA,
    Alternative,
    Constraint,
    ObjectiveValue,
    Plan,
    PlannedParallelism,
    PlannedSite,
    PlannedStage,
)
from twinloop.model.simulation import SiteYear
from twinloop.planner.baselines import Rival, baselines
from twinloop.planner.check import Checked
from twinloop.planner.explain import cooling_reason, stage_reasons
from twinloop.planner.frontier import frontier
from twinloop.planner.infeasible import explain
from twinloop.planner.money import Ledger, add_ledgers
from twinloop.planner.optimise import Optimised, optimise, problem_of
from twinloop.planner.placements import Placement
from twinloop.planner.rules import rules
from twinloop.planner.screen import Screened, screen
from twinloop.planner.selection import solve
from twinloop.planner.totals import placement_totals
from twinloop.planner.uncertainty import uncertainty
from twinloop.twin.design import PlantConstants

GAP_PROVEN = 5e-3


@dataclass(frozen=True)
class Planned:
    """A plan with the years behind its halls, which the report draws."""

    plan: Plan
    years: tuple[SiteYear, ...]


def _silent(_: str) -> None:
    """Report nothing."""


def plan(
    model: Model,
    scenario_hash: str | None = None,
    progress: Callable[[str], None] = _silent,
    constants: PlantConstants | None = None,
) -> Planned:
    """Choose hardware, placement and cooling together.

    Args:
        model: the resolved scenario.
        scenario_hash: hash of the person's file; the model's own where there is none.
        progress: called with each step's name.
        constants: sizing and control assumptions; ``None``: the documented defaults.

    Raises:
        InfeasibleError: nothing satisfies the constraints; names the clash and the ways out.
    """
    k = constants or PlantConstants()
    progress("workload options")
    screened = screen(model, k, progress)
    progress("choosing and checking with the twin")
    best = optimise(model, screened.placements, screened.designs, k)
    if best is None:
        raise explain(model, problem_of(model, screened.placements, {}))
    rivals = baselines(model, screened, best, k, progress)
    better = [r.optimised for r in rivals if r.optimised and r.optimised.checked.objective < best.checked.objective]
    if better:
        # A restricted search that ends below the full one found a better twin-checked plan: keep it.
        best = replace(best, checked=min(better, key=lambda o: o.checked.objective).checked)
    progress("explaining")
    return Planned(
        _assemble(model, screened, best, rivals, scenario_hash or content_hash(model)),
        tuple(site.year for site in best.checked.sites if site.year is not None),
    )


def _assemble(model: Model, screened: Screened, best: Optimised, rivals: tuple[Rival, ...], digest: str) -> Plan:
    checked = best.checked
    reasons = stage_reasons(model, best)
    sites = tuple(_explained(model, best, site.planned, screened) for site in checked.sites)
    others = _alternatives(model, best, screened)
    ledgers = _shortlist(model, checked, rivals, others)
    return Plan(
        schema=SCHEMA, scenario=model.name, scenario_hash=digest,
        status="optimal" if best.gap <= GAP_PROVEN else "feasible",
        summary=_summary(model, checked, rivals),
        objective=ObjectiveValue(model.objective.name, checked.objective, best.bound, best.gap),
        stages=tuple(_stage(p, reasons.get(p.stage, "")) for p in checked.placements), sites=sites,
        phases=_phases(model), cashflow=checked.cash, totals=checked.totals, potential=None,
        baselines=tuple(
            replace(r.baseline, saving=_saving(r.baseline.totals and r.optimised, checked)) for r in rivals
        ),
        alternatives=tuple(o[0] for o in others), frontier=frontier(model, best),
        uncertainty=uncertainty(ledgers, model), constraints=_constraints(best, checked),
        warnings=rules(sites, model), provenance=model.provenance,
    )  # fmt: skip


def _saving(rival: Optimised | None, checked: Checked) -> float | None:
    if rival is None or not rival.checked.objective:
        return None
    return (rival.checked.objective - checked.objective) / rival.checked.objective


def _shortlist(
    model: Model, checked: Checked, rivals: tuple[Rival, ...], others: list[tuple[Alternative, Ledger]]
) -> tuple[Ledger, ...]:
    """Return the screened ledgers of the recommendation and of every other plan that is not the same one."""
    plans = [checked.placements, *(r.optimised.checked.placements for r in rivals if r.optimised)]
    distinct = {tuple(p.key for p in placements): placements for placements in plans}
    staff = Ledger((), {"staff": model.finance.staff_usd_per_year}, {}, {})
    ledgers = [add_ledgers(tuple(p.ledger for p in placements)) for placements in distinct.values()]
    return tuple(add_ledgers((ledger, staff)) for ledger in (*ledgers, *(o[1] for o in others)))


def _stage(p: Placement, why: str) -> PlannedStage:
    o, par = p.option, p.option.parallelism
    return PlannedStage(
        name=p.stage, site=p.site, device=o.device, device_count=o.device_count,
        server=p.offer.instance if p.offer else o.server, servers=p.servers, precision=o.precision,
        compression=o.compression,
        parallelism=PlannedParallelism(
            par.data, par.tensor, par.pipeline, par.expert, par.context, par.micro_batch, par.batch
        ),
        throughput=o.throughput_per_s, duration_s=o.duration_s, power_w=p.it_w, mfu=o.mfu,
        memory_per_device_gb=o.memory_per_device_b / 1e9, latency_p99_s=o.latency_p99_s,
        time_breakdown_s=o.time_breakdown_s, why=" ".join((why, *o.notes)).strip(),
    )  # fmt: skip


def _explained(model: Model, best: Optimised, site: PlannedSite, screened: Screened) -> PlannedSite:
    if site.cooling is None:
        return site
    picked = [best.problem.placements[i] for i in best.choice.picked]
    if not any(p.site == site.name for p in picked):
        return site
    return replace(
        site, cooling=replace(site.cooling, why=cooling_reason(model, best, site.name, screened.kit_of))
    )


def _alternatives(model: Model, best: Optimised, screened: Screened) -> list[tuple[Alternative, Ledger]]:
    """Return the best plan of every other kit, by screened coefficients."""
    picked = [best.problem.placements[i] for i in best.choice.picked]
    ours = {screened.kit_of[p.design] for p in picked if p.design}
    found = []
    for kit in sorted(set(screened.kit_of.values()) - ours):
        allowed = {name for name, each in screened.kit_of.items() if each == kit}
        keep = [i for i, p in enumerate(best.problem.placements) if p.design is None or p.design in allowed]
        problem = replace(
            best.problem,
            placements=tuple(best.problem.placements[i] for i in keep),
            costs=tuple(best.problem.costs[i] for i in keep), links=(),
            limits=tuple(
                replace(row, use={n: row.use[i] for n, i in enumerate(keep) if i in row.use})
                for row in best.problem.limits
            ),
        )  # fmt: skip
        choice = solve(problem)
        if choice is None:
            continue
        chosen = tuple(problem.placements[i] for i in choice.picked)
        if not any(p.design for p in chosen):
            continue
        found.append((_alternative(model, kit, chosen, choice.objective, best), add_ledgers(tuple(p.ledger for p in chosen))))
    return sorted(found, key=lambda each: each[0].objective)


def _alternative(
    model: Model, kit: str, chosen: tuple[Placement, ...], objective: float, best: Optimised
) -> Alternative:
    ledger = add_ledgers(tuple(p.ledger for p in chosen))
    totals = placement_totals(model, chosen, ledger)
    extra = objective - best.choice.objective
    designs = "; ".join(sorted({str(p.design) for p in chosen if p.design}))
    change = f"{designs}: {extra / max(best.choice.objective, 1e-9):+.1%} of the objective, screened"
    return Alternative(kit, totals, objective, change)


def _constraints(best: Optimised, checked: Checked) -> tuple[Constraint, ...]:
    picked = best.choice.picked
    return tuple(
        Constraint(row.name, row.bound - sum(row.use.get(i, 0.0) for i in picked), row.unit, None)
        for row in best.problem.limits
    )


def _phases(model: Model) -> tuple[str, ...]:
    growing = [site for site in model.on_premise if site.growth_per_year > 0.0]
    years = round(model.horizon_s / (8760 * 3600.0))
    return tuple(
        f"{site.name}: load grows {site.growth_per_year:.0%} a year; at that pace the hall needs "
        f"{(1.0 + site.growth_per_year) ** years:.2f} times today's IT power in year {years}"
        for site in growing
    )


def _summary(model: Model, checked: Checked, rivals: tuple[Rival, ...]) -> str:
    halls = [site.planned for site in checked.sites if site.planned.cooling]
    parts = []
    for site in halls:
        mine = [p for p in checked.placements if p.site == site.name]
        devices = ", ".join(f"{p.option.device_count} × {p.option.device} for {p.stage}" for p in mine)
        cooling = site.cooling
        parts.append(
            f"{devices} at {site.name}, cooled by {cooling.rack if cooling else ''} with "
            f"{cooling.heat_rejection if cooling else ''} (PUE {site.totals.pue:.2f})"
        )
    rented = [p for p in checked.placements if p.offer]
    if rented:
        parts.append(", ".join(f"{p.servers} × {p.offer.instance} at {p.site} for {p.stage}" for p in rented if p.offer))
    known = [r for r in rivals if r.optimised]
    text = "Build " + "; ".join(parts) if halls else "Rent " + "; ".join(parts)
    cost = f": {checked.totals.tco_usd / 1e6:.2f} M USD over {model.horizon_s / (8760 * 3600.0):.0f} years"
    if not known:
        return text + cost + "."
    nearest = max(known, key=lambda r: -(r.optimised.checked.objective if r.optimised else 0.0))
    saving = _saving(nearest.optimised, checked) or 0.0
    return f"{text}{cost}, {abs(saving):.1%} {'below' if saving >= 0 else 'above'} {nearest.baseline.name}, the best baseline."
