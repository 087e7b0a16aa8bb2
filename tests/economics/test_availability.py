import pytest

from twinloop.economics.availability import downtime_usd_per_year, failures_per_year


def test_failures_at_the_temperature_of_the_published_rate_are_that_rate():
    assert failures_per_year(1000, 65.0, "linear") == pytest.approx(106.0)
    assert failures_per_year(1000, 65.0, "arrhenius") == pytest.approx(106.0)


def test_failures_grow_by_law():
    assert failures_per_year(1000, 75.0, "linear") == pytest.approx(106.0 * 1.2)
    assert failures_per_year(1000, 0.0, "linear") == 0.0  # the line ends at zero, 15 °C
    # 0.7 eV: exp(0.7 / 8.617e-5 x (1 / 338.15 - 1 / 348.15)).
    assert failures_per_year(1000, 75.0, "arrhenius") == pytest.approx(106.0 * 1.9939, rel=1e-4)
    with pytest.raises(ValueError, match="linear or arrhenius"):
        failures_per_year(1, 65.0, "weibull")


def test_downtime_is_by_the_hour_of_the_year():
    assert downtime_usd_per_year(0.99, 100.0) == pytest.approx(8760.0)
    assert downtime_usd_per_year(1.0, 100.0) == 0.0
    with pytest.raises(ValueError, match="no share of time"):
        downtime_usd_per_year(1.01, 1.0)
