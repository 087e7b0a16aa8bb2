"""Reading weather files: real ones, gaps, and every way in which one can be broken."""

import numpy as np
import pytest

from twinloop.climate.epw import read_design_columns, read_epw
from twinloop.errors import InputError
from twinloop.fluids import psychrometrics as ps

FIRST = 8  # index of the first data row


def change(lines, row, column, text):
    fields = lines[FIRST + row].split(",")
    fields[column] = text
    lines[FIRST + row] = ",".join(fields)


def test_a_made_file_is_read_as_written(make_epw):
    weather = read_epw(make_epw())
    assert weather.name == "Testville"
    assert (weather.latitude_deg, weather.longitude_deg, weather.elevation_m) == (50.0, 8.0, 100.0)
    assert weather.dry_bulb_c.shape == weather.wet_bulb_c.shape == weather.dew_point_c.shape == (8760,)
    assert weather.pressure_pa == pytest.approx(99_800.0)
    assert weather.dry_bulb_c.mean() == pytest.approx(10.0, abs=0.05)
    np.testing.assert_allclose(weather.dry_bulb_c - weather.dew_point_c, 5.0, atol=0.11)
    ratio = ps.humidity_ratio_from_wet_bulb(weather.dry_bulb_c, weather.wet_bulb_c, weather.pressure_pa)
    np.testing.assert_allclose(ps.dew_point_c(ratio, weather.pressure_pa), weather.dew_point_c, atol=1e-3)
    assert "percentiles" in weather.design.basis
    assert any("percentiles" in note for note in weather.notes)


def test_header_design_conditions_are_used(make_epw, make_lines, design_2009):
    path = make_epw(make_lines(design_2009))
    columns = read_design_columns(path)
    assert (columns.dry_bulb_c, columns.coincident_wet_bulb_c) == (34.1, 23.9)
    assert (columns.wet_bulb_c, columns.cold_dry_bulb_c) == (25.4, -9.0)
    assert (columns.extreme_dry_bulb_c, columns.extreme_wet_bulb_c, columns.extreme_cold_c) == (
        39.7,
        28.9,
        -25.7,
    )
    design = read_epw(path).design
    assert (design.dry_bulb_c, design.wet_bulb_c, design.coldest_dry_bulb_c) == (39.7, 28.9, -25.7)
    assert design.coincident_wet_bulb_c == pytest.approx(25.35, abs=0.05)
    assert "20-year extreme" in design.basis
    assert "Handbook 2009" in design.basis


def test_header_of_2001_gives_a_20_year_extreme_by_gumbel(make_epw, make_lines):
    line = (
        "DESIGN CONDITIONS,1,Handbook 2001,HEATING,-11.6,-9.2,10.8,9.4,8.3,11.2,-0.4,9.8,-0.3,4.5,290,"
        "4.9,280,36.2,-15.7,1.6,3.2,COOLING,34,23.7,32.6,23.2,31.1,22.5,25.4,31.2,24.6,30.2,23.9,29.3"
    )
    columns = read_design_columns(make_epw(make_lines(line)))
    assert (columns.dry_bulb_c, columns.coincident_wet_bulb_c, columns.wet_bulb_c) == (34.0, 23.7, 25.4)
    assert columns.cold_dry_bulb_c == -9.2
    # mean yearly extreme and its deviation, times 1.866 for 20 years
    assert columns.extreme_dry_bulb_c == pytest.approx(36.2 + 1.866 * 1.6, abs=0.01)
    assert columns.extreme_cold_c == pytest.approx(-15.7 - 1.866 * 3.2, abs=0.01)
    assert columns.extreme_wet_bulb_c is None


@pytest.mark.parametrize("design", ["DESIGN CONDITIONS,1,Odd,,Heating,x,y,Cooling,7", "DESIGN CONDITIONS,0", "OTHER,1"])
def test_unreadable_design_conditions_fall_back_to_percentiles(make_epw, make_lines, design):
    assert "percentiles" in read_epw(make_epw(make_lines(design))).design.basis


def test_gaps_are_interpolated_and_noted(make_epw, make_lines):
    lines = make_lines()
    for row in (100, 101, 102):
        change(lines, row, 6, "99.9")
    for row in (0, 8759):
        change(lines, row, 7, "99.9")
        change(lines, row, 8, "999")
    change(lines, 5, 9, "999999")
    weather = read_epw(make_epw(lines))
    left, right = weather.dry_bulb_c[99], weather.dry_bulb_c[103]
    np.testing.assert_allclose(weather.dry_bulb_c[100:103], left + (right - left) * np.array([0.25, 0.5, 0.75]))
    assert np.isfinite(weather.dew_point_c).all()
    assert any("3 hours of dry bulb" in note for note in weather.notes)
    assert any("2 hours of dew point" in note for note in weather.notes)


def test_dew_point_comes_from_relative_humidity_when_missing(make_epw, make_lines):
    lines = make_lines()
    change(lines, 4000, 7, "99.9")
    change(lines, 4000, 8, "50")
    weather = read_epw(make_epw(lines))
    ratio = ps.humidity_ratio_from_dew_point(weather.dew_point_c[4000], weather.pressure_pa)
    assert ps.relative_humidity(weather.dry_bulb_c[4000], ratio, weather.pressure_pa) == pytest.approx(0.5, rel=1e-6)
    assert any("relative humidity" in note for note in weather.notes)


def test_dew_point_above_dry_bulb_becomes_saturation(make_epw, make_lines):
    lines = make_lines()
    change(lines, 7, 7, "30.0")
    weather = read_epw(make_epw(lines))
    assert weather.dew_point_c[7] == weather.dry_bulb_c[7]
    assert weather.wet_bulb_c[7] == pytest.approx(weather.dry_bulb_c[7])


