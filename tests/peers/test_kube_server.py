"""Two clients written by others, kubectl and the official library, find the manners of a real API server."""

import json
import threading

import pytest
from kube_fields import Schemas, from_fields, merge, paths, to_fields
from kube_patch import PatchError, json_patch
from kube_server import Fault, labels_match
from kube_store import Store

kubernetes = pytest.importorskip("kubernetes", reason="no official client: pip install kubernetes")


def config_map(name="a", labels=None, **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default",
            "labels": labels or {}}, "data": data}  # fmt: skip


NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}}


def test_kubectl_reads_and_writes(kubectl):
    assert "created" in kubectl("apply", "-f", "-", stdin=config_map(x="1"))
    assert "unchanged" in kubectl("apply", "-f", "-", stdin=config_map(x="1"))
    assert "configured" in kubectl("apply", "-f", "-", stdin=config_map(x="2", y="3"))
    assert kubectl("get", "cm", "a", "-n", "default", "-o", "jsonpath={.data}") == '{"x":"2","y":"3"}'
    assert "configured" in kubectl("apply", "-f", "-", stdin=config_map(y="3"))
    assert kubectl("get", "cm", "a", "-n", "default", "-o", "jsonpath={.data}") == '{"y":"3"}'
    assert "not found" in kubectl("get", "cm", "b", ok=False)
    assert "already exists" in kubectl("create", "-f", "-", stdin=config_map(x="1"), ok=False)
    assert "deleted" in kubectl("delete", "cm", "a", "-n", "default")


def test_kubectl_keeps_nodes(kubectl):
    kubectl("create", "-f", "-", stdin=NODE)
    kubectl("label", "node", "n1", "rack=r1")
    kubectl("taint", "nodes", "n1", "a=b:NoSchedule")
    kubectl("taint", "nodes", "n1", "c=d:NoExecute")
    kubectl("taint", "nodes", "n1", "a-")
    kubectl("cordon", "n1")
    spec = json.loads(kubectl("get", "nodes", "-l", "rack in (r1,r2)", "-o", "json"))["items"][0]["spec"]
    assert spec == {"taints": [{"effect": "NoExecute", "key": "c", "value": "d"}], "unschedulable": True}
    assert kubectl("get", "nodes", "-l", "rack!=r1", "-o", "name") == ""


def test_kubectl_meets_conflicts_and_validation(kubectl):
    kubectl("apply", "--server-side", "--field-manager=one", "-f", "-", stdin=config_map(x="1"))
    said = kubectl("apply", "--server-side", "--field-manager=two", "-f", "-", stdin=config_map(x="2"), ok=False)
    assert 'conflict with "one"' in said
    assert ".data.x" in said
    kubectl("apply", "--server-side", "--field-manager=two", "--force-conflicts", "-f", "-", stdin=config_map(x="2"))
    assert "strict decoding error" in kubectl("apply", "--server-side", "-f", "-", ok=False,
                                              stdin={**config_map("b"), "dat": {}})  # fmt: skip
    assert "not of type" in kubectl("apply", "--server-side", "-f", "-", stdin=config_map("b", x=2), ok=False)
    lost = {**config_map(x="1"), "metadata": {"name": "a", "namespace": "nowhere"}}
    assert 'namespaces "nowhere" not found' in kubectl("create", "-f", "-", stdin=lost, ok=False)


def test_kubectl_watches(api, kubectl):
    kubectl("create", "-f", "-", stdin=NODE)
    timer = threading.Timer(1.0, lambda: api.store.update(api.store.kinds["", "v1", "nodes"], None, "n1", lambda n: {
        **n, "spec": {"unschedulable": True}}, "test"))  # fmt: skip
    timer.start()
    shown = kubectl("get", "nodes", "-w", "-o", "jsonpath={.spec.unschedulable}.", "--request-timeout=3s")
    timer.join()
    assert shown.endswith("true.")


