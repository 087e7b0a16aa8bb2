from dataclasses import replace

import numpy as np
import pytest

from twinloop.catalogue.nouns import Device, Grid, Server
from twinloop.model.model import Allow, Finance, Model, Objective
from twinloop.model.plan import (
    DesignDay,
    Equipment,
    FailureCase,
    PlannedCooling,
    PlannedSite,
    RackType,
    Totals,
)
from twinloop.model.site import Floor, HeatOfftake, OnPremise, RackLimits, Tariff, Water
from twinloop.model.weather import DesignConditions, WeatherYear
from twinloop.planner.rules import rules

PARTS = ("accelerator", "cpu", "memory", "network", "storage", "power_supply")


def weather(elevation_m=100.0, dew_point_c=25.0) -> WeatherYear:
    hours = np.full(8760, 12.0)
    return WeatherYear(
        "Frankfurt",
        "test",
        50.0,
        8.7,
        elevation_m,
        101e3,
        DesignConditions(33.0, 20.0, 22.0, -10.0, "0.4 %"),
        dry_bulb_c=hours + 10.0,
        wet_bulb_c=hours,
        dew_point_c=np.linspace(-15.0, dew_point_c, 8760),
    )


def site(**changes) -> OnPremise:
    hall = OnPremise(
        name="frankfurt",
        jurisdiction="EU",
        weather=weather(),
        utility_power_w=3e6,
        racks=RackLimits(60, 40e3, 1500.0, 48.0),
        floor=Floor(400.0, 12e3),
        water=Water(4000.0, None, 4.0, "potable", 3.5),
        air_class="A2",
        liquid_class="W32",
        redundancy="N+1",
        ride_through_s=60.0,
        grid=Grid("DE", 1e-7, "life-cycle", 5e-10, "high"),
        tariff=Tariff((3e-8,) * 24, 0.012, 0.02, "test"),
        heat_offtake=None,
        growth_per_year=0.0,
        build_usd_per_w=11.6,
    )
    return replace(hall, **changes)


def device(power_w=700.0, cooling=("air", "rear_door", "cold_plate", "bath")) -> Device:
    return Device(
        name="H100",
        kind="gpu",
        year=2022,
        power_limit_w=power_w,
        idle_w=70.0,
        memory_b=8e10,
        memory_bandwidth_b_s=3e12,
        flops={},
        scale_up_b_s=4e11,
        scale_up_domain=8,
        cooling=cooling,
        throttle_c=87.0,
        r_air_k_w=0.065,
        r_plate_k_w=0.03,
        price_usd=None,
        embodied_kg=None,
        lowest_confidence="low",
    )


SERVER = Server(
    name="hgx",
    device_kind="gpu",
    device="H100",
    devices=8,
    cpu_w=700.0,
    memory_w=300.0,
    network_w=400.0,
    storage_w=100.0,
    fan_w_air=900.0,
    psu_efficiency=0.94,
    height_u=8.0,
    weight_kg=130.0,
    price_usd=3e5,
    embodied_kg=1e4,
    network_b_s=5e10,
    memory_b=2e12,
    cores=96,
    lowest_confidence="low",
)


def model(hall=None, part=None) -> Model:
    return Model(
        schema=1,
        name="test",
        horizon_s=5 * 31_536_000.0,
        objective=Objective("cost", {"cost": 1.0}),
        datasets=(),
        networks=(),
        stages=(),
        on_premise=(hall or site(),),
        clouds=(),
        edges=(),
        devices=(part or device(),),
        servers=(SERVER,),
        finance=Finance("USD", 0.08, 5 * 31_536_000.0, 0.0, 0.05),
        allow=Allow(),
        provenance=(),
    )


def cooling(paths=None, supply_c=32.0, rejection="dry cooler (warm loop), air cooled chiller (cold loop)", **points):
    components = {
        **dict.fromkeys(PARTS, "air"),
        "accelerator": "cold_plate",
        "cpu": "cold_plate",
        **(paths or {}),
    }
    setpoints = {"cold_supply_c": 20.0, "air_supply_c": 25.0, **points}
    return PlannedCooling("test", components, "", rejection, supply_c, setpoints, "N+1", "")


