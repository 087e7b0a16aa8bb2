"""A small maker of EPW files, and the folder of real ones when it is at hand."""

import math
import os
from pathlib import Path

import pytest

MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
DESIGN_2009 = (
    "DESIGN CONDITIONS,1,Handbook 2009,,"
    "Heating,1,-11.8,-9,-19.5,0.7,-9,-16.7,0.9,-6.5,11.2,0.8,10.3,0.6,2.7,310,"
    "Cooling,7,11.4,34.1,23.9,32.7,23.5,31.2,22.8,25.4,31.6,24.7,30.3,24.1,29.1,4,290,23.6,18.6,27.8,23,18,27.1,"
    "22.5,17.4,26.6,78,31.6,75.2,30.6,72.5,29.2,712,Extremes,9.2,8.2,7.3,28.9,-17.2,36.2,4.6,1.9,-20.4,37.5,"
    "-23.1,38.7,-25.7,39.7,-29,41.1"
)


def epw_lines(design="DESIGN CONDITIONS,0", leap=False):
    """Return the lines of a well-formed file: 10 degC mean, warm afternoons, warm July."""
    lines = [
        "LOCATION,Testville,XX,NOWHERE,MADE,000000,50.0,8.0,1.0,100.0",
        design,
        "TYPICAL/EXTREME PERIODS,0",
        "GROUND TEMPERATURES,0",
        "HOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0",
        "COMMENTS 1,made",
        "COMMENTS 2,made",
        "DATA PERIODS,1,1,Data,Sunday, 1/ 1,12/31",
    ]
    days = 0
    for month, length in enumerate(MONTHS, start=1):
        for day in range(1, length + (2 if leap and month == 2 else 1)):
            for hour in range(1, 25):
                dry = 10 - 10 * math.cos(2 * math.pi * days / 365) + 4 * math.sin(2 * math.pi * (hour - 9) / 24)
                row = [f"2001,{month},{day},{hour},0,?", f"{dry:.1f}", f"{dry - 5:.1f}", "70", "99800"]
                lines.append(",".join([*row, *["0"] * 25]))
            days += 1
    return lines


@pytest.fixture(name="make_epw")
def fixture_make_epw(tmp_path):
    def make(lines=None, name="made.epw"):
        path = tmp_path / name
        path.write_text("\n".join(epw_lines() if lines is None else lines) + "\n", encoding="utf-8")
        return path

    return make


@pytest.fixture(name="make_lines")
def fixture_make_lines():
    return epw_lines


@pytest.fixture(name="design_2009", scope="session")
def fixture_design_2009():
    return DESIGN_2009


@pytest.fixture(name="reference", scope="session")
def fixture_reference():
    folder = Path(os.environ.get("TWINLOOP_REFERENCE") or Path(__file__).resolve().parents[3] / "shared" / "reference")
    if not folder.is_dir():
        pytest.skip(f"no reference data at {folder}: set TWINLOOP_REFERENCE")
    return folder
