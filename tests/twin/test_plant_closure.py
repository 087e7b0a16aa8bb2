"""The hall's balances, on synthetic weather, for every kind of plant."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from twinloop.model.estimate import ComponentPower
from twinloop.model.weather import DesignConditions
from twinloop.planner.designs import KITS
from twinloop.twin.design import HybridDesign, PlantConstants
from twinloop.twin.free_coolers import OutdoorAir
from twinloop.twin.groups import ItGroup
from twinloop.twin.pictures import operating_hour
from twinloop.twin.plant import PlantState, mismatches_w, solve_plant
from twinloop.twin.sizing import Plant, size_plant

K = PlantConstants()
HOURS = 240


def outdoor(shift_k: float = 0.0) -> OutdoorAir:
    dry = np.linspace(-15.0, 42.0, HOURS) + shift_k
    wet = np.minimum(dry - 0.5, dry * 0.55 + 2.0)
    return OutdoorAir(dry, wet, wet - 2.0, 101325.0)


def group(**changes: object) -> ItGroup:
    base = ItGroup(
        "train", "server", 40, 320, ComponentPower(208e3, 20e3, 16e3, 12e3, 4e3),
        ComponentPower(22e3, 8e3, 4e3, 6e3, 2e3),
        36e3, 0.95, 650.0, 700.0, 87.0, 0.065, 0.03, ("air", "rear_door", "cold_plate", "bath"),
        np.where(np.arange(HOURS) % 24 < 9, 1.0, 0.3),
    )  # fmt: skip
    return replace(base, **changes)  # type: ignore[arg-type]


def design(kit: str, cooler: str = "dry_cooler", plant: str = "air_cooled_chiller", **changes: object) -> HybridDesign:
    warm = "none" if kit in ("air", "rear doors") else cooler
    base = HybridDesign(kit, KITS[kit], warm, 32.0, True, plant, 20.0, 26.0, False, "N+1")  # type: ignore[arg-type]
    return replace(base, **changes)  # type: ignore[arg-type]


def build(chosen: HybridDesign, it: ItGroup) -> Plant:
    return size_plant(chosen, (it,), DesignConditions(34.0, 22.0, 24.0, -12.0, "test"), 101325.0, 200.0, K)


def run(chosen: HybridDesign, it: ItGroup | None = None, air: OutdoorAir | None = None) -> tuple[PlantState, Plant]:
    it = it or group()
    plant = build(chosen, it)
    return solve_plant(plant, (it,), air or outdoor(), K), plant


@pytest.mark.parametrize("plant", ["air_cooled_chiller", "water_cooled_chiller"])
@pytest.mark.parametrize("cooler", ["dry_cooler", "adiabatic_cooler", "tower"])
@pytest.mark.parametrize("kit", list(KITS))
def test_every_element_and_the_hall_balance(kit, cooler, plant):
    state, built = run(design(kit, cooler, plant))
    for name, mismatch in mismatches_w(state, built).items():
        assert np.max(np.abs(mismatch) / state.it_w) < 1e-6, name
    assert np.max(state.balance_error) < 1e-6
    assert np.all(np.isfinite(state.facility_w))
    assert np.all(state.facility_w > state.it_w)


def test_outdoor_air_economiser_balances_too():
    state, built = run(design("air", air_economiser=True))
    assert np.max(state.balance_error) < 1e-6
    assert np.any(state.air.outdoor_heat_w > 0.0)
    del built


def test_it_power_is_the_sum_of_its_parts():
    state, _ = run(design("plates + rear doors"))
    it = state.it[0]
    assert it.it_w == pytest.approx(it.compute_w + it.fans_w + it.psu_loss_w)
    assert it.it_w == pytest.approx(it.air_heat_w + it.warm_heat_w)
    assert it.it_w == pytest.approx(sum(it.by_component_w.values()))


def test_no_temperature_crossing():
    state, _ = run(design("plates + air"))
    air, warm = state.air, state.warm
    assert warm is not None
    assert np.all(air.exhaust_c > air.intake_c)
    assert np.all(air.intake_c >= air.supply_c)
    assert np.all(air.supply_c >= state.cold.supply_c)
    assert np.all(warm.coolant_return_c > warm.return_c)
    assert np.all(warm.coolant_supply_c > warm.supply_c)


def test_hotter_outdoor_air_never_lowers_power():
    kits = [design("plates + air"), design("air"), design("all plates", "dry_cooler")]
    for chosen in kits:
        it = group(activity=np.ones(HOURS))
        state, _ = run(chosen, it)
        assert np.all(np.diff(state.facility_w) >= -1e-3 * state.it_w[1:])


def test_plates_take_fan_power_and_most_heat_off_the_air():
    air, _ = run(design("air"))
    plates, _ = run(design("plates + air"))
    busy = group().activity == 1.0
    assert plates.it[0].fans_w[busy] == pytest.approx(0.2 * group().fan_design_w, rel=0.002)  # the published fifth
    assert np.all(air.it[0].fans_w[busy] > 0.95 * group().fan_design_w)
    share = plates.it[0].warm_heat_w / plates.it[0].it_w
    assert 0.6 < float(np.max(share)) < 0.9
    assert np.max(plates.it[0].worst_junction_c) < np.max(air.it[0].worst_junction_c)


def test_bath_has_no_fans():
    state, _ = run(design("immersion"))
    assert np.all(state.it[0].fans_w == 0.0)


def test_air_only_server_stays_on_air_under_a_plate_design():
    state, _ = run(design("all plates"), group(paths_offered=("air",)))
    assert np.all(state.it[0].warm_heat_w == 0.0)


def test_losing_the_chiller_floats_the_supply_and_returns():
    it = group(activity=np.ones(HOURS))
    plant = build(design("air"), it)
    broken = replace(
        plant,
        cold=replace(plant.cold, chiller=replace(plant.cold.chiller, capacity_w=0.5 * plant.cold.chiller.capacity_w)),
    )
    state = solve_plant(broken, (it,), outdoor(), K)
    floated = state.air.supply_c > 26.5
    assert floated[-1]
    assert not floated[0]
    assert state.it[0].worst_junction_c[-1] > state.it[0].worst_junction_c[0] + 3.0
    assert np.max(state.balance_error) < 1e-6


def test_without_trim_the_warm_loop_floats_in_a_heat_wave():
    it = group(activity=np.ones(HOURS))
    state, _ = run(design("plates + air", trim=False, warm_supply_c=36.0), it, outdoor(8.0))
    assert state.warm is not None
    assert state.warm.supply_c[-1] > 40.0
    assert state.warm.supply_c[0] == pytest.approx(36.0)
    assert np.all(state.warm.trim_w < 1e-3 * state.it_w)


def test_wet_cooling_drinks_and_dry_does_not():
    dry, _ = run(design("plates + air", "dry_cooler"))
    wet, _ = run(design("plates + air", "tower"))
    assert np.all(dry.evaporation_kg_s == 0.0)
    # 1.47 L per kWh of heat if all of it were latent (2.45 MJ/kg).
    per_kwh = wet.evaporation_kg_s * 3.6e6 / wet.it_w
    assert 0.2 < float(np.mean(per_kwh)) < 1.6


def test_throttling_holds_the_junction_at_its_limit():
    state, _ = run(design("air"), group(r_air_k_w=0.11, activity=np.ones(HOURS)))
    assert np.all(state.it[0].worst_junction_c <= 87.0 + 1e-6)
    assert np.any(state.it[0].throttled > 0.0)


def test_a_dry_cooler_in_air_hotter_than_its_water_is_stopped_and_warms_nothing():
    from twinloop.cooling.dry_coolers import DryCooler
    from twinloop.twin.design import PlantConstants
    from twinloop.twin.free_coolers import OutdoorAir, best_leaving_c

    hot = OutdoorAir(np.array([47.0, 20.0]), np.array([22.0, 12.0]), np.array([10.0, 8.0]), 101_325.0)
    cooler = DryCooler(5e3, 5.0, 500.0, 0.0)
    reached_c = best_leaving_c(cooler, np.array([35.0, 35.0]), np.array([1.0, 1.0]), hot, PlantConstants())
    assert reached_c[0] == 35.0
    assert 20.0 < reached_c[1] < 35.0


def test_the_power_chain_and_the_plant_carry_every_group_at_full_power():
    it = group(activity=np.full(HOURS, 0.4))
    plant = build(design("air"), it)
    busy = solve_plant(
        plant, (group(activity=np.ones(1)),), OutdoorAir(*(np.array([x]) for x in (34.0, 22.0, 15.0)), 101325.0), K
    )
    full_w = float(busy.it_w[0])
    assert plant.it_w == pytest.approx(full_w, rel=0.01)
    assert plant.electrics.ups_w == pytest.approx(1.25 * plant.it_w)
    assert plant.electrics.transformer_w > 1.1 * float(busy.facility_w[0])
    assert plant.electrics.generator_w > float(busy.facility_w[0])
    pair = build(design("air", redundancy="2N"), it)
    assert 0.5 * pair.electrics.ups_w == pytest.approx(pair.it_w)


def test_a_tower_holds_its_supply_in_the_most_humid_design_hour():
    it = group(activity=np.ones(1))
    plant = build(design("plates + air", "tower", warm_supply_c=30.0, trim=False), it)
    humid = OutdoorAir(np.array([29.0]), np.array([24.0]), np.array([15.0]), 101325.0)
    state = solve_plant(plant, (it,), humid, K)
    assert state.warm is not None
    assert float(state.warm.supply_c[0]) == pytest.approx(30.0, abs=0.3)


def test_the_worst_chip_is_hotter_by_its_spread():
    state, _ = run(design("all plates"), group(activity=np.ones(HOURS)))
    it = state.it[0]
    rise = it.junction_c - state.warm.coolant_supply_c
    worst = it.worst_junction_c - state.warm.coolant_supply_c
    assert np.all(worst > 1.14 * rise)


@pytest.mark.parametrize("plant", ["air_cooled_chiller", "water_cooled_chiller"])
def test_the_air_around_baths_is_warmed_by_the_power_chain_as_much_as_servers_warm_theirs(plant):
    state, built = run(design("immersion", plant=plant), group(activity=np.ones(HOURS)))
    rise_k = state.air.return_c - state.air.supply_c
    assert np.max(rise_k) == pytest.approx(K.server_air_rise_k, abs=1.0)
    assert built.handler.air_design_kg_s * 1006.0 * 12.0 == pytest.approx(built.handler_heat_w, rel=0.01)
    assert np.all(state.air.supply_c[outdoor().dry_bulb_c < 33.0] < 26.1)


def test_looser_aisles_take_more_air_and_warmer_intakes():
    halls = [
        run(design("air", containment=kind), group(activity=np.ones(HOURS)))[0]
        for kind in ("chimney", "hot_aisle", "cold_aisle", "none")
    ]
    for state in halls:
        assert np.max(state.balance_error) < 1e-6
    intakes = [float(np.max(state.air.intake_c)) for state in halls]
    fans = [float(np.sum(state.crah_fans_w)) for state in halls]
    assert intakes == sorted(intakes)
    assert fans == sorted(fans)
    # Intake above supply by r/(1 - r) of the servers' rise.
    rise_k = halls[3].air.exhaust_c - halls[3].air.intake_c
    assert halls[3].air.intake_c - halls[3].air.supply_c == pytest.approx(0.15 / 0.85 * rise_k)
    assert halls[0].crah_fans_w[0] / halls[2].crah_fans_w[0] == pytest.approx(1.03 / 1.05, rel=0.01)


@pytest.mark.parametrize("kit", [kit for kit, paths in KITS.items() if "rear_door" in paths.values()])
def test_doors_leave_the_handlers_the_rooms_own_heat(kit):
    """Handlers move air for the power chain's heat at the servers' rise, not the servers' air; doors hold the room."""
    state, built = run(design(kit, cold_supply_c=16.0, air_supply_c=24.0))
    servers_kg_s = sum(np.max(it.air_flow_kg_s) for it in state.it)
    room_w = built.handler_heat_w - built.handler.fan_design_w
    assert built.handler.air_design_kg_s * (1006.0 * 12.0) == pytest.approx(built.handler_heat_w, rel=0.01)
    assert built.handler.air_design_kg_s < 0.15 * servers_kg_s
    assert np.all(state.air.coil_heat_w >= state.crah_fans_w)
    assert np.all(state.air.coil_heat_w < room_w + state.crah_fans_w)
    assert np.all(np.abs(state.air.intake_c - 24.0) < 2.5)
    assert np.max(state.balance_error) < 1e-6


