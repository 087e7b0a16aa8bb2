"""The plan file, from the searches' results."""

from __future__ import annotations

from dataclasses import replace

from twinloop.model.doubt import Turn
from twinloop.model.model import Model
from twinloop.model.plan import (
    SCHEMA,
    Alternative,
    Baseline,
    Constraint,
    ObjectiveValue,
    Plan,
    PlannedParallelism,
    PlannedSite,
    PlannedStage,
)
from twinloop.planner.baselines import Rival
from twinloop.planner.check import Checked
from twinloop.planner.economy import economies
from twinloop.planner.explain import cooling_reason, span_words, stage_reasons, usd_words, warmer_words
from twinloop.planner.exposure import exposure
from twinloop.planner.frontier import frontier
from twinloop.planner.growth import growth_warnings, outgrown, outgrown_words, phases
from twinloop.planner.infeasible import WayOut
from twinloop.planner.limits import CAPEX_ROW, CARBON_ROW, COST_ROW, WATER_ROW
from twinloop.planner.money import load_growth_per_year
from twinloop.planner.naming import plan_name
from twinloop.planner.near import near_ties, screening_error
from twinloop.planner.optimise import Optimised, Seen
from twinloop.planner.placements import Placement, standing
from twinloop.planner.potential import potential_totals
from twinloop.planner.rules import rules
from twinloop.planner.runners_up import RunnerUp
from twinloop.planner.screen import Screened
from twinloop.planner.sequential import Ordered, compared
from twinloop.planner.supplies import dry_words, intake_words
from twinloop.planner.ties import TIE
from twinloop.planner.turning import turn_words
from twinloop.planner.uncertainty import uncertainty
from twinloop.planner.wishes import margin_words
from twinloop.planner.worths import worths
from twinloop.twin.design import PlantConstants
from twinloop.units import show
from twinloop.workload.chain import plan_chains

GAP_PROVEN = 5e-3


def assemble(
    model: Model,
    screened: Screened,
    best: Optimised,
    runners: dict[str, RunnerUp],
    by_kit: dict[str, Optimised],
    rivals: tuple[Rival, ...],
    ordered: Ordered | None,
    digest: str,
    k: PlantConstants,
    seen: Seen,
    wishes: str = "",
    told: tuple[Turn, ...] = (),
    eased: dict[str, str] | None = None,
) -> Plan:
    """Return the plan file of ``best`` with its reasons, rivals, frontier and uncertainty."""
    checked = best.checked
    reasons = stage_reasons(model, checked, runners)
    kits = {screened.kit_of[p.design] for p in checked.placements if p.design}
    others = {kit: each.checked for kit, each in by_kit.items() if kit not in kits}
    shortlist = _shortlist(checked, rivals, others, runners)
    points = frontier(model, best, screened.designs, k, seen)
    nearby = _alternatives(model, checked, others)
    sure = uncertainty(tuple(exposure(p, model) for p in shortlist), model)
    sites = tuple(
        _explained(model, checked, site.planned, others, screened, k, wishes + turn_words(told))
        for site in checked.sites
    )
    return Plan(
        schema=SCHEMA, scenario=model.name, scenario_hash=digest,
        status="optimal" if best.gap <= GAP_PROVEN else "feasible",
        summary=_summary(model, checked, rivals) + _later(model, checked) + margin_words(checked),
        objective=ObjectiveValue(model.objective.name, checked.objective, best.bound, best.gap),
        stages=tuple(
            _stage(
                p, reasons.get(p.stage, ""), room_words(model, p), waits_words(model, checked.placements, p.stage),
                (eased or {}).get(p.stage, ""),
            )
            for p in checked.placements
        ),
        sites=sites,
        phases=phases(model, checked), cashflow=checked.cash, totals=checked.totals,
        potential=potential_totals(model, checked, k),
        baselines=tuple(_grown(model, r) for r in rivals), alternatives=nearby,
        frontier=points,
        uncertainty=replace(sure, plans=len(shortlist), screening_error=screening_error(checked)),
        constraints=_constraints(model, best), warnings=(*rules(sites, model), *growth_warnings(model, checked)),
        provenance=model.provenance,
        sequential=compared(model, screened, checked, ordered), economics=economies(checked, by_kit, rivals),
        near_ties=near_ties(checked, points, nearby) if model.objective.name == "cost" else (), turns=told,
    )  # fmt: skip