ALL_AIR = dict.fromkeys(PARTS, "air")
ALL_DOOR = dict.fromkeys(PARTS, "rear_door")
ALL_BATH = dict.fromkeys(PARTS, "bath")


def rack(plate_w=28e3, air_w=10e3) -> RackType:
    parts = {"accelerator": 0.8 * plate_w, "cpu": 0.2 * plate_w, "memory": 0.4 * air_w, "fans": 0.6 * air_w}
    return RackType("train", 10, "hgx", 4, plate_w + air_w, 700.0, 36.0, parts, {})


def totals(water_m3=1000.0) -> Totals:
    return Totals(
        1e6, 1e5, 2e6, 8e3, 9e3, 1.1, 1.2, 0.1, 2.0, 0.4, 0.0, {"scope2": 3e3}, water_m3, 1.1e6, 75.0, 0.0, {}
    )  # fmt: skip


DAY = DesignDay(33.0, 20.0, "0.4 %", 1.2, 78.0, 32.0, 9.0)


def planned(**changes) -> PlannedSite:
    good = PlannedSite(
        name="frankfurt", kind="on-premise", racks=10, rack_types=(rack(),), cooling=cooling(), equipment=(),
        electrical=None, design_day=DAY, failure_cases=(FailureCase("one pump", 4.0, 90.0),), totals=totals(),
        marked="twin",
    )  # fmt: skip
    return replace(good, **changes)


def breaches(plan=None, the_model=None) -> dict[str, str]:
    found = rules((plan or planned(),), the_model or model())
    assert all(breach.source and breach.message.startswith("frankfurt: ") for breach in found)
    return {breach.rule: breach.message for breach in found}


def test_a_good_plan_breaks_nothing():
    assert rules((planned(),), model()) == ()


def test_sites_that_are_no_halls_of_ours_are_passed_over():
    bad = planned(failure_cases=())
    assert rules((replace(bad, name="aws-frankfurt", kind="cloud"),), model()) == ()
    assert rules((replace(bad, cooling=None),), model()) == ()
    assert rules((), model()) == ()


def test_halls_are_reported_in_their_order():
    two = replace(model(), on_premise=(site(), site(name="berlin")))
    bad = planned(failure_cases=())
    found = rules((replace(bad, name="berlin"), bad), two)
    assert [breach.message.split(":")[0] for breach in found] == ["berlin", "frankfurt"]


# Rack density, by what carries the heat


@pytest.mark.parametrize(
    ("paths", "passing", "breaking"),
    [
        ({}, rack(28e3, 20e3), rack(28e3, 20.1e3)),  # 20 kW of air beside plates
        (ALL_AIR, rack(10e3, 10e3), rack(10e3, 10.1e3)),  # on all-air, plates' parts are air too
        (ALL_DOOR, rack(25e3, 10e3), rack(26e3, 10e3)),  # doors without fans to 35 kW
        ({}, rack(132e3, 9e3), rack(133e3, 9e3)),  # what ships on plates
        ({}, rack(132e3, 9e3), rack(228e3, 9e3)),  # what is published at all
        (ALL_BATH, rack(80e3, 20e3), rack(81e3, 20e3)),  # a tank
    ],
)
def test_rack_density(paths, passing, breaking):
    part = device(power_w=700.0)
    here = cooling(paths)
    assert "rack density" not in breaches(planned(rack_types=(passing,), cooling=here), model(part=part))
    assert "train" in breaches(planned(rack_types=(breaking,), cooling=here), model(part=part))["rack density"]


def test_doors_behind_plates_carry_the_rest():
    doors = cooling({"memory": "rear_door", "network": "rear_door", "storage": "rear_door"})
    assert "rack density" not in breaches(planned(rack_types=(rack(80e3, 34e3),), cooling=doors))
    assert "rear door" in breaches(planned(rack_types=(rack(80e3, 36e3),), cooling=doors))["rack density"]


