"""The report's sentences: headline numbers beside the baselines, the verdict, and what would change the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from twinloop.model.doubt import NearTie, Uncertainty
from twinloop.model.plan import Baseline, Constraint, Plan, Totals
from twinloop.report import numbers, tables

SAME = 5e-5
"""A saving below this share is a tie."""
SHOWN = 5e-4
"""A difference below this would print as 0.0 %."""
NEAR = 0.01
"""Within a hundredth plans are alike: prices in the catalogue are less certain than that."""
SURE = 0.9
"""Share of price samples from which the recommendation counts as robust."""


@dataclass(frozen=True)
class Kpi:
    """One headline number and the same of each baseline."""

    name: str
    value: str
    beside: tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """One thing that would change the answer."""

    what: str
    how: str


def kpis(plan: Plan) -> tuple[Kpi, ...]:
    """Return the row of headline numbers; a baseline that does not fit is marked by an asterisk."""
    t = plan.totals
    rivals = [(_label(b), b.totals) for b in plan.baselines if b.totals is not None]

    def against(pick: Callable[[Totals], float]) -> tuple[str, ...]:
        return tuple(f"{label}: {_difference(pick(t), pick(theirs))}" for label, theirs in rivals)

    def theirs(show: Callable[[Totals], str]) -> tuple[str, ...]:
        return tuple(f"{label}: {show(totals)}" for label, totals in rivals)

    def carbon(totals: Totals) -> float:
        return sum(totals.carbon_t_per_year.values())

    def water(totals: Totals) -> str:
        return numbers.quantity(totals.water_m3_per_year, "m³")

    throttled = f"{numbers.number(t.throttled_hours) if t.throttled_hours else 'no'} device-hours throttled"
    own = any(site.cooling is not None for site in plan.sites)
    junction = ("worst chip of the hottest hour", throttled) if own else ("the provider's matter",)
    return (
        Kpi("Total cost of ownership", numbers.money(t.tco_usd), against(lambda x: x.tco_usd)),
        Kpi("Energy a year", numbers.energy(t.facility_energy_mwh_per_year),
            against(lambda x: x.facility_energy_mwh_per_year)),
        Kpi("PUE", numbers.number(t.pue, 4), theirs(lambda x: numbers.number(x.pue, 4))),
        Kpi("TUE", numbers.number(t.tue, 4), theirs(lambda x: numbers.number(x.tue, 4))),
        Kpi("Site water a year", water(t), theirs(water)),
        Kpi("CO2e a year", numbers.quantity(carbon(t), "t"), against(carbon)),
        Kpi("Hottest junction", numbers.fixed(t.peak_junction_c, "°C"),
            junction if t.peak_junction_c is not None else ("no hall of its own: the provider's care",)),
    )  # fmt: skip


def _label(baseline: Baseline) -> str:
    return baseline.name if baseline.feasible else f"{baseline.name}*"


def _difference(ours: float, theirs: float) -> str:
    if not theirs:
        return numbers.UNKNOWN
    share = ours / theirs - 1.0
    return "the same" if abs(share) < SHOWN else numbers.percent(share, signed=True)


def verdict(plan: Plan) -> tuple[str, ...]:
    """Return honest sentences on the baselines, on ties, and on how sure the answer is."""
    feasible = [b for b in plan.baselines if b.feasible and b.saving is not None]
    said = []
    for words, chosen in (
        ("A plainer design does better here: {}.", [b for b in feasible if (b.saving or 0.0) < -SAME]),
        ("The recommendation is itself the best plan of {}: mixing gains nothing here.",
         [b for b in feasible if abs(b.saving or 0.0) <= SAME]),
        ("Within 1 % of {}, less than the uncertainty of prices: choose between them for other reasons.",
         [b for b in feasible if SAME < (b.saving or 0.0) < NEAR]),
        ("Clearly better than {}.", [b for b in feasible if (b.saving or 0.0) >= NEAR]),
    ):  # fmt: skip
        if chosen:
            said.append(words.format(numbers.listed([b.name for b in chosen])))
    unfit = [b for b in plan.baselines if not b.feasible]
    if unfit:
        shown = " The figures shown for what does not fit assume as many rack positions as it would take." if any(
            b.totals for b in unfit) else ""  # fmt: skip
        said.append(f"Not possible within the limits: {numbers.listed([b.name for b in unfit])}.{shown}")
    said += [_outgrown(plan, unfit)] if any(w.rule == "growth" for w in plan.warnings) else []
    if plan.objective.gap is not None:
        said.append(
            f"The search is exact by its own coefficients: no other choice is {_better(plan.objective.gap)}. The twin "
            "then gives each checked plan its final figures, for which there is no such proof."
        )
    u = plan.uncertainty
    if u is not None and u.plans == 1:
        said.append("The twin has checked this plan alone: at other prices there was no other to choose.")
    elif u is not None:
        word = "robust to" if u.probability_best >= SURE else "sensitive to"
        among = "" if u.plans is None else f"{u.plans} "
        said.append(
            f"Among the {among}plans that the twin has checked, and only among them, the choice is {word} prices: best "
            f"in {numbers.percent(u.probability_best)} of {numbers.count(float(u.samples))} price samples, mean regret "
            f"{numbers.money(u.regret_usd)}.{_model_error(u)}"
        )
    return (*said, *(_near_tie(tie) for tie in plan.near_ties))


def _better(gap: float) -> str:
    """Return by how much another choice may be better at most."""
    return f"more than {numbers.percent(gap)} better" if gap >= 5e-4 else "better"


def _outgrown(plan: Plan, unfit: list[Baseline]) -> str:
    """Return how long the recommendation keeps within its halls, and that baselines are struck out for less."""
    words = "; ".join(w.message for w in plan.warnings if w.rule == "growth")
    fair = " A baseline is struck out only for what it needs in year 1." if unfit else ""
    return f"The recommendation fits at first and not for the whole horizon: {words}.{fair}"


def _model_error(u: Uncertainty) -> str:
    """Return what the samples leave out: how far screening and twin lie apart; empty where that is not known."""
    if u.screening_error is None:
        return ""
    if abs(u.screening_error) < SHOWN:
        return " Screening and the twin agree on the plan's cost."
    side = "below" if u.screening_error < 0.0 else "above"
    return (
        f" The model's own error is not in these shares: screening puts the plan's cost "
        f"{numbers.percent(abs(u.screening_error))} {side} the twin's, so that plans that were only screened may lie "
        "that far from where they are shown."
    )


def _near_tie(tie: NearTie) -> str:
    """Return what another plan of nearly the same cost saves."""
    cost = "the same cost" if abs(tie.cost) < SHOWN else (
        f"{numbers.percent(abs(tie.cost))} {'more' if tie.cost > 0.0 else 'less'} cost")  # fmt: skip
    saved = ", ".join(f"{numbers.percent(-share, 0)} less {name}" for name, share in tie.others.items())
    how = "by the twin" if tie.checked else "as screened, not checked by the twin"
    return f"For {cost}: {saved} ({tie.name}; {how})."


def notes(plan: Plan) -> tuple[Change, ...]:
    """Return what each baseline is."""
    return tuple(Change(b.name, b.note) for b in plan.baselines if b.note)


def uncounted(plan: Plan) -> str:
    """Return what the cost leaves out because the scenario gives no price of it; empty where nothing is."""
    paid = {name for year in plan.cashflow for name in year.amounts_usd}
    if not paid or paid & {"staff", "operations staff"}:
        return ""
    return "Staff is not counted: finance.staff is 0, or the plan has no hall of its own."


def changes(plan: Plan) -> tuple[Change, ...]:
    """Return what would change the answer: cooling, each stage, prices, and the nearest limit."""
    found = [Change(f"Cooling of {s.name}", s.cooling.why) for s in plan.sites if s.cooling and s.cooling.why]
    found += [Change(f"Stage {s.name}", s.why) for s in plan.stages if s.why]
    if plan.alternatives:
        nearest = min(plan.alternatives, key=lambda each: each.objective)
        named = nearest.change.startswith(nearest.name)
        found.append(Change("Nearest other kind of cooling", f"{'' if named else f'{nearest.name}: '}{nearest.change}"))
    if plan.uncertainty and plan.uncertainty.tornado:
        widest = max(plan.uncertainty.tornado, key=lambda bar: bar.high_usd - bar.low_usd)
        found.append(Change("Widest range", (
            f"{widest.name}: the cost goes from {numbers.money(widest.low_usd)} to "
            f"{numbers.money(widest.high_usd)}. It moves rival plans too, so the choice changes less than the bill."
        )))  # fmt: skip
    return (*found, *(Change(c.name.capitalize(), words) for c in plan.constraints if (words := _limit(c, plan))))


def _limit(c: Constraint, plan: Plan) -> str:
    """Return what is left of a limit that shapes the answer, and what more of it is worth; empty for another."""
    worth = tables.worth(c, plan.objective.name)
    shapes = "it shapes the answer" if c.shadow_price != 0.0 else "more of it would gain nothing"
    said = [f"nothing is left of this limit: {shapes}"] if c.slack <= 0.0 else []
    spare = "; what is left is too little for a whole step more" if worth and c.slack > 0.0 else ""
    said += [f"{worth[1]} more is worth about {worth[0]}, if work could be placed in part{spare}"] if worth else []
    return "; ".join(said) + "." if said else ""