def test_servers_all_on_plates_move_next_to_no_air():
    """What leaks past plates sets the flow: a twentieth of the air-cooled server's, or its share of the heat."""
    at_full = group(activity=np.ones(HOURS))
    plates, air = (run(design(kit), at_full)[0].it[0] for kit in ("all plates", "air"))
    heat_share = plates.air_heat_w / air.air_heat_w
    assert np.all(plates.air_flow_kg_s < 1.2 * np.maximum(heat_share, 0.05) * air.air_flow_kg_s)
    assert np.all(plates.air_flow_kg_s > 0.04 * air.air_flow_kg_s)
    assert np.all(plates.fans_w < 0.002 * air.fans_w)


@pytest.mark.parametrize("kit", ["air", "all plates", "plates + air"])
def test_the_return_stays_within_fifteen_kelvin_of_the_supply(kit):
    """Their own fans' heat apart: handlers turn faster than servers without fans ask, and no faster than others do."""
    state, built = run(design(kit))
    handler_w_k = built.handler.air_design_kg_s * 1006.0
    rise_k = state.air.return_c - state.air.supply_c
    fans_k = state.crah_fans_w / (handler_w_k * (state.crah_fans_w / built.handler.fan_design_w) ** (1 / 3))
    assert np.all(rise_k - fans_k < 15.0 + 1e-6)
    follows = sum(it.air_flow_kg_s for it in state.it) * (1.0 + built.aisle.leak) / built.handler.air_design_kg_s
    speed = (state.crah_fans_w / built.handler.fan_design_w) ** (1 / 3)
    if kit == "all plates":
        busy = group().activity == 1.0
        assert np.all(speed[busy] > follows[busy] + 0.05)
        assert rise_k[busy] - fans_k[busy] == pytest.approx(15.0)
    else:
        assert speed == pytest.approx(np.maximum(follows, 0.2))