def test_power_that_no_component_names_is_air():
    unnamed = replace(rack(), component_w={"accelerator": 20e3}, power_w=45e3)
    assert "25 kW" in breaches(planned(rack_types=(unnamed,)))["rack density"]


def test_a_bath_beside_air_carries_its_own_parts_only():
    mixed = cooling({"accelerator": "bath", "cpu": "bath"})
    assert "rack density" not in breaches(planned(rack_types=(rack(95e3, 15e3),), cooling=mixed))
    assert "aisles" in breaches(planned(rack_types=(rack(95e3, 25e3),), cooling=mixed))["rack density"]
    assert "bath" in breaches(planned(rack_types=(rack(105e3, 15e3),), cooling=mixed))["rack density"]


# The device


def test_a_part_sold_for_air_only_is_not_put_on_plates():
    assert "sold for air" in breaches(the_model=model(part=device(cooling=("air",))))["device cooling"]


def test_plates_above_a_kilowatt():
    air = planned(cooling=cooling(ALL_AIR), rack_types=(rack(5e3, 10e3),))
    assert "device cooling" not in breaches(air, model(part=device(1000.0)))
    assert "1200 W into air" in breaches(air, model(part=device(1200.0)))["device cooling"]
    assert "device cooling" not in breaches(planned(), model(part=device(1200.0)))


def test_a_part_of_unknown_cooling_breaks_nothing():
    assert "device cooling" not in breaches(the_model=model(part=device(cooling=())))


# Without a chiller


def line(kind: str) -> Equipment:
    return Equipment("X", kind, 1, 1, 1e6, None, None, None, None, 1e4, "33 °C", 0.1, 1e5)


@pytest.mark.parametrize(
    ("rejection", "limit_c"),
    [
        ("dry cooler", 40.0),  # 33 + 7
        ("dry_cooler", 40.0),
        ("adiabatic cooler", 33.0 - 0.7 * 13.0 + 7.0),  # pads take 70 % of 33 - 20
        ("tower", 26.0),  # 20 + 4 + 2
    ],
)
def test_chillerless_supply(rejection, limit_c):
    hall = site(liquid_class="W45")

    def at(supply_c):
        day = replace(DAY, supply_c=supply_c)
        here = planned(cooling=cooling(supply_c=supply_c, rejection=rejection), design_day=day)
        return breaches(here, model(hall))

    assert "chiller-less" not in at(limit_c + 0.01)
    assert f"{limit_c:.1f} °C water" in at(limit_c - 0.2)["chiller-less"]


def test_a_chiller_anywhere_ends_the_question():
    here = cooling(supply_c=25.0, rejection="dry cooler")
    day = replace(DAY, supply_c=25.0)
    assert "chiller-less" in breaches(planned(cooling=here, design_day=day))
    helped = planned(cooling=here, design_day=day, equipment=(line("air_cooled_chiller"),))
    assert "chiller-less" not in breaches(helped)


def test_the_condenser_tower_does_not_cool_the_warm_loop():
    here = cooling(supply_c=30.0, rejection="dry cooler (warm loop), tower (cold loop)")
    day = replace(DAY, supply_c=30.0)
    assert (
        "approach of 7 K" in breaches(planned(cooling=here, design_day=day, equipment=(line("tower"),)))["chiller-less"]
    )


def test_air_halls_and_unknown_machines_have_no_such_test():
    for here in (
        cooling(ALL_AIR, supply_c=20.0, rejection="dry cooler"),
        cooling(supply_c=5.0, rejection="river"),
    ):
        day = replace(DAY, supply_c=here.supply_c)
        assert "chiller-less" not in breaches(planned(cooling=here, design_day=day, rack_types=(rack(5e3, 10e3),)))