def unsatisfied(model: Model, way: WayOut, found: Optimised, digest: str) -> Plan:
    """Return the plan of the cheapest way out, marked infeasible: what it would be if the limits moved."""
    checked = found.checked
    sites = tuple(site.planned for site in checked.sites)
    return Plan(
        schema=SCHEMA, scenario=model.name, scenario_hash=digest, status="infeasible",
        summary=f"No plan satisfies {' and '.join(clash.name for clash in way.clashes)} together. Cheapest way out: "
        f"{way.ways_out[0]}.",
        objective=ObjectiveValue(model.objective.name, checked.objective, None, None),
        stages=tuple(_stage(p, "chosen under the cheapest way out") for p in checked.placements), sites=sites,
        phases=(), cashflow=checked.cash, totals=checked.totals, potential=None, baselines=(), alternatives=(),
        frontier=(), uncertainty=None, constraints=_constraints(model, found), warnings=rules(sites, model),
        provenance=model.provenance, clashes=way.clashes, ways_out=way.ways_out,
    )  # fmt: skip


def _later(model: Model, checked: Checked) -> str:
    """Return a sentence on the limits that the growing plan passes later; empty where it passes none."""
    words = outgrown_words(outgrown(model, checked))
    return f" {sentence(words)}" if words else ""


def _grown(model: Model, rival: Rival) -> Baseline:
    """Return the baseline with the same said of its growth as of the plan's."""
    if rival.optimised is None or not rival.baseline.feasible:
        return rival.baseline
    words = outgrown_words(outgrown(model, rival.optimised.checked))
    note = "; ".join(each for each in (rival.baseline.note, words) if each)
    return replace(rival.baseline, note=note)


def _saving(rival: Optimised | None, checked: Checked) -> float | None:
    if rival is None or not rival.checked.objective:
        return None
    return (rival.checked.objective - checked.objective) / rival.checked.objective


def _shortlist(
    checked: Checked, rivals: tuple[Rival, ...], others: dict[str, Checked], runners: dict[str, RunnerUp]
) -> tuple[Checked, ...]:
    """Return the twin-checked recommendation, then every plan that is another one and holds what it holds."""
    told = [each for runner in runners.values() for each in (runner, runner.device) if each is not None]
    plans = [checked, *(r.optimised.checked for r in rivals if r.optimised and r.baseline.feasible), *others.values()]
    plans += [each.checked for each in told if each.checked is not None and each.holds and not each.note]
    distinct = {tuple(p.key for p in plan.placements): plan for plan in reversed(plans)}
    return (distinct.pop(tuple(p.key for p in checked.placements)), *distinct.values())


def waits_words(model: Model, placements: tuple[Placement, ...], stage: str) -> str:
    """Return how long a training stage would wait for the stages before it, run back to back; else nothing."""
    durations_s = {p.stage: p.option.duration_s for p in placements if p.option.duration_s}
    kinds = {each.name: each.kind for each in model.stages}
    for link in plan_chains(durations_s, model.stages):
        if link.stage == stage and kinds[stage] == "train" and kinds[link.limited_by] != "train" and link.working < 1.0:
            return (
                f"Run back to back its devices work {link.working:.0%} of the time and wait for {link.limited_by}, "
                "the slowest of the chain"
            )
    return ""


