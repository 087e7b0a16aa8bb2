"""Sound files that ask for something odd: each is planned, or refused in words; nothing else happens."""

import json
import math
import random
from pathlib import Path

import pytest

from twinloop.errors import InfeasibleError, InputError
from twinloop.model.codec import dumps
from twinloop.planner.plan import plan
from twinloop.scenario import load_text, resolve

TEXT = """\
twinloop: 1
name: odd
horizon: 5 years
objective: {minimise: cost, carbon_price: 80 USD/t}
models:
  - {name: net, architecture: llama-3-8b}
datasets:
  - {name: rows, size: 1 TB, home: hall, residency: [GB], growth: 1 GB/day}
stages:
  - {name: collect, kind: ingest, reads: rows, rate: 50 GB/day}
  - {name: tune, kind: train, after: collect, model: net, samples: 2e6, batch: 64, every: 7 days, deadline: 48 h}
  - {name: answer, kind: serve, after: tune, model: net, rate: 1/s, latency_p99: 20 s, input_tokens: 300,
     output_tokens: 50}
sites:
  - name: hall
    kind: on-premise
    climate: London
    jurisdiction: GB
    utility_power: 200 kW
    racks: {positions: 6, power: 40 kW}
    water: {supply: 500 m3/year}
    growth: 2 %/year
    # more of the site
finance: {discount: 8 %}
allow: {devices: [H100-SXM-80GB, L40S, EPYC-9654]}
# the end
"""
SITE, END = "    # more of the site", "# the end"
ODD = {
    "5 years": ("30 days", "1 year", "25 years"),
    "{minimise: cost, carbon_price: 80 USD/t}": (
        "{minimise: energy}", "{minimise: carbon}", "{minimise: water}", "{minimise: time}",
        "{minimise: cost, carbon_price: 1e6 USD/t}", "{minimise: {cost: 1, carbon: 80 USD/t}}"),
    "architecture: llama-3-8b": ("architecture: llama-3-70b", "architecture: gpt3-175b", "architecture: resnet50",
                                 "kind: trees, trees: 1000, depth: 8"),
    "1 TB": ("1 B", "900 PB"),
    "1 GB/day": ("0 GB/day", "900 TB/day"),
    "50 GB/day": ("1 B/s", "100 TB/s"),
    "samples: 2e6": ("samples: 64", "samples: 1e18"),
    "batch: 64": ("batch: 1", "batch: 2000000"),
    "48 h": ("1 ms", "7 days"),
    "every: 7 days": ("every: 20 years", "every: 2 days"),
    "rate: 1/s": ("rate: 1e-6/s", "rate: 1e9/s"),
    "20 s": ("1 us", "1 ms", "1 day"),
    "input_tokens: 300": ("input_tokens: 1", "input_tokens: 1000000000"),
    "output_tokens: 50": ("output_tokens: 0", "output_tokens: 100000000"),
    "climate: London": ("climate: Singapore", "climate: Lhasa", "climate: Kuwait", "climate: Fairbanks"),
    "200 kW": ("1 W", "100 GW", "[{power: 20 kW}, {power: 2 MW, after: 3 years}]"),
    "positions: 6": ("positions: 1", "positions: 1000000"),
    "power: 40 kW": ("power: 1 W", "power: 1 MW", "power: 40 kW, weight: 1 kg", "power: 40 kW, height: 1 U"),
    "{supply: 500 m3/year}": ("{supply: 0.001 m3/year}", "{supply: 500 m3/year, cycles: 1.01}", "{peak: 0.001 m3/h}"),
    "2 %/year": ("0 %/year", "100 %/year"),
    SITE: (
        "    availability: {redundancy: 2N, ride_through: 1 day}", "    availability: {redundancy: N}",
        "    floor: {area: 1 m2}", "    floor: {area: 400 m2, load: 1 Pa}", "    hall_class: H1",
        "    tariff: {energy: 0 USD/kWh}", "    tariff: {energy: 100 USD/kWh}", "    tariff: {energy: -1 USD/kWh}",
        "    heat_offtake: {temperature: 95 °C, demand: 1 GW, price: 1 USD/kWh}",
        "    heat_offtake: {temperature: 20 °C, demand: 1 W, price: 0 USD/kWh}", "    power_chain: dc_800v",
        "    grid: {carbon: 0 g/kWh, basis: mine}", "    liquid_class: W17"),
    "discount: 8 %": ("discount: 0 %", "discount: 90 %", "refresh: 1 year", "failures: arrhenius"),
    "devices: [H100-SXM-80GB, L40S, EPYC-9654]": (
        "cooling: [immersion]", "cooling: [air], devices: [L40S, EPYC-9654]", "devices: [TPU-v5e]",
        "devices: [EPYC-9654]", "devices: [L40S, EPYC-9654], compression: [int4]"),
    END: ("limits: {capex: 1 USD}", "limits: {carbon: 1 kg/year}", "limits: {water: 0.001 m3/year}"),
}  # fmt: skip
"""What stands in the file, and odd things in its place."""


def mutant(seed: int) -> str:
    rng, text = random.Random(seed), TEXT
    for old in rng.sample(list(ODD), rng.choice((1, 1, 2, 3))):
        assert old in text
        text = text.replace(old, rng.choice(ODD[old]), 1)
    return text


def outcome(seed: int) -> str:
    try:
        model = resolve(load_text(mutant(seed), Path("odd.yaml")))
        found = plan(model).plan
    except InputError as error:
        return "refused" if all(fault.line for fault in error.faults) else f"{error} without a line"
    except InfeasibleError as error:
        return "infeasible" if all(error.clashes) and error.clashes else "infeasible without a reason"
    json.loads(dumps(found), parse_constant=lambda word: pytest.fail(f"seed {seed}: {word} in the plan"))
    totals = found.totals
    assert math.isfinite(totals.tco_usd)
    assert totals.pue >= 1.0
    assert totals.water_m3_per_year >= 0.0
    return "planned"


def test_the_file_itself_is_planned():
    assert load_text(TEXT, Path("odd.yaml")).spec.name == "odd"


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 50, 10))
def test_50_odd_scenarios(first):
    outcomes = {outcome(seed) for seed in range(first, first + 10)}
    assert outcomes <= {"planned", "infeasible", "refused"}
    assert "planned" in outcomes