def test_the_library_applies_on_the_servers_side(client):
    maps = client.resources.get(api_version="v1", kind="ConfigMap")
    body = config_map(x="1", y="2")
    first = maps.server_side_apply(body=body, field_manager="one")
    again = maps.server_side_apply(body=body, field_manager="one")
    assert first.metadata.resourceVersion == again.metadata.resourceVersion
    other = config_map(z="3")
    del other["metadata"]["labels"]
    maps.server_side_apply(body=other, field_manager="two")
    del body["data"]["y"]
    last = maps.server_side_apply(body=body, field_manager="one")
    assert dict(last.data) == {"x": "1", "z": "3"}
    managers = {each.manager: each.fieldsV1.to_dict() for each in last.metadata.managedFields}
    assert managers == {"one": {"f:data": {"f:x": {}}, "f:metadata": {"f:labels": {}}}, "two": {"f:data": {"f:z": {}}}}


def test_an_update_takes_fields_from_an_applier(client):
    maps = client.resources.get(api_version="v1", kind="ConfigMap")
    maps.server_side_apply(body=config_map(x="1"), field_manager="one")
    maps.patch(body={"data": {"x": "9"}}, name="a", namespace="default", field_manager="hand",
               content_type="application/merge-patch+json")  # fmt: skip
    with pytest.raises(kubernetes.client.exceptions.ApiException) as caught:
        maps.server_side_apply(body=config_map(x="1"), field_manager="one")
    assert caught.value.status == 409
    # Asking for what is there is no conflict: both own it.
    assert maps.server_side_apply(body=config_map(x="9"), field_manager="one").data.x == "9"


def test_versions_and_preconditions_are_honoured(client):
    maps = client.resources.get(api_version="v1", kind="ConfigMap")
    old = maps.create(body=config_map(x="1")).to_dict()
    new = maps.replace(body={**old, "data": {"x": "2"}})
    with pytest.raises(kubernetes.client.exceptions.ApiException) as caught:
        maps.replace(body={**old, "data": {"x": "3"}})
    assert caught.value.status == 409
    stale = {"preconditions": {"resourceVersion": old["metadata"]["resourceVersion"]}}
    with pytest.raises(kubernetes.client.exceptions.ApiException) as caught:
        maps.delete(name="a", namespace="default", body=stale)
    assert caught.value.status == 409
    maps.delete(name="a", namespace="default", body={"preconditions": {"uid": new.metadata.uid}})


def test_strategic_merge_and_json_patch(client):
    nodes = client.resources.get(api_version="v1", kind="Node")
    nodes.create(body={**NODE, "spec": {"taints": [{"key": "a", "effect": "NoSchedule"}]}})
    nodes.patch(name="n1", body={"spec": {"taints": [{"key": "b", "effect": "NoSchedule"}]}})
    # Taints are an atomic list: a merge patch replaces what others put there.
    assert [t.key for t in nodes.get(name="n1").spec.taints] == ["b"]
    test_fails = [
        {"op": "test", "path": "/spec/taints/0/key", "value": "a"},
        {"op": "remove", "path": "/spec/taints/0"},
    ]
    with pytest.raises(kubernetes.client.exceptions.ApiException) as caught:
        nodes.patch(name="n1", body=test_fails, content_type="application/json-patch+json")
    assert caught.value.status == 422
    pods = {"containers": [{"name": "a", "image": "x"}]}
    schemas, root = Store().schemas, {"$ref": "#/$defs/io.k8s.api.core.v1.PodSpec"}
    both = merge(schemas, root, pods, {"containers": [{"name": "b", "image": "y"}, {"name": "a", "tty": True}]})
    assert both == {"containers": [{"name": "a", "image": "x", "tty": True}, {"name": "b", "image": "y"}]}


