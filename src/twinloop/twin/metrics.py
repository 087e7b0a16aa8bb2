"""A year's figures by the field's standards, from the halls' hours.

PUE, WUE, CUE, ERE/ERF: The Green Grid and ISO/IEC 30134-2, -6, -8, -9; TUE and ITUE: Patterson et al. 2013,
doi:10.1007/978-3-642-38750-0_28; MLC: ANSI/ASHRAE Standard 90.4. The IT meter is at the server's inlet:
server fans and power supplies are inside it, doors' and air handlers' fans outside.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, fields

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.model.simulation import EnergySplit, FreeCooling, ItSplit, Month, Simulation, SiteYear, WaterSplit
from twinloop.model.site import OnPremise
from twinloop.twin.class_hours import Moments, compliance, partial_pue
from twinloop.twin.potential import Potential
from twinloop.twin.year import HOUR_S, MONTH_HOURS, WATER_KG_M3

MWH_J, KWH_J = 3.6e9, 3.6e6
_MECHANICAL = ("chillers_w", "crah_fans_w", "pumps_w", "heat_rejection_w")


def simulation(scenario: str, scenario_hash: str, halls: Sequence[tuple[OnPremise, SiteYear]]) -> Simulation:
    """Return the figures of ``halls`` together: each a site and its simulated year; at least one."""
    years = [year for _, year in halls]
    energy = {f.name.removesuffix("_j"): math.fsum(getattr(y.energy, f.name) for y in years) / MWH_J
              for f in fields(EnergySplit)}  # fmt: skip
    split = {f.name.removesuffix("_j"): math.fsum(getattr(y.it_split, f.name) for y in years) / MWH_J
             for f in fields(ItSplit)}  # fmt: skip
    water = {f.name.removesuffix("_m3"): math.fsum(getattr(y.water, f.name) for y in years)
             for f in fields(WaterSplit)}  # fmt: skip
    it, facility, it_kwh = energy["it"], math.fsum(energy.values()), energy["it"] * MWH_J / KWH_J
    made_up = math.fsum(water.values())
    source_m3 = math.fsum(y.energy.facility_j * site.grid.source_water_m3_per_j for site, y in halls)
    carbon_kg = math.fsum(y.energy.facility_j * site.grid.carbon_kg_per_j for site, y in halls)
    reused = math.fsum(year.heat_sold_j for year in years) / MWH_J
    mechanical, it_w = _total(years, *_MECHANICAL), _total(years, "it_w")
    worst = int(np.argmax(mechanical))
    tightest = min(years, key=_kelvin_left)
    return Simulation(
        scenario=scenario, scenario_hash=scenario_hash, halls=tuple(y.site for y in years),
        pue=facility / it, ppue=partial_pue(energy), tue=facility / split["compute"], itue=it / split["compute"],
        wue_site_l_per_kwh=made_up * 1e3 / it_kwh, wue_source_l_per_kwh=(made_up + source_m3) * 1e3 / it_kwh,
        cue_kg_per_kwh=carbon_kg / it_kwh, ere=(facility - reused) / it,
        erf=reused / facility,
        mlc_annual=float(mechanical.sum() / it_w.sum()), mlc_design=float(mechanical[worst] / it_w[worst]),
        it_energy_mwh=it, facility_energy_mwh=facility, energy_mwh=energy, it_split_mwh=split, water_m3=water,
        peak_power_w=float(_peaks_w(years).max()),
        billing_peak_w=max(month.peak_power_w for month in _months(years)),
        peak_junction_c=_largest([y.peak_junction_c for y in years]),
        worst_intake_c=_largest([y.worst_intake_c for y in years]),
        first_limit=f"{tightest.site}: {tightest.first_limit}",
        throttled_device_hours=math.fsum(y.throttled_device_hours for y in years),
        unmet_load_hours=sum(y.unmet_load_hours for y in years),
        hours_outside_class=sum(y.hours_outside_class for y in years),
        **compliance([_moments(*hall) for hall in halls]),
        free_cooling_hours=_modes(years), mode_switches=sum(_switches(y) for y in years),
        chiller_starts=sum(_starts(y) for y in years), monthly=_months(years),
        energy_balance_error=max(y.energy_balance_error for y in years),
        events=tuple(f"{year.site}: {note}" for year in years for note in year.notes), heat_sold_mwh=reused,
        heat_pump_mwh=math.fsum(year.heat_pump_j for year in years) / MWH_J,
    )  # fmt: skip


def _moments(site: OnPremise, year: SiteYear) -> Moments:
    hourly = year.hourly
    spread_k = 0.0 if year.worst_intake_c is None else year.worst_intake_c - float(np.max(hourly["intake_c"]))
    return Moments(
        site, 1.0, hourly["air_supply_c"], hourly["intake_c"], hourly["exhaust_c"], hourly["server_air_kg_s"], spread_k,
        hourly.get("warm_supply_c"), hourly.get("coolant_supply_c"),
    )  # fmt: skip


def potential_figures(found: Simulation, halls: Sequence[tuple[SiteYear, Potential]]) -> dict[str, float]:
    """Return ``found`` with setpoints chosen anew every hour: its energies by the sampled hours' ratios."""

    def mwh(name: str) -> float:
        return math.fsum(getattr(year.energy, f"{name}_j") * best.ratio(name) for year, best in halls) / MWH_J

    facility = math.fsum(mwh(f.name.removesuffix("_j")) for f in fields(EnergySplit))
    it, compute = mwh("it"), math.fsum(y.it_split.compute_j * best.ratio("compute") for y, best in halls) / MWH_J
    return {
        "facility_energy_mwh": facility, "it_energy_mwh": it, "pue": facility / it, "tue": facility / compute,
        "water_m3": math.fsum(year.water.total_m3 * best.ratio("water") for year, best in halls),
        "saving": 1.0 - facility / found.facility_energy_mwh, "sampled_hours": sum(b.index.size for _, b in halls),
    }  # fmt: skip


