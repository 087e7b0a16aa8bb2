"""Serving, models beyond transformers, energy and node power against published measurements.

In sample is what ``twinloop estimate`` answers. Left out predicts a model (or benchmark) from the others alone:
language models by fitting their pool of constants anew, everything else by rescaling the class to its other models,
node power by fitting the draw of each phase without the benchmark.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from twinloop import catalogue
from twinloop.arrays import FloatArray
from twinloop.validation import framework_fitting
from twinloop.validation.coverage import coverage
from twinloop.validation.node_power import node_power_results, trace_results
from twinloop.validation.published_elsewhere import elsewhere_rates
from twinloop.validation.result import Kind, Result
from twinloop.validation.serve_fitting import ServeCase, left_out
from twinloop.validation.server_cases import server_rates
from twinloop.validation.serving_cases import (
    Rate,
    energy_cases,
    generation_joules,
    offline_rates,
    sample_rates,
    served_tokens,
    table,
    throughput_cases,
)
from twinloop.workload.machine import VALUE_B
from twinloop.workload.named_model import network_named
from twinloop.workload.other import trust
from twinloop.workload.serve_constants import serve_software
from twinloop.workload.serve_estimate import estimate_serving
from twinloop.workload.transformer import shape_of

THROUGHPUT_LIMITS = (15.0, 25.0)
"""In sample, left out, %."""
OFFLINE_LIMIT = 25.0
SAMPLES_LIMIT = 20.0
ENERGY_LIMIT = 20.0
UNBATCHED = "v5.1 whisper RTX-4090"
"""Submissions of a server that takes one request at a time in 32 bits: shown, outside the mean."""


def serving_results(cases: Path | None) -> tuple[Result, ...]:
    """Return every group's errors; with a folder of cases also energy per token and replayed traces."""
    results = [*_throughput(), *_offline(), *_limited(), *_elsewhere(), *_samples(), *node_power_results()]
    if cases is not None and (cases / "energy_validation.json").is_file():
        results += [*_energy(cases), *_generation(cases)]
    if cases is not None:
        results += trace_results(cases)
    return tuple(results)


def mean_error(
    case: str, names: Sequence[str], errors: FloatArray, limit: float, how: str, source: str, kind: Kind
) -> Result:
    """Return the mean absolute error of ``errors`` (relative) as a result, its worst row named."""
    worst = int(np.argmax(np.abs(errors)))
    return Result(
        case=f"{case} (n={len(errors)})",
        quantity=f"mean absolute error, {how}; worst {names[worst]} {100.0 * errors[worst]:+.0f} %",
        unit="%", expected=0.0, got=float(100.0 * np.abs(errors).mean()), tolerance=limit, source=source, kind=kind,
    )  # fmt: skip


def _throughput() -> list[Result]:
    cases = throughput_cases()
    names = [case.name for case in cases]
    inside = np.array([served_tokens(case) / case.measured - 1.0 for case in cases])
    outside = left_out(cases)
    label, source = "serving: TensorRT-LLM maximum throughput", cases[0].source
    within, beyond = THROUGHPUT_LIMITS
    results = [
        mean_error(label, names, inside, within, "in sample", source, "calibration"),
        mean_error(label, names, outside, beyond, "left-out models", source, "proof"),
    ]
    for key in ("model", "group"):
        for name in dict.fromkeys(getattr(case, key) for case in cases):
            chosen = np.array([getattr(case, key) == name for case in cases])
            part = [case.name for case in cases if getattr(case, key) == name]
            results.append(
                mean_error(f"{label}, {name}", part, outside[chosen], beyond, "left-out models", source, "soft")
            )
    return [*results, *_covered("serving: interval of", cases, outside)]


def _covered(label: str, cases: Sequence[ServeCase], outside: FloatArray) -> list[Result]:
    """Return how many left-out rows lie inside the interval of their pool of constants."""
    results = []
    for pool in dict.fromkeys(case.pool for case in cases):
        chosen = np.array([case.pool == pool for case in cases])
        rows = [case for case in cases if case.pool == pool]
        found = [
            serve_software(case.on.device, VALUE_B[case.job.precision], case.job.software, shape=shape_of(case.network))
            for case in rows
        ]
        # An error is predicted over measured rate less one: measured over predicted time.
        intervals = [(each.low, each.high) for each in found]
        results.append(coverage(f"{label} {pool}", 1.0 + outside[chosen], intervals, rows[0].source))
    return results


