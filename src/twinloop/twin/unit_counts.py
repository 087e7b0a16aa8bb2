"""How many machines alike carry a load, and how many stand by."""

from __future__ import annotations

import math
from dataclasses import dataclass

from twinloop.catalogue import constant
from twinloop.model.site import Redundancy

MOST_SPLIT = 6
"""Machines that one of common size is divided into at most, to make its spare small."""


@dataclass(frozen=True)
class Units:
    """How many units the load needs and how many are there besides."""

    running: int
    spare: int
    premium: float = 1.0
    """Price of a watt of these units over that of a watt of units of the common size."""

    @property
    def installed(self) -> float:
        """All units over those that the load needs.

        >>> Units(2, 1).installed
        1.5
        """
        return (self.running + self.spare) / self.running


def units(rated_w: float, unit_w: float, redundancy: Redundancy, smallest_w: float = 0.0) -> Units:
    """Return unit counts: N+1 is one more, 2N twice.

    One spare of a few large units is dear, of many small ones cheap, but small ones cost more by the watt: N+1 has
    the number of units of ``smallest_w`` or more that costs least with its spare.

    >>> units(2700e3, 500e3, "N+1")
    Units(running=6, spare=1, premium=1.0)
    >>> [units(700e3, 1000e3, each).running for each in ("N", "N+1", "2N")]
    [1, 3, 1]
    """
    fewest = max(math.ceil(rated_w / unit_w - 1e-9), 1)
    if redundancy != "N+1":
        return Units(fewest, {"N": 0, "2N": fewest}[redundancy])
    numbers = [n for n in range(fewest, fewest * MOST_SPLIT + 1) if n == fewest or rated_w / n >= smallest_w]
    running = min(numbers, key=lambda n: (n + 1) / n * split_premium(n / fewest))
    return Units(running, 1, split_premium(running / fewest))


def split_premium(parts: float) -> float:
    """Return the price of a watt of units 1 / ``parts`` as large: price goes with size to a power below 1.

    >>> round(split_premium(3.0), 3)
    1.316
    """
    exponent = float(constant("economics", "default", "size_exponent").value)
    return float(parts ** (1.0 - exponent))
