import copy
import importlib.util
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from kube_fixtures import api, client, kubectl  # noqa: F401 - fixtures

from twinloop.deploy.check import whole
from twinloop.deploy.client_schemas import client_schema
from twinloop.deploy.intent import deployment_of
from twinloop.deploy.render import render
from twinloop.deploy.style import style_of
from twinloop.model.model import Provenance
from twinloop.model.plan import (
    Electrical,
    Equipment,
    ObjectiveValue,
    Plan,
    PlannedCooling,
    PlannedParallelism,
    PlannedSite,
    PlannedStage,
    RackShare,
    RackType,
    Totals,
)

TOTALS = Totals(1.0, 1.0, 1.0, 1.0, 1.0, None, None, None, None, None, None, {}, 0.0, 1.0, None, 0.0, {})


def stage(name, device, server, per_node, data, tensor=1, pipeline=1, **other):
    count = data * tensor * pipeline
    fields = {
        "precision": "bf16", "compression": "none", "throughput": 1000.0, "duration_s": None, "mfu": None,
        "latency_p99_s": None, "power_w": 1000.0 * count, **other,
    }  # fmt: skip
    return PlannedStage(
        name=name, site="hall", device=device, device_count=count, server=server, servers=-(-count // per_node),
        parallelism=PlannedParallelism(data, tensor, pipeline, 1, 1, 1, 8 * data), memory_per_device_gb=1.0,
        time_breakdown_s={}, why="", **fields,
    )  # fmt: skip


def equipment(tag, kind, margin, count=1):
    return Equipment(tag, kind, count, 1, 1e6, None, None, None, None, 0.0, "", margin, 0.0)


def small_plan(data=4, tensor=2, pipeline=2, replicas=16, every="1 day", margin=0.1, ups=2.0, facts=()):
    """A hall with plates for training and rear doors for serving."""
    stages = (
        stage("features", "EPYC-9654", "CPU-2-EPYC-9654", 2, 2, duration_s=100.0),
        stage("train", "B200-SXM-180GB", "HGX-B200-8-liquid", 8, data, tensor, pipeline, mfu=0.4, duration_s=1000.0),
        stage("score", "MI300X", "MI300X-8-air", 8, replicas, latency_p99_s=0.02),
    )
    carriers = (("features", "cold_plate"), ("train", "cold_plate"), ("score", "rear_door"))
    racks = tuple(
        RackType(
            f"{name} racks",
            2,
            each.server,
            4,
            1e4,
            1.0,
            1.0,
            {},
            {"accelerator": carrier},
            (RackShare(name, each.server, 4),),
        )
        for each, (name, carrier) in zip(stages, carriers, strict=True)
    )
    it_w = sum(each.power_w for each in stages)
    site = PlannedSite(
        "hall", "on-premise", 6, racks,
        PlannedCooling("plates", {"accelerator": "cold_plate"}, "", "", 25.0, {}, "N+1", ""),
        (equipment("CP", "cold_plate", margin), equipment("CDU", "cdu", margin, 2), equipment("WT", "tower", 0.5),
         equipment("RD", "rear_door_passive", 0.25), equipment("CH", "air_cooled_chiller", 0.3)),
        Electrical(1.0, ups * it_w, 1.0), None, (), TOTALS, "twin",
    )  # fmt: skip
    rows = {
        "datasets.events.home": "hall", "datasets.events.size": "2 TB", "datasets.events.residency": "EU",
        "stages.features.reads": "events", "stages.features.every": every, "stages.features.deadline": "2 h",
        "stages.train.after": "features", "stages.train.every": every, "stages.train.deadline": "5 h",
        "stages.train.model": "net", "models.net.layers": "4", "models.net.hidden": "64",
        "stages.score.after": "train", "stages.score.rate": "400/s", "stages.score.peak_to_mean": "2",
        "stages.score.latency_p99": "30 ms", **dict(facts),
    }  # fmt: skip
    provenance = tuple(Provenance(path, value, "test", "given") for path, value in rows.items() if value)
    return Plan(
        1, "bank", "0" * 16, "optimal", "", ObjectiveValue("cost", 1.0, 1.0, 0.0), stages, (site,), (), (), TOTALS,
        None, (), (), (), None, (), (), provenance,
    )  # fmt: skip


@pytest.fixture
def make():
    return small_plan


def only(plan, *names):
    """Return ``plan`` without its other stages, as if it had been made so."""
    gone = {each.name for each in plan.stages} - set(names)
    sites = tuple(
        replace(site, rack_types=tuple(r for r in site.rack_types if {s.stage for s in r.contents} - gone))
        for site in plan.sites
    )  # fmt: skip
    rows = tuple(row for row in plan.provenance if not any(row.path.startswith(f"stages.{name}.") for name in gone))
    stages = tuple(each for each in plan.stages if each.name in names)
    return replace(plan, stages=stages, sites=sites, provenance=rows)


@pytest.fixture
def without():
    return only


@pytest.fixture
def stage_of():
    return stage


@pytest.fixture
def changed():
    return replace


@pytest.fixture
def written(tmp_path):
    def write(plan, folder="out", *, target="k8s", images=None, **choices):
        root = tmp_path / folder
        for name, text in render(deployment_of(plan, "ab" * 8, images), target, style_of(target, **choices)).items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        return root

    return write


READ = {}


@pytest.fixture
def documents(written):
    """Return a fresh copy of the small plan's documents in a style; each style is written and read once."""

    def find(**choices):
        name = repr(sorted(choices.items()))
        if name not in READ:
            READ[name] = whole(written(small_plan(), f"documents-{len(READ)}", **choices))
        return copy.deepcopy(READ[name])

    return find


@pytest.fixture
def crds():
    """The reference's CRD schemas: skipped loudly where they are not at hand."""
    root = os.environ.get("TWINLOOP_REFERENCE") or Path(__file__).resolve().parents[3] / "shared" / "reference"
    folder = Path(root) / "data" / "crds"
    if not folder.is_dir():
        pytest.skip(f"no CRD schemas in {folder}: set TWINLOOP_REFERENCE")
    return folder


@pytest.fixture
def no_client_libraries(monkeypatch):
    """As on a machine without the operators' client libraries, installed or not."""
    client_schema.cache_clear()
    for name in ("kubeflow_trainer_api", "kubeflow.training"):
        for module in [name, *(each for each in sys.modules if each.startswith(f"{name}."))]:
            monkeypatch.setitem(sys.modules, module, None)
    yield
    client_schema.cache_clear()


@pytest.fixture
def torch_python():
    """A Python with torch: skipped loudly where there is none."""
    found = os.environ.get("TWINLOOP_TORCH_PYTHON") or (
        sys.executable if importlib.util.find_spec("torch") is not None else None
    )
    if found is None:
        pytest.skip("no torch: pip install 'twinloop[torch]', or set TWINLOOP_TORCH_PYTHON")
    return found