def _offline() -> list[Result]:
    rates = offline_rates()
    label, source = "serving: MLPerf offline medians", rates[0].source
    judged = [rate for rate in rates if rate.name != UNBATCHED]
    results = [_rates(label, judged, OFFLINE_LIMIT, "in sample", source, "calibration")]
    # Processors and edge parts have a factor that these rows set.
    language = [rate for rate in judged if rate.pool == "language" and catalogue.device(rate.device).kind == "gpu"]
    results.append(
        _rates(
            f"{label}, language models on graphics devices",
            language,
            OFFLINE_LIMIT,
            "fitted on other sources",
            source,
            "proof",
        )
    )
    results.append(_stated("serving: interval, MLPerf offline, language models on graphics devices", language))
    results += _by(label, judged, lambda rate: rate.model, OFFLINE_LIMIT, source)
    alone = [rate for rate in rates if rate.name == UNBATCHED]
    return [*results, _rates(f"{label}, unbatched", alone, OFFLINE_LIMIT, "in sample", source, "soft")]


def _limited() -> list[Result]:
    """Return MLPerf's server and interactive scenarios: nothing was fitted to them."""
    limited, steps = server_rates()
    label, source, how = "serving: MLPerf under limits of latency", limited[0].source, "fitted on other sources"
    results = [_rates(label, limited, OFFLINE_LIMIT, how, source, "soft")]
    results += _by(label, limited, lambda rate: f"{rate.model} {rate.pool}", OFFLINE_LIMIT, source, how)
    results.append(_stated("serving: interval, MLPerf under limits of latency", limited))
    return [*results, _rates("serving: MLPerf, time per token at its crowd", steps, OFFLINE_LIMIT, how, source, "soft")]


def _elsewhere() -> list[Result]:
    """Return rates published elsewhere: scored only."""
    rates = elsewhere_rates()
    label, source, how = "published elsewhere", rates[0].source, "scored only"
    results = [_rates(label, rates, OFFLINE_LIMIT, how, source, "soft")]
    middle = 100.0 * float(np.median(np.abs([rate.error for rate in rates])))
    worst = max(rates, key=lambda rate: abs(rate.error))
    results.append(
        Result(
            f"{label} (n={len(rates)})",
            f"median absolute error, {how}; worst {worst.name}",
            "%",
            0.0,
            middle,
            OFFLINE_LIMIT,
            source,
            "soft",
        )
    )
    results.append(_stated("published elsewhere: interval", rates))
    return [*results, *_by(label, rates, lambda rate: rate.pool, OFFLINE_LIMIT, source, how)]


def _stated(label: str, rates: Sequence[Rate]) -> Result:
    """Return how many rows lie inside the interval that the estimate states for them."""
    ratios = np.array([rate.got / rate.measured for rate in rates])
    return coverage(label, ratios, [(rate.got / rate.high, rate.got / rate.low) for rate in rates], rates[0].source)


def _samples() -> list[Result]:
    rates = sample_rates()
    label, source = "beyond language models: training and inference", rates[0].source
    results = [_rates(label, rates, SAMPLES_LIMIT, "in sample", source, "calibration")]
    chosen, errors = _samples_left_out(rates)
    names = [rate.name for rate in chosen]
    how = "left-out models, or devices of a class's only model"
    results.append(mean_error(label, names, errors, SAMPLES_LIMIT, how, source, "proof"))
    intervals = [_interval(rate) for rate in chosen]
    results.append(coverage("beyond language models: interval", 1.0 + errors, intervals, source))
    results.append(_under_generic(rates, source))
    return [*results, *_by(label, rates, lambda rate: rate.pool, SAMPLES_LIMIT, source)]


def _under_generic(rates: Sequence[Rate], source: str) -> Result:
    """Return classes of one model as they would be known if that model had never been seen."""
    models = {rate.pool: {each.model for each in rates if each.pool == rate.pool} for rate in rates}
    plain = {rate.name: rate for rate in sample_rates(plain=True)}
    lone = [plain[rate.name] for rate in rates if len(models[rate.pool]) == 1 and "transformer" not in rate.pool]
    label, how = "beyond language models: classes of one model", "under the constants of the generic kind"
    return _rates(label, lone, SAMPLES_LIMIT, how, source, "soft")


def _interval(rate: Rate) -> tuple[float, float]:
    """Return what the estimate states; a pool is ``verb stack kind``."""
    verb, stack, _ = rate.pool.split(" ")
    return trust(network_named(rate.model), catalogue.device(rate.device), stack, training=verb == "train")[0]


