"""The public face: three calls, and nothing heavy on import."""

import subprocess
import sys
from pathlib import Path

import pytest

import twinloop

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
