"""A whole weather year of one hall: hourly operating points and their totals."""

from __future__ import annotations

import numpy as np

from twinloop.arrays import Array, FloatArray
from twinloop.cooling.towers import make_up
from twinloop.model.simulation import EnergySplit, FreeCooling, ItSplit, SiteYear, WaterSplit
from twinloop.model.site import OnPremise
from twinloop.model.weather import WeatherYear
from twinloop.twin.air_class import allowable_intake_c
from twinloop.twin.cold_store import StoreYear, store_year, tank_of
from twinloop.twin.design import HybridDesign, PlantConstants
from twinloop.twin.free_coolers import OutdoorAir
from twinloop.twin.groups import ItGroup, bathed, boiling_margin_k
from twinloop.twin.heat_reuse import why_unsold
from twinloop.twin.peaks import peaks_w
from twinloop.twin.pictures import heat_flows, operating_hour
from twinloop.twin.plant import PlantState, solve_plant
from twinloop.twin.sizing import Plant

HOUR_S = 3600.0
WATER_KG_M3 = 998.2
"""Make-up water at 20 °C, IAPWS-95."""
MONTH_HOURS = np.array([744, 672, 744, 720, 744, 720, 744, 744, 720, 744, 720, 744])


def outdoor_air(weather: WeatherYear, k: PlantConstants) -> OutdoorAir:
    """Return the air at the coolers' intakes: a still day's recirculation is added to dry bulb only."""
    return OutdoorAir(
        weather.dry_bulb_c + k.recirculation_outdoor_k, weather.wet_bulb_c, weather.dew_point_c, weather.pressure_pa
    )


def site_year(site: OnPremise, plant: Plant, groups: tuple[ItGroup, ...], k: PlantConstants) -> SiteYear:
    """Run ``plant`` through ``site``'s weather year with the groups' hourly activity."""
    weather = site.weather
    outdoor = outdoor_air(weather, k)
    state = solve_plant(plant, groups, outdoor, k)
    store = stored_year(site, plant, state, k)
    if store is not None:
        state = solve_plant(plant, groups, outdoor, k, store.heat_w)
    makeup, blowdown = make_up(state.evaporation_kg_s, state.drift_kg_s, site.water.cycles)
    junction, worst = _junctions(state, groups)
    throttled = sum(
        float(np.sum(it.throttled)) * group.device_count for it, group in zip(state.it, groups, strict=True)
    )
    low_c, high_c = allowable_intake_c(site)
    intake = state.air.intake_c
    peak_w = peaks_w(plant, groups, outdoor, k, state.facility_w, None if store is None else store.heat_w)
    hourly = _hourly(state, weather, makeup, junction) | {"peak_w": peak_w}
    boiling = _boiling_margins_k(state, groups, plant.design, k)
    sold_j = _joules(state.heat_sold_w)
    unsold = why_unsold(
        site.heat_offtake, plant.warm.reuse if plant.warm else None, sold_j, warm_loop=plant.warm is not None
    )
    if store is not None:
        hourly |= {"store_j": store.stored_j, "store_w": store.heat_w}
    if site.heat_offtake is not None:
        hourly |= {"heat_sold_w": state.heat_sold_w, "heat_pump_w": state.heat_pump_w}
    return SiteYear(
        site=site.name,
        energy=_energy(state),
        it_split=_it_split(state),
        water=WaterSplit(_m3(state.evaporation_kg_s), _m3(np.maximum(blowdown, 0.0)), _m3(state.drift_kg_s), 0.0),
        free_cooling=_free_cooling(state),
        peak_power_w=float(np.max(peak_w)),
        billing_peak_w=monthly_peaks(peak_w),
        peak_junction_c=float(np.max(worst)) if np.isfinite(worst).any() else None,
        worst_intake_c=float(np.max(intake)) + k.spread_intake_k,
        first_limit=_first_limit(state, groups, boiling, intake, high_c),
        throttled_device_hours=throttled,
        unmet_load_hours=int(np.sum(state.air.supply_c > plant.design.air_supply_c + 0.5)),
        hours_outside_class=int(np.sum((intake < low_c) | (intake > high_c))),
        energy_balance_error=float(np.max(state.balance_error)),
        heat_flows=heat_flows(state),
        hours=(
            operating_hour("hottest hour", int(np.argmax(weather.dry_bulb_c)), state, weather),
            operating_hour("median hour", _median_hour(weather), state, weather),
        ),
        notes=tuple(note for note in (unsold, *_dried(boiling)) if note),
        heat_sold_j=sold_j,
        heat_pump_j=_joules(state.heat_pump_w),
        hourly=hourly,
    )


def stored_year(site: OnPremise, plant: Plant, usual: PlantState, k: PlantConstants) -> StoreYear | None:
    """Return the year of the design's tank by the site's tariff; ``None`` without one."""
    if plant.design.cold_store_m3 <= 0.0:
        return None
    tank, hours = tank_of(plant.design.cold_store_m3, plant.cold, k), usual.it_w.size
    price = np.resize(np.array(site.tariff.energy_usd_per_j), hours)
    return store_year(tank, plant.cold, usual.cold, site.weather.dry_bulb_c, price)


def monthly_peaks(facility_w: FloatArray) -> tuple[float, ...]:
    """Return the highest of the hours' values in each month, W, 12 values."""
    ends = np.cumsum(MONTH_HOURS)
    return tuple(float(np.max(facility_w[end - hours : end])) for end, hours in zip(ends, MONTH_HOURS, strict=True))