def _samples_left_out(rates: Sequence[Rate]) -> tuple[list[Rate], FloatArray]:
    """Return every row and its error left out; where constants were fitted, they are fitted anew.

    A class with one model is rescaled to its other devices, and a class of one model on one device is asked under the
    generic kind's constants: what would be known if the row had never been seen.
    """
    fitted = "train framework transformer"
    free = [rate for rate in rates if rate.pool != fitted]
    chosen, errors = _rescaled(free)
    lone = [rate for rate in free if rate not in chosen]
    near, near_errors = _rescaled(lone, "device")
    plain = {rate.name: rate for rate in sample_rates(plain=True)}
    last = [rate for rate in lone if rate not in near]
    names = {rate.name for rate in rates if rate.pool == fitted}
    rows = [row for row in table("non_llm_rates") if row["case"] in names]
    anew = framework_fitting.left_out([framework_fitting.framework_case(row) for row in rows])
    everything = [*chosen, *near, *last, *(rate for rate in rates if rate.pool == fitted)]
    unseen = np.array([plain[rate.name].error for rate in last])
    return everything, np.concatenate([errors, near_errors, unseen, anew])


def _rescaled(rates: Sequence[Rate], key: Literal["model", "device"] = "model") -> tuple[list[Rate], FloatArray]:
    """Return the rows of classes with several models (or devices), each under the rate that the others suggest."""
    chosen, errors = [], []
    for rate in rates:
        others = [each for each in rates if each.pool == rate.pool and getattr(each, key) != getattr(rate, key)]
        if others:
            scale = float(np.exp(np.median([np.log(each.measured / each.got) for each in others])))
            chosen.append(rate)
            errors.append(rate.got * scale / rate.measured - 1.0)
    return chosen, np.array(errors)


def _energy(folder: Path) -> list[Result]:
    pairs = energy_cases(folder)
    cases = [case for case, _ in pairs]
    names, label, source = [case.name for case in cases], "energy: joules per token, text", cases[0].source
    inside = np.array([_joules(case, joules) for case, joules in pairs])
    # Rates are predicted without the model; the power law, two numbers a family, stays.
    rate = np.array([served_tokens(case) / case.measured for case in cases])
    unseen = left_out(cases)
    outside = (1.0 + inside) * rate / (1.0 + unseen) - 1.0
    results = [
        mean_error(label, names, inside, ENERGY_LIMIT, "in sample", source, "calibration"),
        mean_error(label, names, outside, ENERGY_LIMIT, "left-out models", source, "proof"),
    ]
    for device in dict.fromkeys(case.group for case in cases):
        chosen = np.array([case.group == device for case in cases])
        part = [case.name for case in cases if case.group == device]
        results.append(
            mean_error(f"{label}, {device}", part, inside[chosen], ENERGY_LIMIT, "in sample", source, "soft")
        )
    results += _covered("serving: interval of", cases, unseen)
    return results


def _generation(folder: Path) -> list[Result]:
    """Return joules per image or video: in sample, and each model under the scale that the others suggest."""
    found = generation_joules(folder)
    rates = [rate for rate in found if rate.pool != "shared samples"]
    shared = [rate for rate in found if rate.pool == "shared samples"]
    label, source = "energy: joules per image or video", rates[0].source
    chosen, errors = _rescaled(rates)
    names = [rate.name for rate in chosen]
    return [
        _rates(label, rates, ENERGY_LIMIT, "in sample", source, "calibration"),
        mean_error(label, names, errors, ENERGY_LIMIT, "left-out models", source, "proof"),
        _rates(f"{label}, shared by 2 to 8 devices", shared, ENERGY_LIMIT, "in sample", source, "soft"),
    ]


def _joules(case: ServeCase, joules: float) -> float:
    found = estimate_serving(case.network, case.on, case.job).energy_per_token_j
    return float("nan") if found is None else found["accelerator"] / joules - 1.0


def _rates(label: str, rates: Sequence[Rate], limit: float, how: str, source: str, kind: Kind) -> Result:
    errors = np.array([rate.error for rate in rates])
    return mean_error(label, [rate.name for rate in rates], errors, limit, how, source, kind)


def _by(
    label: str, rates: Sequence[Rate], key: Callable[[Rate], str], limit: float, source: str, how: str = "in sample"
) -> list[Result]:  # fmt: skip
    groups = dict.fromkeys(key(rate) for rate in rates)
    return [
        _rates(f"{label}, {name}", [rate for rate in rates if key(rate) == name], limit, how, source, "soft")
        for name in groups
    ]
