"""The racks that a hall's stages fill together, as the plan writes them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from twinloop.catalogue.nouns import COMPONENTS
from twinloop.model.model import Model
from twinloop.model.plan import RackShare, RackType
from twinloop.planner.placements import Placement
from twinloop.planner.racks import server_of
from twinloop.planner.sharing import Filled, fill
from twinloop.twin.design import HybridDesign, PlantConstants
from twinloop.twin.groups import Coolants, ItGroup, effective_path, it_state


def rack_types(
    model: Model, placements: tuple[Placement, ...], groups: tuple[ItGroup, ...], design: HybridDesign,
    k: PlantConstants, density_ratio: float = 1.0,
) -> tuple[RackType, ...]:  # fmt: skip
    """Return the racks of one hall: as many and as full as the selection counted them."""
    loads = {i: p.load for i, p in enumerate(placements) if p.load is not None}
    watts = tuple(
        component_w(
            group, design, k, is_cpu=server_of(model, p.option.server).device_kind == "cpu", density_ratio=density_ratio
        )
        for p, group in zip(placements, groups, strict=True)
    )
    found: list[RackType] = []
    for each in fill(loads):
        name = " + ".join(placements[i].stage for i in sorted(each.servers)) + " racks"
        alike = sum(1 for other in found if other.name.split(", ")[0] == name)
        carriers: dict[str, str] = {
            part: effective_path(groups[min(each.servers)], part, design) for part in COMPONENTS
        }
        found.append(_rack(model, each, placements, watts, carriers, f"{name}, part filled {alike}" if alike else name))
    return tuple(found)


def _rack(
    model: Model, each: Filled, placements: tuple[Placement, ...], watts: tuple[dict[str, float], ...],
    carriers: dict[str, str], name: str,
) -> RackType:  # fmt: skip
    rows = [(i, server_of(model, placements[i].option.server), n) for i, n in sorted(each.servers.items())]
    parts: dict[str, float] = {}
    for i, _, number in rows:
        for part, power_w in watts[i].items():
            parts[part] = parts.get(part, 0.0) + power_w * number / placements[i].servers
    return RackType(
        name=name, count=each.count, server=" + ".join(dict.fromkeys(server.name for _, server, _ in rows)),
        servers_per_rack=sum(number for _, _, number in rows), power_w=sum(parts.values()),
        weight_kg=sum(server.weight_kg * number for _, server, number in rows),
        height_u=sum(server.height_u * number for _, server, number in rows), component_w=parts, carriers=carriers,
        contents=tuple(RackShare(placements[i].stage, server.name, number) for i, server, number in rows),
    )  # fmt: skip


def component_w(
    group: ItGroup, design: HybridDesign, k: PlantConstants, *, is_cpu: bool, density_ratio: float = 1.0
) -> dict[str, float]:
    """Return the heat of all of ``group``'s servers at full activity by component; their sum is the IT meter's power.

    The device of a server without accelerators is its processors.
    """
    plate_c = np.array([design.warm_supply_c + k.cdu_approach_k])
    coolants = Coolants(np.array([design.air_supply_c]), plate_c, plate_c)
    state = it_state(replace(group, activity=np.ones(1)), design, coolants, k, density_ratio)
    found = {name: float(np.broadcast_to(power_w, (1,))[0]) for name, power_w in state.by_component_w.items()}
    if is_cpu:
        found["cpu"] += found.pop("accelerator")
    return found


def hall_carriers(design: HybridDesign, racks: tuple[RackType, ...]) -> dict[str, str]:
    """Return what carries each component's heat in the hall: the design's carrier where some rack has it.

    Where none has (servers sold for air in a hall of plates), that of most racks.
    """
    found = {}
    for part in COMPONENTS:
        path = str(design.paths[part])
        there: dict[str, int] = {}
        for rack in racks:
            there[rack.carriers[part]] = there.get(rack.carriers[part], 0) + rack.count
        found[str(part)] = path if path in there or not there else max(there, key=lambda each: (there[each], each))
    return found
