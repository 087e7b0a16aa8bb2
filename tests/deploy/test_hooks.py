"""Live hooks against the fake server: what came of them is read by kubectl, not by our own client."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from kube_server import Fault

from twinloop.cli.deploy import command
from twinloop.deploy import hooks, marks
from twinloop.deploy.cluster import Target
from twinloop.deploy.devices import DeviceReading, clear_devices, taint_devices
from twinloop.deploy.kube import KubeCluster
from twinloop.deploy.marks import Budget, Reading, Thresholds
from twinloop.errors import InputError

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LIMITS, WIDE = Thresholds(), Budget(share=1.0)
SLOW = pytest.mark.slow
TOKEN = "live-token"  # noqa: S105 - of the fake server
QUEUE = {"kueue.x-k8s.io/queue-name": "bank"}


@pytest.fixture
def cluster(client):
    return KubeCluster(client, sleep=lambda _: None)


@pytest.fixture
def nodes(api):
    """Ten nodes of one flavor on two loops."""
    kind = api.store.kinds["", "v1", "nodes"]
    for number in range(10):
        labels = {"twinloop.dev/accelerator": "b200", "twinloop.dev/cooling": "cold-plate",
                  "twinloop.dev/cooling-loop": f"cdu-{number % 2}"}  # fmt: skip
        api.store.create(kind, None, {"apiVersion": "v1", "kind": "Node",
                                      "metadata": {"name": f"n{number}", "labels": labels}}, "test")  # fmt: skip


def reading(number, headroom, age=0.0):
    return Reading(f"n{number}", "", "", headroom, 60.0 - headroom, age)


def mark(cluster, readings, now=NOW, *, limits=LIMITS, budget=WIDE, dry_run=False):
    return hooks.mark(cluster, readings, now=now, limits=limits, budget=budget, lifetime_s=600.0, dry_run=dry_run)


def shown(kubectl):
    return {each["metadata"]["name"]: each for each in json.loads(kubectl("get", "nodes", "-o", "json"))["items"]}


def effects(kubectl):
    found = {}
    for name, node in shown(kubectl).items():
        taints = (node.get("spec") or {}).get("taints") or []
        for taint in taints:
            if taint["key"] == marks.TAINT:
                found[name] = taint["effect"]
    return found


def after(seconds):
    return NOW + timedelta(seconds=seconds)


def test_a_pump_fails_and_comes_back(nodes, cluster, kubectl):
    """Marks follow the forecast of one loop, worst first; they ease step by step, and others' taints stay."""
    kubectl("taint", "nodes", "n0", "theirs=1:NoSchedule")
    falling = [reading(n, 3.0 + n if n % 2 == 0 else 20.0) for n in range(10)]
    events = mark(cluster, falling)
    assert [e.target.name for e in events if e.did == "marked"] == ["n0", "n2", "n4"]
    assert effects(kubectl) == {"n0": "NoSchedule", "n2": "PreferNoSchedule", "n4": "PreferNoSchedule"}
    node = shown(kubectl)["n0"]
    assert node["metadata"]["annotations"]["twinloop.dev/thermal-headroom-c"] == "3"
    assert [(c["type"], c["status"]) for c in node["status"]["conditions"]] == [("ThermalHeadroomLow", "True")]
    kubectl("taint", "nodes", "n2", "meanwhile=1:NoExecute")
    well = [reading(n, 20.0) for n in range(10)]
    assert {e.did for e in mark(cluster, well, after(60.0))} <= {"noted"}  # before the dwell is over nothing eases
    mark(cluster, well, after(400.0))
    assert effects(kubectl) == {"n0": "PreferNoSchedule"}
    mark(cluster, well, after(800.0))
    assert effects(kubectl) == {}
    assert [t["key"] for t in shown(kubectl)["n0"]["spec"]["taints"]] == ["theirs"]
    assert [t["key"] for t in shown(kubectl)["n2"]["spec"]["taints"]] == ["meanwhile"]
    assert shown(kubectl)["n0"]["status"]["conditions"][0]["status"] == "False"


def test_the_budget_is_kept_over_restarts(nodes, cluster, kubectl):
    hot = [reading(n, 0.0) for n in range(10)]
    few = Budget(share=0.2, window_s=600.0)
    events = mark(cluster, hot, budget=few)
    assert len(effects(kubectl)) == 2
    assert sum(e.did == "waits" for e in events) == 8
    # A new process knows from the nodes what was spent.
    mark(cluster, hot, after(300.0), budget=few)
    assert len(effects(kubectl)) == 2
    for turn in range(9):
        mark(cluster, hot, after(700.0 * (turn + 1)), budget=few)
    assert len(effects(kubectl)) == 9  # never the last free one of a flavor