def test_supply_held_on_the_design_day():
    assert "design day" not in breaches(planned(design_day=replace(DAY, supply_c=32.4)))
    assert "35.0 °C" in breaches(planned(design_day=replace(DAY, supply_c=35.0)))["design day"]


# Condensation


def door_hall(cold_c, **points) -> PlannedSite:
    here = cooling(ALL_DOOR, supply_c=cold_c, cold_supply_c=cold_c, **points)
    return planned(cooling=here, design_day=replace(DAY, supply_c=cold_c))


def test_doors_stay_above_the_dew_point():
    assert "condensation" not in breaches(door_hall(17.0))
    assert "rear doors at 16.9 °C" in breaches(door_hall(16.9))["condensation"]


def test_a_stated_hall_dew_point_counts():
    assert "condensation" not in breaches(door_hall(12.0, dew_point_c=10.0))
    assert "condensation" in breaches(door_hall(11.9, dew_point_c=10.0))


def test_a_dry_climate_allows_colder_doors():
    dry = model(site(weather=weather(dew_point_c=9.0)))
    assert "condensation" not in breaches(door_hall(11.0), dry)
    assert "condensation" in breaches(door_hall(10.9), dry)


def test_coolant_is_one_approach_warmer_than_its_water():
    def at(supply_c):
        return planned(cooling=cooling(supply_c=supply_c), design_day=replace(DAY, supply_c=supply_c))

    assert "condensation" not in breaches(at(13.0))
    assert "coolant at 16.9 °C" in breaches(at(12.9))["condensation"]


def test_coils_of_air_handlers_have_drip_trays():
    here = cooling(ALL_AIR, supply_c=7.0, cold_supply_c=7.0, rejection="air cooled chiller")
    day = replace(DAY, supply_c=7.0)
    assert "condensation" not in breaches(planned(cooling=here, design_day=day, rack_types=(rack(5e3, 10e3),)))


# Ride-through and margins


def test_ride_through():
    def after(seconds):
        return breaches(planned(failure_cases=(FailureCase("one pump", 4.0, seconds),)))

    assert "ride-through" not in after(60.0)
    assert "ride-through" not in after(None)
    assert "may throttle after 8 s" in after(8.0)["ride-through"]


def test_fault_cases_must_have_been_looked_at():
    assert "no fault case" in breaches(planned(failure_cases=()))["ride-through"]
    assert "ride-through" not in breaches(planned(failure_cases=(), rack_types=(rack(2e3, 2e3),)))


def test_junction_margin():
    assert "junction margin" not in breaches(planned(design_day=replace(DAY, margin_k=5.0)))
    assert "junction margin" not in breaches(planned(design_day=replace(DAY, margin_k=None)))
    assert "4.9 K below" in breaches(planned(design_day=replace(DAY, margin_k=4.9)))["junction margin"]
    assert "junction margin" not in breaches(planned(failure_cases=(FailureCase("a", 0.0, None),)))
    lost = planned(failure_cases=(FailureCase("one CDU", -3.0, None), FailureCase("b", None, None)))
    assert "one CDU on the design day: 3.0 K above" in breaches(lost)["junction margin"]


def test_a_plan_without_a_design_day_is_not_judged_by_it():
    assert rules((planned(design_day=None),), model()) == ()


# Water


def test_water_supply():
    assert "water scarcity" not in breaches(planned(totals=totals(3600.0)))
    assert "close to" in breaches(planned(totals=totals(3601.0)))["water scarcity"]
    assert "more than" in breaches(planned(totals=totals(4001.0)))["water scarcity"]
    free = model(site(water=Water(None, None, 4.0, "sea", 0.0)))
    assert "water scarcity" not in breaches(planned(totals=totals(1e9)), free)


# Classes


