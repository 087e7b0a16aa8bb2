"""Figures as CSV compute: bare numbers, one unit a column."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from twinloop.report import numbers
from twinloop.report.parts import Table, columns
from twinloop.report.spreadsheets import as_csv


def cells(*rows, names=("Part", "#Amount")):
    table = Table("caption", columns(*names), tuple(rows))
    return list(csv.reader(io.StringIO(as_csv(table))))


def test_money_and_power_lose_their_prefix_and_the_head_names_the_unit():
    assert cells(("energy", numbers.money(144_000.0)), ("sold", numbers.money(-950.0)), ("rest", numbers.UNKNOWN)) == [
        ["Part", "Amount (USD)"], ["energy", "144000"], ["sold", "-950"], ["rest", ""],
    ]  # fmt: skip
    assert cells(("a", numbers.power(950.0)), ("b", numbers.power(2.5e6)))[1:] == [["a", "950"], ["b", "2500000"]]


def test_a_column_of_several_units_says_each():
    assert cells(("a", numbers.energy(12.0)), ("b", numbers.quantity(4010.0, "m³"))) == [
        ["Part", "Amount", "Amount: unit"], ["a", "12000000", "Wh"], ["b", "4010", "m³"],
    ]  # fmt: skip


def test_words_stay_words():
    assert cells(("a", "2 racks of 3"), ("b", numbers.count(12345)))[1:] == [["a", "2 racks of 3"], ["b", "12 345"]]


@given(st.floats(-1e12, 1e12).filter(lambda value: abs(value) > 1e-3))
def test_what_is_shown_is_read_back_to_three_digits(value):
    for shown, unit in ((numbers.money(value), "USD"), (numbers.power(value), "W"), (numbers.number(value), "")):
        read, found = numbers.read(shown)
        assert found == unit
        assert abs(read - value) <= 0.006 * abs(value)
