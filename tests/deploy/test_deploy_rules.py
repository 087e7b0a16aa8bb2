"""Each rule refuses a document that breaks it, and says so."""

import importlib.util
from pathlib import Path

import pytest

from twinloop.deploy.check import schema_faults
from twinloop.deploy.intent import resource_of
from twinloop.deploy.semantics import RULES, joined, semantic_faults
from twinloop.deploy.walk import ACCELERATORS, pod_template

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


def quota_of(queue, resource):
    flavors = queue["spec"]["resourceGroups"][0]["flavors"]
    rows = [row for flavor in flavors for row in flavor["resources"] if row["name"] == resource]
    return max(rows, key=lambda row: int(row["nominalQuota"]))


def rdma(document):
    amounts = pod_template(document)["spec"]["containers"][0]["resources"]
    for part in ("requests", "limits"):
        amounts[part]["rdma/ib"] = "8"


def master(to):
    def change(document):
        command = pod_template(document)["spec"]["containers"][0]["command"]
        (at,) = [n for n, word in enumerate(command) if word.startswith("--master-addr=")]
        command[at] = f"--master-addr={to}"

    return change


def command_of(document):
    return pod_template(document)["spec"]["containers"][0]["command"]


def listening(document, port):
    command = command_of(document)
    command[command.index("--port=8080")] = f"--port={port}"


def first_node(document):
    command = command_of(document)
    command[command.index("--node-rank=$(NODE_RANK)")] = "--node-rank=0"


