"""``deploy apply`` against the fake API server; what came of it is read by kubectl, not by our own client."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from kube_server import Fault

from twinloop.deploy import marks
from twinloop.deploy.access import CLUSTER_WIDE, plural
from twinloop.deploy.apply import CAP_NOTE, KINDS_NOTE, apply_bundle
from twinloop.deploy.bundle import load, renamed, sites_in
from twinloop.deploy.cluster import ClusterError, Target
from twinloop.deploy.kube import KubeCluster
from twinloop.errors import InputError

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TOKEN = "applier-token"  # noqa: S105 - of the fake server


@pytest.fixture
def cluster(client):
    return KubeCluster(client, sleep=lambda _: None)


READ = {}


def bundle_of(folder):
    """Return the layer's bundle; reading YAML is most of these tests' time, so equal texts are read once."""
    layer = sites_in(folder)["hall"]
    text = "".join(path.read_text() for path in sorted(layer.glob("*.yaml")))
    if text not in READ:
        READ[text] = load(layer)
    return READ[text]


def run(bundle, cluster, *, dry_run=False, **options):
    return apply_bundle(bundle, cluster, dry_run=dry_run, now=NOW, **options)


def config_map(name, labels=None, data=None):
    meta = {"name": name, "namespace": "bank", "labels": labels or {}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data or {}}


def did(report):
    return {str(action.target): action.did for action in report.actions}


def writes(api):
    return [path for method, path, query in api.requests if method != "GET" and "dryRun" not in query]


def test_twice_is_once(api, make, written, cluster, kubectl):
    bundle = bundle_of(written(make()))
    first = run(bundle, cluster, access=True)
    assert set(did(first).values()) == {"created"}
    before = kubectl("get", "deploy,cm,cronjob,hpa,pdb,ns", "-A", "-o", "json", "--show-managed-fields")
    second = run(bundle, cluster, access=True)
    assert set(did(second).values()) == {"unchanged"}
    assert kubectl("get", "deploy,cm,cronjob,hpa,pdb,ns", "-A", "-o", "json", "--show-managed-fields") == before


def test_a_rehearsal_writes_nothing(api, make, written, cluster):
    report = run(bundle_of(written(make())), cluster, dry_run=True, access=True)
    assert report.dry_run
    assert set(did(report).values()) == {"created"}
    assert writes(api) == []


def test_kubectl_agrees_that_nothing_is_left_to_change(make, written, cluster, kubectl):
    folder = written(make())
    run(bundle_of(folder), cluster, access=True)
    kept = kubectl("get", "deploy", "score", "-n", "bank", "-o", "jsonpath={.metadata.resourceVersion}")
    kubectl("apply", "--server-side", "--field-manager=twinloop", "-k", str(folder / "sites" / "hall"))
    assert kubectl("get", "deploy", "score", "-n", "bank", "-o", "jsonpath={.metadata.resourceVersion}") == kept


def test_what_others_add_survives(make, written, cluster, kubectl):
    bundle = bundle_of(written(make()))
    run(bundle, cluster, access=True)
    kubectl("label", "deploy", "score", "-n", "bank", "team=risk")
    kubectl("patch", "deploy", "score", "-n", "bank", "--type=merge", "-p", '{"spec":{"replicas":11}}')
    assert set(did(run(bundle, cluster, access=True)).values()) == {"unchanged"}
    shown = kubectl("get", "deploy", "score", "-n", "bank", "-o", "jsonpath={.metadata.labels.team} {.spec.replicas}")
    assert shown == "risk 11"


def test_a_field_taken_by_others_stops_everything_before_the_first_write(api, make, written, cluster, kubectl):
    bundle = bundle_of(written(make()))
    run(bundle, cluster, access=True)
    kubectl("patch", "hpa", "score", "-n", "bank", "--type=merge", "-p", '{"spec":{"maxReplicas":3}}')
    before = len(writes(api))
    report = run(bundle_of(written(make(replicas=24), "more")), cluster, access=True)
    (refused,) = [action for action in report.actions if action.did == "refused"]
    assert str(refused.target) == "HorizontalPodAutoscaler/score"
    assert "spec.maxReplicas" in refused.detail
    assert "kubectl" in refused.detail
    assert len(writes(api)) == before
    assert report.failed


def test_an_object_that_others_made_is_left_alone(make, written, cluster, kubectl):
    kubectl("create", "-f", "-", stdin={"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "bank"}})
    kubectl("create", "-f", "-", stdin=config_map("bank-plan", data={"theirs": "1"}))
    report = run(bundle_of(written(make())), cluster, access=True)
    assert did(report)["ConfigMap/bank-plan"] == "foreign"
    assert did(report)["Namespace/bank"] == "kept"
    assert kubectl("get", "cm", "bank-plan", "-n", "bank", "-o", "jsonpath={.data}") == '{"theirs":"1"}'


def test_pruning_takes_only_what_we_applied(make, written, cluster, kubectl, without):
    run(bundle_of(written(make())), cluster, access=True)
    labels = {"app.kubernetes.io/part-of": "bank", "app.kubernetes.io/managed-by": "twinloop",
              "twinloop.dev/site": "hall"}  # fmt: skip
    kubectl("create", "-f", "-", stdin=config_map("imposter", labels=labels))
    plan = make(replicas=8)
    smaller = without(plan, "features", "train")
    report = run(bundle_of(written(smaller, "smaller")), cluster, access=True)
    pruned = {target for target, fate in did(report).items() if fate == "pruned"}
    assert pruned == {"HorizontalPodAutoscaler/score", "Deployment/score", "PodDisruptionBudget/score", "Service/score",
                      "NetworkPolicy/score", "PriorityClass/bank-serve"}  # fmt: skip
    assert "imposter" in kubectl("get", "cm", "-n", "bank", "-o", "name")
    # Kinds that the plan no longer has are forgotten only after their objects are gone.
    notes = json.loads(kubectl("get", "cm", "bank-plan", "-n", "bank", "-o", "json"))["metadata"]["annotations"]
    assert "autoscaling/v2 HorizontalPodAutoscaler" not in notes[KINDS_NOTE]
    assert set(did(run(bundle_of(written(smaller, "smaller")), cluster, access=True)).values()) == {"unchanged"}


def test_data_is_never_pruned(make, written, cluster, kubectl):
    run(bundle_of(written(make())), cluster, access=True)
    run(bundle_of(written(make(facts={"stages.features.reads": ""}), "other")), cluster, access=True)
    assert "data-events" in kubectl("get", "pvc", "-n", "bank", "-o", "name")


def test_something_that_changed_under_our_eyes_is_not_deleted(api, make, written, cluster, kubectl, without):
    run(bundle_of(written(make())), cluster, access=True)
    plan = make()

    def meddle(method, path, _):
        if method == "DELETE" and path.endswith("/deployments/score"):
            kind = api.store.kinds["apps", "v1", "deployments"]
            api.store.update(kind, "bank", "score", lambda d: {**d, "spec": {**d["spec"], "replicas": 7}}, "hand")

    api.on_request = meddle
    report = run(bundle_of(written(without(plan, "features", "train"), "smaller")), cluster, access=True)
    assert did(report)["Deployment/score"] == "kept"
    assert kubectl("get", "deploy", "score", "-n", "bank", "-o", "jsonpath={.spec.replicas}") == "7"


@pytest.mark.parametrize("choices", [
    {"queued": True}, *(pytest.param({**each, "queued": True}, marks=pytest.mark.slow) for each in (
        {"gang": True, "keda": True}, {"target": "kubeflow"}, {"target": "kubeflow", "profile": "v1"},
        {"target": "ray"})),
], ids=str)  # fmt: skip
def test_an_applier_has_exactly_the_rights_it_uses(api, make, written, cluster, client, changed, crds, choices):
    api.store.install(crds)
    folder = written(make(every=""), **choices)
    bundle = bundle_of(folder)
    for document in bundle.access:
        assert cluster.apply(document, dry_run=False)
    api.accounts[TOKEN] = ("bank", "bank-applier")
    client.client.default_headers["Authorization"] = f"Bearer {TOKEN}"
    assert set(did(run(bundle, cluster)).values()) == {"created"}
    # Removing everything but the plan itself uses the rest of the rights.
    left = changed(bundle, documents=tuple(d for d in bundle.documents if d["metadata"]["name"] == "bank-plan"))
    run(left, cluster)
    plan_gone = changed(bundle, documents=tuple(d for d in bundle.documents if d["kind"] == "ServiceAccount"))
    run(changed(plan_gone, documents=(*plan_gone.documents, renamed_plan(bundle))), cluster)
    granted = {
        (verb, group, resource)
        for document in bundle.access
        if "applier" in document["metadata"]["name"]
        for rule in document.get("rules") or []
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert api.seen == granted


@pytest.mark.parametrize("profile", ["v1", "mpi"])
def test_a_run_that_its_queue_started_is_not_suspended_again(api, make, written, cluster, crds, kubectl, profile):
    api.store.install(crds)
    folder = written(make(), target="kubeflow", profile=profile, queued=True)
    layer = folder / "sites" / "hall" / "kustomization.yaml"
    layer.write_text(layer.read_text().replace("resources:\n", "resources:\n  - run-train.yaml\n"))
    bundle = bundle_of(folder)
    run(bundle, cluster, access=True)
    kind = {"v1": "pytorchjobs.v1.kubeflow.org", "mpi": "mpijobs.v2beta1.kubeflow.org"}[profile]
    start = (
        "patch",
        kind,
        "train-abababab",
        "-n",
        "bank",
        "--type=merge",
        "-p",
        '{"spec":{"runPolicy":{"suspend":false}}}',
    )
    kubectl(*start)
    assert set(did(run(bundle, cluster, access=True)).values()) == {"unchanged"}
    shown = kubectl("get", kind, "train-abababab", "-n", "bank", "-o", "jsonpath={.spec.runPolicy.suspend}")
    assert shown == "false"


def renamed_plan(bundle):
    (plan,) = [d for d in bundle.documents if d["metadata"]["name"] == "bank-plan"]
    return {**plan, "metadata": {**plan["metadata"], "name": "bank-plan-2"}}


def test_an_applier_goes_on_where_an_administrator_began(api, make, written, cluster, client):
    bundle = bundle_of(written(make()))
    run(bundle, cluster, access=True)
    api.accounts[TOKEN] = ("bank", "bank-applier")
    client.client.default_headers["Authorization"] = f"Bearer {TOKEN}"
    assert set(did(run(bundle, cluster)).values()) == {"unchanged"}


def test_without_the_access_file_it_says_who_must_act(make, written, cluster):
    report = run(bundle_of(written(make())), cluster)
    assert report.failed
    inside = [action for action in report.actions if action.target.namespace]
    assert all("an administrator applies access.yaml first" in action.detail for action in inside)
    assert inside


def test_without_an_operator_it_says_what_is_missing(make, written, cluster):
    report = run(bundle_of(written(make(), queued=True)), cluster, access=True)
    assert any("does not serve kueue.x-k8s.io/v1beta2 Topology" in action.detail for action in report.actions)


def test_a_queued_job_belongs_to_its_queue(api, make, written, cluster, crds, kubectl):
    api.store.install(crds)
    bundle = bundle_of(written(make(every=""), queued=True))
    run(bundle, cluster, access=True)
    name = kubectl("get", "job", "-n", "bank", "-l", "app.kubernetes.io/name=train", "-o", "name").strip()
    assert kubectl("get", name, "-n", "bank", "-o", "jsonpath={.spec.suspend}") == "true"
    kubectl("patch", name, "-n", "bank", "--type=merge", "-p", '{"spec":{"suspend":false}}')
    assert not run(bundle, cluster, access=True).failed
    assert kubectl("get", name, "-n", "bank", "-o", "jsonpath={.spec.suspend}") == "false"


def test_a_cap_of_live_operation_is_not_undone_until_it_ends(make, written, cluster, kubectl):
    run(bundle_of(written(make())), cluster, access=True)
    kubectl("annotate", "hpa", "score", "-n", "bank", f"{CAP_NOTE}=2026-01-01T01:00:00+00:00")
    kubectl("patch", "hpa", "score", "-n", "bank", "--type=merge", "-p", '{"spec":{"maxReplicas":3}}')
    assert did(run(bundle_of(written(make())), cluster, access=True))["HorizontalPodAutoscaler/score"] == "held"
    assert kubectl("get", "hpa", "score", "-n", "bank", "-o", "jsonpath={.spec.maxReplicas}") == "3"


def test_what_a_cap_left_behind_is_taken_back_from_ourselves_only(make, written, cluster, kubectl):
    run(bundle_of(written(make())), cluster, access=True)
    target = Target("autoscaling/v2", "HorizontalPodAutoscaler", "score", "bank")
    cluster.patch(target, marks.cap_patch(cluster.get(target), 9, NOW), dry_run=False)  # over at once
    assert did(run(bundle_of(written(make())), cluster, access=True))[str(target)] == "changed"
    shown = kubectl("get", "hpa", "score", "-n", "bank", "-o", "jsonpath={.spec.maxReplicas}")
    assert shown == "16"
    cluster.patch(target, marks.cap_patch(cluster.get(target), 9, NOW), dry_run=False)
    kubectl("patch", "hpa", "score", "-n", "bank", "--type=merge", "-p", '{"spec":{"minReplicas":2}}')
    assert did(run(bundle_of(written(make())), cluster, access=True))[str(target)] == "refused"


@pytest.mark.parametrize("status", [429, 500, 503, 0])
def test_a_server_that_stumbles_is_asked_again(api, make, written, cluster, status):
    api.faults += [
        Fault(method, "/bank/", status, times=2, headers={"Retry-After": "1"}) for method in ("GET", "PATCH")
    ]
    assert not run(bundle_of(written(make())), cluster, access=True).failed


def test_retry_after_is_obeyed(api, client):
    pauses = []
    api.faults.append(Fault("GET", "configmaps", 429, headers={"Retry-After": "7"}))
    assert KubeCluster(client, sleep=pauses.append).get(Target("v1", "ConfigMap", "a", "default")) is None
    assert pauses == [7.0]


def test_a_server_that_stays_down_is_told(api, cluster):
    api.faults.append(Fault("GET", "configmaps", 503, times=99))
    with pytest.raises(ClusterError, match="injected"):
        cluster.get(Target("v1", "ConfigMap", "a", "default"))


def test_lists_are_read_page_by_page_and_again_when_they_expire(api, cluster, client):
    maps = client.resources.get(api_version="v1", kind="ConfigMap")
    for number in range(5):
        maps.create(body={"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"m{number}",
                          "namespace": "default", "labels": {"a": "b"}}})  # fmt: skip
    api.page_limit, pages = 2, []

    def expire(method, path, query):
        pages.append(query.get("continue"))
        if len(pages) == 2:
            api.store.compact()

    api.on_request = expire
    assert [each["metadata"]["name"] for each in cluster.find("v1", "ConfigMap", "default", {"a": "b"})] == [
        f"m{number}" for number in range(5)]  # fmt: skip
    assert len(pages) == 5


def test_waiting_follows_the_rollout(api, make, written, cluster):
    bundle, clock = bundle_of(written(make())), iter(range(10**6))
    kind, polls = api.store.kinds["apps", "v1", "deployments"], []

    def roll(seconds):
        polls.append(seconds)
        if len(polls) == 3:
            status = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
            api.store.update(
                kind, "bank", "score", lambda d: {**d, "status": status}, "controller", subresource="status"
            )

    report = run(bundle, cluster, access=True, wait_s=100.0, clock=lambda: float(next(clock)), sleep=roll)
    assert len(polls) == 3
    assert not report.failed


def test_waiting_ends(make, written, cluster):
    clock = iter(range(10**6))
    report = run(bundle_of(written(make())), cluster, access=True, wait_s=5.0, clock=lambda: float(next(clock)))
    assert [(str(a.target), a.detail) for a in report.actions if a.state == "waiting"] == [
        ("Deployment/score", "0 of 1 available")
    ]
    assert report.failed


def command(api, folder, tmp_path, *extra):
    config = tmp_path / "kube.json"
    config.write_text(api.kubeconfig())
    return [sys.executable, "-c", "from twinloop.cli.main import main; main()", "deploy", "apply", str(folder),
            "--kubeconfig", str(config), "--wait=0", *extra]  # fmt: skip


def test_killed_half_way_the_next_run_converges(api, make, written, tmp_path, kubectl):
    folder = written(make())
    seen = []
    running = None

    def kill(method, path, query):
        if method == "PATCH" and "dryRun" not in query:
            seen.append(path)
            if len(seen) == 9:
                running.kill()

    api.on_request = kill
    running = subprocess.Popen(command(api, folder, tmp_path, "--yes", "--with-access"), stdout=subprocess.DEVNULL)
    assert running.wait(120) == -9
    api.on_request = None
    there = len(kubectl("get", "deploy,cronjob,hpa", "-n", "bank", "-o", "name").split())
    assert there < 4
    done = subprocess.run(command(api, folder, tmp_path, "--yes", "--with-access", "--json"), capture_output=True,
                          text=True, timeout=120, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert {"created", "unchanged"} == set(json.loads(done.stdout)["counts"])
    again = subprocess.run(command(api, folder, tmp_path, "--dry-run", "--with-access", "--json"), capture_output=True,
                           text=True, timeout=120, check=False)  # fmt: skip
    assert set(json.loads(again.stdout)["counts"]) == {"unchanged"}


def test_the_command_explains_itself(tmp_path, make, written):
    folder = written(make())
    for extra, message in (((), "neither or both of --dry-run and --yes"),
                           (("--yes", "--site=x"), "expected one of hall"),
                           (("--yes", "--kubeconfig=/nowhere"), "no cluster to apply to")):  # fmt: skip
        done = subprocess.run([sys.executable, "-c", "from twinloop.cli.main import main; main()", "deploy", "apply",
                               str(folder), *extra], capture_output=True, text=True, timeout=60, check=False,
                              env={**os.environ, "HOME": str(tmp_path), "KUBECONFIG": ""})  # fmt: skip
        assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
        assert message in done.stderr


def test_images_are_named_as_the_layer_says(make, written):
    folder = written(make())
    layer = folder / "sites" / "hall" / "kustomization.yaml"
    digest = "sha256:" + "a" * 64
    layer.write_text(layer.read_text().replace("newName: bank-score", "newName: registry.example/score").replace(
        "newTag: \"0.1.0\"", f"digest: {digest}"))  # fmt: skip
    (score,) = [d for d in bundle_of(folder).documents if (d["kind"], d["metadata"]["name"]) == ("Deployment", "score")]
    image = score["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image == f"registry.example/score@{digest}"
    assert renamed("host:5000/x", {}) == "host:5000/x"
    layer.write_text(layer.read_text() + "patches: []\n")
    with pytest.raises(InputError, match="got patches"):
        bundle_of(folder)


@pytest.mark.parametrize("choices", [
    {"queued": True, "gang": True, "keda": True}, {"dra": True, "minor": 34}, {"target": "kubeflow"},
    {"target": "kubeflow", "profile": "v1"}, {"target": "ray"},
])  # fmt: skip
def test_roles_name_the_resources_that_a_cluster_serves(api, documents, crds, choices):
    api.store.install(crds)
    served = {(kind.api_version, kind.kind): kind for kind in api.store.kinds.values()}
    for file, document in documents(**choices):
        if file.endswith("nodes.csv"):  # a row of the table: nobody applies it
            continue
        kind = served[document["apiVersion"], document["kind"]]
        assert plural(kind.kind) == kind.plural
        assert (kind.kind in CLUSTER_WIDE) != kind.namespaced
        assert ("namespace" in document["metadata"]) == kind.namespaced


def test_without_the_client_it_says_how_to_get_it(make, written, monkeypatch):
    from click.testing import CliRunner

    from twinloop.cli.deploy import command as deploy
    from twinloop.errors import MissingExtraError

    monkeypatch.setitem(sys.modules, "kubernetes", None)
    done = CliRunner().invoke(deploy, ["apply", str(written(make())), "--yes"])
    assert isinstance(done.exception, MissingExtraError)
    assert "pip install 'twinloop[kubernetes]'" in str(done.exception)
