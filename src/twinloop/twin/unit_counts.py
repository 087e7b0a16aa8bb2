"""How many machines alike carry a load, and how many stand by."""

from __future__ import annotations

import math
from dataclasses import dataclass

from twinloop.model.site import Redundancy


@dataclass(frozen=True)
class Units:
    """How many units the load needs and how many are there besides."""

    running: int
    spare: int

    @property
    def installed(self) -> float:
        """All units over those that the load needs.

        >>> Units(2, 1).installed
        1.5
        """
        return (self.running + self.spare) / self.running


def units(rated_w: float, unit_w: float, redundancy: Redundancy) -> Units:
    """Return unit counts: N+1 is one more, 2N twice.

    >>> units(900e3, 500e3, "N+1")
    Units(running=2, spare=1)
    """
    running = max(math.ceil(rated_w / unit_w - 1e-9), 1)
    return Units(running, {"N": 0, "N+1": 1, "2N": running}[redundancy])
