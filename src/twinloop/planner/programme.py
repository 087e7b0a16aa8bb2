"""An integer programme in plain lists, handed to the solver in one piece: row by row takes ten times as long."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

import highspy
import numpy as np


@dataclass
class Programme:
    """Columns with their costs and bounds, and rows of at most or exactly an amount, in the order they are added."""

    costs: list[float] = field(default_factory=list)
    lows: list[float] = field(default_factory=list)
    highs: list[float] = field(default_factory=list)
    whole: list[bool] = field(default_factory=list)
    rows: list[Mapping[int, float]] = field(default_factory=list)
    least: list[float] = field(default_factory=list)
    most: list[float] = field(default_factory=list)
    column_names: list[str] = field(default_factory=list)
    row_names: list[str] = field(default_factory=list)

    def column(self, name: str, cost: float = 0.0, high: float = highspy.kHighsInf, *, whole: bool = False) -> int:
        """Add a column from 0 to ``high``; return its index."""
        self.column_names.append(name)
        self.costs.append(cost)
        self.lows.append(0.0)
        self.highs.append(high)
        self.whole.append(whole)
        return len(self.costs) - 1

    def at_most(self, name: str, terms: Mapping[int, float], bound: float) -> int:
        """Add the row ``terms`` (column -> coefficient) <= ``bound``; return its index."""
        self.row_names.append(name)
        self.rows.append(terms)
        self.least.append(-highspy.kHighsInf)
        self.most.append(bound)
        return len(self.rows) - 1

    def exactly(self, name: str, terms: Mapping[int, float], value: float) -> int:
        """Add the row ``terms`` = ``value``; return its index."""
        index = self.at_most(name, terms, value)
        self.least[index] = value
        return index

    def solver(self) -> highspy.Highs:
        """Return a silent solver with the programme in it."""
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(self.costs), len(self.rows)
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = (np.array(each) for each in (self.costs, self.lows, self.highs))
        lp.row_lower_, lp.row_upper_ = np.array(self.least), np.array(self.most)
        lp.col_names_, lp.row_names_ = self.column_names, self.row_names
        kinds = {True: highspy.HighsVarType.kInteger, False: highspy.HighsVarType.kContinuous}
        lp.integrality_ = [kinds[each] for each in self.whole]
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = np.cumsum([0, *map(len, self.rows)])
        lp.a_matrix_.index_ = np.array([column for row in self.rows for column in row], dtype=int)
        lp.a_matrix_.value_ = np.array([amount for row in self.rows for amount in row.values()], dtype=float)
        solver = _silent()
        if solver.passModel(lp) == highspy.HighsStatus.kError:
            raise ValueError("the solver refuses the selection's numbers")
        return solver


def add_at_most(solver: highspy.Highs, terms: Mapping[int, float], bound: float) -> None:
    """Add the row ``terms`` <= ``bound`` to a programme that the solver already holds."""
    columns, amounts = np.array(list(terms), dtype=np.int32), np.array(list(terms.values()), dtype=float)
    solver.addRow(-highspy.kHighsInf, bound, len(terms), columns, amounts)


def _silent() -> highspy.Highs:
    """Return a silent solver; its banner goes straight to the process's standard output, which is the user's."""
    sys.stdout.flush()
    kept, sink = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 1)
        solver = highspy.Highs()  # type: ignore[no-untyped-call]  # the package ships no types for it
        solver.silent()
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(sink)
    return solver