def room_words(model: Model, p: Placement) -> str:
    """Say what a run keeps free before its deadline; empty where that is nothing.

    A run of 3.1 h misses a deadline of 3.5 h where an interruption takes half an hour.
    """
    stage = next(each for each in model.stages if each.name == p.stage)
    room_s, run_s = p.option.deadline_room_s, p.option.duration_s
    if not room_s or run_s is None or stage.deadline_s is None:
        return ""
    return (
        f"{show(run_s, 'duration', 3)} + {show(room_s, 'duration', 2)} of room for one interruption ≤ "
        f"{show(stage.deadline_s, 'duration')}, its deadline"
    )


def _stage(p: Placement, why: str, *waits: str) -> PlannedStage:
    o, par = p.option, p.option.parallelism
    devices, data = _placed(p)
    return PlannedStage(
        name=p.stage, site=p.site, device=o.device, device_count=devices,
        server=p.offer.instance if p.offer else o.server, servers=p.servers, precision=o.precision,
        compression=o.compression,
        parallelism=PlannedParallelism(
            data, par.tensor, par.pipeline, par.expert, par.context, par.micro_batch, par.batch, par.zero,
            par.recompute, par.interleave,
        ),
        throughput=o.throughput_per_s, duration_s=o.duration_s, power_w=p.it_w, mfu=o.mfu,
        memory_per_device_gb=o.memory_per_device_b / 1e9, latency_p99_s=o.latency_p99_s,
        time_breakdown_s=o.time_breakdown_s,
        memory_gb={name: b / 1e9 for name, b in o.memory_parts_b.items()},
        why=" ".join(sentence(each) for each in (why, *waits, *o.notes) if each.strip()),
    )  # fmt: skip


def _placed(p: Placement) -> tuple[int, int]:
    """Return devices and copies as they stand: work spread over places has a server in each, needed for load or not."""
    o, devices = p.option, standing(p)
    if devices == o.device_count:
        return devices, o.parallelism.data
    return devices, devices // max(o.device_count // o.parallelism.data, 1)


def _explained(
    model: Model, best: Checked, site: PlannedSite, others: dict[str, Checked], screened: Screened, k: PlantConstants,
    wishes: str,
) -> PlannedSite:  # fmt: skip
    if site.cooling is None:
        return site
    reason = cooling_reason(model, best, others, screened.kit_of[site.cooling.name])
    design = screened.designs[site.name, site.cooling.name]
    hall = next(each for each in model.on_premise if each.name == site.name)
    price = intake_words(model, best, hall, screened, k) + dry_words(model, best, hall, screened, k)
    return replace(site, cooling=replace(site.cooling, why=reason + warmer_words(design) + price + wishes))


def _alternatives(model: Model, best: Checked, others: dict[str, Checked]) -> tuple[Alternative, ...]:
    """Return the best twin-checked plan of every other kit, nearest first."""
    found = []
    for kit, other in others.items():
        extra = (other.objective - best.objective) / max(abs(best.objective), 1e-9)
        words = plan_name(other.placements, best.placements)
        found.append(
            Alternative(kit, other.totals, other.objective, f"{words}: {extra:+.2%} of the {model.objective.name}")
        )
    return tuple(sorted(found, key=lambda each: each.objective))


def _constraints(model: Model, best: Optimised) -> tuple[Constraint, ...]:
    """Return every limit with what the twin leaves of it; where the twin has no such figure, the selection."""
    grows = model.caps.growth_fits and load_growth_per_year(model) > 0.0
    halls = {f"{what} of {site.name}" for site in model.on_premise for what in ("utility power", "water")}
    picked, used = best.choice.picked, _twin_use(best.checked)
    prices = worths(best.problem)
    return tuple(
        Constraint(
            row.name,
            row.bound - used.get(row.name, best.problem.taken(row, picked)),
            row.unit,
            prices.get(row.name),
            "of what the first year may take, so that the last still fits" if grows and row.name in halls else "",
        )
        for row in best.problem.rows
    )


