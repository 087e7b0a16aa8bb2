"""How sure a plan is: spreads, swings and rivals that cost as good as the same; part of ``plan.json``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """P10, P50 and P90 of one total."""

    p10: float
    p50: float
    p90: float


@dataclass(frozen=True)
class Swing:
    """One bar of the tornado: the TCO when one input takes its low and its high value."""

    name: str
    low_usd: float
    high_usd: float
    source: str


@dataclass(frozen=True)
class Uncertainty:
    """How sure the recommendation is."""

    samples: int
    totals: dict[str, Spread]
    probability_best: float
    regret_usd: float
    """Mean of what the recommendation costs above the best plan of each sample."""
    tornado: tuple[Swing, ...]
    plans: int | None = None
    """Twin-checked plans among which it is best in ``probability_best`` of the samples."""
    screening_error: float | None = None
    """The recommendation's screened cost over the twin's, minus one: how far a plan that only was screened may lie."""


@dataclass(frozen=True)
class NearTie:
    """Another plan whose cost cannot be told from the recommendation's and that is much better in another total."""

    name: str
    checked: bool
    """Whether by the twin; else both are screened."""
    cost: float
    """Over the recommendation's, minus one."""
    others: dict[str, float]
    """energy, water, carbon: over the recommendation's, minus one, those that are much lower."""


@dataclass(frozen=True)
class Turn:
    """How far one price may move before another kind of plan is recommended; both ends were planned anew."""

    price: str
    """electricity, rented machines, carbon."""
    unit: str
    now: float
    kept: float
    """Farthest price at which the same kind is still recommended."""
    turned: float | None
    """Nearest price at which another is; ``None``: none was found up to ``kept``."""
    instead: str
    """What is recommended then; empty where ``turned`` is ``None``."""