class KilledError(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("writes", [1, pytest.param(2, marks=SLOW), pytest.param(5, marks=SLOW)])
def test_killed_half_way_the_next_run_converges(api, nodes, cluster, kubectl, writes):
    wanted = [reading(n, float(n)) for n in range(10)]

    class Dying:
        def __getattr__(self, name):
            return getattr(cluster, name)

        def patch(self, *arguments, **options):
            self.left = getattr(self, "left", writes) - 1
            if self.left < 0:
                raise KilledError
            return cluster.patch(*arguments, **options)

    with pytest.raises(KilledError):
        mark(Dying(), wanted)
    mark(cluster, wanted)
    found = effects(kubectl)
    assert found == {"n0": "NoExecute", "n1": "NoSchedule", "n2": "NoSchedule", "n3": "NoSchedule",
                     **{f"n{n}": "PreferNoSchedule" for n in range(4, 8)}}  # fmt: skip
    assert all(shown(kubectl)[name]["status"]["conditions"][0]["status"] == "True" for name in found)
    assert mark(cluster, wanted) == ()


@pytest.mark.parametrize("status", [409, *(pytest.param(s, marks=SLOW) for s in (429, 500, 0))])
def test_faults_of_the_server_are_outlived(api, nodes, cluster, kubectl, status):
    api.faults.append(Fault("PATCH", "nodes/n1$", status, times=2))
    events = mark(cluster, [reading(1, 0.0)])
    assert ([e.did for e in events], effects(kubectl)) == (["marked"], {"n1": "NoExecute"})


def test_a_lasting_fault_is_told(api, nodes, cluster):
    api.faults.append(Fault("PATCH", "nodes/n1$", 500, times=99))
    (event,) = mark(cluster, [reading(1, 0.0)])
    assert (event.did, event.before, event.after, event.why) == ("refused", "none", "drain", "injected")


def test_nodes_are_labelled_as_the_plan_places_them(api, nodes, tmp_path, kubectl):
    """The site's own file of nodes; what others labelled stays, a second run writes nothing."""
    kubectl("label", "node", "n1", "theirs=1")
    config, csv = tmp_path / "kube.json", tmp_path / "nodes.csv"
    config.write_text(api.kubeconfig())
    csv.write_text("n1,twinloop.dev/hall=h,twinloop.dev/rack=h-r01\nn77,twinloop.dev/hall=h\n")
    words = ["mark", f"--labels={csv}", f"--kubeconfig={config}"]
    before = shown(kubectl)
    assert "n1  labelled  hall=h, rack=h-r01" in CliRunner().invoke(command, [*words, "--dry-run"]).output
    assert shown(kubectl) == before
    CliRunner().invoke(command, [*words, "--yes"])
    found = shown(kubectl)["n1"]["metadata"]["labels"]
    assert (found["twinloop.dev/rack"], found["theirs"], found["twinloop.dev/cooling"]) == ("h-r01", "1", "cold-plate")
    again = json.loads(CliRunner().invoke(command, [*words, "--yes", "--json"]).output)["events"]
    assert [each["did"] for each in again] == ["unchanged", "refused"]
    csv.write_text("n1,kubernetes.io/hostname=x\n")
    assert "expected a node's name and twinloop.dev/KEY=VALUE" in str(
        CliRunner().invoke(command, [*words, "--yes"]).exception
    )


def test_what_others_have_in_hand_and_old_readings_move_nothing(api, nodes, cluster, kubectl):
    kubectl("cordon", "n1")
    kubectl("label", "node", "n2", "dgxc.nvidia.com/nvsentinel-state=quarantined")
    assert mark(cluster, [reading(1, 0.0), reading(2, 0.0), reading(3, 0.0, age=61.0)]) == ()
    (event,) = mark(cluster, [reading(77, 0.0)])
    assert event.why == "the cluster has no such node"

    # Cordoned between the look at all nodes and the write:
    def cordon(method, path, _):
        if method == "GET" and path.endswith("/n4"):
            kind = api.store.kinds["", "v1", "nodes"]
            api.store.update(kind, None, "n4", lambda d: {**d, "spec": {"unschedulable": True}}, "hand")

    api.on_request = cordon
    assert mark(cluster, [reading(4, 0.0)]) == ()
    assert effects(kubectl) == {}


def test_a_rehearsal_writes_nothing(api, nodes, cluster, kubectl):
    assert {e.did for e in mark(cluster, [reading(1, 0.0)], dry_run=True)} == {"marked"}
    assert effects(kubectl) == {}


def scaler(kubectl):
    kubectl("create", "-f", "-", stdin={
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "h", "namespace": "default", "labels": {"app.kubernetes.io/part-of": "bank"}},
        "spec": {"minReplicas": 2, "maxReplicas": 16, "scaleTargetRef": {"kind": "Deployment", "name": "d"}},
    })  # fmt: skip
    return Target("autoscaling/v2", "HorizontalPodAutoscaler", "h", "default")


