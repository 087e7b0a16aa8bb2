"""Rack positions that stages fill together: servers of one kind of cooling, first fit by size."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

ROOM = 1e-9
"""Relative slack: what fills a position to the last watt still fits."""


@dataclass(frozen=True)
class Load:
    """Servers alike that go into racks of one kind."""

    kind: str
    """Carriers of the rack: only servers that are cooled alike share one."""
    servers: int
    share: tuple[float, ...]
    """What one server takes of a position: power, height, weight, liquid, air; each at most 1."""

    @property
    def per_rack(self) -> int:
        """Servers in a rack that nothing else shares."""
        return _fits(self.share, (1.0,) * len(self.share))

    @property
    def racks(self) -> int:
        """Positions that these servers take where nothing else shares them."""
        return math.ceil(self.servers / self.per_rack)


@dataclass(frozen=True)
class Filled:
    """Racks filled alike."""

    kind: str
    count: int
    servers: dict[int, int]
    """Key of the load -> its servers in each of these racks."""


@dataclass(frozen=True)
class Positions:
    """One named row: the racks that the chosen servers fill are at most ``bound``."""

    name: str
    bound: float
    loads: dict[int, Load] = field(repr=False)
    """Placement index -> its servers."""
    unit: str = "racks"
    beside: dict[int, float] = field(default_factory=dict, repr=False)
    """Placement index -> what its switches take of racks of their own, in parts of a rack."""
    fixed: float = 0.0
    """What storage takes of those racks whatever is chosen."""

    def chosen(self, picked: Iterable[int]) -> dict[int, Load]:
        """Return the loads among ``picked``."""
        return {i: self.loads[i] for i in picked if i in self.loads}

    def taken(self, picked: Iterable[int]) -> float:
        """Return the positions that ``picked`` fill."""
        chosen = tuple(picked)
        return float(count(fill(self.chosen(chosen)))) + self.racks_beside(chosen)

    def racks_beside(self, picked: Iterable[int]) -> int:
        """Return the racks of switches and storage: whole ones, shared by all stages of ``picked``."""
        return whole_racks(self.fixed + math.fsum(self.beside.get(i, 0.0) for i in picked))


def whole_racks(parts: float) -> int:
    """Return the racks that ``parts`` of racks fill.

    >>> whole_racks(0.0), whole_racks(0.2 + 0.8), whole_racks(1.2)
    (0, 1, 2)
    """
    return math.ceil(parts - ROOM)


def count(racks: Iterable[Filled]) -> int:
    """Return how many positions ``racks`` take."""
    return sum(each.count for each in racks)


def fill(loads: Mapping[int, Load]) -> tuple[Filled, ...]:
    """Return the racks of ``loads``: the largest servers first, the others into what those leave.

    First fit by decreasing size, servers one by one, racks alike kept as one entry.

    >>> fill({0: Load("air", 5, (0.5, 0.1)), 1: Load("air", 2, (0.1, 0.1))})
    (Filled(kind='air', count=2, servers={0: 2}), Filled(kind='air', count=1, servers={0: 1, 1: 2}))
    """
    found: list[Filled] = []
    for kind in sorted({load.kind for load in loads.values()}):
        mine = {key: load for key, load in loads.items() if load.kind == kind and load.servers > 0}
        racks: list[Filled] = []
        for key in sorted(mine, key=lambda each: (-max(mine[each].share), each)):
            racks = _add(racks, key, mine)
        found += sorted(racks, key=lambda each: (-each.count, -sum(each.servers.values())))
    return tuple(found)


def _add(racks: list[Filled], key: int, loads: Mapping[int, Load]) -> list[Filled]:
    """Return ``racks`` with the servers of load ``key``: into free room first, then into new racks."""
    load, left, found = loads[key], loads[key].servers, []
    for rack in racks:
        room = _fits(load.share, _free(rack, loads))
        whole = min(rack.count, left // room) if room else 0
        some = left - whole * room if room and whole < rack.count else 0
        left -= whole * room + some
        rest = rack.count - whole - (some > 0)
        parts = ((whole, room), (int(some > 0), some), (rest, 0))
        found += [
            Filled(rack.kind, number, {**rack.servers, key: more} if more else rack.servers)
            for number, more in parts
            if number
        ]
    whole, some = divmod(left, load.per_rack)
    found += [Filled(load.kind, number, {key: each}) for number, each in ((whole, load.per_rack), (1, some))
              if number and each]  # fmt: skip
    return found


def _free(rack: Filled, loads: Mapping[int, Load]) -> tuple[float, ...]:
    shares = [[loads[key].share[d] * number for key, number in rack.servers.items()] for d in range(_dimensions(loads))]
    return tuple(1.0 - math.fsum(each) for each in shares)


def _dimensions(loads: Mapping[int, Load]) -> int:
    return len(next(iter(loads.values())).share)


def _fits(share: tuple[float, ...], free: tuple[float, ...]) -> int:
    """Return how many servers of ``share`` fit into ``free``."""
    return max(
        min(math.floor(room / each + ROOM) for each, room in zip(share, free, strict=True) if each > 0.0), 0
    )  # fmt: skip


def telling(shares: Iterable[tuple[float, ...]]) -> list[int]:
    """Return the dimensions of ``shares`` that no other implies: one that is larger for every load.

    >>> telling([(0.5, 0.1, 0.5, 0.4), (0.2, 0.1, 0.2, 0.3)])
    [0, 3]
    """
    columns = list(zip(*shares, strict=True))

    def implied(d: int, by: int) -> bool:
        larger = all(a >= b for a, b in zip(columns[by], columns[d], strict=True))
        return larger and (columns[by] != columns[d] or by < d)

    return [d for d in range(len(columns)) if not any(implied(d, by) for by in range(len(columns)) if by != d)]