def test_status_has_a_door_of_its_own(client):
    nodes = client.resources.get(api_version="v1", kind="Node")
    nodes.create(body=NODE)
    nodes.patch(name="n1", body={"status": {"phase": "Running"}}, content_type="application/merge-patch+json")
    assert "status" not in nodes.get(name="n1").to_dict()
    nodes.status.patch(name="n1", body={"status": {"phase": "Running"}, "spec": {"unschedulable": True}},
                       content_type="application/merge-patch+json")  # fmt: skip
    after = nodes.get(name="n1").to_dict()
    assert (after["status"], after.get("spec")) == ({"phase": "Running"}, None)


def test_pages_and_expiry(api, client):
    maps = client.resources.get(api_version="v1", kind="ConfigMap")
    for number in range(5):
        maps.create(body=config_map(f"m{number}", labels={"odd": str(number % 2)}))
    first = maps.get(namespace="default", limit=2)
    rest = maps.get(namespace="default", limit=9, _continue=first.metadata["continue"])
    assert [each.metadata.name for each in (*first.items, *rest.items)] == [f"m{n}" for n in range(5)]
    assert len(maps.get(namespace="default", label_selector="odd notin (1),odd").items) == 3
    api.store.compact()
    with pytest.raises(kubernetes.client.exceptions.ApiException) as caught:
        maps.get(namespace="default", limit=9, _continue=first.metadata["continue"])
    assert caught.value.status == 410


def test_watches_bring_events_bookmarks_and_gone(api, client):
    maps = client.resources.get(api_version="v1", kind="ConfigMap")
    start = maps.create(body=config_map(x="1")).metadata.resourceVersion
    maps.patch(name="a", namespace="default", body={"data": {"x": "2"}}, content_type="application/merge-patch+json")
    maps.delete(name="a", namespace="default")
    core = kubernetes.client.CoreV1Api(client.client)
    seen = core.list_namespaced_config_map("default", watch=True, resource_version=start, timeout_seconds=1,
                                           allow_watch_bookmarks=True, _preload_content=False)  # fmt: skip
    events = [json.loads(line) for line in seen.read().splitlines()]
    assert [event["type"] for event in events] == ["MODIFIED", "DELETED", "BOOKMARK"]
    api.store.compact()
    gone = core.list_namespaced_config_map("default", watch=True, resource_version=start, _preload_content=False)
    assert json.loads(gone.read())["object"]["code"] == 410


def test_injected_faults_reach_the_client(api, client):
    maps = client.resources.get(api_version="v1", kind="ConfigMap")
    for status in (429, 500):
        api.faults.append(Fault("GET", "configmaps", status))
        with pytest.raises(kubernetes.client.exceptions.ApiException) as caught:
            maps.get(namespace="default")
        assert caught.value.status == status
    assert list(maps.get(namespace="default").items) == []


def test_selectors():
    labels = {"a": "1", "b": "2"}
    for selector, expected in (("a=1,b==2", True), ("a!=1", False), ("a in (1, 3),b", True), ("c", False), ("!c", True),
                               ("b notin (2)", False), ("", True)):  # fmt: skip
        assert labels_match(selector, labels) is expected, selector


def test_field_sets_round_trip():
    schemas = Schemas({})
    found = set(paths(schemas, {}, {"spec": {"a": 1, "b": [1, 2], "c": {}}}))
    assert from_fields(to_fields(found)) == found


@pytest.mark.parametrize(("operations", "result"), [
    ([{"op": "add", "path": "/a/-", "value": 3}], {"a": [1, 2, 3]}),
    ([{"op": "remove", "path": "/a/0"}], {"a": [2]}),
    ([{"op": "add", "path": "/x~1y", "value": 1}], {"a": [1, 2], "x/y": 1}),
    ([{"op": "test", "path": "/a/1", "value": 2}, {"op": "replace", "path": "/a/1", "value": 9}], {"a": [1, 9]}),
])  # fmt: skip
def test_json_patches(operations, result):
    assert json_patch({"a": [1, 2]}, operations) == result
    with pytest.raises(PatchError):
        json_patch({}, operations[:1] if operations[0]["path"] != "/x~1y" else [{"op": "remove", "path": "/q"}])
