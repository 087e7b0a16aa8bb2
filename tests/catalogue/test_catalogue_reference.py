"""Spot values against the notes that the tables were made from, where they are at hand."""

import csv
import json
import os
from pathlib import Path

import pytest

from twinloop import catalogue
from twinloop.catalogue.normals import MONTHS
from twinloop.catalogue.tables import facts

BESIDE = Path(__file__).parents[2].parent / "shared/reference"
DATA = Path(os.environ.get("TWINLOOP_REFERENCE", BESIDE)) / "data"


def read(name: str) -> Path:
    if not (DATA / name).exists():
        pytest.skip(f"{name} is not here: set TWINLOOP_REFERENCE to the folder of reference notes")
    return DATA / name


def csv_rows(name: str) -> list[dict[str, str]]:
    with read(name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_devices_carry_every_number_of_the_hardware_notes():
    columns = {
        "power_limit_w": ("tdp_w", 1.0),
        "memory_b": ("mem_gb", 1e9),
        "memory_bandwidth_b_s": ("mem_bw_gbs", 1e9),
        "scale_up_b_s": ("scaleup_gbs_per_dir", 1e9),
    }
    rates = {key: f"{key}_tflops" for key in ("fp64", "fp32", "tf32", "bf16", "fp8", "fp4")} | {"int8": "int8_tops"}
    corrected = {(fact.name, fact.quantity) for fact in facts("devices") if fact.source.startswith("Intel AMX: 2048")}
    assert len(corrected) == 8
    for row in csv_rows("hardware_facts.csv"):
        device = catalogue.device(row["name"].replace("(per GPU)", "").replace("(what-if)", ""))
        for field, (column, factor) in columns.items():
            given = row[column]
            if given.replace(".", "").isdigit() and device.kind != "neuromorphic":
                assert getattr(device, field) == pytest.approx(float(given) * factor), (device.name, field)
        written = {key: float(row[column]) * 1e12 for key, column in rates.items() if row[column]}
        if (
            device.name,
            "bf16",
        ) in corrected:  # the notes, from memory, have half of Intel's operations a cycle, or none
            written |= {key: 2.0 * written[key] for key in ("bf16", "int8") if key in written}
            assert {key: device.flops[key] for key in written} == pytest.approx(written, rel=0.02), device.name
        else:
            assert device.flops == pytest.approx(written), device.name
        assert device.year == int(row["year"])


def test_grids_equal_the_notes():
    notes = json.loads(read("economics_facts.json").read_text(encoding="utf-8"))
    for code, row in notes["national_grid"]["countries"].items():
        grid = catalogue.grid(code)
        assert grid.carbon_kg_per_j * 3.6e9 == pytest.approx(row["codecarbon_g_per_kwh"], rel=1e-5)
        assert grid.source_water_m3_per_j * 3.6e9 == pytest.approx(row["source_water_l_per_kwh"], rel=1e-5)
    for state, grams in notes["us_state_carbon_g_per_kwh_2023"]["states"].items():
        if state != "usa":
            assert catalogue.grid(f"US-{state}").carbon_kg_per_j * 3.6e9 == pytest.approx(grams)


def test_tariffs_lie_between_the_industrial_and_the_commercial_price():
    notes = json.loads(read("economics_facts.json").read_text(encoding="utf-8"))
    for state, row in notes["us_retail_electricity_cents_per_kwh_2023"]["states"].items():
        fact = catalogue.constant("tariffs", f"US-{state}", "all_in_usd_per_j")
        cents = (row["industrial"], row["commercial"])
        assert fact.low * 3.6e8 == pytest.approx(min(cents))
        assert fact.high * 3.6e8 == pytest.approx(max(cents))
        assert fact.value * 3.6e8 == pytest.approx(sum(cents) / 2)


def test_climates_equal_the_notes():
    for row in csv_rows("climate_normals.csv"):
        place = catalogue.climate_place(row["site"])
        for i, month in enumerate(MONTHS):
            assert place.dry_bulb_c[i] == float(row[f"db_{month.title()}"])
            assert place.dew_point_c[i] == float(row[f"td_{month.title()}"])
        design = (place.design_dry_bulb_c, place.design_coincident_wet_bulb_c, place.design_wet_bulb_c)
        assert design == (float(row["db04"]), float(row["mcwb04"]), float(row["wb04"]))
        assert place.heating_design_c == float(row["heat99_db"])
        assert (place.elevation_m, place.utc_offset_h) == (float(row["elev_m"]), float(row["tz_h"]))
        assert place.latitude_deg == pytest.approx(float(row["lat"]), abs=1e-3)
        assert place.longitude_deg == pytest.approx(float(row["lon"]), abs=1e-3)


def test_cloud_prices_equal_the_notes():
    listed = {}
    for row in csv_rows("cloud_prices.csv"):
        instance = row["InstanceType"]
        if instance == "TPU-VM":
            instance = "tpu-vm-" + row["AcceleratorName"].removeprefix("tpu-")
        listed[row["Cloud"], instance, row["Region"]] = row
    checked = 0
    for region in catalogue.cloud_regions():
        if region.price_base != region.region:
            continue
        for offer in catalogue.cloud_offers(region.provider, region.region):
            row = listed[offer.provider, offer.instance, offer.region]
            assert offer.price_usd_per_s * 3600 == pytest.approx(float(row["Price"]), rel=1e-5)
            if row["AcceleratorCount"]:
                assert offer.devices == float(row["AcceleratorCount"])
            if row["MemoryGiB"]:
                assert offer.memory_b / 2**30 == pytest.approx(float(row["MemoryGiB"]), rel=1e-5)
            checked += 1
    assert checked > 250


def test_kits_and_lives_equal_the_notes():
    notes = json.loads(read("economics_facts.json").read_text(encoding="utf-8"))
    capex = {row["id"]: row for row in notes["capex_usd_per_kw"]}
    pairs = {
        "air_crah": "air_crah_packaged_chiller_economiser_US",
        "rear_door_passive": "rdhx_passive",
        "rear_door_active": "rdhx_active",
        "cold_plate": "d2c_secondary_side_total",
        "immersion_1p": "immersion_1phase_tank_level",
        "immersion_2p": "immersion_2phase_tank_level",
        "air_cooled_chiller": "air_cooled_freecool_chiller",
        "water_cooled_chiller": "water_cooled_chiller",
        "dry_cooler": "dry_cooler",
        "adiabatic_cooler": "hybrid_adiabatic_cooler",
        "tower": "cooling_tower_open",
        "pipework": "cw_pumps_pipework_valves",
    }
    for kit, note in pairs.items():
        fact = catalogue.constant("cooling_kits", kit, "capex_usd_per_w")
        assert fact.value * 1e3 == pytest.approx(capex[note]["value"])
        assert fact.confidence == capex[note]["confidence"], kit
        if "low" in capex[note]:
            assert fact.low * 1e3 == pytest.approx(capex[note]["low"])
            assert fact.high * 1e3 == pytest.approx(capex[note]["high"])
    for row in notes["life_years"]:
        assert catalogue.constant("economics", "life", f"{row['id']}_years").value == row["value"]
    for row in notes["building_capex_usd_per_w"]:
        if row["id"].startswith("build_"):
            city = row["id"].removeprefix("build_")
            assert catalogue.constant("economics", city, "build_usd_per_w").value == row["value"]


def test_gpu_thermal_resistances_equal_the_notes():
    notes = json.loads(read("cooling_validation.json").read_text(encoding="utf-8"))["gpu_thermal"]
    for quantity, key in (
        ("r_plate_k_w", "R_gpu_sensor_to_coolant_K_per_W"),
        ("r_air_k_w", "R_gpu_sensor_to_air_K_per_W"),
    ):
        fact = catalogue.constant("devices", "H100", quantity)
        assert (fact.value, fact.low, fact.high) == tuple(notes[key][each] for each in ("value", "low", "high"))
