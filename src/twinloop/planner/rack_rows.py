"""The rows of a hall's racks in the exact choice."""

from __future__ import annotations

import highspy
import numpy as np

from twinloop.planner.sharing import Filled, Positions, count, fill, telling


class RackRow:
    """The racks of one hall in the solver, by kind: at least what their servers need.

    The rows state what no packing can beat; where a choice really fills more racks, :meth:`cut` says so.
    """

    def __init__(
        self, solver: highspy.Highs, stages: list[str], positions: Positions, x: list[highspy.highs_var],
        slack: highspy.highs_var | None,
    ) -> None:  # fmt: skip
        self.solver, self.positions, self.x = solver, positions, x
        self.racks: dict[str, highspy.highs_var] = {}
        for kind in sorted({load.kind for load in positions.loads.values()}):
            racks = solver.addVariable(lb=0.0, name=f"racks {kind}, {positions.name}")
            self.racks[kind] = racks
            mine = {i: load for i, load in positions.loads.items() if load.kind == kind}
            for d in telling(load.share for load in mine.values()):
                used = [(i, load.servers * load.share[d]) for i, load in mine.items()]
                if any(amount > 1e-9 for _, amount in used):
                    solver.addConstr(
                        sum((amount * x[i] for i, amount in used if amount > 1e-9), start=0.0 * racks) <= racks
                    )
            for stage in sorted({stages[i] for i in mine}):
                own = sum(load.racks * x[i] for i, load in mine.items() if stages[i] == stage)
                solver.addConstr(own <= racks)
        self.beside = self._beside()
        every = [*self.racks.values(), *([] if self.beside is None else [self.beside])]
        total = sum(every[1:], start=1.0 * every[0])
        spare = total if slack is None else total - max(positions.bound, 1.0) * slack
        self.index = int(solver.addConstr(spare <= positions.bound, name=positions.name).index)

    def _beside(self) -> highspy.highs_var | None:
        """Add the whole racks of switches and storage; ``None`` where there are none."""
        parts = [(part, self.x[i]) for i, part in self.positions.beside.items() if part > 1e-9]
        if not parts and self.positions.fixed <= 0.0:
            return None
        racks: highspy.highs_var = self.solver.addVariable(
            0.0, highspy.kHighsInf, type=highspy.HighsVarType.kInteger, name=f"racks beside, {self.positions.name}"
        )
        taken = sum((part * x for part, x in parts), start=0.0 * racks)
        self.solver.addConstr(taken + self.positions.fixed <= racks)
        return racks

    def cut(self, picked: tuple[int, ...], values: np.ndarray) -> bool:
        """Forbid ``picked`` the racks that it only has on paper; whether there was any."""
        chosen = self.positions.chosen(picked)
        found: dict[str, list[Filled]] = {}
        for each in fill(chosen):
            found.setdefault(each.kind, []).append(each)
        short = [kind for kind, racks in found.items() if count(racks) > values[self.racks[kind].index] + 1e-6]
        beside = self.positions.racks_beside(picked)
        planned = sum(float(values[racks.index]) for racks in self.racks.values()) + beside
        if not short or sum(map(count, found.values())) + beside <= max(self.positions.bound, planned) + 1e-6:
            return False
        for kind in short:
            needed, mine = count(found[kind]), [i for i, load in chosen.items() if load.kind == kind]
            together = sum(self.x[i] for i in mine) - (len(mine) - 1)
            self.solver.addConstr(self.racks[kind] >= needed * together)
        return True

    def part(self) -> None:
        """Let no stage share racks with another: what is left where the packing is too hard."""
        for kind, racks in self.racks.items():
            own = sum(load.racks * self.x[i] for i, load in self.positions.loads.items() if load.kind == kind)
            self.solver.addConstr(own <= racks)
