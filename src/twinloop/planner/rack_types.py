"""The racks that a hall's stages fill together, as the plan writes them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from twinloop.catalogue.nouns import COMPONENTS
from twinloop.model.model import Model
from twinloop.model.plan import RackShare, RackType
from twinloop.model.site import OnPremise
from twinloop.planner.beside import wirings
from twinloop.planner.placements import Placement
from twinloop.planner.racks import server_of
from twinloop.planner.sharing import Filled, fill, whole_racks
from twinloop.planner.stored import stored_at, stored_rack_share
from twinloop.twin.design import HybridDesign, PlantConstants
from twinloop.twin.groups import Coolants, ItGroup, carrier_of, effective_path, it_state


def rack_types(
    model: Model, site: OnPremise, placements: tuple[Placement, ...], groups: tuple[ItGroup, ...],
    design: HybridDesign, k: PlantConstants, density_ratio: float = 1.0,
) -> tuple[RackType, ...]:  # fmt: skip
    """Return the racks of one hall: as many and as full as the selection counted them, switches and storage last.

    ``groups``: of the placements in their order, then of the hall's storage where it has any.
    """
    loads = {i: p.load for i, p in enumerate(placements) if p.load is not None}
    cpus = [server_of(model, p.option.server).device_kind == "cpu" for p in placements]
    whole = [
        component_w(group, design, k, is_cpu=is_cpu, density_ratio=density_ratio)
        for group, is_cpu in zip(groups, [*cpus, *[False] * (len(groups) - len(cpus))], strict=True)
    ]
    switches = [_switches_w(group, parts) for group, parts in zip(groups, whole, strict=True)][: len(placements)]
    watts = tuple(_less(parts, part) for parts, part in zip(whole, switches, strict=False))
    found: list[RackType] = []
    for each in fill(loads):
        name = " + ".join(placements[i].stage for i in sorted(each.servers)) + " racks"
        alike = sum(1 for other in found if other.name.split(", ")[0] == name)
        carriers: dict[str, str] = {
            part: effective_path(groups[min(each.servers)], part, design) for part in COMPONENTS
        }
        found.append(_rack(model, each, placements, watts, carriers, f"{name}, part filled {alike}" if alike else name))
    beside = _racks_beside(model, site, placements, [*switches, *whole[len(placements) :]], design)
    return tuple(found) if beside is None else (*found, beside)


def _switches_w(group: ItGroup, parts: dict[str, float]) -> dict[str, float]:
    """Return what of ``parts`` is that of the switches behind ``group``: their power, and their part of the losses."""
    output_w = sum(parts.values()) - parts["power_supply"]
    return {"network": group.switch_w, "power_supply": parts["power_supply"] * group.switch_w / output_w}


def _less(parts: dict[str, float], taken: dict[str, float]) -> dict[str, float]:
    return {name: power_w - taken.get(name, 0.0) for name, power_w in parts.items()}


def _racks_beside(
    model: Model, site: OnPremise, placements: tuple[Placement, ...], parts: list[dict[str, float]],
    design: HybridDesign,
) -> RackType | None:  # fmt: skip
    """Return the racks of switches and storage, all alike; ``None`` where there are none."""
    stored, networks = stored_at(model, site.name), wirings(model, placements)
    number = whole_racks(sum(p.beside for p in placements) + stored_rack_share(model, site))
    if not number:
        return None
    watts: dict[str, float] = {}
    for each in parts:
        for part, power_w in each.items():
            watts[part] = watts.get(part, 0.0) + power_w / number
    kinds = list(dict.fromkeys(tree.kind.name for network in networks for tree in network.trees))
    return RackType(
        name="network and storage racks" if stored.servers else "network racks", count=number,
        server=" + ".join([*kinds, *(["shared-storage"] if stored.servers else [])]),
        servers_per_rack=math.ceil((stored.servers + sum(each.switches for each in networks)) / number - 1e-9),
        power_w=sum(watts.values()), weight_kg=(stored.weight_kg + sum(each.weight_kg for each in networks)) / number,
        height_u=(stored.height_u + sum(each.height_u for each in networks)) / number, component_w=watts,
        carriers={str(part): carrier_of(("air", "rear_door"), part, design) for part in COMPONENTS},
    )  # fmt: skip


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
