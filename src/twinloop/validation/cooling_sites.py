"""Two published sites in the twin: a hybrid hall in Baltimore (a model study), a chiller-less one in Golden (real)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from twinloop.arrays import Array
from twinloop.cooling.economisers import LATENT_J_KG
from twinloop.cooling.thermosyphons import Thermosyphon, thermosyphon
from twinloop.cooling.towers import make_up
from twinloop.model.weather import WeatherYear
from twinloop.twin.free_coolers import FreePoint, TowerSet, free_cool
from twinloop.twin.year import HOUR_S, WATER_KG_M3, outdoor_air
from twinloop.validation.cooling_halls import HallYear, K, accelerated_servers, design, hall_year, place

BALTIMORE = ("Baltimore, MD", "USA_MD_Baltimore_TMY2.epw")
GOLDEN = ("39.74, -105.18", "USA_CO_Golden-NREL.724666_TMY3.epw")


@dataclass(frozen=True)
class Baltimore:
    """Studies 1 (all air) and 4 (75 % liquid) of ASME InterPACK 2022, V001T01A014, with the study's setpoints.

    Stated there: 1.85 MW of IT (from its total and ratios), chilled water 7.2 and 25 °C, supply air 25 and 35 °C,
    secondary inlet 45 °C, free-cooling air-cooled chillers with pads, air handlers, two liquid-to-liquid units,
    tier 2 (N+1), hot aisles enclosed.
    Not stated, and what stands here instead: server fans 8.75 % of IT in study 1 (7 % less IT by 80 % less fan; the
    80 % are also what the servers' least fan speed beside plates comes from);
    UPS 94-96 % and 0.5 % of switchgear, air handlers 400 Pa at 70 %, servers 12 K of air rise, chillers COP 3 at
    6.67/35 °C: the plant's defaults with their sources in its constants.
    """

    air: HallYear
    hybrid: HallYear

    @property
    def total_percent(self) -> float:
        """Change of facility energy from study 1 to 4."""
        return 100.0 * (self.hybrid.facility_w / self.air.facility_w - 1.0)

    @property
    def other_percent(self) -> float:
        """Change of energy that is not IT."""
        first, last = (year.facility_w - year.it_w for year in (self.air, self.hybrid))
        return 100.0 * (last / first - 1.0)

    @property
    def it_percent(self) -> float:
        """Change of IT energy, its fans inside."""
        return 100.0 * (self.hybrid.it_w / self.air.it_w - 1.0)

    @property
    def pue_percent(self) -> float:
        """Change of PUE."""
        return 100.0 * (self.hybrid.pue / self.air.pue - 1.0)

    @property
    def tue_percent(self) -> float:
        """Change of TUE."""
        return 100.0 * (self.hybrid.tue / self.air.tue - 1.0)

    def without_gain(self) -> Baltimore:
        """Return the studies with study 4's chillers drawing study 1's power per watt of IT.

        A diagnosis, not a reading: nothing gained from warmer water, the other end of what a chiller could do.
        """
        drawn_w = self.air.parts_w["chillers"] / self.air.it_w * self.hybrid.it_w
        more_w = drawn_w - self.hybrid.parts_w["chillers"]
        return replace(self, hybrid=replace(self.hybrid, facility_w=self.hybrid.facility_w + more_w))


IT_W, FAN_SHARE, FLOOR_M2 = 1.85e6, 0.0875, 400.0
LIQUID_SHARE = 0.749


Reading = Literal["own coolers", "chillers", "design hour"]


def baltimore(cases: Path | None = None, reading: Reading = "own coolers") -> Baltimore:
    """Return both studies in the twin; no setpoint is searched.

    The readable part of the paper does not say whether its figures are of a year or of a design hour, nor whether the
    plates' water has coolers of its own; it names the chillers alone. Three readings: the year, with the chillers' pads
    and free cooling for that water; the year, that water cooled by the chillers' own; or a 35 °C hour of the same,
    every watt through the compressors.
    """
    year = place(*BALTIMORE, cases)
    if reading == "design hour":
        year = replace(year, dry_bulb_c=_all(35.0), wet_bulb_c=_all(25.0), dew_point_c=_all(21.0))
    efficiency = 0.95
    fans_w = FAN_SHARE * IT_W * efficiency
    dc_w = IT_W * efficiency - fans_w
    servers = accelerated_servers(dc_w, fans_w, paths=_accelerator_share())
    stated = {"redundancy": "N+1", "containment": "hot_aisle"}
    first = design("air", cold_supply_c=7.2, air_supply_c=25.0, **stated)
    last = design(
        "plates + air", cold_supply_c=25.0, air_supply_c=35.0, warm_supply_c=45.0 - K.cdu_approach_k,
        warm_cooler="adiabatic_cooler" if reading == "own coolers" else "none", trim=True, **stated,
    )  # fmt: skip
    return Baltimore(*(hall_year(hall, (servers,), year, FLOOR_M2)[0] for hall in (first, last)))


PUBLISHED_PERCENT = (-10.2, -18.1, -3.3)
"""Total, not IT, PUE: Heydari et al. 2022, as in table ``cooling_facts``."""


def between(found: Baltimore) -> int:
    """Return how many of the published total, non-IT and PUE lie between the model's without and with its gain."""
    ends = zip(_changes(found), _changes(found.without_gain()), PUBLISHED_PERCENT, strict=True)
    return sum(min(a, b) <= published <= max(a, b) for a, b, published in ends)


def _changes(found: Baltimore) -> tuple[float, float, float]:
    return found.total_percent, found.other_percent, found.pue_percent


def _all(value_c: float) -> Array:
    return np.full(8760, value_c)


def _accelerator_share() -> float:
    """Return the accelerators' share of DC power at which plates carry 74.9 % of the heat at the meter."""
    # Caught: capture (accelerators + processors) of DC power; processors are a third of what accelerators leave.
    caught = LIQUID_SHARE / (K.plate_capture * 0.95)
    return (caught - 1.0 / 3.0) / (1.0 - 1.0 / 3.0)


@dataclass(frozen=True)
class Golden:
    """A chiller-less warm-water hall of 1 MW in Golden: towers alone, and a thermosyphon cooler before them."""

    tower: HallYear
    pue_hybrid: float
    water_tower_m3: float
    water_hybrid_m3: float

    @property
    def saved_percent(self) -> float:
        """Water that the dry cooler saves."""
        return 100.0 * (1.0 - self.water_hybrid_m3 / self.water_tower_m3)


COOLER = Thermosyphon(120e3, 150e3, 25.0, 90.0, 20e3)
"""About 0.7 MW at 20 K between water and air: the class of unit installed in 2016; sizes from memory."""
WATER_USD_M3, POWER_USD_J = 2.5, 0.09 / 3.6e6
"""Water with sewer, and electricity, of that part of the country: low confidence."""
SUPPLY_C, MEAN_LEVEL = 24.0, 0.95
"""75 °F supply water (from memory)."""


def golden(cases: Path | None = None) -> Golden:
    """Return the year by towers alone and with the dry cooler in series before them.

    Nearly all heat goes to water (97 %, as in the class of machine), compute stands on the grid without a UPS (from
    memory). The dry cooler's fans turn as fast as water is dearer than electricity, and no colder than the setpoint.
    """
    year = place(*GOLDEN, cases)
    k = replace(K, plate_capture=0.97)
    servers = accelerated_servers(0.95e6, 10e3, MEAN_LEVEL)
    hall = design("all plates", warm_cooler="tower", warm_supply_c=SUPPLY_C, trim=False, cold_supply_c=20.0)
    base, state = hall_year(hall, (servers,), year, 200.0, k)
    assert state.warm is not None  # noqa: S101  the design has a warm loop
    assert base.plant.warm is not None  # noqa: S101
    loop = base.plant.warm
    heat_w = state.warm.free.heat_w
    flow = np.full(8760, loop.flow_kg_s)
    wet, _ = _rejected(loop.cooler, heat_w, flow, year, None)
    hybrid, fans_w = _rejected(loop.cooler, heat_w, flow, year, COOLER)
    extra_w = float(np.mean(hybrid.fan_w + fans_w - wet.fan_w))
    ups_w = base.parts_w["ups"]
    base = replace(base, facility_w=base.facility_w - ups_w)
    return Golden(
        base, (base.facility_w + extra_w) / base.it_w, _water_m3(wet), _water_m3(hybrid)
    )  # fmt: skip


def _rejected(
    cooler: object, heat_w: Array, flow_kg_s: Array, year: WeatherYear, dry: Thermosyphon | None
) -> tuple[FreePoint, Array]:
    """Return the towers' point and the dry cooler's fan power when ``heat_w`` is to go."""
    if not isinstance(cooler, TowerSet):
        raise TypeError("towers expected")
    outdoor = outdoor_air(year, K)
    target_c = np.full(8760, SUPPLY_C)
    entering_c = target_c + heat_w / (flow_kg_s * K.water_heat_capacity_j_kg_k)
    fans_w = np.zeros(8760)
    if dry is not None:
        fan = _cheapest_fan(dry, entering_c, flow_kg_s, target_c, outdoor.dry_bulb_c)
        point = thermosyphon(dry, fan, entering_c, flow_kg_s, outdoor.dry_bulb_c)
        entering_c, fans_w = point.water_out_c, point.fan_w
    return free_cool(cooler, entering_c, flow_kg_s, target_c, outdoor, K), fans_w


def _cheapest_fan(dry: Thermosyphon, entering_c: Array, flow_kg_s: Array, target_c: Array, air_c: Array) -> Array:
    """Return the fan ratio by hour at which fan electricity less the water saved costs least; never below the target.

    Each joule not given to a tower saves ``C/(C − 1)/h_fg`` of make-up. The owner's control weighs the same two prices.
    """
    ratios = np.linspace(0.0, 1.0, 41)[:, None]
    point = thermosyphon(dry, ratios, entering_c, flow_kg_s, air_c)
    water_usd_j = WATER_USD_M3 / WATER_KG_M3 * 4.0 / 3.0 / LATENT_J_KG
    cost = point.fan_w * POWER_USD_J - point.heat_w * water_usd_j
    cost = np.where(point.water_out_c < target_c - 0.05, np.inf, cost)
    return np.asarray(ratios[np.argmin(cost, axis=0), 0])


def _water_m3(point: FreePoint, cycles: float = 4.0) -> float:
    water, _ = make_up(point.evaporation_kg_s, point.drift_kg_s, cycles)
    return float(np.sum(water)) * HOUR_S / WATER_KG_M3
