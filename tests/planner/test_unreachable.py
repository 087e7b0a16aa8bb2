"""A latency or a rate that nothing reaches is named, with the best that is reached, and no server of absent sites."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinloop.scenario.load import load_text
from twinloop.scenario.resolve import resolve
from twinloop.units import parse
from twinloop.workload.options import eased, rejected, stage_options

TEXT = """\
twinloop: 1
name: cloudy
horizon: 5 years
objective: cost
models:
  - {{name: net, architecture: {model}, context: 4096}}
stages:
  - {{name: chat, kind: serve, model: net, rate: {rate}, latency_p99: {latency}, input_tokens: 100, output_tokens: 100}}
sites:
  - {{name: aws, kind: cloud, provider: aws, region: eu-central-1, jurisdiction: EU}}
allow: {{devices: [{devices}]}}
"""


def told(*, rate="10/s", latency="5 s", model="llama-3.1-8b", devices="H100-SXM-80GB, L40S"):
    text = TEXT.format(rate=rate, latency=latency, model=model, devices=devices)
    found = resolve(load_text(text, Path("cloudy.yaml")))
    stage = found.stages[0]
    return rejected(found, stage), eased(found, stage), stage_options(found, stage)


def test_a_latency_below_every_devices_best_is_named_with_that_best():
    (words,), way, _ = told(latency="1 us")
    assert words.startswith("latency_p99: 0.001 ms is asked; the best that any allowed device reaches is ")
    assert "(H100-SXM-80GB, " in words
    best = way.removeprefix("chat: raise latency_p99 above ")
    assert told(latency=f"{parse(best, 'duration') * 1.03} s")[2]
    assert not told(latency=f"{parse(best, 'duration') * 0.97} s")[2]


def test_a_rate_beyond_every_devices_best_is_named_with_that_best():
    (words,), way, _ = told(rate="1e12/s", latency="60 s")
    assert words.startswith(
        "rate: 1000000000000/s is asked; the best that any allowed device reaches within latency_p99 of 1 min"
    )
    assert "(up to 8192 × H100-SXM-80GB)" in words
    best = parse(way.removeprefix("chat: lower the rate below "), "rate")
    assert told(rate=f"{best * 0.97}/s", latency="60 s")[2]
    assert not told(rate=f"{best * 1.05}/s", latency="60 s")[2]


def test_what_fits_no_memory_says_so():
    (words,), way, _ = told(model="llama-3.1-405b", devices="L4")
    assert words == "does not fit in memory of any device that the sites offer, in any format"
    assert way == "chat: allow more devices, or add a site that offers one it fits"


@pytest.mark.parametrize("asked", [{"latency": "1 us"}, {"rate": "1e12/s"}])
def test_no_server_of_a_site_that_is_not_there_is_listed(asked):
    assert not any("HGX" in words for words in told(**asked)[0])


def test_a_device_that_no_site_rents_is_no_reason():
    assert told(latency="1 us", devices="Hailo-8")[0] == ("no site offers an allowed device",)
