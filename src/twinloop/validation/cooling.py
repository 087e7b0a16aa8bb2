"""Published cooling facts against the model: transcription, calibration and proof told apart, misses shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path

import numpy as np

from twinloop import catalogue
from twinloop.cooling.cdus import Cdu, cdu
from twinloop.cooling.cold_plates import (
    PA_PER_PSI,
    VR_NVL72_MAX_P,
    VR_NVL72_MAX_Q,
    ColdPlate,
    cold_plate,
    fit_plate,
    rack_dp_pa,
    rack_flow_l_min,
)
from twinloop.fluids.liquids import liquid
from twinloop.power.operating_point import OperatingPoint, operating_point
from twinloop.reliability.failures import PER_DEVICE_YEAR, arrhenius_factor, interruptions_per_s
from twinloop.twin.job_replay_power import FRONTIER, machine_power_w
from twinloop.validation.cooling_halls import HallYear, K, accelerated_servers, design, hall_year, place
from twinloop.validation.cooling_sanity import sanity_results
from twinloop.validation.cooling_sites import Baltimore, Reading, baltimore, between, golden
from twinloop.validation.energyplus_cases import energyplus_results
from twinloop.validation.rack_transients import still_rise_s, twin_rise_s
from twinloop.validation.result import Kind, Result
from twinloop.validation.serving_cases import table
from twinloop.validation.telemetry_cases import telemetry_results

L_MIN = 1.0 / 60e3
"""m³/s."""
KINDS: dict[str, Kind] = {
    "transcription": "transcription", "calibration": "calibration", "proof": "proof", "soft": "soft",
}  # fmt: skip


def validate_cooling(cases: Path | None = None) -> tuple[Result, ...]:
    """Return every row of table ``cooling_facts`` beside the model's, sanity, then what needs files not shipped.

    Args:
        cases: a folder with weather files; ``None``: generated years stand in for them, and EnergyPlus is left out.
    """
    found = predictions(cases)
    facts = tuple(
        Result(
            case=f"cooling: {row['case']}", quantity=row["quantity"], unit=row["unit"],
            expected=float(row["published"]), got=float(found[row["id"]]()), tolerance=float(row["tolerance"]),
            source=row["source"], kind=KINDS[row["kind"]],
        )
        for row in table("cooling_facts")
    )  # fmt: skip
    return (*facts, *sanity_results(), *energyplus_results(cases), *telemetry_results(cases))


def predictions(cases: Path | None) -> Mapping[str, Callable[[], float]]:
    """Return row id -> the model's figure, computed when called."""
    halls, baltimore_hall, golden_hall = cache(_chicago), cache(baltimore), cache(golden)
    return {
        **{f"frontier-power-{u}": partial(_machine_mw, u / 100.0) for u in (0, 50, 100)},
        **{f"frontier-rise-{mw}": partial(_facility_rise_k, mw * 1e6) for mw in (21, 30)},
        **_rack(),
        "boyd-rise": _boyd_rise_k,
        "h100-liquid": lambda: float(_h100("plate").junction_c),
        "h100-air": lambda: float(_h100("air").junction_c),
        "h100-gain": lambda: 100.0 * float(_h100("plate").clock_ratio / _h100("air").clock_ratio - 1.0),
        "llama3-between": lambda: float(1.0 / interruptions_per_s(16384, 2048) / 3600.0),
        "llama3-gpu": lambda: 100.0 * PER_DEVICE_YEAR["gpu"],
        "arrhenius": lambda: float(arrhenius_factor(70.0, 60.0)),
        "elsayed": lambda: halls(cases)["per kelvin"],
        "lca-plates": lambda: halls(cases)["plates"],
        "lca-bath": lambda: halls(cases)["bath"],
        "bath-ppue": lambda: halls(cases)["bath pPUE"],
        "fleet-pue": lambda: halls(cases)["economised PUE"],
        **_baltimore(lambda reading: baltimore_hall(cases, reading)),
        "golden-pue": lambda: golden_hall(cases).tower.pue,
        "golden-pue-change": lambda: golden_hall(cases).pue_hybrid - golden_hall(cases).tower.pue,
        "golden-water": lambda: golden_hall(cases).saved_percent,
        "golden-wue": lambda: golden_hall(cases).tower.wue_l_kwh,
    }  # fmt: skip


def _baltimore(hall: Callable[[Reading], Baltimore]) -> dict[str, Callable[[], float]]:
    """Return the change from study 1 to 4 in each reading, then with study 4's chillers gaining nothing."""
    readings: dict[str, Reading] = {"": "own coolers", "-chillers": "chillers", "-hour": "design hour"}
    figures: dict[str, Callable[[Baltimore], float]] = {
        "total": lambda found: found.total_percent,
        "other": lambda found: found.other_percent,
        "pue": lambda found: found.pue_percent,
    }
    rows: dict[str, Callable[[], float]] = {
        "baltimore-it": lambda: hall("own coolers").it_percent,
        "baltimore-tue": lambda: hall("own coolers").tue_percent,
        "baltimore-tue-below-pue": lambda: float(hall("own coolers").tue_percent < hall("own coolers").pue_percent),
        "baltimore-between": lambda: float(sum(between(hall(reading)) for reading in readings.values())),
    }
    for short, reading in readings.items():
        for name, figure in figures.items():
            rows[f"baltimore{short}-{name}"] = partial(_of_hall, figure, hall, reading)
            rows[f"baltimore{short}-flat-{name}"] = partial(_of_flat_hall, figure, hall, reading)
    return rows


