"""Linear coefficients of a cooling design for one kind of server, from a few weighted real hours."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.catalogue import server_cooling
from twinloop.catalogue.nouns import Device, Server
from twinloop.economics.capital import CapitalItem
from twinloop.model.estimate import StageOption
from twinloop.model.site import OnPremise
from twinloop.planner.equipment import capital_items, schedule
from twinloop.planner.money import charged_w
from twinloop.planner.standing_lines import less_standing
from twinloop.planner.wiring import wiring
from twinloop.twin.design import HybridDesign, PlantConstants
from twinloop.twin.design_hours import design_hours
from twinloop.twin.free_coolers import OutdoorAir, hours_of
from twinloop.twin.groups import ItGroup
from twinloop.twin.plant import solve_plant
from twinloop.twin.sample import SampledHours
from twinloop.twin.sizing import Plant, size_plant
from twinloop.twin.year import outdoor_air


@dataclass(frozen=True)
class Rates:
    """What one watt of a server's DC or IT power costs under one design."""

    it_per_dc: float
    """Energy at the IT meter per nominal DC energy: fans, power supplies, and leakage at the chips' temperature."""
    it_per_dc_peak: float
    facility_per_it: float
    facility_per_it_peak: float
    water_m3_per_it_j: float
    heat_sold_per_it: float
    """Heat to the site's buyer per IT energy."""
    air_share: float
    """Of the servers' power at full load, into their racks' air."""
    items_per_it_w: tuple[CapitalItem, ...]
    """Cooling equipment for one watt at the IT meter."""
    chiller_w_per_it_w: float
    """Rated, spares included: what holds refrigerant."""
    throttled: bool
    """Whether the worst chip loses clock in any sampled hour."""
    worst_junction_c: float
    margin_k: float
    """What the worst chip keeps below its limit in the harder design hour, all at full power."""
    margin_k_per_w: float
    """What it loses of that for each watt that an option of the same server gives a device beyond ``device_w``."""
    device_w: float
    """Of a device of the option that was rated."""
    mean_junction_c: float
    """Of the mean chip over its busy hours."""

    def margin_of_k(self, option: StageOption) -> float:
        """Return the margin of ``option`` in proportion to its power: fans that follow bring it nearer to the rated."""
        return self.margin_k - self.margin_k_per_w * (option.device_w - self.device_w)

    def cooling_items(self, it_w: float) -> tuple[CapitalItem, ...]:
        """Return the cooling purchase for ``it_w``."""
        return tuple(
            CapitalItem(item.name, item.amount_usd * it_w, item.life_s, item.maintenance_per_year)
            for item in self.items_per_it_w
        )


def group_of(
    option: StageOption, device: Device, server: Server, activity: FloatArray, quarters: FloatArray | None = None
) -> ItGroup:
    """Return the twin's group for ``option`` on ``server``, the switches behind its servers with it.

    They take at the inlet what the catalogue says: less here by the losses of the servers' supplies.
    """
    switch_w = wiring(option, server).power_w * server.psu_efficiency
    return ItGroup(
        name=option.stage, server=server.name, servers=option.servers, device_count=option.device_count,
        busy=replace(option.busy, network_w=option.busy.network_w + switch_w),
        idle=replace(option.idle, network_w=option.idle.network_w + switch_w), switch_w=switch_w,
        fan_design_w=server.fan_w_air * option.servers,
        psu_efficiency=server.psu_efficiency, device_w=option.device_w, power_limit_w=device.power_limit_w,
        throttle_c=device.throttle_c, r_air_k_w=device.r_air_k_w, r_plate_k_w=device.r_plate_k_w,
        paths_offered=server_cooling(server.name), activity=activity, quarters=quarters,
    )  # fmt: skip