def size(kubectl):
    return kubectl("get", "hpa", "h", "-n", "default", "-o", "jsonpath={.spec.maxReplicas}")


def clear(cluster, now, *, everything=False):
    return hooks.clear(cluster, "default", {"app.kubernetes.io/part-of": "bank"}, now=now, everything=everything,
                       dry_run=False)  # fmt: skip


@pytest.mark.parametrize("everything", [False, True])
def test_an_end_or_a_stop_puts_all_back(nodes, cluster, kubectl, everything):
    target = scaler(kubectl)
    before = {name: node["metadata"].get("labels") for name, node in shown(kubectl).items()}
    mark(cluster, [reading(0, 0.0), reading(1, 20.0)])
    assert hooks.cap(cluster, target, 5, after(600.0), dry_run=False).did == "capped"
    assert (size(kubectl), len(effects(kubectl))) == ("5", 1)
    if not everything:
        assert clear(cluster, after(60.0)) == ()
    told = clear(cluster, after(60.0 if everything else 700.0), everything=everything)
    assert sorted(e.did for e in told) == ["cleared", "cleared", "uncapped"]
    assert (size(kubectl), effects(kubectl)) == ("16", {})
    for name, node in shown(kubectl).items():
        assert node["metadata"].get("labels") == before[name]
        assert set(node["metadata"].get("annotations") or {}) <= {marks.SINCE, marks.WORSE}
    assert shown(kubectl)["n0"]["status"]["conditions"][0]["status"] == "False"
    assert clear(cluster, after(800.0), everything=everything) == ()


