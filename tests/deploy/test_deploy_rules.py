"""Each rule refuses a document that breaks it, and says so."""

import importlib.util
from pathlib import Path

import pytest

from twinloop.deploy.check import schema_faults
from twinloop.deploy.semantics import RULES, joined, semantic_faults
from twinloop.deploy.walk import pod_template

SCORE, TRAIN = ("Deployment", "score"), ("CronJob", "train")


def put(value, *path):
    def change(document):
        for name in path[:-1]:
            document = document[name]
        document[path[-1]] = value

    return change


def inside(change):
    return lambda document: change(pod_template(document))


def container(*path, value):
    return inside(put(value, "spec", "containers", 0, *path))


BROKEN = {
    "upper-case name": (SCORE, put("Score", "metadata", "name"), "DNS name"),
    "selector": (SCORE, put({"a": "b"}, "spec", "selector", "matchLabels"), "matches no pod template"),
    "service selector": (("Service", "score"), put({"a": "b"}, "spec", "selector"), "matches no pod template"),
    "budget": (("PodDisruptionBudget", "train"), put({"a": "b"}, "spec", "selector", "matchLabels"), "matches no pod"),
    "restart": (TRAIN, inside(put("Always", "spec", "restartPolicy")), "restartPolicy"),
    "bounds": (("HorizontalPodAutoscaler", "score"), put(99, "spec", "minReplicas"), "above maxReplicas"),
    "no target": (("HorizontalPodAutoscaler", "score"), put("x", "spec", "scaleTargetRef", "name"), "no such object"),
    "fixed replicas": (SCORE, put(3, "spec", "replicas"), "undo the autoscaler"),
    "quantity": (SCORE, container("resources", "limits", "cpu", value="0.5core"), "not a quantity"),
    "unequal devices": (SCORE, container("resources", "limits", "amd.com/gpu", value="2"), "differ"),
    "probe port": (SCORE, container("readinessProbe", "httpGet", "port", value="web"), "no port is named web"),
    "toleration": (TRAIN, inside(put([], "spec", "tolerations")), "no toleration"),
    "root": (SCORE, inside(put(0, "spec", "securityContext", "runAsUser")), "runAsNonRoot"),
    "token": (SCORE, inside(put(True, "spec", "automountServiceAccountToken")), "automount"),
    "privilege": (SCORE, container("securityContext", "privileged", value=True), "privileges"),
    "claim": (SCORE, inside(put({"claimName": "x"}, "spec", "volumes", 0, "persistentVolumeClaim")), "no Persistent"),
    "priority": (SCORE, inside(put("x", "spec", "priorityClassName")), "no PriorityClass"),
    "secret text": (SCORE, container("command", value=["x", "--password=hunter22222"]), "looks like a secret"),
    "secret env": (SCORE, container("env", value=[{"name": "API_KEY", "value": "x"}]), "API_KEY"),
    "latest": (SCORE, container("image", value="x:latest"), "neither tag nor digest"),
    "digest": (SCORE, container("image", value="x@sha256:12"), "no SHA-256"),
    "quota": (("ClusterQueue", "bank-hall"), lambda d: [
        row.update(nominalQuota="15") for f in d["spec"]["resourceGroups"][0]["flavors"] for row in f["resources"]
        if row["name"] == "nvidia.com/gpu"], "more than the quota"),
    "topology": (("ResourceFlavor", "mi300x-rear-door"), put("x", "spec", "topologyName"), "no Topology"),
    "flavor": (("ResourceFlavor", "mi300x-rear-door"), put("x", "metadata", "name"), "no ResourceFlavor"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_rule_is_found(documents, case):
    target, change, message = BROKEN[case]
    documents = documents(queued=True)
    assert semantic_faults(documents) == []
    (found,) = [d for _, d in documents if (d["kind"], d["metadata"]["name"]) == target]
    change(found)
    assert any(message in fault[2] for fault in semantic_faults(documents)), semantic_faults(documents)


EXTRA = {
    "grants *": {"kind": "ClusterRole", "metadata": {"name": "a"}, "rules": [{"verbs": ["*"]}]},
    "administrator": {"kind": "RoleBinding", "metadata": {"name": "a"}, "roleRef": {"name": "cluster-admin"}},
    "a Secret in a file": {"kind": "Secret", "metadata": {"name": "a"}},
}


@pytest.mark.parametrize("message", EXTRA)
def test_an_object_that_should_not_be_there_is_found(message):
    assert any(message in fault[2] for fault in semantic_faults([("sites/a/x.yaml", EXTRA[message])]))


def test_every_rule_has_a_mutant_that_breaks_it(documents):
    """No rule is there that no mutant of this file or of the targets' ever broke."""
    path = Path(__file__).with_name("test_deploy_targets.py")
    spec = importlib.util.spec_from_file_location("targets", path)
    targets = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(targets)
    mutants = [(documents(queued=True), target, change) for target, change, _ in BROKEN.values()]
    mutants += [
        (documents(**targets.STYLES[style]), (kind, None), change) for style, kind, change, _ in targets.BROKEN.values()
    ]
    broken = set()
    for whole, (kind, name), change in mutants:
        change(next(d for _, d in whole if d["kind"] == kind and name in (None, d["metadata"]["name"])))
        broken |= {rule.__name__ for rule in RULES if any(True for _ in rule(joined(whole)))}
    for document in EXTRA.values():
        broken |= {rule.__name__ for rule in RULES if any(True for _ in rule([("sites/a/x.yaml", document)]))}
    assert broken == {rule.__name__ for rule in RULES}


def test_an_object_written_twice_is_found(documents):
    documents = documents()
    assert any("twice" in fault[2] for fault in semantic_faults([*documents, documents[0]]))


@pytest.mark.parametrize("change", [put("3", "spec", "replicas"), put(1, "spec", "replicass"),
                                    container("name", value=7)])  # fmt: skip
def test_schemas_refuse_wrong_types_and_unknown_fields(documents, change):
    (found,) = [d for _, d in documents() if (d["kind"], d["metadata"]["name"]) == SCORE]
    assert schema_faults(found, {}) == []
    change(found)
    assert schema_faults(found, {})
