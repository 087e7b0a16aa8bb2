"""Joint against sequential: compute chosen first at one cooling technology's figures, cooling afterwards.

Sequential, defined fairly: same options, same limits, same twin. First the compute (device, count, layout,
place) is chosen as if each hall had its best single technology - all air, all rear doors, all plates or all
baths - at that technology's own PUE, prices and density. Then the compute is fixed and cooling is chosen for
it among all designs, the chassis going with the cooling.
"""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.model.model import Model
from twinloop.model.plan import Sequential
from twinloop.planner.check import Checked
from twinloop.planner.optimise import Optimised, Seen, optimise, problem_of
from twinloop.planner.placements import Placement
from twinloop.planner.screen import Screened
from twinloop.planner.selection import solve
from twinloop.planner.ties import TIE
from twinloop.planner.uncertainty import category_costs
from twinloop.twin.design import PlantConstants

SINGLE_KITS = ("air", "rear doors", "all plates", "immersion")
PROVIDERS = "the providers' own"
"""Technology of a plan without a hall."""


@dataclass(frozen=True)
class Ordered:
    """The sequential plan: its compute, chosen first, and its twin-checked end."""

    first: tuple[Placement, ...]
    optimised: Optimised | None


def compute_key(p: Placement) -> tuple[object, ...]:
    """Return what the compute step fixes: place, device, count, layout and formats, not the chassis."""
    o = p.option
    return (p.stage, p.site, o.device, o.device_count, o.precision, o.compression, o.parallelism)


def compute_first(model: Model, screened: Screened, k: PlantConstants, seen: Seen | None = None) -> Ordered | None:
    """Return the sequential plan; ``None`` where no single technology carries the load within the limits."""
    single = tuple(p for p in screened.placements if p.design is None or screened.kit_of[p.design] in SINGLE_KITS)
    choice = solve(problem_of(model, single, {}, k)) if single else None
    if choice is None:
        return None
    first = tuple(single[i] for i in choice.picked)
    fixed = {compute_key(p) for p in first}
    theirs = tuple(p for p in screened.placements if compute_key(p) in fixed)
    return Ordered(first, optimise(model, theirs, screened.designs, k, seen))


def compared(model: Model, screened: Screened, joint: Checked, ordered: Ordered | None) -> Sequential:
    """Return the comparison with its cause in words."""
    if ordered is None:
        return Sequential(
            False, None, None, "none",
            "no single cooling technology carries this load within the limits: chosen one after the other there is "
            "no plan",
        )  # fmt: skip
    technology = ", ".join(sorted({screened.kit_of[p.design] for p in ordered.first if p.design})) or PROVIDERS
    if ordered.optimised is None:
        return Sequential(
            False, None, None, technology,
            f"the compute chosen at {_figures(technology)} finds no cooling within the limits",
        )  # fmt: skip
    theirs = ordered.optimised.checked
    saving = (theirs.objective - joint.objective) / max(abs(theirs.objective), 1e-9)
    return Sequential(True, theirs.totals, saving, technology, _cause(model, joint, theirs, saving, technology))


def _figures(technology: str) -> str:
    """Return at whose figures the compute was chosen.

    >>> _figures("rear doors"), _figures(PROVIDERS)
    ('the figures of rear doors', "the providers' own figures")
    """
    return f"{PROVIDERS} figures" if technology == PROVIDERS else f"the figures of {technology}"


def _cause(model: Model, joint: Checked, theirs: Checked, saving: float, technology: str) -> str:
    ours = {p.stage: p for p in joint.placements}
    changed = [p for p in theirs.placements if compute_key(p) != compute_key(ours[p.stage])]
    if abs(saving) < TIE:
        if not changed:
            same = {p.design for p in joint.placements} == {p.design for p in theirs.placements}
            cooling = "is the same cooling" if same else "comes to the same as the plan's"
            return f"nothing: compute chosen first at {_figures(technology)} is the same compute" + (
                "" if technology == PROVIDERS else f", and cooling chosen for it {cooling}"
            )
        return "nothing: other devices at the same objective"
    words = [
        f"{p.stage} on {p.option.device_count} × {p.option.device} at {p.site} instead of "
        f"{ours[p.stage].option.device_count} × {ours[p.stage].option.device} at {ours[p.stage].site}"
        for p in changed
    ]
    if not changed:
        words.append(f"the same compute, cooled by {'; '.join(sorted({str(p.design) for p in theirs.placements}))}")
    took = f"at {_figures(technology)}, compute chosen first takes {'; '.join(words)}"
    return took + _moved(model, joint, theirs)


def _moved(model: Model, joint: Checked, theirs: Checked) -> str:
    """Say which costs make the difference, the largest first."""
    ours, others = category_costs(joint.ledger, model), category_costs(theirs.ledger, model)
    moved = {name: others.get(name, 0.0) - ours.get(name, 0.0) for name in {*ours, *others}}
    largest = sorted((name for name in moved if abs(moved[name]) > 1.0), key=lambda name: (-abs(moved[name]), name))[:3]
    if not largest:
        return ""
    return ": " + ", ".join(f"{name} {moved[name] / 1e6:+.3f} M USD" for name in largest)
