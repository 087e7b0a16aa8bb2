"""Units as people write them: each to SI and back, and what is refused with which hint."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.units import QUANTITIES, UNITS, YEAR_S, UnitError, parse, show

KWH = 3.6e6


@pytest.mark.parametrize(
    ("text", "quantity", "si"),
    [
        ("12 MW", "power", 12e6),
        ("12MW", "power", 12e6),
        ("  1.5 kW ", "power", 1500.0),
        ("1 hp", "power", 745.6998715822702),
        ("20 MWh", "energy", 7.2e10),
        ("27 °C", "temperature", 27.0),
        ("27 C", "temperature", 27.0),
        ("300.15 K", "temperature", 27.0),
        ("80.6 °F", "temperature", 27.0),
        ("-40 °F", "temperature", -40.0),
        ("5 K", "temperature difference", 5.0),
        ("30 ms", "duration", 0.03),
        ("250 µs", "duration", 2.5e-4),
        ("1 day", "duration", 86400.0),
        ("5 years", "duration", 5 * 8760 * 3600.0),
        ("1 month", "duration", 730 * 3600.0),
        ("40 TB", "data size", 4e13),
        ("1 GiB", "data size", 2.0**30),
        ("50 GB/day", "data rate", 50e9 / 86400.0),
        ("400 Gb/s", "data rate", 50e9),
        ("12000/s", "rate", 12000.0),
        ("12000 requests/s", "rate", 12000.0),
        ("60/min", "rate", 1.0),
        ("400 m2", "area", 400.0),
        ("400 m²", "area", 400.0),
        ("100 ft2", "area", 9.290304),
        ("48 U", "rack height", 48.0),
        ("1.5 t", "mass", 1500.0),
        ("12 kPa", "pressure", 12000.0),
        ("12 kN/m2", "pressure", 12000.0),
        ("3.6 m3/h", "volume flow", 1e-3),
        ("60 L/min", "volume flow", 1e-3),
        ("4000 m3/year", "yearly volume", 4000.0),
        ("8 %", "share", 0.08),
        ("0.08", "share", 0.08),
        (0.08, "share", 0.08),
        ("8 %", "yearly share", 0.08),
        ("8 %/year", "yearly share", 0.08),
        ("1 %/month", "yearly share", 0.12),
        ("2e9", "number", 2e9),
        (2e9, "number", 2e9),
        ("0.09 USD/kWh", "energy price", 0.09 / KWH),
        ("30 USD/MWh", "energy price", 0.03 / KWH),
        ("9 ct/kWh", "energy price", 0.09 / KWH),
        ("12 USD/kW/month", "demand price", 0.012),
        ("144 USD/kW/year", "demand price", 0.012),
        ("11.6 USD/W", "price of power", 11.6),
        ("85 USD/t", "carbon price", 0.085),
        ("2.5 USD/m3", "water price", 2.5),
        ("0.09 USD/GB", "data price", 9e-11),
        ("300000 USD/year", "yearly cost", 300000.0),
        ("380 g/kWh", "carbon intensity", 0.38 / KWH),
        ("0.38 kgCO2e/kWh", "carbon intensity", 0.38 / KWH),
        ("1.8 L/kWh", "water intensity", 1.8e-3 / KWH),
        ("0.2 L/kWh", "water per energy", 0.2),
    ],
)
def test_as_written(text, quantity, si):
    assert parse(text, quantity) == pytest.approx(si, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "quantity", "expected", "suggestion"),
    [
        ("12 MWh", "power", "a power such as 3 MW", "12 MW"),
        ("12 mw", "power", "a power", "12 MW"),
        ("12 kw", "power", "a power", "12 kW"),
        ("40 tb", "data size", "a data size", "40 TB"),
        ("50 GB", "data rate", "a data rate", "50 GB/s"),
        ("27", "temperature", "a temperature such as 27 °C", "27 °C"),
        ("12 watts", "power", "a power", None),
        ("12", "power", "a power", None),
        (12, "power", "a power", None),
        (True, "number", "a number", None),
        (None, "power", "a power", None),
        (["3 MW"], "power", "a power", None),
        ("12,000/s", "rate", "no thousands separator", None),
        ("12_000/s", "rate", "no thousands separator", None),
        ("0.09 EUR/kWh", "energy price", "all prices are in USD", None),
        ("-300 °C", "temperature", "above absolute zero", None),
        ("1e400", "number", "a finite number", None),
        ("1e308 GW", "power", "a finite number", None),
        (math.nan, "number", "a finite number", None),
        (math.inf, "share", "a finite number", None),
        (10**400, "number", "a finite number", None),
        (10**5000, "number", "a finite number", None),
        ("nan", "number", "a number", None),
        ("0x10", "number", "a number", None),
        ("", "power", "a power", None),
        ("MW", "power", "a power", None),
        ("1 " + "M" * 5000, "power", "a power", None),
        ("3 m/", "length", "a length", None),
        ("3 m^4", "area", "an area", None),
        ("3 W/W/W", "power", "a power", None),
    ],
    ids=lambda value: repr(value)[:20] if not isinstance(value, int) else "number",
)
def test_what_is_refused(text, quantity, expected, suggestion):
    with pytest.raises(UnitError) as caught:
        parse(text, quantity)
    assert expected in caught.value.expected
    assert len(caught.value.got) < 100
    if suggestion:
        assert caught.value.suggestion == suggestion
        parse(suggestion, quantity)


@pytest.mark.parametrize(
    ("value", "quantity", "text"),
    [
        (2.9999e6, "power", "3 MW"),
        (999.96, "power", "1 kW"),
        (0.0, "power", "0 kW"),
        (-2500.0, "power", "-2.5 kW"),
        (0.03, "duration", "30 ms"),
        (90.0, "duration", "1.5 min"),
        (1.5 * YEAR_S, "duration", "1.5 years"),
        (12345.6, "rate", "12346/s"),
        (21.449, "temperature", "21.45 °C"),
        (0.025, "yearly share", "2.5 %/year"),
        (4e13, "data size", "40 TB"),
        (2e9, "number", "2000000000"),
        (1e-9, "number", "1.000e-09"),
    ],
)
def test_shown_in_the_unit_that_people_use(value, quantity, text):
    assert show(value, quantity) == text


@settings(max_examples=200)
@given(
    quantity=st.sampled_from(sorted(QUANTITIES)),
    value=st.floats(min_value=-200.0, max_value=1e12, allow_nan=False),
)
def test_what_is_shown_is_read_back(quantity, value):
    for digits, tolerance in ((4, 6e-4), (15, 1e-13)):
        assert parse(show(value, quantity, digits), quantity) == pytest.approx(
            value, rel=tolerance, abs=1e-9 if quantity == "temperature" else 1e-300
        )


@given(text=st.text(max_size=30), quantity=st.sampled_from(sorted(QUANTITIES)))
def test_any_text_is_a_number_or_a_unit_error(text, quantity):
    try:
        value = parse(text, quantity)
    except UnitError:
        return
    assert math.isfinite(value)


@given(
    number=st.floats(0.001, 1e6), symbol=st.sampled_from(sorted(UNITS)), quantity=st.sampled_from(sorted(QUANTITIES))
)
def test_a_unit_is_read_only_where_its_dimension_fits(number, symbol, quantity):
    kind = QUANTITIES[quantity]
    fits = UNITS[symbol][1] in (kind.dimension, *kind.also)
    if quantity == "temperature":
        fits = symbol == "K"
    if fits:
        parse(f"{number!r} {symbol}", quantity)
    else:
        with pytest.raises(UnitError):
            parse(f"{number!r} {symbol}", quantity)


def test_every_example_and_shown_unit_is_understood():
    for name, kind in QUANTITIES.items():
        parse(kind.example, name)
        for unit in kind.shown:
            parse(f"1{unit}", name)


@pytest.mark.parametrize(
    ("text", "quantity", "meant"),
    [("200 PW", "power", "2e+08 GW"), ("5 nW", "power", "5e-09 W"), ("3 PWh", "energy", "3e+06 GWh"),
     ("3 mw", "power", "3 MW")],
)  # fmt: skip
def test_a_prefix_without_a_symbol_is_suggested_at_its_own_size(text, quantity, meant):
    with pytest.raises(UnitError) as caught:
        parse(text, quantity)
    assert caught.value.suggestion == meant
    if text[-2:] != "mw":
        size = {"P": 1e15, "n": 1e-9}[text.split()[1][0]]
        number, unit = text.split()
        assert parse(meant, quantity) == pytest.approx(float(number) * size * parse(f"1 {unit[1:]}", quantity))


@pytest.mark.parametrize("text", ["3 MUSD", "3 million USD", "3e6 USD", "3000 kUSD", "3 million $"])
def test_sums_in_millions(text):
    assert parse(text, "amount of money") == pytest.approx(3e6)


def test_a_prefix_apart_is_put_together():
    with pytest.raises(UnitError, match="did you mean 3 MUSD"):
        parse("3 M USD", "amount of money")
