"""Growth by hand: whole servers, units, positions, power and water, and what is said of them."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from twinloop.model.plan import Baseline
from twinloop.planner.assemble import _grown, _later
from twinloop.planner.baselines import Rival
from twinloop.planner.growth import growth_warnings, outgrown, outgrown_words, phases
from twinloop.planner.sharing import Load


def layout(data: int, *, tensor: int = 8, micro_batch: int = 1, batch: int = 4096):
    return SimpleNamespace(data=data, tensor=tensor, micro_batch=micro_batch, batch=batch)


def checked(*, servers=64, data=64, batch=4096, power_w=1e6, water=1000.0, per_rack=5, units=10, micro_batch=1):
    """A hall of ``servers`` of eight devices, ``per_rack`` in a position, with a chiller line of ``units``."""
    option = SimpleNamespace(server="MI300X-8", device_count=servers * 8, mfu=0.4, duration_s=3600.0,
                             parallelism=layout(data, batch=batch, micro_batch=micro_batch))  # fmt: skip
    placed = SimpleNamespace(stage="train", site="hall", servers=servers, offer=None, option=option,
                             load=Load("air", servers, (1.0 / per_rack,)), beside=0.0)  # fmt: skip
    lines = (
        SimpleNamespace(type="air_cooled_chiller", count=units, rated_w=100e3, margin=0.1),
        SimpleNamespace(type="cold_plate", count=2, rated_w=200e3),
    )
    totals = SimpleNamespace(peak_power_w=power_w, water_m3_per_year=water)
    planned = SimpleNamespace(name="hall", equipment=lines, totals=totals)
    return SimpleNamespace(placements=(placed,), sites=(SimpleNamespace(planned=planned),))


@pytest.fixture(scope="module")
def model(small):
    """Without stored datasets: they take a rack of their own."""
    found = small(growth="10 %/year", horizon="5 years", positions="14", power="20 MW", water="1e6 m3/year")
    return replace(found, datasets=())


def test_the_first_year_beyond_each_limit_is_found(model):
    hall = replace(model.on_premise[0], utility_power_w=1.25e6,
                   water=replace(model.on_premise[0].water, supply_m3_per_year=1100.5))  # fmt: skip
    tight = replace(model, on_premise=(hall,))
    found = {each.limit: (each.year, each.figures) for each in outgrown(tight, checked())}
    assert found == {
        "rack positions": (2, "15 rack positions of 14"),  # ceil(64 × 1.1) = 71 servers, five in each
        "water": (3, "1,210 m3 of 1,100 m3 water a year"),  # 1000 × 1.21
        "utility power": (4, "1.33 MW of 1.25 MW utility power"),  # 1.331 MW, 1.21 MW still fitted
    }
    assert outgrown(model, checked(servers=40, per_rack=5)) == ()  # ceil(58.56) = 59 servers in 12 positions


def test_what_is_outgrown_is_a_warning_and_a_clause(model):
    warned = growth_warnings(model, checked())
    assert [each.rule for each in warned] == ["growth"]
    assert warned[0].message == "hall: from year 2 growth needs 15 rack positions of 14"
    words = outgrown_words(outgrown(model, checked()))
    assert words == "from year 2 growth needs more rack positions than hall has (15 rack positions of 14)"


def test_units_and_plates_grow_with_the_load(model):
    lines = phases(model, checked())
    assert "1 × air cooled chiller of 100 kW" in lines[0]  # 10 -> 11
    assert "2 × air cooled chiller of 100 kW" in lines[1]  # 11 -> ceil(12.1) = 13
    assert "cold plates of 40 kW with the servers" in lines[0]
    assert "in proportion to the load, 10.0% of what stands each year" in lines[-1]
    assert "come whole" in lines[-1]


def test_a_training_layout_that_grows_is_one_that_works_or_is_said_to_change(model):
    changed = phases(model, checked())[0]
    assert "add 7 × MI300X-8 for train (568 devices in all: the layout or the batch of 4096 must change" in changed
    assert "the same layout next fits 128 servers, 128 × data)" in changed  # 4096 / 128 = 32 samples a copy
    works = phases(model, checked(servers=10, data=10, batch=4400))[0]
    assert "add 1 × MI300X-8 for train (88 devices in all: 11 × data)" in works
    none = phases(model, checked(servers=64, data=64, batch=64))[0]
    assert "no larger count keeps it" in none
    smaller = phases(model, checked(batch=128, micro_batch=2))[0]
    assert "next fits 128 servers, 128 × data, micro-batch 1)" in smaller


def test_nothing_is_said_where_nothing_grows(model):
    still = replace(model, on_premise=(replace(model.on_premise[0], growth_per_year=0.0),))
    assert phases(still, checked()) == ()
    assert outgrown(still, checked()) == ()


def test_a_baseline_is_told_its_growth_as_the_plan_is(model):
    fits = Baseline("all air on-premise", True, None, 0.01, "plain")
    grown = _grown(model, Rival(fits, SimpleNamespace(checked=checked())))
    assert grown.note == "plain; from year 2 growth needs more rack positions than hall has (15 rack positions of 14)"
    assert _grown(model, Rival(fits, SimpleNamespace(checked=checked(servers=10)))).note == "plain"
    assert _later(model, checked()).startswith(" From year 2 growth needs more rack positions than hall has")