def openshift(document):
    for port in document["spec"]["egress"][0]["ports"]:
        port["port"] = 5353


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
    "program's port": (SCORE, lambda d: listening(d, 9000), "--port=9000: serve opens no such port"),
    "rank": (TRAIN, first_node, "would be the same one"),
    "probe port": (SCORE, container("readinessProbe", "httpGet", "port", value="web"), "no port is named web"),
    "toleration": (TRAIN, inside(put([], "spec", "tolerations")), "no toleration"),
    "root": (SCORE, inside(put(0, "spec", "securityContext", "runAsUser")), "runAsNonRoot"),
    "token": (SCORE, inside(put(True, "spec", "automountServiceAccountToken")), "automount"),
    "privilege": (SCORE, container("securityContext", "privileged", value=True), "privileges"),
    "claim": (SCORE, inside(put({"claimName": "x"}, "spec", "volumes", 0, "persistentVolumeClaim")), "no Persistent"),
    "priority": (SCORE, inside(put("x", "spec", "priorityClassName")), "no PriorityClass"),
    "secret text": (SCORE, container("command", value=["x", "--password=hunter22222"]), "looks like a secret"),
    "secret env": (SCORE, container("env", value=[{"name": "API_KEY", "value": "x"}]), "API_KEY"),
    "latest": (SCORE, container("image", value="x:latest"), "latest is another image tomorrow"),
    "no tag": (SCORE, container("image", value="x"), "neither tag nor digest"),
    "root container": (SCORE, container("securityContext", "runAsUser", value=0), "runs as root"),
    "capabilities": (SCORE, container("securityContext", "capabilities", value={"drop": []}), "keeps capabilities"),
    "capability": (SCORE, container("securityContext", "capabilities", "add", value=["SYS_ADMIN"]), "SYS_ADMIN"),
    "host's network": (SCORE, inside(put(True, "spec", "hostNetwork")), "hostNetwork"),
    "host's path": (SCORE, inside(put({"name": "a", "hostPath": {"path": "/"}}, "spec", "volumes", 0)), "hostPath"),
    "host's port": (SCORE, container("ports", 0, "hostPort", value=80), "a port of the host"),
    "seccomp": (SCORE, inside(put({}, "spec", "securityContext", "seccompProfile")), "seccompProfile"),
    "no limit": (SCORE, container("resources", "limits", value={"amd.com/gpu": "1"}), "no limit of cpu"),
    "pod security": (("Namespace", "bank"), put("privileged", "metadata", "labels",
                     "pod-security.kubernetes.io/enforce"), "got privileged, expected restricted"),
    "other namespace": (SCORE, put("default", "metadata", "namespace"), "got default, expected bank"),
    "secrets read": (("Role", "bank-applier"), put(["secrets"], "rules", 0, "resources"), "on secrets, which nothing"),
    "escalation": (("Role", "bank-applier"), put(["escalate"], "rules", 0, "verbs"), "grants escalate"),
    "role": (("RoleBinding", "bank-applier"), put("x", "roleRef", "name"), "no Role is called x"),
    "local queue": (("LocalQueue", "bank"), put("x", "spec", "clusterQueue"), "no ClusterQueue is called x"),
    "account": (SCORE, inside(put("x", "spec", "serviceAccountName")), "no ServiceAccount"),
    "more than a host": (SCORE, container("resources", "requests", "cpu", value="400"), "asks for 400 cpu, a host of"),
    "other devices": (SCORE, container("resources", "requests", "nvidia.com/gpu", value="1"), "has none"),
    "no node": (SCORE, inside(put({"twinloop.dev/accelerator": "b300"}, "spec", "nodeSelector")), "no node of nodes"),
    "one mount": (("PersistentVolumeClaim", "artefacts-hall"), put(["ReadWriteOnce"], "spec", "accessModes"),
                  "expected ReadWriteMany"),
    "completions": (TRAIN, put(1, "spec", "jobTemplate", "spec", "completions"), "completions × nproc-per-node"),
    "parallelism": (TRAIN, put(1, "spec", "jobTemplate", "spec", "parallelism"), "pods × nproc-per-node: starts 8"),
    "devices of a pod": (TRAIN, container("resources", value={"limits": {"nvidia.com/gpu": "4", "cpu": "1",
                                                                         "memory": "1Gi"}}), "devices of its pods"),
    "master": (("Service", "train"), put("trains", "metadata", "name"), "no Service is called train"),
    "another master": (TRAIN, master("train-0.trains.bank.svc.cluster.local"), "no Service is called"),
    "no month": (TRAIN, put("0 2 * MAI *", "spec", "schedule"), "MAI: expected 1-12"),
    "no day": (TRAIN, put("0 2 * * SAT-MON", "spec", "schedule"), "SAT-MON: expected 0-7"),
    "no word": (TRAIN, put("@nightly", "spec", "schedule"), "got 1 fields"),
    "cluster's role": (("RoleBinding", "bank-applier"), put({"kind": "ClusterRole", "name": "views"}, "roleRef"),
                       "no ClusterRole is called views"),
    "other port for names": (("NetworkPolicy", "default-deny"), put(5354, "spec", "egress", 0, "ports", 0, "port"),
                             "look up names"),
    "schedule": (TRAIN, put("0 25 * * *", "spec", "schedule"), "25: expected 0-23"),
    "run's budget": (("PodDisruptionBudget", "train"), put(1, "spec", "minAvailable"), "expected all 2 pods"),
    "job's budget": (("PodDisruptionBudget", "features"), put({"maxUnavailable": 0, "selector": {"matchLabels": {
        "app.kubernetes.io/name": "features"}}}, "spec"), "pods of CronJob: expected minAvailable"),
    "policy's port": (("NetworkPolicy", "score"), put(9090, "spec", "ingress", 0, "ports", 0, "port"),
                      "no pod behind it opens port 9090"),
    "closed port": (("NetworkPolicy", "score"), put([], "spec", "ingress"), "lets anybody to port 8080"),
    "no policy": (("NetworkPolicy", "default-deny"), put(["Egress"], "spec", "policyTypes"), "Ingress is open"),
    "policy's pods": (("NetworkPolicy", "train"), put({"a": "b"}, "spec", "podSelector", "matchLabels"), "no pod"),
    "names": (("NetworkPolicy", "default-deny"), lambda d: d["spec"]["egress"][0]["ports"].pop(0), "look up names"),
    "target port": (("Service", "score"), put("web", "spec", "ports", 0, "targetPort"), "no port of its pods is named"),
    "pods of the quota": (("ResourceQuota", "bank"), put("3", "spec", "hard", "pods"), "what runs at once is"),
    "devices of the quota": (("ResourceQuota", "bank"), put("8", "spec", "hard", "requests.nvidia.com/gpu"),
                             "got 8, what runs at once is 16"),
    "heat of the quota": (("ResourceQuota", "bank"), put("64", "spec", "hard", "requests.nvidia.com/gpu"),
                          "got 64, heat and power carry 17"),
    "heat of the queue": (("ClusterQueue", "bank-hall"), lambda d: quota_of(d, "nvidia.com/gpu").update(
        nominalQuota="170"), "a quota of 170 nvidia.com/gpu, heat and power carry 17"),
    "heat": (("ConfigMap", "bank-plan"), lambda d: d["data"].update({"flavors.json": d["data"]["flavors.json"].replace(
        '"carried_devices": 17', '"carried_devices": 170')}), "170 devices, heat and power carry 17"),
    "flavors": (("ConfigMap", "bank-plan"), put("[{}]", "data", "flavors.json"), "expected a list of flavors"),
    "heat of what runs": (("HorizontalPodAutoscaler", "score"), put(40, "spec", "maxReplicas"), "40 devices always"),
    "memory of the queue": (("ClusterQueue", "bank-hall"), lambda d: [f["resources"].remove(row) for f in
        d["spec"]["resourceGroups"][0]["flavors"] for row in list(f["resources"]) if row["name"] == "memory"],
        "no queue covers memory"),
    "level": (("Topology", "hall-cooling"), put("twinloop.dev/rak", "spec", "levels", 2, "nodeLabel"),
              "no node of nodes.csv has the label twinloop.dev/rak"),
    "podset": (TRAIN, inside(put("x", "metadata", "annotations", "kueue.x-k8s.io/podset-preferred-topology")),
               "no Topology has the level x"),
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


