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
from twinloop.planner.money import Ledger
from twinloop.planner.optimise import Optimised, optimise, problem_of
from twinloop.planner.placements import Placement
from twinloop.planner.rules import rules
from twinloop.planner.screen import Screened, screen
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
    free = optimise(model, screened.placements, screened.designs, k)
    if free is None:
        raise explain(model, problem_of(model, screened.placements, {}))
    by_kit = _by_kit(model, screened, k, progress)
    # Coefficients mislead by tenths of a percent: the best twin-checked plan of all searches wins.
    best = min((free, *by_kit.values()), key=lambda each: each.checked.objective)
    best = replace(best, bound=min(free.bound, best.checked.objective))
    best = replace(best, gap=(best.checked.objective - best.bound) / max(abs(best.checked.objective), 1e-9))
    rivals = baselines(model, screened, best, k, progress)
    progress("explaining")
    return Planned(
        _assemble(model, screened, best, by_kit, rivals, scenario_hash or content_hash(model)),
        tuple(site.year for site in best.checked.sites if site.year is not None),
    )


def _by_kit(
    model: Model, screened: Screened, k: PlantConstants, progress: Callable[[str], None]
) -> dict[str, Optimised]:
    """Return the best twin-checked plan of each cooling kit that keeps some stage in a hall."""
    found = {}
    for kit in sorted(set(screened.kit_of.values())):
        progress(f"checking {kit}")
        mine = tuple(p for p in screened.placements if p.design is None or screened.kit_of[p.design] == kit)
        result = optimise(model, mine, screened.designs, k, rounds=2)
        if result is not None and any(p.design for p in result.checked.placements):
            found[kit] = result
    return found


def _assemble(
    model: Model,
    screened: Screened,
    best: Optimised,
    by_kit: dict[str, Optimised],
    rivals: tuple[Rival, ...],
    digest: str,
) -> Plan:
    checked = best.checked
    reasons = stage_reasons(model, best)
    kits = {screened.kit_of[p.design] for p in checked.placements if p.design}
    others = {kit: each.checked for kit, each in by_kit.items() if kit not in kits}
    sites = tuple(_explained(model, checked, site.planned, others, screened) for site in checked.sites)
    return Plan(
        schema=SCHEMA, scenario=model.name, scenario_hash=digest,
        status="optimal" if best.gap <= GAP_PROVEN else "feasible",
        summary=_summary(model, checked, rivals),
        objective=ObjectiveValue(model.objective.name, checked.objective, best.bound, best.gap),
        stages=tuple(_stage(p, reasons.get(p.stage, "")) for p in checked.placements), sites=sites,
        phases=_phases(model), cashflow=checked.cash, totals=checked.totals, potential=None,
        baselines=tuple(r.baseline for r in rivals), alternatives=_alternatives(model, checked, others),
        frontier=frontier(model, best), uncertainty=uncertainty(_shortlist(checked, rivals, others), model),
        constraints=_constraints(best), warnings=rules(sites, model), provenance=model.provenance,
    )  # fmt: skip


def _saving(rival: Optimised | None, checked: Checked) -> float | None:
    if rival is None or not rival.checked.objective:
        return None
    return (rival.checked.objective - checked.objective) / rival.checked.objective


def _shortlist(checked: Checked, rivals: tuple[Rival, ...], others: dict[str, Checked]) -> tuple[Ledger, ...]:
    """Return the twin-checked ledgers of the recommendation, then of every plan that is another one."""
    plans = [checked, *(r.optimised.checked for r in rivals if r.optimised and r.baseline.feasible), *others.values()]
    distinct = {tuple(p.key for p in plan.placements): plan for plan in reversed(plans)}
    ordered = [distinct.pop(tuple(p.key for p in checked.placements)), *distinct.values()]
    return tuple(plan.ledger for plan in ordered)


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


def _explained(
    model: Model, best: Checked, site: PlannedSite, others: dict[str, Checked], screened: Screened
) -> PlannedSite:
    if site.cooling is None:
        return site
    reason = cooling_reason(model, best, others, screened.kit_of[site.cooling.name])
    return replace(site, cooling=replace(site.cooling, why=reason))


def _alternatives(model: Model, best: Checked, others: dict[str, Checked]) -> tuple[Alternative, ...]:
    """Return the best twin-checked plan of every other kit, nearest first."""
    found = []
    for kit, other in others.items():
        extra = (other.objective - best.objective) / max(abs(best.objective), 1e-9)
        designs = "; ".join(sorted({str(p.design) for p in other.placements if p.design}))
        found.append(
            Alternative(kit, other.totals, other.objective, f"{designs}: {extra:+.2%} of the {model.objective.name}")
        )
    return tuple(sorted(found, key=lambda each: each.objective))


def _constraints(best: Optimised) -> tuple[Constraint, ...]:
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
        parts.append(
            ", ".join(f"{p.servers} × {p.offer.instance} at {p.site} for {p.stage}" for p in rented if p.offer)
        )
    known = [r for r in rivals if r.optimised and r.baseline.feasible]
    text = "Build " + "; ".join(parts) if halls else "Rent " + "; ".join(parts)
    cost = f": {checked.totals.tco_usd / 1e6:.2f} M USD over {model.horizon_s / (8760 * 3600.0):.0f} years"
    if not known:
        return text + cost + "."
    nearest = min(known, key=lambda r: r.optimised.checked.objective if r.optimised else 0.0)
    saving = _saving(nearest.optimised, checked) or 0.0
    if abs(saving) < 5e-5:
        return f"{text}{cost}, which is also the best {nearest.baseline.name} plan."
    word = "below" if saving > 0.0 else "above"
    return f"{text}{cost}, {abs(saving):.1%} {word} {nearest.baseline.name}, the best baseline."
