"""Small real scenarios: one training stage in one hall, with what a test turns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from twinloop.model.model import Model
from twinloop.scenario.load import load_text
from twinloop.scenario.resolve import resolve

TEXT = """\
twinloop: 1
name: small
horizon: {horizon}
objective: {objective}
datasets:
  - {{name: data, size: 10 TB, home: hall, residency: {residency}}}
models:
  - {{name: net, architecture: llama-3.1-8b, context: 4096}}
stages:
  - {{name: train, kind: train, reads: data, model: net, samples: {samples}, every: 7 days, batch: 512,
      deadline: {deadline}{stage}}}
{stages}sites:
  - name: hall
    kind: on-premise
    climate: {climate}
    jurisdiction: {jurisdiction}
    utility_power: {power}
    racks: {{positions: {positions}, power: {rack}, height: 48 U}}
    floor: {{area: 300 m2, load: 15 kPa}}
    water: {{supply: {water}, price: {water_price}}}
    availability: {{redundancy: N}}
    grid: DE
    tariff: {{energy: {price}, demand: 0 USD/kW/month, escalation: 0 %/year}}
    growth: {growth}
{hall}{sites}finance: {{discount: 8 %, refresh: 5 years{finance}}}
allow: {{devices: {devices}{cooling}}}
"""

USUAL = {
    "horizon": "10 years",
    "objective": "cost",
    "residency": "[EU]",
    "samples": "2e8",
    "deadline": "6 days",
    "stage": "",
    "stages": "",
    "climate": "Frankfurt",
    "jurisdiction": "EU",
    "power": "20 MW",
    "positions": "200",
    "rack": "130 kW",
    "water": "1e6 m3/year",
    "water_price": "1 USD/m3",
    "price": "0.10 USD/kWh",
    "growth": "0 %/year",
    "hall": "",
    "sites": "",
    "finance": "",
    "devices": "[H100-SXM-80GB]",
    "cooling": "",
}

Scenario = Callable[..., Model]


def written(**changes: str) -> str:
    """Return the scenario's text with ``changes``."""
    unknown = set(changes) - set(USUAL)
    assert not unknown, unknown
    return TEXT.format(**{**USUAL, **changes})


@pytest.fixture(scope="session")
def small() -> Scenario:
    """Give the model of the small scenario with ``changes``."""
    return lambda **changes: resolve(load_text(written(**changes), Path("small.yaml")))
