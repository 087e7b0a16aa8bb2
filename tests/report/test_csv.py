"""Figures as CSV compute: bare numbers, one unit a column."""

import copy
import csv
import io
import re

import pytest
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


SHOWS = ((numbers.money, "USD", 1.0), (numbers.power, "W", 1.0), (numbers.number, "", 1.0),
         (numbers.duration, "s", 1.0), (numbers.energy, "Wh", 1e6), (numbers.memory, "B", 1e9),
         (numbers.percent, "%", 100.0),
         (lambda value: numbers.quantity(value, "m³"), "m³", 1.0), (lambda value: numbers.fixed(value, "K"), "K", 1.0),
         )  # fmt: skip


@given(st.floats(-1e12, 1e12))
def test_the_value_is_in_the_file_whatever_digits_are_shown(value):
    for show, unit, factor in SHOWS:
        head, (_, written) = cells(("a", show(value)))
        assert head[1] == (f"Amount ({unit})" if unit else "Amount")
        assert float(written) == pytest.approx(value * factor, rel=1e-11, abs=0.0)


@given(st.floats(1e-15, 1e12))
def test_no_number_is_a_row_of_zeros(value):
    for show in (numbers.power, numbers.energy, numbers.memory, numbers.duration, numbers.number, numbers.money):
        assert not re.search(r"0\.0000", show(value)), show(value)
        assert re.search(r"[1-9]", show(value)), show(value)


def test_a_shown_number_survives_copies():
    shown = numbers.power(1234.5)
    copied = copy.deepcopy(shown)
    assert (copied, copied.value, copied.unit) == (shown, 1234.5, "W")
