"""The public face: three calls, and nothing heavy on import."""

import subprocess
import sys
from pathlib import Path

import pytest

import twinloop
from twinloop.errors import InputError

EXAMPLE = Path(__file__).parents[1] / "examples" / "fraud-detection.yaml"


def test_importing_the_package_imports_nothing_heavy():
    code = "import sys, twinloop; print([m for m in ('jax', 'numpy', 'pydantic', 'highspy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_load_plan_simulate():
    scenario = twinloop.load(EXAMPLE)
    planned = twinloop.plan(scenario)
    year = twinloop.simulate(scenario, planned)
    assert year.pue == pytest.approx(planned.totals.pue)
    potential = planned.plan.potential
    assert potential.facility_energy_mwh_per_year <= planned.totals.facility_energy_mwh_per_year
    assert year.metrics.potential["facility_energy_mwh"] <= year.metrics.facility_energy_mwh
    hall = planned.plan.sites[0].name
    window = "07-14 13:00/07-14 14:00"
    bad = twinloop.simulate(scenario, planned, window=window, faults=["crah-1 fails at 13:10"], step_s=15.0)
    assert bad.metrics.window == window
    assert bad.metrics.recovered is not None
    assert bad.figures() == (f"timeline of {hall}",)
    table = bad.to_table()
    assert table.num_rows == 240
    assert {"site", "time_s", "intake_c", "intake_c_in_order"} <= set(table.column_names)
    assert "13:00" in bad._repr_html_()
    with pytest.raises(InputError, match="got"):
        twinloop.simulate(scenario, planned.plan, faults=["gremlins at 14:00"])
