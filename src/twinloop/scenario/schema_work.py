"""The work: data sets, AI models and stages."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag

from twinloop.scenario import quantities as q
from twinloop.scenario.schema_base import Jurisdictions, Name, Part, Whole, Word, Words, kind_tag


class DatasetSpec(Part):
    """Data at rest."""

    name: Name
    size: q.Data
    home: Name
    residency: Jurisdictions | None = None
    growth: q.DataRateOrZero | None = None


class LayersSpec(Part):
    """A transformer or mixture of experts by its layers."""

    name: Name
    kind: Literal["transformer", "mixture"]
    layers: Annotated[int, Field(ge=1, le=10_000)]
    hidden: Annotated[int, Field(ge=1, le=10**6)]
    heads: Annotated[int, Field(ge=1, le=10_000)]
    vocabulary: Annotated[int, Field(ge=1, le=10**8)]
    context: Annotated[int, Field(ge=1, le=10**8)]
    kv_heads: Annotated[int, Field(ge=1, le=10_000)] | None = None
    head_dim: Annotated[int, Field(ge=1, le=10_000)] | None = None
    ffn: Annotated[int, Field(ge=1, le=10**7)] | None = None
    gated: bool | None = None
    tied: bool | None = None
    causal: bool | None = None
    attention: Annotated[str, StringConstraints(pattern=r"^(full|flash|mla|sliding:[1-9][0-9]{0,7})$")] | None = None
    experts: Annotated[int, Field(ge=2, le=100_000)] | None = None
    top_k: Annotated[int, Field(ge=1, le=100_000)] | None = None
    shared_experts: Annotated[int, Field(ge=0, le=1000)] | None = None
    expert_ffn: Annotated[int, Field(ge=1, le=10**7)] | None = None
    dense_layers: Annotated[int, Field(ge=0, le=10_000)] | None = None
    state_space_layers: Annotated[int, Field(ge=0, le=10_000)] | None = None


class CountsSpec(Part):
    """Any other model by its counts: parameters, operations and bytes of one forward sample."""

    name: Name
    kind: Literal["convnet", "recommender", "graph", "diffusion", "molecular", "generic"]
    parameters: q.Count
    flops_per_sample: q.Count
    bytes_per_sample: q.Data | None = None


class TreesSpec(Part):
    """Boosted or bagged decision trees."""

    name: Name
    kind: Literal["trees"]
    trees: Annotated[int, Field(ge=1, le=10**7)]
    depth: Annotated[int, Field(ge=1, le=64)]


class ArchitectureSpec(Part):
    """A published model, by its name in the catalogue; ``context`` where less of it is used."""

    name: Name
    architecture: Word
    context: Annotated[int, Field(ge=1, le=10**8)] | None = None


class ConfigSpec(Part):
    """A model by its Hugging Face ``config.json``."""

    name: Name
    config: Word
    context: Annotated[int, Field(ge=1, le=10**8)] | None = None


class OnnxSpec(Part):
    """A model by its ONNX graph; ``shapes`` fixes dimensions that the graph leaves open."""

    name: Name
    onnx: Word
    shapes: dict[str, Annotated[int, Field(ge=1, le=10**8)]] | None = None


_MODEL_KINDS = {
    **dict.fromkeys(("transformer", "mixture"), "<layers>"),
    **dict.fromkeys(("convnet", "recommender", "graph", "diffusion", "molecular", "generic"), "<counts>"),
    "trees": "<trees>",
}


def _model_tag(value: Any) -> str | None:
    if not isinstance(value, dict):
        return "<layers>"
    for key in ("architecture", "config", "onnx"):
        if key in value:
            return f"<{key}>"
    kind = value.get("kind")
    return _MODEL_KINDS.get(kind) if isinstance(kind, str) else None


NetworkSpec = Annotated[
    Annotated[LayersSpec, Tag("<layers>")]
    | Annotated[CountsSpec, Tag("<counts>")]
    | Annotated[TreesSpec, Tag("<trees>")]
    | Annotated[ArchitectureSpec, Tag("<architecture>")]
    | Annotated[ConfigSpec, Tag("<config>")]
    | Annotated[OnnxSpec, Tag("<onnx>")],
    Discriminator(_model_tag),
]


class StageSpec(Part):
    """What every stage has."""

    name: Name
    after: Words = Field(default_factory=list)
    sites: Words = Field(default_factory=list)


class IngestSpec(StageSpec):
    """Data that arrives and is written."""

    kind: Literal["ingest"]
    reads: Words = Field(default_factory=list)
    rate: q.DataRate
    peak_to_mean: q.Ratio | None = None


class PreprocessSpec(StageSpec):
    """Rows turned into features, on processors."""

    kind: Literal["preprocess"]
    reads: Words = Field(default_factory=list)
    rows: q.Count
    row_size: q.RowSize | None = None
    every: q.Duration | None = None
    deadline: q.Duration | None = None


class TrainSpec(StageSpec):
    """A training run, once or again and again."""

    kind: Literal["train"]
    reads: Words = Field(default_factory=list)
    model: Name
    samples: q.Count
    batch: Whole | None = None
    every: q.Duration | None = None
    deadline: q.Duration | None = None


class ServeSpec(StageSpec):
    """A model that answers requests."""

    kind: Literal["serve"]
    reads: Words = Field(default_factory=list)
    model: Name
    rate: q.Rate
    peak_to_mean: q.Ratio | None = None
    latency_p99: q.Latency | None = None
    request_size: q.RowSize | None = None
    input_tokens: Whole | None = None
    output_tokens: Annotated[int, Field(ge=0, le=10**8)] | None = None
    accuracy_drop: q.Share | None = None


AnyStageSpec = Annotated[
    Annotated[IngestSpec, Tag("<ingest>")]
    | Annotated[PreprocessSpec, Tag("<preprocess>")]
    | Annotated[TrainSpec, Tag("<train>")]
    | Annotated[ServeSpec, Tag("<serve>")],
    Discriminator(kind_tag),
]