def _peaks_w(years: Sequence[SiteYear]) -> FloatArray:
    """Return the power of each hour's busiest quarter; the hour's mean where a year has no other."""
    parts = [year.hourly.get("peak_w", year.hourly["facility_w"]) for year in years]
    return np.asarray(np.sum([np.broadcast_to(part, (MONTH_HOURS.sum(),)) for part in parts], axis=0))


def _total(years: Sequence[SiteYear], *columns: str) -> FloatArray:
    parts = [np.broadcast_to(year.hourly[name], (MONTH_HOURS.sum(),)) for year in years for name in columns]
    return np.asarray(np.sum(parts, axis=0))


def _largest(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return max(known) if known else None


def _kelvin_left(year: SiteYear) -> float:
    """Read the margin out of the words that say it."""
    return float(year.first_limit.rpartition("(")[2].split(" K")[0])


def _modes(years: Sequence[SiteYear]) -> dict[str, int]:
    parts = [asdict(year.free_cooling) for year in years]
    return {f.name: sum(part[f.name] for part in parts) for f in fields(FreeCooling)}


def _mode(year: SiteYear) -> FloatArray:
    """Return 0 (no chiller), 1 (partly) or 2 (all of the heat) by hour."""
    share = np.broadcast_to(year.hourly["chiller_share"], (MONTH_HOURS.sum(),))
    return np.where(share < 0.01, 0, np.where(share > 0.99, 2, 1))


def _switches(year: SiteYear) -> int:
    return int(np.count_nonzero(np.diff(_mode(year))))


def _starts(year: SiteYear) -> int:
    on = _mode(year) > 0
    return int(on[0]) + int(np.count_nonzero(on[1:] & ~on[:-1]))


def _months(years: Sequence[SiteYear]) -> tuple[Month, ...]:
    it_w, facility_w, water = (_total(years, name) for name in ("it_w", "facility_w", "water_kg_s"))
    peak_w, ends = _peaks_w(years), np.cumsum(MONTH_HOURS)
    months = []
    for number, (end, hours) in enumerate(zip(ends, MONTH_HOURS, strict=True), 1):
        part = slice(int(end - hours), int(end))
        it, facility = float(it_w[part].sum()) * HOUR_S / MWH_J, float(facility_w[part].sum()) * HOUR_S / MWH_J
        made_up = float(water[part].sum()) * HOUR_S / WATER_KG_M3
        months.append(Month(number, it, facility, facility / it, made_up, float(peak_w[part].max())))
    return tuple(months)
