"""Racks that are alike: their power by component and hour, and where each watt's heat goes."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array, FloatArray, namespace
from twinloop.catalogue.nouns import Component
from twinloop.cooling.boiling import FK_649, FLUX_MARGIN, boiling_rise_k, critical_heat_flux_w_m2
from twinloop.cooling.servers import (
    intake_ramp,
    least_fan_ratio,
    ramped_sink_share,
    server_air_flow_kg_s,
    server_fan_power_w,
    server_fan_ratio,
)
from twinloop.model.estimate import ComponentPower
from twinloop.power.chains import RackSupply, chain, supply_loss_w
from twinloop.power.operating_point import operating_point
from twinloop.twin.design import CoolingPath, HybridDesign, PlantConstants
from twinloop.twin.electrical import rack_rating_w

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
    quarters: FloatArray | None = None
    """Busy share of each quarter of an hour, shape (hours, 4), of mean ``activity``; ``None``: even within the hour."""
    switch_w: float = 0.0
    """Of the network's power, busy and idle: switches outside the servers, in racks on air or with doors."""


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

    A server sold without plates or for no bath keeps everything on air (behind the door where racks have one).
    """
    path = design.paths[component]
    if path in ("cold_plate", "bath") and path not in offered:
        return "rear_door" if design.has_door else "air"
    return path


def bathed(group: ItGroup, design: HybridDesign) -> bool:
    """Whether the servers of ``group`` lie in a bath, without fans; storage stands beside it."""
    return effective_path(group, "accelerator", design) == "bath"


def it_state(
    group: ItGroup, design: HybridDesign, coolants: Coolants, k: PlantConstants, density_ratio: Array = 1.0
) -> ItState:
    """Return power and heat of ``group`` by hour under the coolants' temperatures, in air of ``density_ratio``.

    DC power: ``idle + activity (busy - idle)``, the accelerator's share scaled by leakage at its
    junction temperature. Fans follow the cube of air flow, which follows the heat left on air at the
    design rise, faster in warm intakes and never below :func:`fan_floor`; in thin air (σ below 1) they turn faster for
    the same mass, against less resistance: speed ``x/σ``, power ``σ (x/σ)³``.
    Power-supply loss = (dc + fans)(1/efficiency - 1), or that of the converters of a rack fed for direct current.
    All of it becomes heat.
    """
    xp = namespace(group.activity, coolants.air_c)
    path = effective_path(group, "accelerator", design)
    mean, worst = _chip(group, path, coolants, design, k, density_ratio)
    by_component = {}
    for component in DC_COMPONENTS:
        idle_w = getattr(group.idle, f"{component}_w")
        busy_w = getattr(group.busy, f"{component}_w")
        scale = mean.power_w / group.device_w if component == "accelerator" else 1.0
        by_component[component] = idle_w + group.activity * (busy_w * scale - idle_w)
    on_plate = sum(
        (caught_w(group, component, power, design, k) for component, power in by_component.items()),
        start=0.0 * group.activity,
    )
    dc_w = sum(by_component.values(), start=0.0 * group.activity)
    speed, flow_kg_s = _air_flow(group, design, dc_w - on_plate, coolants.air_c, density_ratio, k)
    fans_w = 0.0 * dc_w if bathed(group, design) else density_ratio * server_fan_power_w(speed, group.fan_design_w)
    it_w = _inlet_w(group, design, dc_w + fans_w, dc_w - by_component["accelerator"] + fans_w, k)
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


def rack_supply(group: ItGroup, design: HybridDesign, k: PlantConstants) -> RackSupply | None:
    """Return the converters in the racks of ``group``; ``None`` where its servers have power supplies of their own."""
    made = chain(design.power_chain)
    if made.rack is None or made.board is None:
        return None
    fans_w = 0.0 if bathed(group, design) else group.fan_design_w
    others_w = max(group.busy.total_w - group.busy.accelerator_w + fans_w, 1.0)
    rack_w = rack_rating_w(group.busy.total_w + fans_w, design.redundancy, k)
    return RackSupply(made.rack, rack_w, made.board, others_w / k.ups_full_load)


def _inlet_w(group: ItGroup, design: HybridDesign, output_w: Array, at_12v_w: Array, k: PlantConstants) -> Array:
    """Return what the racks take when their boards take ``output_w``, of which ``at_12v_w`` at 12 V."""
    supply = rack_supply(group, design, k)
    if supply is None:
        return output_w / group.psu_efficiency
    return output_w + supply_loss_w(supply, output_w, at_12v_w)


def caught_w(group: ItGroup, component: Component, power_w: Array, design: HybridDesign, k: PlantConstants) -> Array:
    """Return what plates or baths catch of ``power_w`` that ``component`` of ``group`` takes; of switches nothing."""
    outside_w = group.switch_w if component == "network" else 0.0
    return _caught(effective_path(group, component, design), k) * (power_w - outside_w)


def _caught(path: CoolingPath, k: PlantConstants) -> float:
    return {"air": 0.0, "rear_door": 0.0, "cold_plate": k.plate_capture, "bath": 1.0}[path]


def _chip(  # type: ignore[no-untyped-def]
    group: ItGroup, path: CoolingPath, coolants: Coolants, design: HybridDesign, k: PlantConstants, density_ratio: Array
):
    xp = namespace(coolants.air_c)
    ramp = intake_ramp(coolants.air_c, k.server_ramp_start_c, k.server_ramp_per_k, k.server_fan_most)
    flow = xp.minimum(ramp, most_air(group, design, k, density_ratio))
    r_air_k_w = group.r_air_k_w * ramped_sink_share(flow, k.sink_convection)
    coolant_c, resistance = {
        "air": (coolants.air_c, r_air_k_w),
        "rear_door": (coolants.air_c, r_air_k_w),
        "cold_plate": (coolants.plate_c, group.r_plate_k_w),
        "bath": (coolants.bath_c, bath_resistance_k_w(group, design, k)),
    }[path]
    spread_k = k.spread_intake_k if path in ("air", "rear_door") else 0.0
    return tuple(
        operating_point(
            group.device_w, coolant_c + extra_k, r_k_w, k.leakage_per_k, k.leakage_reference_c,
            group.power_limit_w, group.throttle_c,
        )
        for extra_k, r_k_w in ((0.0, resistance), (spread_k, resistance * (1.0 + k.spread_resistance)))
    )  # fmt: skip


def most_air(group: ItGroup, design: HybridDesign, k: PlantConstants, density_ratio: Array) -> Array:
    """Return the mass of air that fans at full speed move over what busy servers of ``group`` ask for."""
    on_air_w = sum(
        getattr(group.busy, f"{component}_w")
        - caught_w(group, component, getattr(group.busy, f"{component}_w"), design, k)
        for component in DC_COMPONENTS
    )
    xp = namespace(on_air_w, density_ratio)
    return k.server_fan_most * density_ratio * group.busy.total_w / xp.maximum(on_air_w, 1.0)


def bath_resistance_k_w(group: ItGroup, design: HybridDesign, k: PlantConstants) -> Array:
    """Return junction to bath: a constant in one phase, in two the spreader and boiling at the device's full power."""
    if not design.boils:
        return k.immersion_resistance_k_w
    flux_w_m2 = group.device_w / k.boiling_area_m2
    return k.boiling_case_k_w + boiling_rise_k(FK_649, flux_w_m2) / group.device_w


