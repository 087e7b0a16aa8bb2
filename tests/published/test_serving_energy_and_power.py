"""Serving, models beyond transformers, energy and node power against published measurements."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from twinloop.validation import framework_fitting
from twinloop.validation.coverage import coverage
from twinloop.validation.framework_fitting import framework_case
from twinloop.validation.node_power import nodes, replay, run_of
from twinloop.validation.serve_fitting import KERNELS, ServeCase, constants, fit, left_out, stacked
from twinloop.validation.serving import serving_results
from twinloop.validation.serving_cases import (
    energy_cases,
    offline_rates,
    sample_rates,
    served_tokens,
    table,
    throughput_cases,
)
from twinloop.validation.training_cases import stack
from twinloop.workload.constants import FRAMEWORK_2021
from twinloop.workload.decoding import SERVE_BOUNDS
from twinloop.workload.serve_constants import (
    TRTLLM_ADA,
    TRTLLM_BLACKWELL,
    TRTLLM_HOPPER,
    TRTLLM_WORKSTATION,
    VLLM_BLACKWELL,
    VLLM_HOPPER,
)

DATA = Path(os.environ.get("TWINLOOP_REFERENCE") or Path(__file__).resolve().parents[3] / "shared" / "reference")


@pytest.fixture(scope="module")
def results():
    return serving_results(None)


@pytest.fixture(scope="module")
def hopper() -> tuple[ServeCase, ...]:
    return tuple(case for case in throughput_cases() if case.pool == "trtllm hopper")


def test_every_judged_group_is_within_its_limit(results):
    assert [result.case for result in results if result.failed] == []
    judged = {result.case for result in results if result.kind == "proof"}
    assert judged == {
        "serving: TensorRT-LLM maximum throughput (n=237)",
        "serving: MLPerf offline medians, language models on graphics devices (n=49)",
        "beyond language models: training and inference (n=98)",
        "power: nodes in training (n=22)",
    }


def test_each_group_names_its_rows_and_its_worst(results):
    for result in results:
        assert "(n=" in result.case
        assert ("stated interval" if "interval" in result.case else "worst") in result.quantity
        assert result.source


def test_intervals_hold_the_rows_that_were_left_out(results):
    shares = {result.case: result.got for result in results if "interval" in result.case}
    assert len(shares) == 7
    assert all(65.0 <= share <= 95.0 for share in shares.values()), shares


def test_coverage_counts_rows_on_the_side_where_they_lie():
    ratios = np.array([0.5, 0.9, 1.0, 1.1, 2.0, 2.1, 1.0, 1.0, 1.0, 1.0])
    result = coverage("x", ratios, [(0.8, 1.2)] * 10, "made up")
    assert result.got == pytest.approx(70.0)
    assert "10 % are faster, 20 % slower" in result.quantity


def test_constants_of_frameworks_are_found_again_and_leave_out_what_is_left_out():
    cases = [framework_case(row) for row in table("non_llm_rates") if row["verb"] == "train" and row["sequence"]]
    found = framework_fitting.fit(stack(tuple(cases))).values
    for name, value in found.items():
        assert getattr(FRAMEWORK_2021, name) == pytest.approx(value, rel=0.02), name
    spoilt = [
        replace(case, measured_s=case.measured_s * (3.0 if case.network.name == "bert-large" else 1.0))
        for case in cases
    ]
    wrong = np.array([case.network.name == "bert-large" for case in cases])
    assert np.all(framework_fitting.left_out(spoilt)[wrong] > 1.5)


def test_every_row_of_the_tables_is_judged():
    assert (len(throughput_cases()), len(offline_rates()), len(sample_rates()), len(nodes())) == (237, 128, 98, 22)


@pytest.mark.parametrize(
    "chosen", [TRTLLM_HOPPER, TRTLLM_BLACKWELL, TRTLLM_WORKSTATION, TRTLLM_ADA, VLLM_HOPPER, VLLM_BLACKWELL]
)
def test_shipped_constants_keep_off_their_bounds(chosen):
    for name, (low, high) in SERVE_BOUNDS.items():
        value = getattr(chosen, name)
        share = np.log(value / low) / np.log(high / low) if name.endswith("_s") else (value - low) / (high - low)
        assert 0.005 < share < 0.995, (name, value)


def test_a_stack_gives_each_row_what_the_estimate_gives_it(hopper):
    """The stack tries twelve batches a row, unrounded, and no clock; the estimate ninety-six whole ones."""
    few = stacked(hopper).tokens_per_s(TRTLLM_HOPPER)
    alone = np.array([served_tokens(case) for case in hopper])
    np.testing.assert_allclose(few, alone, rtol=0.03)


def test_fitting_gives_back_constants_that_made_the_rows(hopper):
    rows = stacked(hopper)
    made = replace(rows, measured=rows.tokens_per_s(TRTLLM_HOPPER))
    found, on_bound = fit(made)
    np.testing.assert_allclose(made.tokens_per_s(found), made.measured, rtol=0.05)
    assert on_bound == ()


def test_the_prior_is_the_middle_of_the_bounds():
    prior = constants(tuple(SERVE_BOUNDS), np.zeros(len(SERVE_BOUNDS)))
    assert prior.gemm == pytest.approx(0.65)
    assert prior.step_s == pytest.approx(np.sqrt(50e-6 * 12e-3))


def test_without_a_row_that_speaks_products_are_those_of_measured_kernels(hopper):
    rows = stacked(hopper[:1])
    free = replace(rows, measured=rows.tokens_per_s(constants(tuple(SERVE_BOUNDS), np.zeros(len(SERVE_BOUNDS)))))
    assert float(fit(free, "trtllm hopper")[0].gemm) == pytest.approx(KERNELS["trtllm hopper"]["gemm"], rel=1e-3)
    assert float(fit(free)[0].gemm) == pytest.approx(0.65, rel=1e-3)


def test_leaving_a_model_out_leaves_it_out(hopper):
    """A model whose rates are all doubled must not teach the constants that it is fast."""
    name = "Llama-3.1-405B"
    spoilt = tuple(replace(case, measured=case.measured * (2.0 if case.model == name else 1.0)) for case in hopper)
    wrong = np.array([case.model == name for case in hopper])
    assert np.all(left_out(spoilt)[wrong] < -0.3)


def test_a_replay_follows_a_step_with_its_lag():
    t = np.arange(0.0, 10.0, 1.0)
    power = replay(t, np.where(t >= 3.0, 100.0, 0.0), 2.0)
    assert power[2] == 0.0
    assert power[3] == pytest.approx(100.0 * (1.0 - np.exp(-0.5)))
    assert np.all(np.diff(power) >= 0.0)


def test_a_job_spread_thin_draws_less_per_node():
    one, eight = run_of("resnet", 1)[1], run_of("resnet", 8)[1]
    assert eight.power_w["node_ac"] < 0.95 * one.power_w["node_ac"]


@pytest.fixture(scope="module")
def folder() -> Path:
    if not (DATA / "data" / "energy_validation.json").is_file():
        pytest.skip(f"no energy cases in {DATA / 'data'}: set TWINLOOP_REFERENCE")
    return DATA / "data"


@pytest.mark.slow
def test_energy_per_token_and_replayed_traces(folder):
    shown = {result.case: result for result in serving_results(folder)}
    assert [case for case, result in shown.items() if result.failed] == []
    assert sum(case.startswith("power: trace of") for case in shown) == 12
    assert all(result.passed for case, result in shown.items() if case.startswith("power: trace of"))
    assert len(energy_cases(folder)) > 350


def test_every_row_beyond_language_models_is_predicted_without_itself():
    """A class with one model by its other devices, a class with one row by constants that no row has set."""
    from twinloop.validation.serving import _samples_left_out

    rates = sample_rates()
    chosen, errors = _samples_left_out(rates)
    assert sorted(rate.name for rate in chosen) == sorted(rate.name for rate in rates)
    unseen = {rate.name: error for rate, error in zip(chosen, errors, strict=True)}
    inside = {rate.name: rate.error for rate in rates}
    alone = "gnn-rgat-train-H100-SXM-80GB-8x-b16384"
    assert abs(inside[alone]) < abs(unseen[alone]) < 0.15  # by its other device
    plain = {rate.name: rate.error for rate in sample_rates(plain=True)}
    assert plain[alone] == pytest.approx(0.6, abs=0.1)  # as if no graph network had been seen: said, not hidden