def _of_hall(figure: Callable[[Baltimore], float], hall: Callable[[Reading], Baltimore], reading: Reading) -> float:
    return figure(hall(reading))


def _of_flat_hall(
    figure: Callable[[Baltimore], float], hall: Callable[[Reading], Baltimore], reading: Reading
) -> float:
    return figure(hall(reading).without_gain())


def _machine_mw(utilisation: float) -> float:
    return float(machine_power_w(FRONTIER, utilisation)) / 1e6


def _boyd_rise_k() -> float:
    """Return the water's rise over a plate: 500 W into half a US gallon a minute."""
    return float(cold_plate(ColdPlate(0.02, 0.0008), 500.0, 20.0, 0.03149, 4182.0).coolant_out_c) - 20.0


def _facility_rise_k(heat_w: float) -> float:
    """Return the primary water's rise in 25 distribution units that share 6,000 US gallons a minute."""
    water_kg_s = 6000.0 * 3.785412 * L_MIN * 995.0 / FRONTIER.cdus
    unit = Cdu(300e3, water_kg_s, water_kg_s, FRONTIER.cdu_pump_w)
    supply_c, share_w = 32.0, heat_w / FRONTIER.cdus
    probe = cdu(unit, supply_c + 10.0, water_kg_s, supply_c, water_kg_s)
    return_c = supply_c + 10.0 * share_w / float(probe.heat_w)
    return float(cdu(unit, return_c, water_kg_s, supply_c, water_kg_s).primary_return_c) - supply_c


def _rack() -> dict[str, Callable[[], float]]:
    def fitted_l_min(supply_c: float, quiet: bool) -> float:  # noqa: FBT001  one of two published modes
        rack, mode = (VR_NVL72_MAX_Q, "max-q") if quiet else (VR_NVL72_MAX_P, "max-p")

        def law(at_c: float) -> tuple[float, float]:
            return float(rack_flow_l_min(at_c, mode)), (rack.limit_c - at_c) / rack.power_w  # type: ignore[arg-type]

        plate = fit_plate(*law(25.0), *law(45.0))
        budget_k_w = law(supply_c)[1]
        return float(((budget_k_w - plate.fixed_k_w) / plate.convective) ** (-1.0 / plate.exponent))

    def return_c() -> float:
        coolant, flow = liquid("PG25"), float(rack_flow_l_min(45.0)) * L_MIN
        stored = float(coolant.density_kg_m3(50.0)) * float(coolant.heat_capacity_j_kg_k(50.0))
        return 45.0 + VR_NVL72_MAX_P.power_w / (flow * stored)

    supplies = (17, 20, 25, 30, 35, 40, 45)
    flows = {f"vr-flow-{c}": partial(lambda at: float(rack_flow_l_min(float(at))), c) for c in supplies}
    drops = {
        f"vr-dp-{c}": partial(lambda at: float(rack_dp_pa(rack_flow_l_min(float(at)))) / PA_PER_PSI, c)
        for c in supplies
    }
    fits = {f"vr-fit-{m}-{c}": partial(fitted_l_min, float(c), m == "q") for m in "pq" for c in supplies}
    return {**flows, **drops, **fits, "vr-return-45": return_c, "vr-still": still_rise_s, "vr-still-twin": twin_rise_s}


def _h100(cooler: str) -> OperatingPoint:
    """Return the device at its 700 W limit; the air case's junction is the reference of its power."""
    device = catalogue.device("H100")
    coolant_c, r_k_w = (25.0, device.r_air_k_w) if cooler == "air" else (30.0, device.r_plate_k_w)
    return operating_point(
        device.power_limit_w, coolant_c, r_k_w, K.leakage_per_k, K.leakage_reference_c, device.power_limit_w,
        device.throttle_c,
    )  # fmt: skip


def _chicago(cases: Path | None) -> dict[str, float]:
    year = place("Chicago", "USA_IL_Chicago-OHare.Intl.AP.725300_TMY3.epw", cases)
    servers = (accelerated_servers(0.9e6, 80e3),)

    def run(kit: str, air_c: float = 26.0, *, economiser: bool = False) -> HallYear:
        hall = design(kit, air_supply_c=air_c, cold_supply_c=air_c - 6.0, air_economiser=economiser)
        return hall_year(hall, servers, year, 300.0)[0]

    cold, warm, plates, bath = run("air", 18.0), run("air", 27.0), run("plates + air"), run("immersion")
    air = run("air", 20.0)
    cooling = [_mechanical_w(hall) for hall in (cold, warm)]
    return {
        "per kelvin": 100.0 * float(1.0 - cooling[1] / cooling[0]) / 9.0,
        "plates": 100.0 * (plates.facility_w / air.facility_w - 1.0),
        "bath": 100.0 * (bath.facility_w / air.facility_w - 1.0),
        "bath pPUE": 1.0 + _mechanical_w(bath) / bath.it_w,
        "economised PUE": run("air", 25.0, economiser=True).pue,
    }


def _mechanical_w(hall: HallYear) -> float:
    parts = ("air-handler fans", "pumps", "chillers", "heat rejection")
    return float(np.sum([hall.parts_w[name] for name in parts]))
