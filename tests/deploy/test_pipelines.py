"""A pipeline's task starts a stage's job in the cluster and waits for its end; images carry what was given."""

import json
import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from twinloop.deploy.access import plural
from twinloop.deploy.apply import apply_bundle
from twinloop.deploy.bundle import load
from twinloop.deploy.check import check_folder, read
from twinloop.deploy.images import program
from twinloop.deploy.kube import KubeCluster
from twinloop.deploy.names import given_images
from twinloop.errors import InputError
from twinloop.model.codec import dumps, loads
from twinloop.model.plan import Plan

DIGEST = "sha256:" + "ab" * 32


def loaded(path):
    return YAML(typ="safe", pure=True).load(path.read_text("utf-8"))


@pytest.fixture
def task(make, written, tmp_path, api):
    """Start the task of the stage ``features`` as the pipeline says; return the process."""
    body = loaded(written(make(), target="kubeflow") / "pipelines" / "hall.yaml")
    container = body["deploymentSpec"]["executors"]["exec-features"]["container"]
    script = tmp_path / "submit.py"
    script.write_text(program("submit"))
    started = []

    def start():
        assert container["command"] == ["python", "/app/submit.py"]
        words = [sys.executable, script, *container["args"], f"--server={api.url}", "--every-s=0.05"]
        started.append(subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def job_in(kubectl):
    for _ in range(100):
        found = json.loads(kubectl("get", "jobs", "-n", "bank", "-o", "json"))["items"]
        if found:
            return found[0]
        time.sleep(0.05)
    raise AssertionError("no job was created")


@pytest.mark.parametrize(("condition", "code"), [("Complete", 0), ("Failed", 1)])
def test_a_task_waits_for_its_job(api, kubectl, task, condition, code):
    kubectl("create", "-f", "-", stdin={"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "bank"}})
    process = task()
    job = job_in(kubectl)
    assert job["metadata"]["name"].startswith("features-")
    assert job["spec"]["template"]["spec"]["nodeSelector"]["twinloop.dev/cooling"] == "cold-plate"
    assert process.poll() is None
    status = {"status": {"conditions": [{"type": condition, "status": "True", "message": "told"}]}}
    kubectl("patch", "job", job["metadata"]["name"], "-n", "bank", "--subresource=status", "--type=merge", "-p",
            json.dumps(status))  # fmt: skip
    out, error = process.communicate(timeout=20)
    assert process.returncode == code, error
    assert "created Job features-" in out
    if code:
        assert "Failed: told" in error


def test_a_refused_task_says_why(kubectl, task):
    out, error = task().communicate(timeout=20)
    assert out == ""
    assert "refused: 404" in error


def test_the_pipelines_account_may_start_its_jobs_and_nothing_else(make, written):
    granted = [d for f, d in read(written(make(), target="kubeflow")) if f.endswith("access.yaml")]
    (role,) = [d for d in granted if (d["kind"], d["metadata"]["name"]) == ("Role", "bank-pipeline")]
    assert role["rules"] == [
        {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create", "get"]},
        {"apiGroups": ["trainer.kubeflow.org"], "resources": ["trainjobs"], "verbs": ["create", "get"]},
    ]


STARTED = {"Job", "CronJob", "TrainJob", "PyTorchJob", "TFJob", "JAXJob", "MPIJob"}


@pytest.mark.parametrize("profile", ["v2", "v1", "mpi"])
def test_applying_a_site_starts_nothing_that_its_pipeline_starts(api, client, crds, make, written, profile):
    """One starter a run: the pipeline, or a person with the same manifest; the layer brings what runs stand on."""
    api.store.install(crds)
    folder = written(make(), target="kubeflow", profile=profile, queued=True)
    assert check_folder(folder, crds) == []
    bundle = load(folder / "sites" / "hall")
    apply_bundle(bundle, KubeCluster(client), dry_run=False, now=datetime(2026, 1, 1, tzinfo=UTC), access=True)
    live = {
        kind.kind
        for kind in api.store.kinds.values()
        if api.store.select(kind, "bank" if kind.namespaced else None, lambda _: True)
    }
    assert "ServiceAccount" in live
    assert not live & STARTED
    granted = {r for d in bundle.access for rule in d.get("rules", []) for r in rule["resources"]
               if d["metadata"]["name"] == "bank-applier"}  # fmt: skip
    assert not granted & {plural(kind) for kind in STARTED}
    executors = loaded(folder / "pipelines" / "hall.yaml")["deploymentSpec"]["executors"]
    for name in ("features", "train"):
        piped = json.loads(executors[f"exec-{name}"]["container"]["args"][1].removeprefix("--manifest="))
        assert piped == loaded(folder / "sites" / "hall" / f"run-{name}.yaml")
        # Suspended for its queue: without the queue's label nobody would ever let it go.
        assert piped["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "bank"
        assert piped["spec"].get("suspend") or piped["spec"]["runPolicy"]["suspend"]


def test_names_of_hosts_end_in_time(make, written):
    """The longest stage: what operators add to a run's name stays a host name (63 characters)."""
    name = "nightly-refresh-of-the-retrieval-augmented-model-for-branches"
    folder = written(loads(Plan, re.sub(r"\btrain\b", name, dumps(make()))), target="kubeflow")
    (path,) = (folder / "sites" / "hall").glob("run-nightly*.yaml")
    run = loaded(path)["metadata"]["name"]
    assert len(f"{run}-{0xFFFFFFFF:x}-node-0-9999-abcde") <= 63
    assert check_folder(folder)  # Trainer's schema is not at hand, no more than that:
    assert all("no schema for" in f.message for f in check_folder(folder))


def test_images_carry_what_was_given(make, written, crds):
    mine = given_images((f"train=registry.example/train@{DIGEST}", "submit=registry.example/submit:3"),
                        ["features", "train", "score", "submit"])  # fmt: skip
    folder = written(make(), target="kubeflow", images=mine)
    assert check_folder(folder, crds) == []
    text = "".join(path.read_text() for path in Path(folder / "sites").rglob("*.yaml"))
    assert f"registry.example/train@{DIGEST}" in text
    assert "bank-train:" not in text
    layer = loaded(folder / "sites" / "hall" / "kustomization.yaml")
    assert [each["name"] for each in layer["images"]] == ["bank-features", "bank-score"]
    assert "registry.example/submit:3" in (folder / "pipelines" / "hall.yaml").read_text()


@pytest.mark.parametrize(("text", "message"), [
    ("trains=a:1", "expected one of train"), ("train=a@sha256:12", "no SHA-256"),
    ("train=a:latest", "the tag latest, which moves"),
    ("train=r.example:5000/a", "neither digest nor tag"),
])  # fmt: skip
def test_images_that_may_change_are_refused(text, message):
    with pytest.raises(InputError, match=message):
        given_images((text,), ["train"])
