"""A hall of two-phase baths: balances, the boiling point, and the critical heat flux as a limit."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from twinloop.cooling.boiling import FK_649, FLUX_MARGIN, boiling_rise_k, critical_heat_flux_w_m2
from twinloop.twin.metrics import simulation
from twinloop.twin.plant import mismatches_w, solve_plant
from twinloop.twin.year import site_year

_spec = importlib.util.spec_from_file_location("sale", Path(__file__).with_name("test_heat_reuse.py"))
assert _spec
assert _spec.loader
sale = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sale)
halls = sale.halls


def boiling(**changes):
    return halls.design("immersion", "dry_cooler", bath="two_phase", **changes)


@pytest.mark.parametrize("cooler", ["dry_cooler", "tower"])
def test_a_boiling_hall_balances_at_its_boiling_point(cooler):
    it = halls.group(activity=np.ones(halls.HOURS))
    plant = halls.build(replace(boiling(), warm_cooler=cooler), it)
    state = solve_plant(plant, (it,), halls.outdoor(), halls.K)
    for name, mismatch in mismatches_w(state, plant).items():
        assert np.max(np.abs(mismatch) / state.it_w) < 1e-6, name
    assert np.all(state.warm.coolant_supply_c[halls.outdoor().dry_bulb_c < 30.0] == pytest.approx(49.05))
    assert np.all(state.warm.cdu_pump_w == 0.0)


def test_too_warm_water_raises_the_bath_until_its_condenser_passes_the_heat():
    it = halls.group(activity=np.ones(halls.HOURS))
    plant = halls.build(boiling(), it)
    warm = replace(plant, design=replace(plant.design, warm_supply_c=44.0))
    state = solve_plant(warm, (it,), halls.outdoor(), halls.K)
    assert np.min(state.warm.coolant_supply_c) > 55.0
    assert np.all(state.warm.coolant_supply_c > state.warm.return_c - 1e-9)
    assert np.max(state.balance_error) < 1e-6


def test_the_critical_heat_flux_is_a_limit_of_the_hall():
    """700 W on 110 cm² are 64 kW/m²; the worst chip's surface may get hotter by what 60 % of 138 kW/m² allow."""
    site, _, _, _ = sale.year_at(None)
    it = halls.group(activity=np.ones(8760), throttle_c=120.0)
    plant = halls.build(boiling(), it)
    year = site_year(site, plant, (it,), halls.K)
    few = replace(it, activity=np.ones(halls.HOURS))
    state = solve_plant(plant, (few,), halls.outdoor(), halls.K)
    resistance = 0.02 + float(boiling_rise_k(FK_649, it.device_w / 0.011)) / it.device_w
    worst_w = (float(state.it[0].worst_junction_c[100]) - 49.05) / (1.15 * resistance)
    most = FLUX_MARGIN * critical_heat_flux_w_m2(FK_649)
    left_k = float(boiling_rise_k(FK_649, most) - boiling_rise_k(FK_649, worst_w / 0.011))
    assert year.first_limit == f"critical heat flux of train ({left_k:.1f} K left)"
    assert left_k > 0.0
    assert year.notes == ()
    small = replace(halls.K, boiling_area_m2=0.007)
    dry = site_year(site, plant, (it,), small)
    assert dry.first_limit.startswith("critical heat flux of train (-")
    assert "8760 h" in dry.notes[0]
    assert simulation("test", "", [(site, dry)]).events[0].startswith("hall: train boils above")
