"""Sizes of the second-scale hall: the sized plant, unit counts, and heat stored at every node."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.cooling.altitude import pressure_ratio
from twinloop.cooling.servers import server_air_flow_kg_s
from twinloop.power.chains import RackSupply
from twinloop.twin.design import HybridDesign, PlantConstants
from twinloop.twin.free_coolers import TowerSet
from twinloop.twin.groups import (
    DC_COMPONENTS,
    ItGroup,
    bath_resistance_k_w,
    bathed,
    caught_w,
    effective_path,
    fan_floor,
    most_air,
    rack_supply,
)
from twinloop.twin.sizing import Plant
from twinloop.twin.transient_nouns import Fleet, TransientConstants


@dataclass(frozen=True)
class Chips:
    """Servers by group; W of the whole group. Shapes broadcast to (2, groups, loops, cases) or (groups, cases)."""

    names: tuple[str, ...]
    device_count: tuple[int, ...]
    idle_w: FloatArray
    """Accelerators, (groups, 1)."""
    busy_w: FloatArray
    other_idle_w: FloatArray
    other_busy_w: FloatArray
    other_caught_idle_w: FloatArray
    """The part of the others that plates or baths catch."""
    other_caught_busy_w: FloatArray
    caught: FloatArray
    """Share of accelerator heat that passes its sink, (groups, 1, 1)."""
    on_coolant: FloatArray
    """1 where that sink is in the coolant, 0 in air, (groups, 1, 1)."""
    in_bath: FloatArray
    loss_caught: FloatArray
    """Share of power-supply loss in the coolant, (groups, 1)."""
    efficiency: FloatArray
    supply: RackSupply | None
    """Converters in the racks, ratings (groups, 1), in the place of power supplies of ``efficiency``."""
    fan_w: FloatArray
    """At design speed in the site's air, as are the next two, (groups, 1)."""
    fan_floor: FloatArray
    air_kg_s: FloatArray
    air_heat_w: FloatArray
    """Heat for which ``air_kg_s`` is the design flow, (groups, 1)."""
    most_air: FloatArray
    """Mass of air at full speed over what busy servers ask for, (groups, 1, 1)."""
    limit: FloatArray
    """Power limit over the power at the reference junction, (groups, 1, 1)."""
    throttle_c: FloatArray
    device_w: FloatArray
    """One device's full power, (groups, 1, 1)."""
    device_k: FloatArray
    """Junction above coolant at full power, K: (2, groups, 1, 1), mean and worst chip."""
    spread_k: FloatArray
    """Air intake above the mean's: (2, groups, 1, 1)."""
    die_s: FloatArray
    """Heat stored per watt of full power and kelvin, J/(K W): (groups, 1, 1)."""
    sink_s: FloatArray


@dataclass(frozen=True)
class Parameters:
    """One hall. Capacities in J/K."""

    plant: Plant
    fleet: Fleet
    k: PlantConstants
    c: TransientConstants
    chips: Chips
    pressure_pa: float
    loops: int
    least_flow_ratio: float
    """Coolant that the plates' resistance is stated at when the heat asks for less, whatever pumps are told later."""
    rack_j_k: float
    """Per loop: coolant inside plates or baths."""
    pipe_j_k: float
    """Per loop: manifolds, pipes and unit."""
    air_j_k: float
    metal_j_k: float
    warm_j_k: float
    """Each of supply and return."""
    warm_basin_j_k: float
    cold_j_k: float
    """Each of supply and return."""
    basin_j_k: float


def transient_parameters(
    plant: Plant,
    groups: tuple[ItGroup, ...],
    fleet: Fleet,
    floor_m2: float,
    pressure_pa: float,
    k: PlantConstants,
    c: TransientConstants | None = None,
) -> Parameters:
    """Return the parameters of ``plant`` with ``groups``: nothing is sized again, only stored heat is added."""
    given, sigma = c or TransientConstants(), float(pressure_ratio(pressure_pa))
    loops = fleet.cdus.running if plant.warm else 1
    water_j_m3_k = k.water_density_kg_m3 * k.water_heat_capacity_j_kg_k
    racks_j_k = 1.0
    if plant.warm:
        volume_j_k = plant.warm_heat_w * k.coolant_volume_m3_per_w * given.coolant_j_m3_k
        bath_j_k_w = given.boiling_j_k_w if plant.design.boils else given.bath_j_k_w
        racks_j_k = plant.warm_heat_w * bath_j_k_w if plant.design.immersed else volume_j_k
    pipe_j_k = plant.warm_heat_w * k.coolant_volume_m3_per_w * given.coolant_j_m3_k * given.pipework_per_rack_volume
    cooler = plant.warm.cooler if plant.warm else None
    wet_kg_s = cooler.water_kg_s if isinstance(cooler, TowerSet) else 0.0
    warm_w = plant.warm.heat_w if plant.warm else 0.0
    cp = k.water_heat_capacity_j_kg_k
    return Parameters(
        plant=plant, fleet=fleet, k=k, c=given,
        chips=_chips(groups, plant.design, sigma, k, given),
        pressure_pa=pressure_pa, loops=loops, least_flow_ratio=k.minimum_flow_ratio,
        rack_j_k=racks_j_k / loops, pipe_j_k=0.0 if plant.design.boils else max(pipe_j_k, 1.0) / loops,
        air_j_k=max(floor_m2 * given.hall_height_m * given.air_j_m3_k * sigma, 1.0),
        metal_j_k=given.metal_j_k_w * plant.it_w,
        warm_j_k=max(0.5 * given.warm_m3_w * warm_w * water_j_m3_k, 1.0),
        warm_basin_j_k=max(given.basin_s * wet_kg_s * cp, 1.0),
        cold_j_k=0.5 * given.cold_m3_w * plant.cold.heat_w * water_j_m3_k,
        basin_j_k=max(given.basin_s * plant.cold.condenser_kg_s * cp, 1.0),
    )  # fmt: skip