def sentence(words: str) -> str:
    """Return ``words`` with a capital at their head and a full stop where they end without one.

    A name at the head, such as that of a kernel, keeps its spelling.

    >>> sentence("bound by compute"), sentence("It wins."), sentence("vLLM is assumed")
    ('Bound by compute.', 'It wins.', 'vLLM is assumed.')
    """
    words = words.strip()
    first = words.split(" ", 1)[0]
    words = words[:1].upper() + words[1:] if first.isalpha() and first.islower() else words
    return words if words.endswith((".", "!", "?")) else f"{words}."


def _twin_use(checked: Checked) -> dict[str, float]:
    """Return what the twin, not the screening, says of power, water and the plan's caps."""
    halls = [site.planned for site in checked.sites if site.planned.cooling]
    power = {f"utility power of {site.name}": site.totals.peak_power_w for site in halls}
    water = {f"water of {site.name}": site.totals.water_m3_per_year for site in halls}
    caps = {
        CAPEX_ROW: checked.totals.capex_usd, COST_ROW: checked.totals.tco_usd,
        CARBON_ROW: sum(checked.totals.carbon_t_per_year.values()) * 1e3, WATER_ROW: checked.totals.water_m3_per_year,
    }  # fmt: skip
    return {**power, **water, **caps}


def _bought(p: Placement) -> str:
    return f" ({p.purchase})" if p.purchase not in ("", "on_demand") else ""


def _built(checked: Checked, site: PlannedSite) -> str:
    mine = [p for p in checked.placements if p.site == site.name]
    devices = ", ".join(f"{p.option.device_count} × {p.option.device} for {p.stage}" for p in mine)
    cooling = site.cooling
    return (
        f"build {devices} at {site.name}, cooled by {cooling.rack if cooling else ''} with "
        f"{cooling.heat_rejection if cooling else ''} (PUE {site.totals.pue:.2f})"
    )


def _put(p: Placement, places: int) -> str:
    """Return ``p`` at edge places: in each of them, or all of it in one."""
    where = f"over the {places} places" if p.copies == places else f"in one of the {places} places"
    devices = f"{p.servers} × {p.option.server}"
    return f"{devices} {where} of {p.site} for {p.stage}" if places > 1 else f"{devices} at {p.site} for {p.stage}"


def _what(model: Model, checked: Checked) -> str:
    """Return what the plan builds in halls, rents in clouds and puts at the edge, every stage named."""
    parts = [_built(checked, site.planned) for site in checked.sites if site.planned.cooling]
    rented = [
        f"{p.servers} × {p.offer.instance}{_bought(p)} at {p.site} for {p.stage}"
        for p in checked.placements
        if p.offer is not None
    ]
    places = {edge.name: edge.count for edge in model.edges}
    put = [_put(p, places[p.site]) for p in checked.placements if p.site in places]
    parts += [f"rent {', '.join(rented)}"] if rented else []
    parts += [f"put {', '.join(put)}"] if put else []
    text = "; ".join(parts)
    return text[:1].upper() + text[1:]


def _summary(model: Model, checked: Checked, rivals: tuple[Rival, ...]) -> str:
    text = _what(model, checked)
    cost = f": {usd_words(checked.totals.tco_usd)} over {span_words(model.horizon_s)}"
    known = [r for r in rivals if r.optimised and r.baseline.feasible]
    if not known:
        return text + cost + "."
    nearest = min(known, key=lambda r: r.optimised.checked.objective if r.optimised else 0.0)
    saving = _saving(nearest.optimised, checked) or 0.0
    if abs(saving) < TIE:
        return f"{text}{cost}, which is also the best {nearest.baseline.name} plan."
    if model.objective.name == "cost":
        word = "below" if saving > 0.0 else "above"
        return f"{text}{cost}, {abs(saving):.1%} {word} {nearest.baseline.name}, the best baseline."
    goal = "weighted objective" if model.objective.name == "weighted" else model.objective.name
    word = "less" if saving > 0.0 else "more"
    return f"{text}{cost}, {abs(saving):.1%} {word} {goal} than {nearest.baseline.name}, the best baseline."