SOUND = {
    "a network's resource beside the devices": (TRAIN, rdma),
    "names of days": (TRAIN, put("0 2 * JAN,jul-Dec MON-FRI", "spec", "schedule")),
    "one word": (TRAIN, put("@daily", "spec", "schedule")),
    "the whole name": (TRAIN, master("train-0.train.bank.svc.cluster.local")),
    "another domain": (TRAIN, master("train-0.train.bank.svc.example.org")),
    "port of OpenShift": (("NetworkPolicy", "default-deny"), openshift),
    "a role of each cluster": (("RoleBinding", "bank-applier"), put({"kind": "ClusterRole", "name": "view",
                               "apiGroup": "rbac.authorization.k8s.io"}, "roleRef")),
}  # fmt: skip


@pytest.mark.parametrize("case", SOUND)
def test_what_a_person_may_write_too_is_no_fault(documents, case):
    target, change = SOUND[case]
    documents = documents()
    (found,) = [d for _, d in documents if (d["kind"], d["metadata"]["name"]) == target]
    change(found)
    assert semantic_faults(documents) == []


def test_every_makers_device_is_an_accelerator():
    devices = {"B200-SXM-180GB": "gpu", "MI300X": "gpu", "TPU-v5p": "tpu", "Gaudi3": "gpu", "Trainium2": "gpu"}
    assert {resource_of(*each) for each in devices.items()} == ACCELERATORS


EXTRA = {
    "grants *": {"kind": "ClusterRole", "metadata": {"name": "a"}, "rules": [{"verbs": ["*"]}]},
    "administrator": {
        "kind": "RoleBinding",
        "metadata": {"name": "a"},
        "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
    },
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
        change(targets.first(whole, f"{kind} {name}" if name else kind))
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
