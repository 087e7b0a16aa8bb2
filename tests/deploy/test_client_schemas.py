"""Schemas out of client libraries: two small ones of the two generators' make, and the real ones where installed."""

import sys
import types

import pytest
from pydantic import BaseModel, Field

from twinloop.deploy.check import check_folder, read, schema_faults
from twinloop.deploy.client_schemas import client_schema


def generated(name, fields, **names):
    return type(name, (), {"openapi_types": fields, "attribute_map": {f: names.get(f, f) for f in fields}})


class Quantity(BaseModel):
    one_of_schemas: list[str] = []


class Spec(BaseModel):
    num_nodes: int | None = Field(default=None, alias="numNodes")
    limits: dict[str, Quantity] | None = None


class Job(BaseModel):
    api_version: str = Field(alias="apiVersion")
    kind: str
    metadata: dict | None = None
    spec: Spec


@pytest.fixture
def libraries(monkeypatch):
    client_schema.cache_clear()
    training = types.ModuleType("kubeflow.training.models")
    training.KubeflowOrgV1PyTorchJob = generated(
        "KubeflowOrgV1PyTorchJob",
        {"api_version": "str", "kind": "str", "metadata": "V1ObjectMeta", "spec": "KubeflowOrgV1Spec"},
        api_version="apiVersion",
    )
    training.KubeflowOrgV1Spec = generated(
        "KubeflowOrgV1Spec",
        {"nproc_per_node": "str", "roles": "dict(str, KubeflowOrgV1Spec)", "args": "list[str]",
         "pod": "V1PodTemplateSpec", "port": "object"}, nproc_per_node="nprocPerNode",
    )  # fmt: skip
    trainer = types.ModuleType("kubeflow_trainer_api.models")
    trainer.TrainerV1alpha1TrainJob = Job
    for module in (training, trainer):
        monkeypatch.setitem(sys.modules, module.__name__, module)
        parent = module.__name__.rpartition(".")[0]
        monkeypatch.setitem(sys.modules, parent, types.ModuleType(parent))
    yield
    client_schema.cache_clear()


OLD = {"apiVersion": "kubeflow.org/v1", "kind": "PyTorchJob", "metadata": {"name": "a"}}
NEW = {"apiVersion": "trainer.kubeflow.org/v1alpha1", "kind": "TrainJob", "metadata": {"name": "a"}}


@pytest.mark.parametrize(("document", "fault"), [
    ({**OLD, "spec": {"nprocPerNode": "8", "port": 1, "roles": {"Worker": {"args": ["a"]}}}}, None),
    ({**OLD, "spec": {"nproc_per_node": "8"}}, "nproc_per_node"),
    ({**OLD, "spec": {"nprocPerNode": 8}}, "nprocPerNode"),
    ({**OLD, "spec": {"roles": {"Worker": {"rolls": {}}}}}, "rolls"), ({**OLD, "spec": {"args": "a"}}, "args"),
    ({**OLD, "spec": {"pod": {"spec": {"containers": [{"name": "a", "imagee": "b"}]}}}}, "imagee"),
    ({**NEW, "spec": {"numNodes": 2, "limits": {"cpu": "1", "memory": 2}}}, None), (NEW, "spec"),
    ({**NEW, "spec": {"numNodes": "2"}}, "numNodes"), ({**NEW, "spec": {"nodes": 2}}, "nodes"),
])  # fmt: skip
def test_both_makes_of_library_give_a_schema(libraries, document, fault):
    faults = schema_faults(document, {})
    assert (faults == []) == (fault is None), faults
    assert fault is None or any(fault in each for each in faults)


@pytest.mark.usefixtures("no_client_libraries")
def test_without_a_library_the_fault_names_its_package():
    (fault,) = schema_faults(NEW, {})
    assert "no schema for trainer.kubeflow.org/v1alpha1 TrainJob" in fault
    assert "pip install kubeflow-trainer-api" in fault


@pytest.mark.slow
@pytest.mark.parametrize(("profile", "package", "kind"), [
    ("v2", "kubeflow_trainer_api", "TrainJob"), ("v1", "kubeflow.training", "PyTorchJob"),
])  # fmt: skip
def test_the_real_libraries_take_what_is_written(make, written, profile, package, kind):
    """Ours pass, a field of another version does not."""
    client_schema.cache_clear()
    pytest.importorskip(package, reason="pip install kubeflow-trainer-api kubeflow-training")
    folder = written(make(), target="kubeflow", profile=profile, queued=True)
    assert [f for f in check_folder(folder) if kind in f.object] == []
    (job,) = [d for _, d in read(folder) if d["kind"] == kind]
    job["spec"]["podSpecOverrides"] = []
    assert any("podSpecOverrides" in fault for fault in schema_faults(job, {}))