@pytest.fixture
def workloads(api, tmp_path):
    """Let the server serve Kueue's Workload, as open as a schema can be."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    names = {"kind": "Workload", "plural": "workloads"}
    fields = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"},
              "spec": schema, "status": schema}  # fmt: skip
    version = {"name": "v1beta2", "served": True, "storage": True,
               "schema": {"openAPIV3Schema": {"type": "object", "properties": fields}}}  # fmt: skip
    spec = {"group": "kueue.x-k8s.io", "names": names, "scope": "Namespaced", "versions": [version]}
    crd = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "spec": spec}
    folder = tmp_path / "crds"
    folder.mkdir()
    (folder / "workload.json").write_text(json.dumps(crd))
    api.store.install(folder)


def job(kubectl, name, labels):
    pod = {"restartPolicy": "Never", "containers": [{"name": "a", "image": "x:1"}]}
    kubectl("create", "-f", "-", stdin={
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "namespace": "default", "labels": labels},
        "spec": {"template": {"spec": pod}}})  # fmt: skip
    return Target("batch/v1", "Job", name, "default")


def test_a_queued_job_is_suspended_by_its_workload(api, workloads, cluster, kubectl):
    target = job(kubectl, "queued", QUEUE)
    uid = kubectl("get", "job", "queued", "-n", "default", "-o", "jsonpath={.metadata.uid}")
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": "queued", "uid": uid}
    for name, owners in (("mine", [owner]), ("other", [])):
        kubectl("create", "-f", "-", stdin={"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": "Workload", "metadata": {
            "name": name, "namespace": "default", "ownerReferences": owners}, "spec": {}})  # fmt: skip
    for suspended, active in ((True, "false"), (False, "true")):
        (event,) = hooks.suspend(cluster, target, suspended=suspended, dry_run=False)
        assert str(event.target) == "Workload/mine"
        assert kubectl("get", "workload", "mine", "-n", "default", "-o", "jsonpath={.spec.active}") == active
    assert kubectl("get", "workload", "other", "-n", "default", "-o", "jsonpath={.spec}") == "{}"
    assert kubectl("get", "job", "queued", "-n", "default", "-o", "jsonpath={.spec.suspend}") != "true"
    (event,) = hooks.suspend(cluster, job(kubectl, "plain", {}), suspended=True, dry_run=False)
    assert kubectl("get", "job", "plain", "-n", "default", "-o", "jsonpath={.spec.suspend}") == "true"


def test_its_rights_are_exactly_what_it_uses(api, nodes, workloads, cluster, client, crds, kubectl):
    api.store.install(crds)
    target, queued = scaler(kubectl), job(kubectl, "queued", QUEUE)
    uid = kubectl("get", "job", "queued", "-n", "default", "-o", "jsonpath={.metadata.uid}")
    kubectl("create", "-f", "-", stdin={"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": "Workload", "metadata": {
        "name": "w", "namespace": "default", "ownerReferences": [
            {"apiVersion": "batch/v1", "kind": "Job", "name": "queued", "uid": uid}]}, "spec": {}})  # fmt: skip
    plain = job(kubectl, "plain", {})
    labels = {"app.kubernetes.io/part-of": "bank"}
    kubectl("create", "-f", "-", stdin={"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject",
        "metadata": {"name": "k", "namespace": "default", "labels": labels},
        "spec": {"scaleTargetRef": {"name": "d"}, "maxReplicaCount": 9,
                 "triggers": [{"type": "cpu", "metadata": {}}]}})  # fmt: skip
    rows = [{"name": "cpu", "nominalQuota": "9"}]
    kubectl("create", "-f", "-", stdin={"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": "ClusterQueue",
        "metadata": {"name": "q", "labels": labels}, "spec": {"resourceGroups": [
            {"coveredResources": ["cpu"], "flavors": [{"name": "f", "resources": rows}]}]}})  # fmt: skip
    (role,) = hooks.access("live")
    api.accounts[TOKEN] = ("default", "live")
    kubectl("create", "-f", "-", stdin=role)
    kubectl("create", "-f", "-", stdin={
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "live"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "live"},
        "subjects": [{"kind": "ServiceAccount", "name": "live", "namespace": "default"}]})  # fmt: skip
    client.client.default_headers["Authorization"] = f"Bearer {TOKEN}"
    wide = Target("kueue.x-k8s.io/v1beta2", "ClusterQueue", "q")
    until = after(600.0)
    told = [
        *mark(cluster, [reading(0, 0.0)]), *taint(cluster, [hot("gpu-0", 3.0)]),
        hooks.cap(cluster, target, 5, until, dry_run=False),
        hooks.cap(cluster, Target("keda.sh/v1alpha1", "ScaledObject", "k", "default"), 5, until, dry_run=False),
        hooks.cap_quota(cluster, wide, "f", "cpu", 3, until, dry_run=False),
        *hooks.suspend(cluster, queued, suspended=True, dry_run=False),
        *hooks.suspend(cluster, plain, suspended=True, dry_run=False), *clear(cluster, after(700.0)),
        *clear_devices(cluster, now=after(700.0), everything=False, dry_run=False),
    ]  # fmt: skip
    assert [e.did for e in told] == [
        "marked", "marked", "capped", "capped", "capped", "suspended", "suspended", "cleared", "uncapped", "uncapped",
        "uncapped", "cleared",
    ]  # fmt: skip
    granted = {(verb, group, resource) for rule in role["rules"] for group in rule["apiGroups"]
               for resource in rule["resources"] for verb in rule["verbs"]}  # fmt: skip
    assert api.seen == granted


def test_flavors_are_told_by_labels(nodes, cluster):
    node = cluster.get(Target("v1", "Node", "n1"))
    assert hooks.flavor_of(node) == "b200-cold-plate"
    assert replace(reading(1, 1.0), flavor=hooks.flavor_of(node)).flavor == "b200-cold-plate"


def hot(device, headroom, age=0.0):
    return DeviceReading("gpu.nvidia.com", "n1", device, headroom, age)


def taint(cluster, readings, now=NOW, *, budget=WIDE, minor=37, dry_run=False):
    return taint_devices(cluster, readings, minor=minor, now=now, limits=LIMITS, budget=budget, lifetime_s=600.0,
                         dry_run=dry_run)  # fmt: skip


def rules(kubectl):
    items = json.loads(kubectl("get", "devicetaintrules.resource.k8s.io", "-o", "json"))["items"]
    return {each["spec"]["deviceSelector"]["device"]: each["spec"]["taint"]["effect"] for each in items}


def test_one_hot_device_is_tainted_not_its_node(nodes, cluster, kubectl):
    """Worse at once, better after the dwell and with hysteresis; a rehearsal and a second run write nothing."""
    taint(cluster, [hot("gpu-0", 3.0), hot("gpu-1", 30.0)], dry_run=True)
    assert rules(kubectl) == {}
    taint(cluster, [hot("gpu-0", 3.0), hot("gpu-1", 7.0), hot("gpu-2", 0.0, age=61.0)])
    assert (rules(kubectl), effects(kubectl)) == ({"gpu-0": "NoSchedule"}, {})
    assert taint(cluster, [hot("gpu-0", 3.0)]) == ()
    cool = [hot("gpu-1", 30.0), hot("gpu-2", 30.0)]
    assert [e.did for e in taint(cluster, [hot("gpu-0", 0.5), *cool], after(10.0))] == ["marked"]
    assert rules(kubectl) == {"gpu-0": "NoExecute"}
    assert [e.did for e in taint(cluster, [hot("gpu-0", 9.0)], after(20.0))] == []  # within its dwell
    assert [e.after for e in taint(cluster, [hot("gpu-0", 9.0)], after(400.0))] == ["keep_off"]
    assert [e.did for e in taint(cluster, [hot("gpu-0", 9.0)], after(800.0))] == ["eased"]
    assert rules(kubectl) == {}


def test_device_taints_have_a_budget_an_end_and_an_owner(api, nodes, cluster, kubectl):
    told = taint(cluster, [hot(f"gpu-{n}", float(n) / 8) for n in range(8)], budget=Budget(share=0.25))
    assert [e.did for e in told] == ["marked"] * 2 + ["waits"] * 6
    assert set(rules(kubectl)) == {"gpu-0", "gpu-1"}
    kubectl("create", "-f", "-", stdin={
        "apiVersion": "resource.k8s.io/v1", "kind": "DeviceTaintRule", "metadata": {"name": "twinloop-n1-gpu-7"},
        "spec": {"deviceSelector": {"device": "gpu-7"}, "taint": {"key": "theirs", "effect": "NoSchedule"}},
    })  # fmt: skip
    (event,) = taint(cluster, [hot("gpu-7", 0.0)], after(700.0))
    assert (event.did, "belongs to" in event.why) == ("refused", True)
    assert len(clear_devices(cluster, now=after(300.0), everything=False, dry_run=False)) == 0
    assert len(clear_devices(cluster, now=after(700.0), everything=False, dry_run=False)) == 2
    assert set(rules(kubectl)) == {"gpu-7"}
    with pytest.raises(InputError, match=r"expected 1\.33 or newer"):
        taint(cluster, [hot("gpu-0", 0.0)], minor=32)


def test_the_command_taints_devices(api, nodes, tmp_path, kubectl):
    table = tmp_path / "devices.csv"
    table.write_text("driver,pool,device,headroom_c,age_s\ngpu.nvidia.com,n1,gpu-3,2,1\n")
    assert marked(api, tmp_path, f"--devices={table}", "--yes").return_value == 0
    assert rules(kubectl) == {"gpu-3": "NoSchedule"}
    assert marked(api, tmp_path, "--clear", "--yes").return_value == 0
    assert rules(kubectl) == {}
    table.write_text("driver,pool,device,headroom_c,age_s\n,n1,gpu-3,2,1\n")
    with pytest.raises(InputError, match=r"devices.csv:2: got"):
        raise marked(api, tmp_path, f"--devices={table}", "--yes").exception


def marked(api, tmp_path, *words):
    """Run the command against the server."""
    config = tmp_path / "config.json"
    config.write_text(api.kubeconfig())
    arguments = ["mark", *map(str, words), f"--kubeconfig={config}", "--json"]
    return CliRunner().invoke(command, arguments, standalone_mode=False)


def test_the_command_marks_and_clears(api, nodes, tmp_path, kubectl):
    table = tmp_path / "readings.csv"
    table.write_text("node,headroom_c,forecast_peak_c,age_s\nn1,0.5,89,2\nn2,30,60,2\n")
    dry = marked(api, tmp_path, table, "--dry-run")
    assert (json.loads(dry.output)["events"][0]["after"], effects(kubectl)) == ("drain", {})
    assert marked(api, tmp_path, table, "--yes").return_value == 0
    assert effects(kubectl) == {"n1": "NoExecute"}
    told = json.loads(marked(api, tmp_path, "--clear", "--yes").output)["events"]
    assert ({each["did"] for each in told}, effects(kubectl)) == ({"cleared"}, {})


@pytest.mark.parametrize(("text", "message"), [
    ("node,headroom_c\nn1,1\n", "readings.csv:2: got"), ("node,headroom_c,forecast_peak_c,age_s\nn1,x,1,1\n", ":2:"),
    ("", "got no reading"),
])  # fmt: skip
def test_broken_readings_are_told_by_line(api, tmp_path, text, message):
    table = tmp_path / "readings.csv"
    table.write_text(text)
    with pytest.raises(InputError, match=message):
        raise marked(api, tmp_path, table, "--yes").exception


def test_the_role_is_printed(api, tmp_path):
    from ruamel.yaml import YAML

    assert (
        YAML(typ="safe", pure=True).load(marked(api, tmp_path, "--access").output) == hooks.access("twinloop-live")[0]
    )
