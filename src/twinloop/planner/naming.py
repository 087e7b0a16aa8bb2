"""One name for one plan: how halls are cooled, what lies elsewhere, and the devices that differ."""

from __future__ import annotations

from twinloop.planner.placements import Placement, standing


def plan_name(placements: tuple[Placement, ...], best: tuple[Placement, ...] = ()) -> str:
    """Return the designs of the halls, the work at other places, and devices other than those of ``best``.

    A kind of cooling alone is no name: with part of the work rented, or on other devices, it has another cost.
    """
    designs = sorted({p.design for p in placements if p.design})
    elsewhere = [f"{p.stage} at {p.site}{_bought(p)}" for p in placements if not p.design]
    usual = {p.stage: _devices(p) for p in best}
    other = [f"{_devices(p)} for {p.stage}" for p in placements if usual.get(p.stage, _devices(p)) != _devices(p)]
    return "; ".join([*designs, *([", ".join(elsewhere)] if elsewhere else []), *([", ".join(other)] if other else [])])


def _bought(p: Placement) -> str:
    return f", {p.purchase}" if p.purchase not in ("", "on_demand") else ""


def _devices(p: Placement) -> str:
    return f"{standing(p)} × {p.option.device}"