def _joules(power_w: Array) -> float:
    return float(np.sum(power_w)) * HOUR_S


def _m3(flow_kg_s: Array) -> float:
    return float(np.sum(flow_kg_s)) * HOUR_S / WATER_KG_M3


def _energy(state: PlantState) -> EnergySplit:
    return EnergySplit(
        it_j=_joules(state.it_w), crah_fans_j=_joules(state.crah_fans_w), pumps_j=_joules(state.pumps_w),
        chillers_j=_joules(state.chillers_w), heat_rejection_j=_joules(state.heat_rejection_w),
        ups_loss_j=_joules(state.electric.ups_loss_w),
        distribution_loss_j=_joules(state.electric.distribution_loss_w),
        other_j=_joules(state.lighting_w + state.heat_pump_w),
    )  # fmt: skip


def _it_split(state: PlantState) -> ItSplit:
    return ItSplit(
        sum(_joules(it.compute_w) for it in state.it),
        sum(_joules(it.fans_w) for it in state.it),
        sum(_joules(it.psu_loss_w) for it in state.it),
    )


def _chiller_share(state: PlantState) -> FloatArray:
    """Return the chiller's share of the heat that it would carry without economisers: of cold loop and outdoor air."""
    share: FloatArray = state.cold.chiller_load_w / np.maximum(state.cold.heat_w + state.air.outdoor_heat_w, 1.0)
    return share


def _free_cooling(state: PlantState) -> FreeCooling:
    """Count hours by the chiller's share of the heat that it could be asked for."""
    share = _chiller_share(state)
    full, none = int(np.sum(share < 0.01)), int(np.sum(share > 0.99))
    return FreeCooling(full, share.size - full - none, none)


def _junctions(state: PlantState, groups: tuple[ItGroup, ...]) -> tuple[FloatArray, FloatArray]:
    """Return (mean chip, worst chip) of the hottest busy group by hour; nan where nothing runs."""
    mean = np.full(state.it_w.shape, -np.inf)
    worst = mean.copy()
    for it, group in zip(state.it, groups, strict=True):
        busy = group.activity > 0.0
        mean = np.where(busy, np.maximum(mean, it.junction_c), mean)
        worst = np.where(busy, np.maximum(worst, it.worst_junction_c), worst)
    return np.where(np.isfinite(mean), mean, np.nan), worst


def _boiling_margins_k(
    state: PlantState, groups: tuple[ItGroup, ...], design: HybridDesign, k: PlantConstants
) -> dict[str, FloatArray]:
    """Return the margin of each group's hottest surface to dry-out in two-phase baths; empty elsewhere."""
    if not design.boils or state.warm is None:
        return {}
    bath_c = state.warm.coolant_supply_c
    return {
        group.name: np.where(group.activity > 0.0, boiling_margin_k(group, it, bath_c, design, k), np.inf)
        for it, group in zip(state.it, groups, strict=True)
        if bathed(group, design)
    }


def _dried(margins_k: dict[str, FloatArray]) -> tuple[str, ...]:
    hours = {name: int(np.sum(left_k < 0.0)) for name, left_k in margins_k.items()}
    words = "boils above the flux that design allows: surfaces may dry out"
    return tuple(f"{name} {words}, {n} h" for name, n in hours.items() if n)


def _first_limit(
    state: PlantState, groups: tuple[ItGroup, ...], boiling: dict[str, FloatArray], intake: FloatArray,
    class_limit_c: float,
) -> str:  # fmt: skip
    margins = {"intake air class": class_limit_c - float(np.max(intake))}
    margins |= {f"critical heat flux of {name}": float(np.min(left_k)) for name, left_k in boiling.items()}
    for it, group in zip(state.it, groups, strict=True):
        margins[f"junction of {group.name}"] = group.throttle_c - float(np.max(it.worst_junction_c))
    name = min(margins, key=lambda key: margins[key])
    return f"{name} ({margins[name]:.1f} K left)"


def _hourly(state: PlantState, weather: WeatherYear, makeup: Array, junction: FloatArray) -> dict[str, FloatArray]:
    columns = {
        "dry_bulb_c": weather.dry_bulb_c,
        "wet_bulb_c": weather.wet_bulb_c,
        "it_w": state.it_w,
        "facility_w": state.facility_w,
        "pue": state.facility_w / np.maximum(state.it_w, 1.0),
        "chillers_w": state.chillers_w,
        "crah_fans_w": state.crah_fans_w,
        "pumps_w": state.pumps_w,
        "heat_rejection_w": state.heat_rejection_w,
        "ups_loss_w": state.electric.ups_loss_w,
        "distribution_loss_w": state.electric.distribution_loss_w,
        "water_kg_s": makeup,
        "chiller_share": _chiller_share(state),
        "air_supply_c": state.air.supply_c,
        "intake_c": state.air.intake_c,
        "exhaust_c": state.air.exhaust_c,
        "server_air_kg_s": sum((it.air_flow_kg_s for it in state.it), start=0.0 * state.it_w),
        "cold_supply_c": state.cold.supply_c,
        "junction_c": np.nan_to_num(junction, nan=float(np.nanmin(junction)) if np.isfinite(junction).any() else 0.0),
    }
    if state.warm is not None:
        columns["warm_supply_c"] = state.warm.supply_c
        columns["coolant_supply_c"] = state.warm.coolant_supply_c
    return columns


def _median_hour(weather: WeatherYear) -> int:
    middle = float(np.median(weather.dry_bulb_c))
    return int(np.argmin(np.abs(weather.dry_bulb_c - middle)))
