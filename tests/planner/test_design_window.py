"""The plan's design day and the window of that name are the same hall at the same hour."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from twinloop.planner.failures import design_day
from twinloop.twin.incidents import Hall, window_series
from twinloop.twin.transient_nouns import Fleet, Inputs
from twinloop.twin.transient_parameters import transient_parameters
from twinloop.twin.transient_run import settle
from twinloop.twin.windows import read_window


def module(name: str):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec
    assert spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


schedule = module("test_schedule")
halls, K = schedule.halls, schedule.K


@pytest.mark.parametrize(("cooler", "supply_c", "wet_c"), [("tower", 26.0, 26.0), ("dry_cooler", 36.0, 21.0)])
def test_the_window_settles_where_the_plan_stands(cooler, supply_c, wet_c):
    # Half busy on average and never whole: the design day is of full power all the same.
    it = halls.group(activity=np.linspace(0.2, 0.7, 8760))
    site = schedule.hall()
    plant = halls.build(halls.design("plates + air", cooler, trim=False, warm_supply_c=supply_c), it)
    p = transient_parameters(plant, (it,), Fleet(), site.floor.area_m2, site.weather.pressure_pa, K)
    day = read_window("design day", site.weather)
    window = replace(day, end_s=day.start_s + 60.0)
    series = window_series(p, Hall(site, plant, (it,), Fleet()), window, 15.0, 1)
    assert series.wet_bulb_c[0, 0] == wet_c
    rest = settle(p, Inputs(*[values[0] for values in series]))
    planned = design_day(plant, (it,), site, K)
    assert float(rest.die_c[1].max()) == pytest.approx(planned.peak_junction_c, abs=0.1)
    assert it.throttle_c - float(rest.die_c[1].max()) == pytest.approx(planned.margin_k, abs=0.1)
    assert planned.peak_junction_c > 50.0