@pytest.mark.parametrize(
    ("name", "elevation_m", "limit_c"),
    [
        ("A1", 0.0, 32.0),
        ("A2", 900.0, 35.0),
        ("A2", 1800.0, 32.0),  # 1 K per 300 m above 900 m
        ("A3", 1600.0, 36.0),  # 1 K per 175 m
        ("A4", 1900.0, 37.0),  # 1 K per 125 m
        ("H1", 0.0, 25.0),
    ],
)
def test_air_class(name, elevation_m, limit_c):
    hall = model(site(air_class=name, weather=weather(elevation_m)))

    def at(air_c):
        return breaches(planned(cooling=cooling(air_supply_c=air_c)), hall).get("air class", "")

    assert "allows" not in at(limit_c)
    assert f"allows {limit_c:.1f} °C" in at(limit_c + 0.01)


def test_recommended_air():
    def at(air_c, name="A2"):
        return breaches(planned(cooling=cooling(air_supply_c=air_c)), model(site(air_class=name)))

    assert "air class" not in at(18.0)
    assert "air class" not in at(27.0)
    assert "recommended" in at(27.5)["air class"]
    assert "recommended" in at(17.5)["air class"]
    assert "recommended 18-22" in at(23.0, "H1")["air class"]


def test_air_beside_plates_is_judged_too():
    plated = cooling(dict.fromkeys(PARTS, "cold_plate"), air_supply_c=32.0)
    assert "recommended 18-27" in breaches(planned(cooling=plated))["air class"]


def test_immersed_halls_have_no_intake():
    here = planned(cooling=cooling(ALL_BATH, air_supply_c=40.0), rack_types=(rack(20e3, 5e3),))
    assert "air class" not in breaches(here)


def test_liquid_class():
    def at(supply_c, name):
        here = planned(cooling=cooling(supply_c=supply_c), design_day=replace(DAY, supply_c=supply_c))
        return breaches(here, model(site(liquid_class=name)))

    assert "liquid class" not in at(32.0, "W32")
    assert "W32 ends at 32" in at(32.5, "W32")["liquid class"]
    assert "liquid class" in at(37.0, "S40")  # 40 less one approach of 4 K
    assert "liquid class" not in at(60.0, None)
    assert "liquid class" not in breaches(door_hall(34.0))


# Heat sold


def test_heat_hot_enough_to_sell():
    def buyer(temperature_c):
        return model(site(heat_offtake=HeatOfftake(temperature_c, 5e5, 1e-8)))

    assert "heat reuse" not in breaches(the_model=buyer(42.0))
    assert "heat pump" in breaches(the_model=buyer(65.0))["heat reuse"]
    assert "heat reuse" not in breaches(planned(equipment=(line("heat_pump"),)), buyer(65.0))
    # Evaporating 3 K below 32 °C, condensing 3 K above 65 °C at half of Carnot: 0.5 * 341.15 / 39 = 4.4;
    # 3e-8 USD/J are 108 USD/MWh.
    assert "COP 4.4 costs about 25 USD of electricity" in breaches(the_model=buyer(65.0))["heat reuse"]


def test_a_server_that_stays_on_air_beside_plates_is_judged_on_air():
    on_air = replace(rack(), carriers=dict.fromkeys(("accelerator", "cpu", "memory"), "air"))
    sold_for_air = model(part=device(cooling=("air",)))
    assert "device cooling" not in breaches(planned(rack_types=(on_air,)), the_model=sold_for_air)
    assert "device cooling" in breaches(planned(rack_types=(on_air,)), the_model=model(part=device(cooling=("bath",))))


@pytest.mark.parametrize(
    ("chain", "ride_s", "words"),
    [
        ("ac_double_conversion", 900.0, None),
        ("dc_380v", 900.0, None),
        ("dc_48v", 240.0, None),
        ("dc_48v", 300.0, "ride-through of 300 s"),
        ("dc_800v", 60.0, "800 V reaches racks"),
    ],
)
def test_power_chain(chain, ride_s, words):
    found = breaches(the_model=model(site(power_chain=chain, ride_through_s=ride_s)))
    assert ("power chain" in found) == (words is not None)
    assert words is None or words in found["power chain"]