def _chips(
    groups: tuple[ItGroup, ...], design: HybridDesign, sigma: float, k: PlantConstants, c: TransientConstants
) -> Chips:
    carriers = [effective_path(group, "accelerator", design) for group in groups]
    caught_by = {"air": 0.0, "rear_door": 0.0, "cold_plate": k.plate_capture, "bath": 1.0}
    others = [name for name in DC_COMPONENTS if name != "accelerator"]

    def column(value: Callable[[ItGroup], float], axes: int = 1) -> FloatArray:
        return np.array([value(group) for group in groups]).reshape((-1,) + (1,) * axes)

    def part(busy: bool, caught: bool) -> FloatArray:  # noqa: FBT001  two independent switches of one sum
        return column(
            lambda g: sum(
                caught_w(g, name, getattr(g.busy if busy else g.idle, f"{name}_w"), design, k)
                if caught
                else getattr(g.busy if busy else g.idle, f"{name}_w")
                for name in others
            )
        )

    plate = np.array([float(path == "cold_plate") for path in carriers]).reshape(-1, 1, 1)
    bath = np.array([float(path == "bath") for path in carriers]).reshape(-1, 1, 1)
    resistance = column(lambda g: g.r_air_k_w, 2) * (1.0 - plate - bath) + column(lambda g: g.r_plate_k_w, 2) * plate
    resistance = resistance + column(lambda g: bath_resistance_k_w(g, design, k), 2) * bath
    full_k = resistance * column(lambda g: g.device_w, 2)
    caught = np.where(plate + bath > 0.0, k.plate_capture * plate + bath, 1.0)
    slow_k = full_k * (1.0 - c.fast_share)
    sink_s = np.where(
        plate > 0.0, c.plate_j_k / (column(lambda g: g.device_w, 2) * caught),
        np.where(bath > 0.0, c.bath_sink_s, c.air_sink_s) / slow_k,
    )  # fmt: skip
    worst = np.array([1.0, 1.0 + k.spread_resistance]).reshape(2, 1, 1, 1)
    on_air = np.array([0.0, k.spread_intake_k]).reshape(2, 1, 1, 1) * (1.0 - plate - bath)
    return Chips(
        names=tuple(g.name for g in groups), device_count=tuple(g.device_count for g in groups),
        idle_w=column(lambda g: g.idle.accelerator_w), busy_w=column(lambda g: max(g.busy.accelerator_w, 1e-3)),
        other_idle_w=part(False, False), other_busy_w=part(True, False),
        other_caught_idle_w=part(False, True), other_caught_busy_w=part(True, True),
        caught=caught, on_coolant=plate + bath, in_bath=bath,
        loss_caught=column(lambda g: caught_by[effective_path(g, "power_supply", design)]),
        efficiency=column(lambda g: g.psu_efficiency), supply=_supply(groups, design, k),
        fan_w=column(lambda g: 0.0 if bathed(g, design) else sigma * g.fan_design_w),
        fan_floor=column(lambda g: 1e-6 if bathed(g, design) else fan_floor(g, design, k)),
        air_kg_s=column(lambda g: float(server_air_flow_kg_s(sigma * g.busy.total_w, k.server_air_rise_k))),
        air_heat_w=column(lambda g: sigma * g.busy.total_w),
        most_air=column(lambda g: most_air(g, design, k, sigma), 2),
        limit=column(lambda g: g.power_limit_w / g.device_w, 2),
        throttle_c=column(lambda g: g.throttle_c, 2), device_w=column(lambda g: g.device_w, 2), device_k=full_k * worst,
        spread_k=on_air,
        die_s=c.die_s / (full_k * c.fast_share), sink_s=sink_s,
    )  # fmt: skip


def _supply(groups: tuple[ItGroup, ...], design: HybridDesign, k: PlantConstants) -> RackSupply | None:
    found = [each for group in groups if (each := rack_supply(group, design, k)) is not None]
    if not found:
        return None
    rack_w, board_w = (np.array([getattr(each, name) for each in found])[:, None] for name in ("rack_w", "board_w"))
    return replace(found[0], rack_w=rack_w, board_w=board_w)
