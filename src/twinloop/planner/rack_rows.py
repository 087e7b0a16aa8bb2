"""The rows of a hall's racks in the exact choice."""

from __future__ import annotations

import highspy
import numpy as np

from twinloop.planner.programme import Programme, add_at_most
from twinloop.planner.sharing import Filled, Positions, count, fill, telling


class RackRow:
    """The racks of one hall in the solver, by kind: at least what their servers need.

    The rows state what no packing can beat; where a choice really fills more racks, :meth:`cut` says so.
    """

    def __init__(self, programme: Programme, stages: list[str], positions: Positions, slack: int | None) -> None:
        self.positions = positions
        self.racks: dict[str, int] = {}
        for kind in sorted({load.kind for load in positions.loads.values()}):
            racks = self.racks[kind] = programme.column(f"racks {kind}, {positions.name}")
            mine = {i: load for i, load in positions.loads.items() if load.kind == kind}
            for d in telling(load.share for load in mine.values()):
                used = {i: load.servers * load.share[d] for i, load in mine.items()}
                used = {i: amount for i, amount in used.items() if amount > 1e-9}
                if used:
                    programme.at_most(f"racks {kind} by {d}, {positions.name}", {**used, racks: -1.0}, 0.0)
            for stage in sorted({stages[i] for i in mine}):
                own = {i: float(load.racks) for i, load in mine.items() if stages[i] == stage}
                programme.at_most(f"racks {kind} of {stage}, {positions.name}", {**own, racks: -1.0}, 0.0)
        beside = self._beside(programme)
        total = dict.fromkeys([*self.racks.values(), *([] if beside is None else [beside])], 1.0)
        spare = {} if slack is None else {slack: -max(positions.bound, 1.0)}
        self.index = programme.at_most(positions.name, {**total, **spare}, positions.bound)

    def _beside(self, programme: Programme) -> int | None:
        """Add the whole racks of switches and storage; ``None`` where there are none."""
        parts = {i: part for i, part in self.positions.beside.items() if part > 1e-9}
        if not parts and self.positions.fixed <= 0.0:
            return None
        racks = programme.column(f"racks beside, {self.positions.name}", whole=True)
        programme.at_most(f"switches and storage, {self.positions.name}", {**parts, racks: -1.0}, -self.positions.fixed)
        return racks

    def cut(self, solver: highspy.Highs, picked: tuple[int, ...], values: np.ndarray) -> bool:
        """Forbid ``picked`` the racks that it only has on paper; whether there was any."""
        chosen = self.positions.chosen(picked)
        found: dict[str, list[Filled]] = {}
        for each in fill(chosen):
            found.setdefault(each.kind, []).append(each)
        short = [kind for kind, racks in found.items() if count(racks) > values[self.racks[kind]] + 1e-6]
        beside = self.positions.racks_beside(picked)
        planned = sum(float(values[racks]) for racks in self.racks.values()) + beside
        if not short or sum(map(count, found.values())) + beside <= max(self.positions.bound, planned) + 1e-6:
            return False
        for kind in short:
            needed, mine = count(found[kind]), [i for i, load in chosen.items() if load.kind == kind]
            # racks >= needed once all of them are chosen together
            together = dict.fromkeys(mine, float(needed))
            add_at_most(solver, {**together, self.racks[kind]: -1.0}, float(needed * (len(mine) - 1)))
        return True

    def part(self, solver: highspy.Highs) -> None:
        """Let no stage share racks with another: what is left where the packing is too hard."""
        for kind, racks in self.racks.items():
            own = {i: float(load.racks) for i, load in self.positions.loads.items() if load.kind == kind}
            add_at_most(solver, {**own, racks: -1.0}, 0.0)
