"""Stages and data sets of the model."""

from __future__ import annotations

from twinloop.model.model import Dataset, Stage
from twinloop.scenario import schema
from twinloop.scenario.given import number
from twinloop.scenario.jurisdictions import within
from twinloop.scenario.provenance import Sources


def dataset(spec: schema.DatasetSpec, jurisdictions: tuple[str, ...], sources: Sources) -> Dataset:
    """Return the data set; its residency names every jurisdiction of the sites that lies within it."""
    areas = spec.residency or []
    inside = [place for place in jurisdictions if any(within(place, area) for area in areas)]
    path = f"datasets.{spec.name}"
    if spec.residency is None:
        sources.choice(f"{path}.residency", "anywhere", "none unless given", "low")
    growth = number(spec.growth, f"{path}.growth", "dataset_growth", sources)
    return Dataset(spec.name, spec.size, spec.home, tuple(dict.fromkeys([*areas, *inside])), growth)


def stage(spec: schema.AnyStageSpec, sources: Sources) -> Stage:
    """Return the stage, with the defaults of its kind."""
    path = f"stages.{spec.name}"
    after, reads, sites = tuple(spec.after), tuple(spec.reads), tuple(spec.sites)
    if isinstance(spec, schema.IngestSpec):
        peak = number(spec.peak_to_mean, f"{path}.peak_to_mean", "peak_to_mean", sources)
        return Stage(spec.name, "ingest", after, reads, None, rate_b_s=spec.rate, peak_to_mean=peak, sites=sites)
    if isinstance(spec, schema.PreprocessSpec):
        _once(spec.every, path, sources)
        return Stage(
            spec.name,
            "preprocess",
            after,
            reads,
            None,
            rows=spec.rows,
            row_b=number(spec.row_size, f"{path}.row_size", "row_size", sources),
            every_s=spec.every,
            deadline_s=spec.deadline,
            sites=sites,
        )
    if isinstance(spec, schema.TrainSpec):
        _once(spec.every, path, sources)
        if spec.batch is None:
            sources.choice(f"{path}.batch", "the planner's choice", "none unless given", "medium")
        return Stage(
            spec.name,
            "train",
            after,
            reads,
            spec.model,
            samples=spec.samples,
            batch=spec.batch,
            every_s=spec.every,
            deadline_s=spec.deadline,
            sites=sites,
        )
    return Stage(
        spec.name,
        "serve",
        after,
        reads,
        spec.model,
        requests_per_s=spec.rate,
        peak_to_mean=number(spec.peak_to_mean, f"{path}.peak_to_mean", "peak_to_mean", sources),
        latency_p99_s=spec.latency_p99,
        request_b=spec.request_size,
        input_tokens=spec.input_tokens,
        output_tokens=spec.output_tokens,
        accuracy_drop=number(spec.accuracy_drop, f"{path}.accuracy_drop", "accuracy_drop", sources),
        sites=sites,
    )


def _once(every: float | None, path: str, sources: Sources) -> None:
    if every is None:
        sources.choice(f"{path}.every", "once", "no period given", "medium")
