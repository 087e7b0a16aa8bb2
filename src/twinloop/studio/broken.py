"""The limits that a plan breaks, in words: which, by how much, at which place and hour."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.model.model import Model
from twinloop.model.simulation import SiteYear
from twinloop.planner.check import Checked
from twinloop.planner.dew import MARGIN_K, doors_supply_c, hall_dew_point_c
from twinloop.planner.limits import CAPEX_ROW, CARBON_ROW, COST_ROW, WATER_ROW
from twinloop.planner.optimise import Held, held_rows, throttled, wet_doors
from twinloop.units import show

_OF_THE_PLAN = {
    CAPEX_ROW: ("purchases", "amount of money"),
    COST_ROW: ("cost of ownership", "amount of money"),
    CARBON_ROW: ("CO2e a year", "mass"),
    WATER_ROW: ("water a year", "volume"),
}
"""Row -> what it limits, and the quantity that it is."""
_NEW_YEAR = datetime.datetime(2001, 1, 1)
_DIGITS = 5
"""Of figures beside their limit: what is too much shall be seen in them."""


def broken(model: Model, checked: Checked) -> tuple[str, ...]:
    """Return one sentence for each limit that ``checked`` breaks; none exactly where the planner accepts it."""
    return (
        *(_row_words(model, checked, each) for each in held_rows(model, checked) if each.exceeded),
        *_throttled_words(model, checked),
        *_margin_words(model, checked),
        *_door_words(model, checked),
    )


def _row_words(model: Model, checked: Checked, held: Held) -> str:
    bound, year = held.bound or 0.0, _year(checked, held.place)
    if not held.place:
        what, quantity = _OF_THE_PLAN[held.row]
        where, when = "the whole plan", ""
    elif held.row.startswith("water"):
        what, quantity, where = "water a year", "volume", held.place
        when = "" if year is None else f", most of it in {_fullest_month(year.hourly['water_kg_s'])}"
    else:
        what, quantity, where = "power from the meter", "power", held.place
        when = "" if year is None else f", on {_moment(year, int(np.argmax(year.hourly['peak_w'])))}"
    more = held.value - bound
    share = f" ({100.0 * more / bound:.2g} %)" if bound and more < bound else ""
    left = " that later years' growth leaves" if held.place and model.caps.growth_fits else ""
    figures = f"{_shown(held.value, quantity)} of {_shown(bound, quantity)}{left}"
    return f"{what} of {where}: {figures}, {_shown(more, quantity, 3)}{share} too much{when}"


def _shown(value: float, quantity: str, digits: int = _DIGITS) -> str:
    return f"{value:,.0f} USD" if quantity == "amount of money" else show(value, quantity, digits)


def _throttled_words(model: Model, checked: Checked) -> Iterator[str]:
    for place, hours in throttled(model, checked).items():
        year = _year(checked, place)
        hottest = "" if year is None else f"; hottest on {_moment(year, int(np.argmax(year.hourly['junction_c'])))}"
        yield f"clock of the chips of {place}: lost in {hours:,.0f} device-hours a year{hottest}"


def _margin_words(model: Model, checked: Checked) -> Iterator[str]:
    held_k = model.caps.junction_margin_k
    for site in checked.sites:
        day = site.planned.design_day
        if day is None or day.margin_k is None or day.margin_k >= held_k:
            continue
        short = f"{held_k - day.margin_k:.1f} K short of the {held_k:g} K that the plan keeps" if held_k else (
            f"{-day.margin_k:.1f} K too hot"
        )  # fmt: skip
        kept = f"{abs(day.margin_k):.1f} K {'below' if day.margin_k >= 0.0 else 'above'} their limit"
        outdoors = f"{day.dry_bulb_c:.1f} °C outdoors, wet bulb {day.wet_bulb_c:.1f} °C"
        yield f"chips of {site.planned.name}: {kept}, {short}, on the design day ({outdoors})"


def _door_words(model: Model, checked: Checked) -> Iterator[str]:
    wet = wet_doors(model, checked) if model.caps.dry_doors else []
    halls = {site.name: site for site in model.on_premise}
    for site in checked.sites:
        supply_c = doors_supply_c(site.planned)
        if site.planned.name in wet and supply_c is not None:
            dew_c = hall_dew_point_c(halls[site.planned.name])
            yield (
                f"rear doors of {site.planned.name}: water of {supply_c:.1f} °C, {dew_c + MARGIN_K - supply_c:.1f} K "
                f"short of {MARGIN_K:g} K above the hall's highest dew point ({dew_c:.1f} °C)"
            )


def _year(checked: Checked, place: str) -> SiteYear | None:
    return next((site.year for site in checked.sites if site.planned.name == place), None)


def _moment(year: SiteYear, hour: int) -> str:
    """Return day, clock and outdoor temperature of an hour of the year, 0 to 8759."""
    begins = _NEW_YEAR + datetime.timedelta(hours=hour)
    return f"{begins.day} {begins:%B}, {begins:%H:%M} ({float(year.hourly['dry_bulb_c'][hour]):.1f} °C outdoors)"


def _fullest_month(hourly: FloatArray) -> str:
    months = [(_NEW_YEAR + datetime.timedelta(hours=hour)).month for hour in range(hourly.size)]
    sums = np.bincount(months, weights=hourly)
    return f"{_NEW_YEAR.replace(month=int(np.argmax(sums))):%B}"
