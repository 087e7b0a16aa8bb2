"""The pages of a year and of a window say what the simulation found, and their tables add up."""

from __future__ import annotations

import re

import pytest

import twinloop
from twinloop.report import render_year, simulated
from twinloop.report.numbers import THIN


@pytest.fixture(scope="module")
def ran(retrofit):
    return twinloop.simulate(twinloop.load(retrofit.command.removeprefix("twinloop plan ")), retrofit)


def value(cell):
    return cell.value


def test_the_year_says_its_figures_and_draws_its_halls(ran, retrofit):
    page = render_year(ran.simulation, retrofit.plan, ran.years, "twinloop simulate x.yaml")
    assert page == render_year(ran.simulation, retrofit.plan, ran.years, "twinloop simulate x.yaml")
    headline = re.search(r"<h1>(.*?)</h1>", page).group(1).replace(THIN, " ")
    assert f"a PUE of {ran.pue:.3f}" in headline
    for title in ("Where the heat goes", "By month", "Inside the IT meter", "How the halls were cooled"):
        assert title in page
    assert not re.search(r"\b(None|nan)\b", re.sub(r"<style.*?</style>|<script.*?</script>", "", page, flags=re.S))


def test_the_years_tables_add_up(ran):
    found = ran.simulation
    energy = simulated._energy(found)
    *uses, total = (value(row[1]) for row in energy.rows)
    assert sum(uses) == pytest.approx(total, rel=1e-9)
    inside = sum(value(row[1]) for row in simulated._inside(found).rows)
    assert inside == pytest.approx(value(energy.rows[0][1]), rel=1e-9)
    months = simulated._months(found)
    assert sum(value(row[2]) for row in months.rows) == pytest.approx(total, rel=1e-9)
    assert max(value(row[5]) for row in months.rows) == pytest.approx(found.peak_power_w)
    modes = {row[0]: value(row[1]) for row in simulated._modes(found).rows}
    assert sum(hours for name, hours in modes.items() if "alone" in name or "and chiller" in name) == 8760


def test_the_window_says_what_became_of_the_chips(window):
    page = window.report()
    headline = re.search(r"<h1>(.*?)</h1>", page).group(1)
    assert "no chip throttles" in headline
    assert "smallest margin" in headline
    events = page[page.index("What happened, and the state then") :]
    assert "Power: IT" in events
