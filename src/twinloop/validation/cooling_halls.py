"""Halls of published studies, built by hand: what the study states is in its name, the rest is the plant's default."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from twinloop.climate.lookup import weather
from twinloop.cooling.towers import make_up
from twinloop.errors import InputError
from twinloop.model.estimate import ComponentPower
from twinloop.model.weather import DesignConditions, WeatherYear
from twinloop.planner.designs import KITS
from twinloop.twin.design import CoolingPath, HybridDesign, PlantConstants
from twinloop.twin.groups import ItGroup
from twinloop.twin.plant import PlantState, solve_plant
from twinloop.twin.sizing import Plant, size_plant
from twinloop.twin.year import HOUR_S, WATER_KG_M3, outdoor_air

K = PlantConstants()
COLD_CLIMATE = DesignConditions(34.0, 23.0, 25.0, -12.0, "sizing of a test hall")


@dataclass(frozen=True)
class HallYear:
    """Annual means of one hall, W, and water."""

    it_w: float
    compute_w: float
    facility_w: float
    fans_w: float
    peak_w: float
    water_m3: float
    parts_w: dict[str, float]
    plant: Plant

    @property
    def pue(self) -> float:
        """Facility over IT."""
        return self.facility_w / self.it_w

    @property
    def tue(self) -> float:
        """Facility over what reaches the components (behind fans and power supplies)."""
        return self.facility_w / self.compute_w

    @property
    def wue_l_kwh(self) -> float:
        """Make-up water over IT energy."""
        return self.water_m3 * 1e3 / (self.it_w * 8760.0 / 1e3)


def accelerated_servers(dc_w: float, fans_w: float, activity: float = 1.0, paths: float = 0.70) -> ItGroup:
    """Return servers drawing ``dc_w`` behind their supplies; ``paths`` is the accelerators' share.

    Shares of an 8-device node: accelerators 70 %, processors 10 %, memory 8 %, network 8 %, drives 4 %: low
    confidence. Thermals of the H100 rows.
    """
    rest = (1.0 - paths) / 0.30
    shares = (paths, 0.10 * rest, 0.08 * rest, 0.08 * rest, 0.04 * rest)
    devices = max(round(dc_w * paths / 650.0), 1)
    busy = ComponentPower(*(dc_w * share for share in shares))
    idle = ComponentPower(
        *(dc_w * share * part for share, part in zip(shares, (0.11, 0.4, 0.25, 0.5, 0.5), strict=True))
    )
    return ItGroup(
        "compute", "8 accelerators", max(devices // 8, 1), devices, busy, idle, fans_w, 0.95, 650.0, 700.0, 87.0,
        0.065, 0.03, ("air", "rear_door", "cold_plate", "bath"), np.full(8760, activity),
    )  # fmt: skip


def design(kit: str, **changes: object) -> HybridDesign:
    """Return a design of ``kit`` (warm water 32 °C by dry coolers, chilled water 20 °C), with ``changes``."""
    paths: dict[str, CoolingPath] = dict(KITS[kit])  # type: ignore[arg-type]
    warm = "none" if kit in ("air", "rear doors") else "dry_cooler"
    base = HybridDesign(kit, paths, warm, 32.0, True, "air_cooled_chiller", 20.0, 26.0, False, "N")  # type: ignore[arg-type]
    return replace(base, **changes)  # type: ignore[arg-type]


def place(name: str, epw: str, cases: Path | None) -> WeatherYear:
    """Return the weather file ``epw`` below ``cases`` where it is, else the generated year of ``name``.

    Raises:
        InputError: the place is unknown.
    """
    found = sorted(cases.rglob(epw)) if cases else []
    return weather(str(found[0]), Path()) if found else weather(name, Path())


def hall_year(
    hall: HybridDesign, groups: tuple[ItGroup, ...], year: WeatherYear, floor_m2: float, k: PlantConstants = K,
    cycles: float = 4.0,
) -> tuple[HallYear, PlantState]:  # fmt: skip
    """Size ``hall`` for the place and run it through the year.

    Raises:
        InputError: the plant cannot be sized.
    """
    plant = size_plant(hall, groups, year.design, year.pressure_pa, floor_m2, k)
    state = solve_plant(plant, groups, outdoor_air(year, k), k)
    water, _ = make_up(state.evaporation_kg_s, state.drift_kg_s, cycles)
    parts = {
        "server fans": np.mean(sum(it.fans_w for it in state.it)), "air-handler fans": np.mean(state.crah_fans_w),
        "pumps": np.mean(state.pumps_w), "chillers": np.mean(state.chillers_w),
        "heat rejection": np.mean(state.heat_rejection_w), "ups": np.mean(state.electric.ups_loss_w),
        "distribution": np.mean(state.electric.distribution_loss_w), "other": np.mean(state.lighting_w),
    }  # fmt: skip
    if not np.isfinite(state.facility_w).all():
        raise InputError(f"{hall.name}: the plant has no operating point in some hours")
    return HallYear(
        it_w=float(np.mean(state.it_w)), compute_w=float(np.mean(sum(it.compute_w for it in state.it))),
        facility_w=float(np.mean(state.facility_w)), fans_w=float(parts["server fans"]),
        peak_w=float(np.max(state.facility_w)),
        water_m3=float(np.sum(water)) * HOUR_S / WATER_KG_M3,
        parts_w={name: float(value) for name, value in parts.items()}, plant=plant,
    ), state  # fmt: skip