def boiling_margin_k(group: ItGroup, it: ItState, bath_c: Array, design: HybridDesign, k: PlantConstants) -> Array:
    """Return how much hotter the worst chip's surface may get before its flux passes the share that design allows.

    Of the critical heat flux, :data:`twinloop.cooling.boiling.FLUX_MARGIN`; below zero the surface may dry out.
    """
    resistance = bath_resistance_k_w(group, design, k) * (1.0 + k.spread_resistance)
    flux_w_m2 = (it.worst_junction_c - bath_c) / resistance / k.boiling_area_m2
    most_w_m2 = FLUX_MARGIN * critical_heat_flux_w_m2(FK_649)
    return boiling_rise_k(FK_649, most_w_m2) - boiling_rise_k(FK_649, flux_w_m2)


def fan_floor(group: ItGroup, design: HybridDesign, k: PlantConstants) -> float:
    """Return the slowest that the servers' fans turn, over design speed: more where plates leave parts on air."""
    on_air = [effective_path(group, component, design) != "cold_plate" for component in DC_COMPONENTS]
    return least_fan_ratio(on_air, k.server_fan_floor, k.hybrid_fan_floor, k.fanless_floor)


def _air_flow(
    group: ItGroup, design: HybridDesign, heat_w: Array, intake_c: Array, density_ratio: Array, k: PlantConstants
) -> tuple[Array, Array]:
    """Return (fan speed over design, flow in kg/s) by :func:`twinloop.cooling.servers.server_fan_ratio`.

    The speed's bounds are the fan's: thin air at full speed is less mass, and the rise grows.
    """
    if bathed(group, design):
        return 0.0 * heat_w, server_air_flow_kg_s(heat_w, k.server_air_rise_k)
    carried_w = density_ratio * group.busy.total_w
    speed = server_fan_ratio(
        heat_w / carried_w, intake_c, fan_floor(group, design, k), k.server_ramp_start_c, k.server_ramp_per_k,
        k.server_fan_most,
    )  # fmt: skip
    return speed, speed * server_air_flow_kg_s(carried_w, k.server_air_rise_k)
