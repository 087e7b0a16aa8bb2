"""Racks that are alike: their power by component and hour, and where each watt's heat goes."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array, namespace
from twinloop.catalogue.nouns import Component
from twinloop.cooling.servers import server_air_flow_kg_s, server_fan_power_w
from twinloop.model.estimate import ComponentPower
from twinloop.power.operating_point import operating_point
from twinloop.twin.design import CoolingPath, HybridDesign, PlantConstants

DC_COMPONENTS: tuple[Component, ...] = ("accelerator", "cpu", "memory", "network", "storage")


@dataclass(frozen=True)
class ItGroup:
    """Servers of one stage: nameplate figures of all of them together, and one device's thermals."""

    name: str
    server: str
    servers: int
    device_count: int
    busy: ComponentPower
    idle: ComponentPower
    fan_design_w: float
    """All fans at full load with everything on air."""
    psu_efficiency: float
    device_w: float
    power_limit_w: float
    throttle_c: float
    r_air_k_w: float
    r_plate_k_w: float
    paths_offered: tuple[str, ...]
    """Carriers that the device is sold for; another falls back to air."""
    activity: Array
    """Busy share of each hour, shape (hours,)."""


@dataclass(frozen=True)
class Coolants:
    """Temperatures that the hall offers its chips, shape (hours,)."""

    air_c: Array
    plate_c: Array
    bath_c: Array


@dataclass(frozen=True)
class ItState:
    """Power and heat of one group by hour, in watt, shape (hours,)."""

    it_w: Array
    compute_w: Array
    fans_w: Array
    psu_loss_w: Array
    air_heat_w: Array
    warm_heat_w: Array
    air_flow_kg_s: Array
    junction_c: Array
    worst_junction_c: Array
    throttled: Array
    """Share of busy time that the worst chip runs below its clock, 0 or activity."""
    by_component_w: dict[str, Array]


def effective_path(group: ItGroup, component: Component, design: HybridDesign) -> CoolingPath:
    """Return the carrier that ``component`` of ``group`` really gets under ``design``."""
    return carrier_of(group.paths_offered, component, design)


def carrier_of(offered: tuple[str, ...], component: Component, design: HybridDesign) -> CoolingPath:
    """Return the carrier of ``component`` in a server sold for ``offered``, under ``design``.

    A server sold without plates keeps everything on air (behind the door where racks have one).
    """
    path = design.paths[component]
    if path == "cold_plate" and "cold_plate" not in offered:
        return "rear_door" if design.has_door else "air"
    return path


def it_state(group: ItGroup, design: HybridDesign, coolants: Coolants, k: PlantConstants) -> ItState:
    """Return power and heat of ``group`` by hour under the coolants' temperatures.

    DC power: ``idle + activity (busy - idle)``, the accelerator's share scaled by leakage at its
    junction temperature. Fans follow the cube of air flow, which follows the heat left on air at the
    design rise. Power-supply loss = (dc + fans)(1/efficiency - 1). All of it becomes heat.
    """
    xp = namespace(group.activity, coolants.air_c)
    path = effective_path(group, "accelerator", design)
    mean, worst = _chip(group, path, coolants, k)
    by_component = {}
    for component in DC_COMPONENTS:
        idle_w = getattr(group.idle, f"{component}_w")
        busy_w = getattr(group.busy, f"{component}_w")
        scale = mean.power_w / group.device_w if component == "accelerator" else 1.0
        by_component[component] = idle_w + group.activity * (busy_w * scale - idle_w)
    on_plate = sum(
        (_caught(effective_path(group, component, design), k) * power for component, power in by_component.items()),
        start=0.0 * group.activity,
    )
    dc_w = sum(by_component.values(), start=0.0 * group.activity)
    flow_ratio, flow_kg_s = _air_flow(group, design, dc_w - on_plate, k)
    fans_w = 0.0 * dc_w if design.immersed else server_fan_power_w(flow_ratio, group.fan_design_w)
    it_w = (dc_w + fans_w) / group.psu_efficiency
    loss_w = it_w - dc_w - fans_w
    loss_caught = _caught(effective_path(group, "power_supply", design), k)
    warm_w = on_plate + loss_caught * loss_w
    busy = group.activity > 0.0
    return ItState(
        it_w=it_w,
        compute_w=dc_w,
        fans_w=fans_w,
        psu_loss_w=loss_w,
        air_heat_w=it_w - warm_w,
        warm_heat_w=warm_w,
        air_flow_kg_s=flow_kg_s,
        junction_c=mean.junction_c,
        worst_junction_c=worst.junction_c,
        throttled=xp.where(busy & worst.throttled, group.activity, 0.0),
        by_component_w={
            **{str(name): power for name, power in by_component.items()},
            "power_supply": loss_w,
            "fans": fans_w,
        },
    )


def _caught(path: CoolingPath, k: PlantConstants) -> float:
    return {"air": 0.0, "rear_door": 0.0, "cold_plate": k.plate_capture, "bath": 1.0}[path]


def _chip(group: ItGroup, path: CoolingPath, coolants: Coolants, k: PlantConstants):  # type: ignore[no-untyped-def]
    coolant_c, resistance = {
        "air": (coolants.air_c, group.r_air_k_w),
        "rear_door": (coolants.air_c, group.r_air_k_w),
        "cold_plate": (coolants.plate_c, group.r_plate_k_w),
        "bath": (coolants.bath_c, k.immersion_resistance_k_w),
    }[path]
    spread_k = k.spread_intake_k if path in ("air", "rear_door") else 0.0
    return tuple(
        operating_point(
            group.device_w, coolant_c + extra_k, r_k_w, k.leakage_per_k, k.leakage_reference_c,
            group.power_limit_w, group.throttle_c,
        )
        for extra_k, r_k_w in ((0.0, resistance), (spread_k, resistance * (1.0 + k.spread_resistance)))
    )  # fmt: skip


def _air_flow(group: ItGroup, design: HybridDesign, heat_w: Array, k: PlantConstants) -> tuple[Array, Array]:
    """Return (flow over the all-air design flow, flow in kg/s); never below what the fans idle at."""
    xp = namespace(heat_w)
    if design.immersed:
        return 0.0 * heat_w, server_air_flow_kg_s(heat_w, k.server_air_rise_k)
    design_heat_w = group.busy.total_w
    ratio = xp.maximum(heat_w / design_heat_w, 0.3)
    return ratio, ratio * server_air_flow_kg_s(design_heat_w, k.server_air_rise_k)
