import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.economics.energy_cost import demand_charge_usd, energy_cost_usd, monthly_peaks_w
from twinloop.model.site import Tariff

USD_PER_KWH = 1.0 / 3.6e6
FLAT = Tariff((0.10 * USD_PER_KWH,) * 24, 12.0e-3, 0.02, "test")


def day_and_night(day: float, night: float) -> Tariff:
    """``day`` USD/kWh from 8 to 20 h, ``night`` else."""
    prices = tuple((day if 8 <= hour < 20 else night) * USD_PER_KWH for hour in range(24))
    return Tariff(prices, 0.0, 0.0, "test")


def test_flat_load_flat_price():
    # 1 MW x 8760 h x 0.10 USD/kWh
    assert energy_cost_usd(np.full(8760, 1e6), FLAT) == pytest.approx(876_000.0)


def test_time_of_use_by_hand():
    # 365 days x 12 h x 1000 kW x (0.20 + 0.05) USD/kWh
    assert energy_cost_usd(np.full(8760, 1e6), day_and_night(0.20, 0.05)) == pytest.approx(1_095_000.0)


def test_a_load_at_night_pays_the_night():
    night = np.where((np.arange(8760) % 24 >= 8) & (np.arange(8760) % 24 < 20), 0.0, 1e6)
    assert energy_cost_usd(night, day_and_night(9.0, 0.05)) == pytest.approx(365 * 12 * 1000 * 0.05)


def test_one_hour_is_paid_at_its_own_hour():
    tariff = Tariff(tuple(hour * USD_PER_KWH for hour in range(24)), 0.0, 0.0, "test")
    for hour in (0, 7, 23, 24 + 5, 8759):
        power = np.zeros(8760)
        power[hour] = 1000.0  # 1 kWh
        assert energy_cost_usd(power, tariff) == pytest.approx(hour % 24)


def test_months_begin_where_the_calendar_says():
    power = np.zeros(8760)
    starts = [0, 744, 1416, 2160, 2880, 3624, 4344, 5088, 5832, 6552, 7296, 8016]  # days 0, 31, 59, 90 ...
    for month, start in enumerate(starts):
        power[start] = month + 1.0
    assert monthly_peaks_w(power).tolist() == [float(month) for month in range(1, 13)]
    shifted = np.roll(power, -1)  # one hour earlier: each falls in the month before, the first in December
    assert monthly_peaks_w(shifted).tolist() == [*(float(month) for month in range(2, 13)), 1.0]


def test_demand_charge_by_hand():
    power = np.full(8760, 1e6)
    power[10] = 3e6  # January peaks at 3 MW
    # (11 x 1000 + 3000) kW x 12 USD
    assert demand_charge_usd(power, FLAT) == pytest.approx(168_000.0)


@pytest.mark.parametrize("shape", [(8784,), (24,), (365, 24), ()])
def test_other_years_are_refused(shape):
    with pytest.raises(ValueError, match="8760"):
        energy_cost_usd(np.ones(shape), FLAT)
    with pytest.raises(ValueError, match="8760"):
        demand_charge_usd(np.ones(shape), FLAT)


def test_a_tariff_has_24_prices():
    with pytest.raises(ValueError, match="hour of the day"):
        energy_cost_usd(np.ones(8760), Tariff((0.1,), 0.0, 0.0, "test"))


@settings(max_examples=25)
@given(scale=st.floats(0.0, 1e3), seed=st.integers(0, 2**32 - 1))
def test_both_charges_are_linear_in_load(scale, seed):
    power = np.random.default_rng(seed).uniform(0.0, 1e6, 8760)
    for charge in (energy_cost_usd, demand_charge_usd):
        assert charge(scale * power, FLAT) == pytest.approx(scale * charge(power, FLAT), rel=1e-9, abs=1e-9)
