"""What one request of a public benchmark is, for a model typed by the benchmark's name.

MLPerf Inference fixes the data set, the beams and the accuracy of each of its models. Where a person types such a
name (``llama2-70b-99``, ``gptj-99.9``, ``dlrm-v2-99``) and says no lengths or format, these hold. Mean lengths: MLPerf
Inference submission checker and data-set pages of rounds 4.1 and 5.1 (from memory where not marked counted; medium).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

EIGHT = ("fp8", "int8", "fp16")
LANGUAGE = ("nvfp4", "fp8", "int8", "bf16")
"""Formats in the order in which submitters take them; the first that a device has."""


Limits = tuple[float | None, float | None, float | None]
"""(time to first token, time per token, latency) at the 99th percentile, s."""


@dataclass(frozen=True)
class Benchmark:
    """One request, and the formats its accuracy allows."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    beams: int = 1
    work: float = 1.0
    """Catalogue samples in one of the benchmark's."""
    precisions: tuple[str, ...] = EIGHT


BENCHMARKS: dict[str, Benchmark] = {
    "llama2-70b": Benchmark(294, 294, precisions=LANGUAGE),
    "llama3.1-8b": Benchmark(778, 128, precisions=LANGUAGE),
    "llama3.1-405b": Benchmark(9428, 685, precisions=LANGUAGE),
    "mixtral-8x7b": Benchmark(306, 145, precisions=("fp8", "bf16")),
    "deepseek-r1": Benchmark(800, 3886, precisions=LANGUAGE),
    "gptj": Benchmark(924, 69, beams=4),
    "bert": Benchmark(input_tokens=178, precisions=("int8", "fp8", "fp16")),
    "dlrm-v2": Benchmark(work=270.0, precisions=("int8", "fp16")),
    "resnet50": Benchmark(precisions=("int8", "fp16")),
    "resnet": Benchmark(precisions=("int8", "fp16")),
    "retinanet": Benchmark(precisions=("int8", "fp16")),
    "3d-unet": Benchmark(work=100.0, precisions=("int8", "fp16")),
    "stable-diffusion-xl": Benchmark(precisions=EIGHT),
    "whisper": Benchmark(1500, 63, precisions=("fp16",)),
    "rgat": Benchmark(precisions=("fp16",)),
}
"""BERT: SQuAD, 384 tokens padded, 178 on average. DLRM-DCNv2: 100 to 700 user-item pairs a query, 270 on average.
3D-UNet: KiTS19 volumes of about 270 x 333 x 333 voxels in windows of 128 with half overlap, 4 x 5 x 5.
Whisper: LibriSpeech in pieces of up to 30 s; 45,333 tokens and 714 pieces a second in one run summary of round 5.1.
GPT-J: CNN/DailyMail with four beams. Llama-2, Mixtral: OpenOrca and others.
Llama-3.1-405B: LongBench and others."""
LIMITS: dict[str, dict[str, Limits]] = {
    "llama2-70b": {"server": (2.0, 0.2, None), "interactive": (0.45, 0.04, None)},
    "llama3.1-8b": {"server": (2.0, 0.1, None), "interactive": (0.5, 0.03, None)},
    "llama3.1-405b": {"server": (6.0, 0.175, None), "interactive": (4.5, 0.08, None)},
    "mixtral-8x7b": {"server": (2.0, 0.2, None)},
    "deepseek-r1": {"server": (2.0, 0.08, None), "interactive": (1.5, 0.015, None)},
    "gpt-oss-120b": {"server": (3.0, 0.08, None), "interactive": (2.0, 0.015, None)},
    "gptj": {"server": (None, None, 20.0)}, "bert": {"server": (None, None, 0.13)},
    "dlrm-v2": {"server": (None, None, 0.06)}, "resnet50": {"server": (None, None, 0.015)},
    "retinanet": {"server": (None, None, 0.1)}, "stable-diffusion-xl": {"server": (None, None, 20.0)},
}  # fmt: skip
"""Benchmark -> scenario -> limits; the same source."""
STRICT: dict[str, tuple[str, ...]] = {"dlrm-v2": ("fp16",), "bert": ("fp8", "fp16")}
"""Formats of the 99.9 % accuracy class, where 8-bit integers miss it."""


def limits(name: str, scenario: str) -> Limits:
    """Return what the benchmark typed as ``name`` asks of ``scenario``.

    >>> limits("llama3.1-405b", "server"), limits("llama-3-8b", "server")
    ((6.0, 0.175, None), (None, None, None))
    """
    return LIMITS.get(_plain(name), {}).get(scenario, (None, None, None))


def _plain(name: str) -> str:
    """Return ``name`` without the accuracy asked of it; where one is asked, as the benchmark spells it."""
    plain = re.sub(r"-99(\.[09])?$", "", name.lower())
    return plain if plain == name.lower() else _SPELLED.get(_compact(plain), plain)


def _compact(name: str) -> str:
    return re.sub(r"[-_ ]", "", name)


_SPELLED = {_compact(name): name for name in BENCHMARKS}


def benchmark(name: str) -> Benchmark | None:
    """Return the benchmark that ``name`` is typed as; ``None`` for a plain model name.

    >>> benchmark("gptj-99.9").beams, benchmark("dlrm-v2-99.9").precisions, benchmark("llama-3-8b")
    (4, ('fp16',), None)
    >>> benchmark("llama-2-70b-99") == benchmark("llama2-70b-99.9") == benchmark("llama2-70b")
    True
    """
    match = re.fullmatch(r"(.+?)-(99|99\.9|99\.0)", name.lower())
    plain = _plain(name)
    found = BENCHMARKS.get(plain)
    if found is None or (match is None and plain == "bert"):
        return None
    if match and match[2] == "99.9" and plain in STRICT:
        return replace(found, precisions=STRICT[plain])
    return found


_STORED = re.compile(r"(?:^|[-_ /])(fp8|nvfp4|mxfp4|int8|int4|w4a16|awq|gptq)(?:$|[-_ ])", re.IGNORECASE)
_STORED_NAMES = {"gpt-oss": "mxfp4", "deepseek-v3": "fp8", "deepseek-r1": "fp8", "kimi-k2": "fp8"}
"""Models published in one format only (their model cards)."""


def stored_format(name: str) -> str | None:
    """Return the format that a published name says its weights have.

    >>> stored_format("Qwen/Qwen3-32B-FP8"), stored_format("openai/gpt-oss-20b"), stored_format("llama-3-8b")
    ('fp8', 'mxfp4', None)
    """
    match = _STORED.search(name)
    if match:
        return {"w4a16": "int4", "awq": "int4", "gptq": "int4"}.get(match[1].lower(), match[1].lower())
    return next((found for start, found in _STORED_NAMES.items() if start in name.lower()), None)
