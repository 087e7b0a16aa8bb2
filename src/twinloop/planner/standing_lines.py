"""What stands already, taken off the purchase and shown in the schedule."""

from __future__ import annotations

from dataclasses import dataclass, replace

from twinloop.catalogue import cooling_kit
from twinloop.model.plan import Equipment
from twinloop.model.site import ExistingPlant, OnPremise, StandingUnits
from twinloop.power.chains import chain
from twinloop.twin.standing import running_units

WITH_RACKS = ("rear_door_passive", "cold_plate", "immersion_1p", "immersion_2p", "pipework")
"""Lines that go with racks or with both loops, not with machines that stand."""


@dataclass(frozen=True)
class Standing:
    """A schedule less what stands: lines that cost only what is new, and the yearly upkeep of the rest."""

    lines: tuple[Equipment, ...]
    upkeep_usd_per_year: float


def less_standing(lines: tuple[Equipment, ...], plant: ExistingPlant | None) -> Standing:
    """Take what stands off the purchase: capacity of a kind, spares included, is not bought again.

    What is bought makes up both the whole capacity and what must run while the standing spares stand by.

    >>> less_standing((), None)
    Standing(lines=(), upkeep_usd_per_year=0.0)
    """
    if plant is None:
        return Standing(lines, 0.0)
    left_w = {unit.type: sum(u.count * u.rated_w for u in plant.units if u.type == unit.type) for unit in plant.units}
    running_w = {kind: plant.standing_w(kind) for kind in left_w}
    found, upkeep = [], 0.0
    for line in lines:
        need_w, at_work_w = line.rated_w * (line.count + line.spare), line.rated_w * line.count
        stands_w, runs_w = left_w.get(line.type, 0.0), running_w.get(line.type, 0.0)
        used_w = need_w - max(need_w - stands_w, at_work_w - runs_w, 0.0)
        left_w[line.type], running_w[line.type] = stands_w - used_w, max(runs_w - at_work_w, 0.0)
        free_usd = (line.capex_usd or 0.0) * used_w / need_w
        if free_usd > 0.0:
            upkeep += free_usd * cooling_kit(line.type).maintenance_per_year
        condition = f"{line.design_condition}; {_stands(line.type, plant, used_w, need_w)}".removesuffix("; ")
        new_usd = None if line.capex_usd is None else max(line.capex_usd - free_usd, 0.0)
        found.append(replace(line, capex_usd=new_usd, design_condition=condition))
    return Standing(tuple(found), upkeep)


def _stands(kind: str, plant: ExistingPlant, used_w: float, need_w: float) -> str:
    """Return which machines stand, and what is new besides; empty where none does."""
    if used_w <= 0.0:
        return ""
    machines = " and ".join(f"{u.count} × {u.rated_w / 1e3:.4g} kW" for u in plant.units if u.type == kind)
    new_w = need_w - used_w
    return f"{machines} stand" + (f", {new_w / 1e3:.3g} kW new with spares" if new_w > 1e-6 * need_w else "")


def as_standing(lines: tuple[Equipment, ...], plant: ExistingPlant | None) -> tuple[Equipment, ...]:
    """Return ``lines`` with the machines that stand, where one kind of them is enough: their count, rating, margin.

    Doors, plates and baths go with racks, pipework with both loops: those lines stay as the load asks for them. A
    kind that both loops use stands for the first of its lines, as in :func:`twinloop.twin.standing.at_ratings`.
    """
    if plant is None:
        return lines
    found, seen = [], set(WITH_RACKS)
    for line in lines:
        units = [unit for unit in plant.units if unit.type == line.type]
        stands = line.type not in seen and len(units) == 1
        seen.add(line.type)
        found.append(_of_standing(line, units[0]) if stands else line)
    return tuple(found)


def _of_standing(line: Equipment, unit: StandingUnits) -> Equipment:
    need_w = line.rated_w * line.count
    if unit.count * unit.rated_w < line.rated_w * (line.count + line.spare) * (1.0 - 1e-9):
        return line
    [(_, running)] = running_units((unit,), line.type, need_w)
    if running * unit.rated_w < need_w * (1.0 - 1e-9):
        return line  # with its spares it would do, but those stand by
    margin = running * unit.rated_w * (1.0 + line.margin) / need_w - 1.0
    return replace(line, count=running, spare=unit.count - running, rated_w=unit.rated_w, margin=margin)


def standing_it_w(site: OnPremise) -> float:
    """Return the IT power for which shell and power chain stand.

    It is what the standing UPS, or the rectifiers of the hall's chain, carry. Where machines stand but none of these is
    named among them, the hall that they stand in has a power chain for all that its meter gives at first. A design
    without machines is only a wish.
    """
    if site.plant is None or not site.plant.units:
        return 0.0
    return site.plant.standing_w(chain(site.power_chain).backup) or site.utility_power_w
