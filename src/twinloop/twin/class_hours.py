"""How air and water keep their classes: hours by ASHRAE class, rack cooling index, supply heat index, partial PUE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.model.site import OnPremise
from twinloop.twin.air_class import ALLOWABLE_AIR_C, RECOMMENDED_AIR_C, class_intake_c

FACILITY_WATER_C = {"W17": 17.0, "W27": 27.0, "W32": 32.0, "W40": 40.0, "W45": 45.0, "W+": np.inf}
"""Warmest facility water by class, ASHRAE TC 9.9, Liquid Cooling Guidelines, 2nd edition."""
LEAST_WATER_C = 2.0
"""Coldest of every W class, same source."""
COOLANT_C = {"S30": 30.0, "S35": 35.0, "S40": 40.0, "S45": 45.0, "S50": 50.0}
"""Warmest coolant to the plates by class, ASHRAE TC 9.9 (2024), values from memory: low confidence."""
BAND_K = 0.5
"""By which a controller may miss its setpoint, which is often the class's limit: as for hours of unmet load."""
LEAST_AIR_KG_S = 1e-3
"""Servers that draw less have no intake."""
LEAST_ROOM_K = 1.0
"""Between recommended and allowable."""
COOLING = ("crah_fans", "pumps", "chillers", "heat_rejection")
POWER = ("ups_loss", "distribution_loss")


@dataclass(frozen=True)
class Moments:
    """Air and water of one hall over time; shape (moments,) each, ``None`` without the loop."""

    site: OnPremise
    hours: float
    """Length of one moment."""
    supply_c: FloatArray
    intake_c: FloatArray
    """Of the mean rack."""
    exhaust_c: FloatArray
    air_kg_s: FloatArray
    """Through the servers."""
    spread_k: float
    """Of the worst rack's intake above the mean's."""
    facility_c: FloatArray | None
    """Warm facility water to distribution units or baths."""
    coolant_c: FloatArray | None
    """To the plates or in the baths; the warmest where there are several loops."""


class Compliance(TypedDict):
    """Fields of :class:`~twinloop.model.simulation.Simulation` of the same names."""

    class_hours: dict[str, float | None]
    rci_percent: dict[str, float | None]
    supply_heat_index: float | None


def compliance(halls: Sequence[Moments]) -> Compliance:
    """Return what :class:`Compliance` names, of ``halls`` together, over the same moments."""
    return {
        "class_hours": _class_hours(halls),
        "rci_percent": _worst_cooling_index(halls),
        "supply_heat_index": _heat_index(halls),
    }


def partial_pue(energy: Mapping[str, float]) -> dict[str, float]:
    """Return pPUE of cooling and of the power chain: IT and what the part takes, over IT.

    ISO/IEC 30134-2 (partial PUE). ``energy`` by end use, in any unit; lights and heat pumps are in neither.

    >>> partial_pue({"it": 100.0, "crah_fans": 2.0, "pumps": 3.0, "chillers": 10.0, "heat_rejection": 1.0,
    ...              "ups_loss": 5.0, "distribution_loss": 1.0, "other": 1.0})
    {'cooling': 1.16, 'power': 1.06}
    """
    return {
        name: 1.0 + sum(energy[key] for key in keys) / energy["it"]
        for name, keys in (("cooling", COOLING), ("power", POWER))
    }


def _class_hours(halls: Sequence[Moments]) -> dict[str, float | None]:
    """Return the hours in which all halls are inside each class; ``None`` where none has such air or water."""
    hours = halls[0].hours
    found: dict[str, float | None] = {}
    airy = [hall for hall in halls if _has_intake(hall)]
    found["recommended"] = _hours(
        [_inside(hall, *RECOMMENDED_AIR_C[hall.site.air_class]) for hall in airy], hours
    )  # fmt: skip
    for name in ALLOWABLE_AIR_C:
        inside = [_inside(hall, *class_intake_c(name, hall.site.weather.elevation_m)) for hall in airy]
        found[name] = _hours(inside, hours)
    facility = [hall.facility_c for hall in halls if hall.facility_c is not None]
    for name, most_c in FACILITY_WATER_C.items():
        found[name] = _hours([(water_c >= LEAST_WATER_C) & (water_c <= most_c + BAND_K) for water_c in facility], hours)
    coolant = [hall.coolant_c for hall in halls if hall.coolant_c is not None]
    for name, most_c in COOLANT_C.items():
        found[name] = _hours([loop_c <= most_c + BAND_K for loop_c in coolant], hours)
    return found


def _has_intake(hall: Moments) -> bool:
    return bool(np.max(hall.air_kg_s) > LEAST_AIR_KG_S)


def _inside(hall: Moments, low_c: float, high_c: float) -> np.ndarray:
    """Say when the mean intake is within the limits and a controller's band, or no server draws air."""
    still = hall.air_kg_s <= LEAST_AIR_KG_S
    return np.asarray(still | ((hall.intake_c >= low_c - BAND_K) & (hall.intake_c <= high_c + BAND_K)))


def _hours(inside: Sequence[np.ndarray], hours: float) -> float | None:
    return float(np.sum(np.all(inside, axis=0))) * hours if inside else None


def _worst_cooling_index(halls: Sequence[Moments]) -> dict[str, float | None]:
    """Return the lowest of the halls' rack cooling indices, %."""
    airy = [hall for hall in halls if _has_intake(hall)]
    if not airy:
        return {"high": None, "low": None, "high_worst_rack": None}
    indices = [_cooling_index(hall) for hall in airy]
    return {name: min(index[name] for index in indices) for name in indices[0]}


def _cooling_index(hall: Moments) -> dict[str, float]:
    """Return RCI_HI and RCI_LO of the mean rack and RCI_HI of the worst, means over time, %.

    ``RCI_HI = 1 − Σ max(T − T_rec, 0)/(n (T_all − T_rec))``, RCI_LO below the lower ends: Herrlin (2005), Rack
    cooling effectiveness in data centers and telecom central offices, ASHRAE Transactions 111(2). 100: always within
    the recommended range; 0: at the allowable limit on average.
    """
    low_c, high_c = RECOMMENDED_AIR_C[hall.site.air_class]
    least_c, most_c = class_intake_c(hall.site.air_class, hall.site.weather.elevation_m)
    drawn_c = hall.intake_c[hall.air_kg_s > LEAST_AIR_KG_S]

    def kept(beyond_k: FloatArray, room_k: float) -> float:
        # High up, H1's allowable limit comes down to its recommended one.
        room_k = max(room_k, LEAST_ROOM_K)
        return 100.0 * (1.0 - float(np.mean(np.maximum(beyond_k, 0.0))) / room_k)

    return {
        "high": kept(drawn_c - high_c, most_c - high_c),
        "low": kept(low_c - drawn_c, low_c - least_c),
        "high_worst_rack": kept(drawn_c + hall.spread_k - high_c, most_c - high_c),
    }


def _heat_index(halls: Sequence[Moments]) -> float | None:
    """Return the largest hall's SHI, sums over time weighted by the servers' air; see ``cooling.racks``."""
    indices = []
    for hall in halls:
        if _has_intake(hall):
            warmed = float(np.sum(hall.air_kg_s * (hall.exhaust_c - hall.supply_c)))
            mixed = float(np.sum(hall.air_kg_s * (hall.intake_c - hall.supply_c)))
            indices.append(mixed / warmed)
    return max(indices) if indices else None
