"""Every row of every table: complete, in known units, its band around its value, its confidence honest."""

import csv
import math
from collections import Counter

import pytest

from twinloop.catalogue import TABLES, constant, facts, source_facts
from twinloop.catalogue.conversion import FACTORS, FLAG, TEXT
from twinloop.catalogue.nouns import Fact
from twinloop.catalogue.tables import COLUMNS, CONFIDENCES, FOLDER, lowest_confidence, row_of, rows, to_si
from twinloop.errors import InputError


@pytest.fixture(params=TABLES)
def table(request):
    return request.param


def test_every_table_has_a_file_and_every_file_is_a_table():
    assert {path.stem for path in FOLDER.glob("*.csv")} == set(TABLES)


def test_rows_have_all_columns_and_no_stray_spaces(table):
    with (FOLDER / f"{table}.csv").open(encoding="utf-8", newline="") as stream:
        lines = list(csv.reader(stream))
    assert tuple(lines[0]) == COLUMNS
    for line in lines[1:]:
        assert len(line) == len(COLUMNS)
        assert all(cell == cell.strip() for cell in line), line


def test_every_fact_has_source_year_confidence_and_a_known_unit(table):
    for fact in source_facts(table):
        assert fact.name
        assert fact.quantity
        assert len(fact.source) > 3, fact
        assert 1990 <= fact.year <= 2026, fact
        assert fact.confidence in CONFIDENCES, fact
        assert fact.unit in FACTORS, fact


def test_numbers_lie_in_their_band_and_words_have_none(table):
    for fact in source_facts(table):
        if fact.unit == TEXT:
            assert isinstance(fact.value, str)
            assert fact.value
            assert fact.low is None
            assert fact.high is None
        else:
            assert fact.low <= fact.value <= fact.high, fact
            assert all(math.isfinite(number) for number in (fact.low, fact.value, fact.high))
            assert fact.unit != FLAG or fact.value in (0.0, 1.0)


def test_what_is_only_remembered_or_estimated_is_low_confidence(table):
    for fact in source_facts(table):
        if "from memory" in fact.source:
            assert fact.confidence == "low", fact
        if "estimate" in fact.source and "public" not in fact.source:
            assert fact.confidence == "low", fact


def test_no_fact_is_given_twice(table):
    counts = Counter((fact.name, fact.quantity) for fact in source_facts(table))
    assert max(counts.values()) == 1


def test_nothing_speaks_of_this_project_as_its_source(table):
    text = (FOLDER / f"{table}.csv").read_text(encoding="utf-8").lower()
    for word in ("hardware_facts", "economics_facts", "/work", "shared/", "reference/", "twinloop"):
        assert word not in text


def test_numbers_that_must_be_positive_are(table):
    may_be_negative = ("_c", "_deg", "utc_offset", "elevation", "capex_change")
    for fact in source_facts(table):
        if not isinstance(fact.value, str) and not any(
            fact.quantity.endswith(mark) or fact.quantity.startswith(mark) for mark in may_be_negative
        ):
            assert fact.value >= 0.0, fact


@pytest.mark.parametrize(
    ("unit", "value", "si"),
    [
        ("GB", 80, 80e9),
        ("GiB", 1, 1073741824.0),
        ("GB/s", 3350, 3.35e12),
        ("TFLOP/s", 989, 9.89e14),
        ("cents/kWh", 10, 0.1 / 3.6e6),
        ("USD/kWh", 0.1, 0.1 / 3.6e6),
        ("USD/MWh", 100, 0.1 / 3.6e6),
        ("EUR/kWh", 0.1, 0.108 / 3.6e6),
        ("g/kWh", 360, 1e-7),
        ("kg/kWh", 0.36, 1e-7),
        ("L/kWh", 3.6, 1e-9),
        ("USD/h", 36, 0.01),
        ("USD/kW", 140, 0.14),
        ("USD/kW/month", 12, 0.012),
        ("kg/kW", 150, 0.15),
        ("%/year", 8, 0.08),
        ("USD/t", 85, 0.085),
        ("1/MW", 1.5, 1.5e-6),
        ("USD/GB", 0.09, 9e-11),
        ("billion", 175, 1.75e11),
        ("Gb/s", 400, 5e10),
    ],
)
def test_units_convert_to_si(unit, value, si):
    fact = to_si(Fact("t", "n", "q", float(value), unit, value / 2, value * 2, "s", 2024, "high"))
    assert fact.value == pytest.approx(si, rel=1e-12)
    assert fact.low == pytest.approx(si / 2, rel=1e-12)
    assert fact.high == pytest.approx(si * 2, rel=1e-12)


