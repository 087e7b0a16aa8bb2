"""The same effort for every search: the plan's and those of the baselines and kits that it is held against."""

from __future__ import annotations

from dataclasses import dataclass, field

from twinloop.model.model import Model
from twinloop.planner.frontier import proposed
from twinloop.planner.optimise import Optimised, Seen, acceptable, adopted
from twinloop.planner.runners_up import settled
from twinloop.planner.screen import Screened
from twinloop.planner.selection import feasible
from twinloop.planner.supplies import resupplied
from twinloop.planner.ties import simplest
from twinloop.twin.design import HybridDesign, PlantConstants


@dataclass(frozen=True)
class Efforts:
    """What every search of one planning run gets; remembers what it has refined."""

    model: Model
    screened: Screened
    k: PlantConstants
    seen: Seen
    ends: dict[int, Optimised] = field(default_factory=dict)

    def refined(self, found: Optimised) -> Optimised:
        """Return ``found`` with runners-up that the twin finds better, then at the supplies that it finds better."""
        if id(found) not in self.ends:
            better, _ = settled(self.model, found, self.screened.designs, self.k, self.seen)
            self.ends[id(found)], _ = resupplied(self.model, better, self.screened, self.k, self.seen)
        return self.ends[id(found)]

    def finished(self, found: Optimised) -> Optimised:
        """Return the refined ``found``, or a better plan of its own placements that any other search had checked."""
        end, index = self.refined(found), {p.key: i for i, p in enumerate(found.problem.placements)}
        in_halls = any(p.design for p in found.checked.placements)
        pool = [
            checked
            for key, checked in self.seen.items()
            if all(each in index for each in key)
            and any(p.design for p in checked.placements) == in_halls
            and feasible(found.problem, tuple(index[each] for each in key))
            and acceptable(self.model, checked)
        ]
        chosen = simplest([end.checked, *pool])
        return end if chosen is end.checked else adopted(chosen, found, found.rounds)


def or_proposed(
    model: Model, best: Optimised, designs: dict[tuple[str, str], HybridDesign], k: PlantConstants, seen: Seen
) -> Optimised:
    """Return ``best``, or a plan of the frontier that the twin finds better or, at the same, simpler."""
    chosen = simplest([best.checked, *proposed(model, best, designs, k, seen)])
    return best if chosen is best.checked else adopted(chosen, best, best.rounds)
