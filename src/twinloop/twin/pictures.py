"""What the report draws of a hall: heat ribbons and the loops at one hour."""

from __future__ import annotations

import numpy as np

from twinloop.arrays import Array
from twinloop.model.simulation import HeatFlow, LoopState, OperatingHour
from twinloop.model.weather import WeatherYear
from twinloop.twin.free_coolers import OutdoorAir
from twinloop.twin.plant import PlantState

LEAST_SHARE = 1e-9
"""Of facility power; what is below is round-off of a machine at rest."""


def heat_flows(state: PlantState) -> tuple[HeatFlow, ...]:
    """Return yearly mean ribbons from components and machines to outdoor air and to who buys heat.

    Every side is computed on its own, nothing closes a node: what enters a node leaves it as far as the plant's
    own balance closes, the first origins add up to facility power, and so do the last targets. Heat that turns
    in some hours, as where doors cool below the hall or a loop is colder than what it takes heat from, is a flow
    of its own, the other way.
    """
    air, cold, warm = state.air, state.cold, state.warm
    flows: dict[tuple[str, str], float] = {}

    def add(origin: str, target: str, power_w: Array) -> None:
        for ends, part_w in (((origin, target), power_w), ((target, origin), -power_w)):
            flows[ends] = flows.get(ends, 0.0) + float(np.mean(np.maximum(part_w, 0.0)))

    for it in state.it:
        for component, power_w in it.by_component_w.items():
            add(component, "servers", power_w)
        add("servers", "rack air", it.air_heat_w)
        add("servers", "plates and baths", it.warm_heat_w)
    # Doors that take more than the racks give cool the hall's air besides.
    add("rack air", "rear doors", air.door_heat_w + np.minimum(air.residual_w, 0.0))
    add("hall air", "rear doors", np.maximum(-air.residual_w, 0.0))
    add("rack air", "hall air", np.maximum(air.residual_w, 0.0))
    add("power chain, lights", "hall air", _room_w(state))
    add("air handler fans", "hall air", air.fan_w)
    add("hall air", "cold loop", air.coil_heat_w)
    add("hall air", "outdoor air", air.outdoor_heat_w)
    add("rear doors", "cold loop", air.door_heat_w)
    add("pumps", "cold loop", cold.pump_w + cold.condenser_pump_w)
    if warm:
        add("plates and baths", "warm loop", sum((it.warm_heat_w for it in state.it), start=0.0 * state.it_w))
        add("pumps", "warm loop", warm.cdu_pump_w + warm.pump_w + warm.free.pump_w)
        add("warm loop", "heat sold", warm.reuse.source_w)
        add("heat pump", "heat sold", warm.reuse.power_w)
        add("warm loop", "outdoor air", warm.free.air_heat_w)
        add("warm loop", "cold loop", warm.trim_w)
    add("compressors", "cold loop", state.chillers_w)
    add("cold loop", "outdoor air", cold.rejected_w)
    add("fans outdoors", "outdoor air", state.heat_rejection_w)
    add("transformers", "outdoor air", state.electric.outdoor_loss_w)
    least_w = LEAST_SHARE * float(np.mean(state.facility_w))
    return tuple(HeatFlow(a, b, power_w) for (a, b), power_w in flows.items() if power_w > least_w)


def _room_w(state: PlantState) -> Array:
    """Return what the hall's power chain and lights leave in its air."""
    electric = state.electric
    return electric.ups_loss_w + electric.distribution_loss_w - electric.outdoor_loss_w + state.lighting_w


def operating_hour(name: str, hour: int, state: PlantState, weather: WeatherYear | OutdoorAir) -> OperatingHour:
    """Return the loops' temperatures, flows and duties at one hour of the year."""
    air, cold, warm = state.air, state.cold, state.warm
    rows: list[tuple[str, Array | None, Array | None, Array | None]] = [
        ("server intake", air.intake_c, sum((it.air_flow_kg_s for it in state.it), start=0.0 * state.it_w), None),
        ("server exhaust", air.exhaust_c, None, sum((it.air_heat_w for it in state.it), start=0.0 * state.it_w)),
        ("rear door leaving air", air.door_out_c, None, air.door_heat_w),
        ("air handler return", air.return_c, None, air.coil_heat_w),
        ("air handler supply", air.supply_c, None, None),
        ("outdoor air economiser", None, None, air.outdoor_heat_w),
        ("cold supply", cold.supply_c, cold.flow_kg_s, None),
        ("cold return", cold.return_c, None, cold.heat_w),
        ("cold economiser", None, None, cold.free_w),
        ("chiller", cold.condenser_c, None, cold.chiller_load_w),
    ]
    if warm:
        rows += [
            ("coolant supply", warm.coolant_supply_c, warm.coolant_kg_s, None),
            ("coolant return", warm.coolant_return_c, None, warm.cdu_heat_w),
            ("warm supply", warm.supply_c, warm.flow_kg_s, None),
            ("warm return", warm.return_c, None, None),
            ("warm outdoor cooler", warm.free.water_out_c, None, warm.free.heat_w),
            ("warm trim", None, None, warm.trim_w),
        ]

    def at(values: Array | None) -> float | None:
        return None if values is None else float(np.broadcast_to(values, state.it_w.shape)[hour])

    return OperatingHour(
        name, float(weather.dry_bulb_c[hour]), float(weather.wet_bulb_c[hour]), float(state.it_w[hour]),
        float(state.facility_w[hour]),
        tuple(LoopState(tag, at(t), at(flow), at(heat)) for tag, t, flow, heat in rows),
    )  # fmt: skip