def test_pressure_missing_everywhere_is_the_standard_atmosphere(make_epw, make_lines):
    lines = make_lines()
    for row in range(8760):
        change(lines, row, 9, "999999")
    weather = read_epw(make_epw(lines))
    assert weather.pressure_pa == pytest.approx(float(ps.pressure_at_altitude_pa(100.0)))
    assert any("standard atmosphere" in note for note in weather.notes)


def test_leap_day_is_dropped(make_epw, make_lines):
    weather = read_epw(make_epw(make_lines(leap=True)))
    assert weather.dry_bulb_c.shape == (8760,)
    assert "29 February dropped" in weather.notes


def test_line_ends_byte_marks_and_blank_lines_do_not_matter(make_epw, make_lines):
    plain = read_epw(make_epw())
    lines = make_lines()
    path = make_epw(name="windows.epw")
    path.write_bytes(b"\xef\xbb\xbf" + ("\r\n".join(lines) + "\r\n\r\n").encode())
    np.testing.assert_array_equal(read_epw(path).dry_bulb_c, plain.dry_bulb_c)


@pytest.mark.parametrize(
    ("row", "column", "text", "said"),
    [
        (10, 6, "warm", r"made.epw:19: dry bulb: got 'warm', expected a number"),
        (10, 6, "85.0", r"made.epw:19: dry bulb: got 85.0 °C, expected -70 to 70"),
        (8759, 7, "-120", r"made.epw:8768: dew point"),
        (0, 9, "998", r"made.epw:9: station pressure: got 998 Pa, expected 31000 to 120000"),
        (24, 3, "7", r"made.epw:33: month, day, hour: got 1,2,7, expected month 1, day 2, hour 1"),
        (24, 1, "x", r"made.epw:33: month, day, hour"),
        (3, 8, "-5", r"made.epw:12: relative humidity"),
    ],
)
def test_broken_values_are_refused_with_their_line(make_epw, make_lines, row, column, text, said):
    lines = make_lines()
    change(lines, row, column, text)
    with pytest.raises(InputError, match=said):
        read_epw(make_epw(lines))


def test_nan_and_infinity_are_no_numbers(make_epw, make_lines):
    for text in ("nan", "-inf"):
        lines = make_lines()
        change(lines, 3, 6, text)
        with pytest.raises(InputError, match=r"made\.epw:12: dry bulb"):
            read_epw(make_epw(lines))


def test_all_faults_are_told_at_once_up_to_a_limit(make_epw, make_lines):
    lines = make_lines()
    for row in range(30):
        change(lines, row, 6, "x")
    with pytest.raises(InputError, match="10 more") as caught:
        read_epw(make_epw(lines))
    assert len(caught.value.faults) == 21


def test_rows_too_short_too_few_or_none(make_epw, make_lines):
    lines = make_lines()
    lines[FIRST + 50] = lines[FIRST + 50].rsplit(",", 4)[0]
    with pytest.raises(InputError, match=r"made.epw:59: row: got 31 columns, expected 35"):
        read_epw(make_epw(lines))
    with pytest.raises(InputError, match=r"made.epw:8767: data: got 8759 hourly rows"):
        read_epw(make_epw(make_lines()[:-1]))
    with pytest.raises(InputError, match="no hourly rows"):
        read_epw(make_epw(make_lines()[:FIRST]))
    with pytest.raises(InputError, match="expected 8760 rows"):
        read_epw(make_epw(make_lines() + make_lines()[FIRST : FIRST + 24]))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("NOTHING", "no LOCATION line"),
        ("LOCATION,Testville,XX", "10 columns"),
        ("LOCATION,T,X,N,M,0,95.0,8.0,1.0,100.0", r"made.epw:1: LOCATION latitude: got '95.0'"),
        ("LOCATION,T,X,N,M,0,50.0,8.0,1.0,high", "LOCATION elevation"),
    ],
)
def test_broken_location(make_epw, make_lines, line, said):
    lines = make_lines()
    lines[0] = line
    with pytest.raises(InputError, match=said):
        read_epw(make_epw(lines))


def test_too_much_missing_is_refused(make_epw, make_lines):
    lines = make_lines()
    for row in range(2000):
        change(lines, row, 6, "99.9")
    with pytest.raises(InputError, match="2000 of 8760 hours missing"):
        read_epw(make_epw(lines))


def test_no_file_empty_file_and_not_text(tmp_path):
    with pytest.raises(InputError, match=r"absent.epw"):
        read_epw(tmp_path / "absent.epw")
    with pytest.raises(InputError):
        read_epw(tmp_path)
    (tmp_path / "empty.epw").write_bytes(b"")
    with pytest.raises(InputError, match="LOCATION"):
        read_epw(tmp_path / "empty.epw")
    (tmp_path / "noise.epw").write_bytes(bytes(range(256)) * 200)
    with pytest.raises(InputError):
        read_epw(tmp_path / "noise.epw")


def test_every_real_file_is_read(reference):
    files = sorted((reference / "data" / "weather").glob("*.epw"))
    assert len(files) >= 9
    for file in files:
        weather = read_epw(file)
        assert weather.dry_bulb_c.shape == (8760,)
        assert (weather.dew_point_c <= weather.dry_bulb_c).all()
        assert (weather.wet_bulb_c <= weather.dry_bulb_c).all()
        assert (weather.wet_bulb_c >= weather.dew_point_c - 1e-6).all()
        design = weather.design
        assert design.dry_bulb_c >= np.quantile(weather.dry_bulb_c, 0.996) - 0.5
        assert design.wet_bulb_c >= design.coincident_wet_bulb_c
        assert "extreme" in design.basis
        assert abs(weather.pressure_pa / float(ps.pressure_at_altitude_pa(weather.elevation_m)) - 1) < 0.02
