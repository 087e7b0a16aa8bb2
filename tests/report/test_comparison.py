"""Plans side by side: figures, choices and the inputs that set them apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from twinloop.report.comparison import compare, comparison_data, render_comparison


@pytest.fixture(scope="module")
def pair(retrofit, shops):
    return compare((("hall", retrofit.plan), ("shops", shops.plan)))


def test_a_plan_beside_itself_differs_in_nothing(retrofit):
    found = compare((("a", retrofit.plan), ("b", retrofit.plan)))
    assert not any(row.differs for row in (*found.figures, *found.choices))
    assert found.inputs == ()
    assert all(cell.change == "" for row in found.figures for cell in row.cells)
    assert "No input differs" in render_comparison(found, "x")


def test_changes_are_against_the_first(retrofit):
    dearer = replace(retrofit.plan, totals=replace(retrofit.plan.totals, tco_usd=retrofit.plan.totals.tco_usd * 1.25))
    found = compare((("a", retrofit.plan), ("b", dearer)))
    changed = [row for row in found.figures if row.differs]
    assert [(row.name, row.cells[0].change, row.cells[1].change.replace("\u202f", " ")) for row in changed] == [
        ("cost of ownership", "", "+25.0 %")
    ]


def test_one_changed_input_is_the_only_cause(retrofit):
    given = tuple(
        replace(each, value="200 USD/t") if each.path == "objective.carbon_price" else each
        for each in retrofit.plan.provenance
    )
    found = compare((("a", retrofit.plan), ("b", replace(retrofit.plan, provenance=given))))
    assert [(row.name, [cell.value for cell in row.cells]) for row in found.inputs] == [
        ("objective.carbon_price", ["80 USD/t", "200 USD/t"])
    ]


def test_the_same_value_written_otherwise_is_no_cause(retrofit):
    given = tuple(
        replace(each, value="8%/year") if each.path == "finance.discount" else each for each in retrofit.plan.provenance
    )
    assert given != retrofit.plan.provenance
    assert compare((("a", retrofit.plan), ("b", replace(retrofit.plan, provenance=given)))).inputs == ()


def test_what_one_lacks_is_one_row_not_all_its_keys(pair, retrofit, shops):
    names = [row.name for row in pair.inputs]
    lone = {f"sites.{site.name}" for plan in (retrofit.plan, shops.plan) for site in plan.sites}
    assert lone <= set(names)
    assert not [name for name in names if any(name.startswith(f"{each}.") for each in lone)]


def test_a_stage_of_one_plan_alone_is_told(pair, retrofit):
    (row,) = [row for row in pair.choices if row.name == retrofit.plan.stages[0].name]
    assert row.cells[1].value == "not used"
    assert row.differs


def test_the_page_is_whole_and_the_same_twice(pair):
    page = render_comparison(pair, "twinloop plan --compare <a> b")
    assert page == render_comparison(pair, "twinloop plan --compare <a> b")
    assert "&lt;a&gt;" in page
    assert "http" not in page
    assert "None" not in page
    assert comparison_data(pair)["names"] == ("hall", "shops")
