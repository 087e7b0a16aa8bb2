"""What a fault run tells: only of what the hall has, and no clock for a chip that has switched itself off."""

from __future__ import annotations

import numpy as np

from twinloop.twin.fault_words import read_faults
from twinloop.twin.faults import with_faults
from twinloop.twin.happenings import _held, events_of
from twinloop.twin.transient_run import constant_series, run, settle, steady_inputs
from twinloop.twin.windows import Window

DAY_S, STEP_S = 86400.0, 5.0


def told(p, text, minutes=20, intake_c=np.inf):
    """Return what is told of a window from 13:55 with ``text``, at full load in 34 °C."""
    window = Window("test", 200 * DAY_S + 50100.0, 201 * DAY_S)
    faults = read_faults((text,), p, window, STEP_S)
    inputs = steady_inputs(p, 1, np.ones(len(p.chips.names)), 34.0, 22.0, 18.0)
    series = with_faults(p, constant_series(inputs, round(minutes * 60 / STEP_S)), faults, 0, STEP_S, 60.0)
    return events_of(p, run(p, settle(p, inputs), series, STEP_S), faults, window, intake_c)[1]


def test_chips_that_switched_themselves_off_get_no_clock_back(make_hall, fleets):
    events = told(make_hall("plates + air", fleet=fleets["bare"]), "cdu-1 pump stops at 14:00 for 10 min")
    assert any("the chips of train on cdu-1 switch themselves off" in event for event in events)
    assert not [event for event in events if "cdu-1 has its clock back" in event]


def test_intakes_beyond_their_class_are_told_until_they_are_back(make_hall, fleets):
    hall = make_hall("air", fleet=fleets["bare"])
    beyond = [event for event in told(hall, "fan wall stops at 14:00 for 5 min", 25, 35.0) if "intakes" in event]
    turns = [event.partition(" server ")[2] for event in beyond]
    assert set(turns[::2]) == {"intakes are above the 35 °C of their class"}
    assert set(turns[1::2]) == {"intakes are within their class"}
    assert len(turns) % 2 == 0  # within it at the end
    assert "14:00:" in beyond[0]
    assert not [event for event in told(hall, "fan wall stops at 14:00 for 5 min", 10) if "intakes" in event]


def test_a_hall_without_a_condenser_tells_nothing_of_its_pump(make_hall):
    dry, wet = (
        told(make_hall("air", plant=plant), "power fails at 14:00 for 30 s", 10)
        for plant in ("air_cooled_chiller", "water_cooled_chiller")
    )
    assert not [event for event in dry if "condenser" in event or "warm pump" in event]
    assert [event for event in wet if "condenser pump stands still" in event]


def test_a_clock_stays_lost_while_the_chip_is_off():
    slow = np.array([False, True, False, False, True, False, False])
    off = np.array([True, False, True, False, False, True, True])
    assert _held(slow, off).tolist() == [False, True, True, False, True, True, True]
    assert _held(slow, ~slow & False).tolist() == slow.tolist()