@pytest.mark.parametrize("kit", list(KITS))
def test_the_loops_that_are_drawn_carry_the_heat_that_is_told(kit):
    """In every hour drawn: water's flow times its rise is the chilled heat, also where the pump turns at its least."""
    it = group()
    built = build(design(kit), it)
    state = solve_plant(built, (it,), outdoor(), K)
    weather = SimpleNamespace(dry_bulb_c=outdoor().dry_bulb_c, wet_bulb_c=outdoor().wet_bulb_c)
    for hour in (0, 60, HOURS - 1):
        rows = {row.tag: row for row in operating_hour("hour", hour, state, weather).states}
        supply, back = rows["cold supply"], rows["cold return"]
        assert supply.flow_kg_s >= K.minimum_flow_ratio * built.cold.flow_kg_s * (1.0 - 1e-9)
        carried_w = supply.flow_kg_s * 4181.0 * (back.temperature_c - supply.temperature_c)
        assert carried_w == pytest.approx(back.heat_w, rel=1e-9)
        assert rows["cold economiser"].heat_w + rows["chiller"].heat_w == pytest.approx(back.heat_w, rel=1e-9)


@pytest.mark.parametrize("kit", ["rear doors", "plates + rear doors", "air", "all plates"])
def test_the_lights_of_a_vast_floor_over_few_servers_are_carried(kit):
    """A million rack positions of which one is used: doors carry what their water can, handlers the rest."""
    few = group(
        servers=1, device_count=8, busy=ComponentPower(5200.0, 500.0, 400.0, 300.0, 100.0),
        idle=ComponentPower(550.0, 200.0, 100.0, 150.0, 50.0), fan_design_w=900.0,
    )  # fmt: skip
    plant = size_plant(design(kit), (few,), DesignConditions(34.0, 22.0, 24.0, -12.0, "test"), 101325.0, 2.5e6, K)
    state = solve_plant(plant, (few,), outdoor(), K)
    assert float(np.max(state.balance_error)) < 1e-6