def test_facts_are_the_source_facts_in_si(table):
    for written, fact in zip(source_facts(table), facts(table), strict=True):
        factor, unit = FACTORS[written.unit]
        assert (fact.name, fact.quantity, fact.source, fact.unit) == (
            written.name,
            written.quantity,
            written.source,
            unit,
        )
        if not isinstance(fact.value, str):
            assert fact.value == written.value * factor


def test_quantities_whose_names_end_in_a_unit_have_it(table):
    endings = {
        "_b": "B",
        "_b_s": "B/s",
        "_kg": "kg",
        "_usd": "USD",
        "_usd_per_w": "USD/W",
        "_usd_per_j": "USD/J",
        "_usd_per_s": "USD/s",
        "_kg_per_j": "kg/J",
        "_m3_per_j": "m3/J",
        "_k_w": "K/W",
        "_usd_per_w_month": "USD/W/month",
        "_per_year": "1/year",
        "_years": "year",
        "_usd_per_b": "USD/B",
        "_usd_per_m3": "USD/m3",
        "_kg_per_w": "kg/W",
        "_usd_per_kg": "USD/kg",
        "_w_per_b": "W/B",
        "_kg_per_b": "kg/B",
    }
    exceptions = {"staff_usd_per_year": "USD/year", "generator_hours_per_year": "h/year"}
    for fact in facts(table):
        for ending in sorted(endings, key=len, reverse=True):
            if fact.quantity.endswith(ending):
                assert fact.unit == exceptions.get(fact.quantity, endings[ending]), fact
                break


def test_constant_finds_a_fact_in_si_by_a_loose_name():
    fact = constant("economics", "frankfurt", "build_usd_per_w")
    assert (fact.value, fact.unit, fact.confidence) == (11.6, "USD/W", "medium")
    assert constant("devices", "nvidia h100 sxm5 80gb", "memory_b").value == 80e9


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("device", "H100", "memory_b"), "did you mean devices"),
        (("devices", "H1O0", "memory_b"), "table devices"),
        (("economics", "default", "discount_pear_year"), "did you mean discount_per_year"),
    ],
)
def test_a_wrong_table_name_or_quantity_names_the_near_one(arguments, hint):
    with pytest.raises(InputError, match=hint) as caught:
        constant(*arguments)
    assert caught.value.exit_code == 2


def test_the_lowest_confidence_of_a_row_is_its_worst_fact():
    row = row_of("cooling_kits", "air_crah")
    assert {fact.confidence for fact in row.values()} == {"high", "medium", "low"}
    assert lowest_confidence(row) == "low"
    assert lowest_confidence({"a": row["aliases"], "b": row["capex_usd_per_w"]}) == "medium"


def test_aliases_are_not_contested_between_rows(table):
    """An alias that belongs to two rows would silently pick the first."""
    from twinloop.catalogue.names import name_keys, precise_key

    named = {
        name: [name, *(str(row["aliases"].value).split(";") if "aliases" in row else [])]
        for name, row in rows(table).items()
    }
    written = {precise_key(each): name for name, names in named.items() for each in names}
    owner: dict[str, str] = {}
    for name, names in named.items():
        for key in {key for each in names for key in name_keys(each)}:
            if written.get(key, name) != name:
                continue  # opt-13b is looked for before the looser form of opt-1.3b
            assert owner.setdefault(key, name) == name, (key, name, owner[key])
