"""A slip is recognised; another word is not."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop import catalogue
from twinloop.climate.lookup import place_normals
from twinloop.errors import InputError
from twinloop.scenario.faults import close
from twinloop.spelling import near, slips
from twinloop.units import UnitError, parse

WORDS = st.text("abcd", max_size=7)


def plain_slips(a: str, b: str) -> int:
    """The same distance by its definition, without a table."""
    if not a or not b:
        return len(a) + len(b)
    least = min(plain_slips(a[1:], b) + 1, plain_slips(a, b[1:]) + 1, plain_slips(a[1:], b[1:]) + (a[0] != b[0]))
    if len(a) > 1 and len(b) > 1 and a[0] == b[1] and a[1] == b[0]:
        least = min(least, plain_slips(a[2:], b[2:]) + 1)
    return least


@settings(max_examples=60, deadline=None)
@given(st.text("abc", max_size=5), st.text("abc", max_size=5))
def test_slips_are_counted_as_defined(a, b):
    assert slips(a, b, 10) == plain_slips(a, b)


@given(WORDS, WORDS, st.integers(0, 4))
def test_a_limit_only_cuts_off(a, b, most):
    whole = slips(a, b, 20)
    assert slips(a, b, most) == whole if whole <= most else slips(a, b, most) > most
    assert slips(a, b, 20) == slips(b, a, 20)


def test_one_slip_in_a_city_is_always_recognised():
    names = [city.name for city in catalogue.climate_places()]
    rng = random.Random(1)
    for name in names:
        if len(name) < 4:
            continue
        at = rng.randrange(1, len(name) - 1)
        wrong = rng.choice(
            (
                name[:at] + name[at + 1 :],
                name[:at] + "x" + name[at:],
                name[:at] + name[at + 1] + name[at] + name[at + 2 :],
            )
        )
        assert name in near(wrong, names, 3), wrong


OTHERS = (
    "Vienna", "Cologne", "Prague", "Kyiv", "Cairo", "Geneva", "Timbuktu", "Bergen", "Gotham", "Ankara", "Minsk",
    "Lima", "Hanoi", "Perth", "Basel", "Turin", "Rabat", "Quito", "Dakar", "Brasilia", "Nice", "Bonn", "Sofia",
)  # fmt: skip
"""Cities that the catalogue lacks, none a slip of one that it has."""


@pytest.mark.parametrize("name", OTHERS)
def test_another_city_is_no_slip(name):
    assert near(name, [city.name for city in catalogue.climate_places()], 3) == []


@pytest.mark.parametrize(
    ("word", "options", "meant"),
    [
        ("power", ["name", "utility_power", "it_power"], "utility_power or it_power"),
        ("latency", ["rate", "latency_p99"], "latency_p99"),
        ("utilty_power", ["it_power", "utility_power"], "utility_power"),
        ("cpu", ["pue", "wue", "power"], None),
        ("colour", ["cooling", "climate"], None),
        ("datacenter", ["on-premise", "cloud", "edge"], "on-premise"),
        ("submarine", ["on-premise", "cloud", "edge"], None),
        ("inference", ["ingest", "preprocess", "train", "serve"], "serve"),
        ("immersion", ["air", "cold_plate", "bath"], "bath"),
        ("immersion", ["air", "rear doors", "immersion"], "immersion"),
        ("clod", ["on-premise", "cloud", "edge"], "cloud"),
        ("", ["cloud"], None),
        ("x" * 100_000, ["cloud"], None),
    ],
)
def test_keys_and_kinds(word, options, meant):
    assert close(word, options) == meant


def test_another_version_is_no_slip():
    """Nor is another maker's: GPT-4 is neither GPT-2 nor GPT-NeoX."""
    for wrong in ("gpt-4", "claude"):
        with pytest.raises(InputError) as caught:
            catalogue.architecture(wrong)
        assert caught.value.faults[0].suggestion is None
        assert "`twinloop catalogue architectures`" in caught.value.faults[0].expected


def test_devices():
    for wrong, meant in (("H10-SXM-80GB", "H100-SXM-80GB"), ("H100-SMX", "H100-SXM-80GB"), ("Quadro P400", None)):
        with pytest.raises(InputError) as caught:
            catalogue.device(wrong)
        said = caught.value.faults[0].suggestion
        assert (said is None) if meant is None else (meant in (said or "")), (wrong, said)


@pytest.mark.parametrize(("text", "meant"), [("3 MWW", "3 MW"), ("3 horses", None), ("3 kg", None), ("3 mw", "3 MW")])
def test_units(text, meant):
    with pytest.raises(UnitError) as caught:
        parse(text, "power")
    assert caught.value.suggestion == meant


@pytest.mark.parametrize(
    ("english", "station"),
    [("Vienna", "Wien"), ("Prague", "Praha"), ("Lisbon", "Lisboa"), ("München", "Munich"), ("Düsseldorf", "Dusseldorf"),
     ("Luleå", "Lulea"), ("Florence, ITA", "Firenze"), ("Athens, GRC", "Athinai"), ("Saint Petersburg, RUS", "St.Pet")],
)  # fmt: skip
def test_towns_are_found_by_their_english_name_and_with_accents(english, station):
    assert place_normals(english).name.startswith(station)


def test_an_unknown_place_is_told_how_to_bring_its_own_weather():
    with pytest.raises(InputError) as caught:
        place_normals("Gotham")
    (fault,) = caught.value.faults
    assert fault.suggestion is None
    assert ".epw" in fault.expected
    assert "lat" not in fault.expected.split(".epw")[0] or "48.1, 11.6" in fault.expected