def rates(
    site: OnPremise, design: HybridDesign, group: ItGroup, sample: SampledHours, k: PlantConstants
) -> tuple[Rates, Plant]:
    """Return the coefficients of ``design`` for ``group``'s kind of server at ``site``, and the sized plant.

    The plant is sized with the group fully busy; its year runs at the group's own activity. The hottest and the
    most humid hour are looked at besides with the group at its busiest, without weight: they say what throttles
    and what the meter's peak is. The design hours, at full power, say what margin chips keep.
    """
    full = replace(group, activity=np.ones(1), quarters=None)
    plant = size_plant(design, (full,), site.weather.design, site.weather.pressure_pa, 0.0, k, site.heat_offtake)
    seen = _seen(site, group, sample, k)
    activity, weight, looked_at = seen.activity, seen.weight, seen.looked_at
    state = solve_plant(plant, (replace(group, activity=activity, quarters=None),), seen.outdoor, k)
    it_j = float(weight @ state.it_w)
    # Against the nominal power, so that what warm or cool chips leak more or less is in the ratio.
    dc_j = float(weight @ (group.idle.total_w + activity * (group.busy.total_w - group.idle.total_w)))
    makeup = state.evaporation_kg_s * site.water.cycles / (site.water.cycles - 1.0)
    hot = int(np.argmax((state.facility_w / np.maximum(state.it_w, 1.0) * (activity > 0.0))[:looked_at]))
    hottest_c = np.broadcast_to(state.it[0].worst_junction_c, activity.shape)
    worst = np.where(activity > 0.0, hottest_c, -np.inf)[:looked_at]
    lines = less_standing(schedule(plant, site, k), site.plant).lines
    return (
        Rates(
            it_per_dc=it_j / dc_j,
            it_per_dc_peak=plant.it_w / group.busy.total_w,
            facility_per_it=float(weight @ state.facility_w) / it_j,
            facility_per_it_peak=float(state.facility_w[hot] / state.it_w[hot]),
            water_m3_per_it_j=float(weight @ makeup) / 998.2 / it_j,
            heat_sold_per_it=float(weight @ state.heat_sold_w) / it_j,
            air_share=_servers_air_share(plant, group),
            items_per_it_w=tuple(
                CapitalItem(item.name, item.amount_usd / plant.it_w, item.life_s, item.maintenance_per_year)
                for item in capital_items(lines)
            ),
            chiller_w_per_it_w=charged_w(lines) / plant.it_w,
            throttled=bool(np.any(np.broadcast_to(state.it[0].throttled, activity.shape)[:looked_at] > 0.0)),
            worst_junction_c=float(np.max(worst)),
            margin_k=group.throttle_c - float(np.max(hottest_c[looked_at:])),
            # Above supply air: too steep for plates, whose coolant is warmer, and for fans that speed up.
            margin_k_per_w=(float(np.max(hottest_c[looked_at:])) - design.air_supply_c) / group.device_w,
            device_w=group.device_w,
            mean_junction_c=_busy_mean(state.it[0].junction_c, activity * weight),
        ),
        plant,
    )


@dataclass(frozen=True)
class _Seen:
    """The rated hours: sampled ones by their weight, the two worst of the year and the design hours without."""

    outdoor: OutdoorAir
    activity: FloatArray
    weight: FloatArray
    looked_at: int
    """Hours before the design hours."""


def _seen(site: OnPremise, group: ItGroup, sample: SampledHours, k: PlantConstants) -> _Seen:
    yearly = np.broadcast_to(group.activity, site.weather.dry_bulb_c.shape)
    worst = np.array([np.argmax(site.weather.dry_bulb_c), np.argmax(site.weather.wet_bulb_c)])
    here = hours_of(outdoor_air(site.weather, k), np.concatenate([sample.index, worst]))
    extreme = design_hours(site.weather, k)
    number = extreme.dry_bulb_c.size
    busiest = float(np.max(yearly if group.quarters is None else group.quarters))
    activity = np.concatenate([yearly[sample.index], np.full(worst.size, busiest), np.ones(number)])
    weight = np.concatenate([sample.weight, np.zeros(worst.size + number)])
    return _Seen(_both(here, extreme), activity, weight, here.dry_bulb_c.size)


def _servers_air_share(plant: Plant, group: ItGroup) -> float:
    """Return the share of the servers' own power that goes into air: the switches' is another rack's."""
    switches_w = group.switch_w / group.psu_efficiency
    return max(plant.air_heat_w - switches_w, 0.0) / (plant.it_w - switches_w)


def _both(hours: OutdoorAir, others: OutdoorAir) -> OutdoorAir:
    """Return ``hours``, then ``others`` of the same place."""
    return OutdoorAir(
        np.concatenate([hours.dry_bulb_c, others.dry_bulb_c]), np.concatenate([hours.wet_bulb_c, others.wet_bulb_c]),
        np.concatenate([hours.dew_point_c, others.dew_point_c]), hours.pressure_pa,
    )  # fmt: skip


def _busy_mean(values: FloatArray, weight: FloatArray) -> float:
    return float(np.average(np.broadcast_to(values, weight.shape), weights=np.maximum(weight, 1e-12)))
