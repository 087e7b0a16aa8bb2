"""CPU seconds of a site-year: NumPy against the compiled hall, and many site-years in one call.

Prints JSON. Weather is a made-up year with a daily and a yearly wave, for many sites moved by up to 10 K either way;
single precision; compiling is timed apart. An evaluation is one hall at one hour.
"""

from __future__ import annotations

import json
import resource
import time
from dataclasses import replace

import jax
import numpy as np

from twinloop.model.estimate import ComponentPower
from twinloop.model.weather import DesignConditions
from twinloop.planner.designs import KITS
from twinloop.twin.compiled import Hall, hours, many_years, parameters, year_function
from twinloop.twin.design import HybridDesign, PlantConstants
from twinloop.twin.free_coolers import OutdoorAir
from twinloop.twin.groups import ItGroup
from twinloop.twin.plant import solve_plant
from twinloop.twin.sizing import size_plant

HOURS, SITES = 8760, 256
HALLS = {
    "air": ("air", "none", "air_cooled_chiller"),
    "plates + air, dry cooler": ("plates + air", "dry_cooler", "air_cooled_chiller"),
    "plates + rear doors, tower": ("plates + rear doors", "tower", "air_cooled_chiller"),
    "plates + air, water-cooled chiller": ("plates + air", "dry_cooler", "water_cooled_chiller"),
}


def weather() -> OutdoorAir:
    hour = np.arange(HOURS)
    wave = 10.0 + 12.0 * np.sin(2 * np.pi * hour / HOURS) + 6.0 * np.sin(2 * np.pi * hour / 24)
    dry = wave + np.random.default_rng(0).normal(0.0, 2.0, HOURS)
    wet = np.minimum(dry - 0.5, dry * 0.7 + 1.0)
    return OutdoorAir(dry, wet, wet - 2.0, 101_325.0)


def servers() -> ItGroup:
    return ItGroup(
        "train", "server", 40, 320, ComponentPower(208e3, 20e3, 16e3, 12e3, 4e3),
        ComponentPower(22e3, 8e3, 4e3, 6e3, 2e3), 36e3, 0.95, 650.0, 700.0, 87.0, 0.065, 0.03,
        ("air", "rear_door", "cold_plate", "bath"), np.where(np.arange(HOURS) % 24 < 9, 1.0, 0.3),
    )  # fmt: skip


def cpu_s(run, times: int = 3) -> float:
    best = np.inf
    for _ in range(times):
        start = time.process_time()
        jax.block_until_ready(run())
        best = min(best, time.process_time() - start)
    return round(best, 4)


def measure(kit: str, cooler: str, cold: str) -> dict[str, float]:
    k, air, it = PlantConstants(), weather(), servers()
    design = HybridDesign(kit, KITS[kit], cooler, 32.0, True, cold, 20.0, 26.0, False, "N+1")  # type: ignore[arg-type]
    plant = size_plant(design, (it,), DesignConditions(34.0, 22.0, 24.0, -12.0, "made up"), 101_325.0, 200.0, k)
    year, at = year_function(Hall(plant, (it,), k)), hours(air, (it,))
    values = {f"plant.{name}": value for name, value in parameters(plant).items()}
    start = time.process_time()
    sums = jax.block_until_ready(year(values, at))
    compile_s = time.process_time() - start
    shifts = np.linspace(-10.0, 10.0, SITES)
    sites = [hours(replace(air, dry_bulb_c=air.dry_bulb_c + s, wet_bulb_c=air.wet_bulb_c + s), (it,)) for s in shifts]
    stacked = jax.tree.map(lambda *leaves: jax.numpy.stack(leaves), *sites)
    spread = {name: np.full(SITES, value, np.float32) for name, value in values.items()}
    many = many_years(year)
    start = time.process_time()
    jax.block_until_ready(many(spread, stacked))
    first_s = time.process_time() - start
    years_s = cpu_s(lambda: many(spread, stacked), 2)
    return {
        "compile_cpu_s": round(compile_s, 1),
        f"{SITES}_years_compile_cpu_s": round(first_s - years_s, 1),
        "year_cpu_s": cpu_s(lambda: year(values, at)),
        "numpy_float64_year_cpu_s": cpu_s(lambda: solve_plant(plant, (it,), air, k).facility_w),
        f"{SITES}_years_cpu_s": years_s,
        "evaluations_per_cpu_hour": round(SITES * HOURS / years_s * 3600.0),
        "balance_error_float32": float(sums.balance_error),
        "peak_memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0),
    }


if __name__ == "__main__":
    figures = {name: measure(*hall) for name, hall in HALLS.items()}
    print(
        json.dumps(
            {
                "precision": "float32", "hours": HOURS, "site_years_in_one_call": SITES, "elements": SITES * HOURS,
                "halls": figures,
            },
            indent=1,
        )
    )  # fmt: skip
