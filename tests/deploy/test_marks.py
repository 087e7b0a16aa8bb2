"""Live marks: hysteresis, budget and ends by properties; their patches against the fake server beside kubectl."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kube_patch import json_patch

from twinloop.deploy import marks
from twinloop.deploy.cluster import ClusterError, Target
from twinloop.deploy.kube import KubeCluster
from twinloop.deploy.marks import LEVELS, Budget, Reading, Thresholds, next_level, within_budget

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(minutes=10)
NODE = Target("v1", "Node", "n1")
LIMITS = Thresholds()


@pytest.fixture
def cluster(client):
    return KubeCluster(client, sleep=lambda _: None)


@pytest.fixture
def node(cluster, kubectl):
    kubectl("create", "-f", "-", stdin={"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}})
    return lambda: cluster.get(NODE)


def shown(kubectl):
    return json.loads(kubectl("get", "node", "n1", "-o", "json"))


def reading(headroom, name="n1", flavor="a", age=0.0):
    return Reading(name, "cdu-1", flavor, headroom, 60.0, age)


def test_a_foreign_taint_added_meanwhile_survives(cluster, node, kubectl):
    kubectl("taint", "nodes", "n1", "theirs=1:NoSchedule")
    seen = node()
    kubectl("taint", "nodes", "n1", "new=1:NoExecute")
    stale = marks.taint_patch(seen, "keep_off", LATER)
    with pytest.raises(ClusterError) as caught:
        cluster.patch(NODE, stale, dry_run=False)
    assert caught.value.status in (409, 422)
    cluster.patch(NODE, marks.taint_patch(node(), "keep_off", LATER), dry_run=False)
    assert {t["key"] for t in shown(kubectl)["spec"]["taints"]} == {"theirs", "new", marks.TAINT}
    cluster.patch(NODE, marks.taint_patch(node(), "none", LATER), dry_run=False)
    after = shown(kubectl)
    assert {t["key"] for t in after["spec"]["taints"]} == {"theirs", "new"}
    assert marks.UNTIL not in after["metadata"].get("annotations", {})


def test_marks_are_written_once(cluster, node):
    cluster.patch(NODE, marks.taint_patch(node(), "avoid", LATER), dry_run=False)
    assert marks.taint_patch(node(), "avoid", LATER) == []
    assert marks.level_of(node()) == "avoid"
    cluster.patch(NODE, marks.annotation_patch(node(), marks.headroom_notes(reading(3.9))), dry_run=False)
    assert marks.annotation_patch(node(), marks.headroom_notes(reading(3.1))) == []
    assert marks.taint_patch({"metadata": {}}, "none", LATER) == []


def test_the_condition_goes_through_the_status_door(cluster, node, kubectl):
    for low, moment in ((True, NOW), (True, LATER), (False, LATER)):
        patch = marks.condition_patch(node(), low=low, message="x", now=moment)
        cluster.patch(NODE, patch, subresource="status", dry_run=False)
        (found,) = shown(kubectl)["status"]["conditions"]
        assert found["status"] == str(low)
    assert found["lastTransitionTime"] == marks.stamp(LATER)
    cluster.patch(NODE, patch := marks.condition_patch(node(), low=False, message="x", now=LATER + timedelta(hours=1)),
                  subresource="status", dry_run=False)  # fmt: skip
    assert shown(kubectl)["status"]["conditions"][0]["lastTransitionTime"] == marks.stamp(LATER)
    assert patch


def test_caps_go_and_come_back(cluster, kubectl):
    kubectl("create", "-f", "-", stdin={
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "h", "namespace": "default"},
        "spec": {"minReplicas": 4, "maxReplicas": 16, "scaleTargetRef": {"kind": "Deployment", "name": "d"}},
    })  # fmt: skip
    target = Target("autoscaling/v2", "HorizontalPodAutoscaler", "h", "default")
    for most, expected in ((8, 8), (1, 4), (99, 16), (6, 6)):
        cluster.patch(target, marks.cap_patch(cluster.get(target), most, LATER), dry_run=False)
        assert cluster.get(target)["spec"]["maxReplicas"] == expected
    assert marks.cap_patch(cluster.get(target), 6, LATER) == []
    assert (marks.expired(cluster.get(target), NOW), marks.expired(cluster.get(target), LATER)) == (False, True)
    cluster.patch(target, marks.uncap_patch(cluster.get(target)), dry_run=False)
    after = json.loads(kubectl("get", "hpa", "h", "-n", "default", "-o", "json"))
    assert (after["spec"]["maxReplicas"], after["metadata"]["annotations"]) == (16, {})
    assert marks.uncap_patch(after) == []


def test_quotas_and_suspension():
    rows = [{"name": "cpu", "nominalQuota": "9"}, {"name": "gpu", "nominalQuota": "16"}]
    groups = [{"flavors": [{"name": "a", "resources": rows}]}]
    queue = {"metadata": {"resourceVersion": "5"}, "spec": {"resourceGroups": groups}}
    patch = marks.quota_patch(queue, "a", "gpu", 12, LATER)
    assert patch[0] == {"op": "test", "path": "/metadata/resourceVersion", "value": "5"}
    capped = json_patch(queue, patch)
    assert [row["nominalQuota"] for row in capped["spec"]["resourceGroups"][0]["flavors"][0]["resources"]] == [
        "9",
        "12",
    ]
    both = json_patch(capped, marks.quota_patch(capped, "a", "cpu", 5, LATER))
    assert marks.quota_patch(both, "a", "cpu", 5, LATER) == []
    back = json_patch(both, marks.unquota_patch(both))
    assert back["spec"] == queue["spec"]
    assert back["metadata"]["annotations"] == {}
    assert marks.unquota_patch(back) == []
    assert marks.quota_patch(queue, "b", "gpu", 12, LATER) == []
    job = {"metadata": {}, "spec": {}}
    assert marks.suspend_patch(job, suspended=False) == []
    assert marks.suspend_patch(job, suspended=True) == [{"op": "add", "path": "/spec/suspend", "value": True}]


SENTINEL = "nvsentinel.dgxc.nvidia.com"


@pytest.mark.parametrize("busy", [
    {"spec": {"unschedulable": True}}, {"metadata": {"labels": {"dgxc.nvidia.com/nvsentinel-state": "draining"}}},
    {"metadata": {"labels": {f"{SENTINEL}/quarantine-status": "cordoned"}}},
    {"metadata": {"annotations": {"quarantineHealthEvent": "[]"}}},
    {"metadata": {"annotations": {"quarantineHealthEventAppliedTaints": "[]"}}},
    {"spec": {"taints": [{"key": "nvidia.com/gpu-xid-error", "value": "true", "effect": "NoSchedule"}]}},
    {"spec": {"taints": [{"key": "gpu.health/memory-error", "value": "fatal", "effect": "NoSchedule"}]}},
    {"spec": {"taints": [{"key": "nvsentinel.io/fault", "effect": "NoSchedule"}]}},
    {"status": {"conditions": [{"type": "GpuMemWatch", "status": "True"}]}},
    {"status": {"conditions": [{"type": "SysLogsXIDError", "status": "True"}]}},
])  # fmt: skip
def test_what_others_have_in_hand_is_left(busy):
    assert marks.wished(busy, reading(0.0), 1e9, LIMITS) == "none"
    assert marks.wished({}, reading(0.0), 1e9, LIMITS) == "drain"
    assert marks.wished({}, reading(0.0, age=61.0), 1e9, LIMITS) == "none"


def test_a_node_that_is_merely_watched_is_marked():
    """NVSentinel labels every node; a fault that passed, an opt-out and the plug-in's own taint are no quarantine."""
    watched = {
        "metadata": {"labels": {f"{SENTINEL}/driver.installed": "true", f"{SENTINEL}/dcgm.version": "4.x",
                                "k8saas.nvidia.com/ManagedByNVSentinel": "false"}},
        "spec": {"taints": [{"key": "nvidia.com/gpu", "effect": "NoSchedule"}]},
        "status": {"conditions": [{"type": "GpuMemWatch", "status": "False"}, {"type": "Ready", "status": "True"},
                                  {"type": "GpuThermalWatch", "status": "True"}]},
    }  # fmt: skip
    assert marks.wished(watched, reading(0.0), 1e9, LIMITS) == "drain"


@given(st.sampled_from(LEVELS), st.floats(-20, 40), st.floats(0, 1e4))
def test_worse_at_once_better_slowly(now, headroom, since):
    after = next_level(now, headroom, since, LIMITS)
    assert LEVELS.index(after) >= LEVELS.index(now) - 1
    if since < LIMITS.dwell_s:
        assert LEVELS.index(after) >= LEVELS.index(now)
    if headroom < LIMITS.drain_c:
        assert after == "drain"
    # No flutter: what was just reached does not fall back on the same reading.
    if LEVELS.index(after) > LEVELS.index(now):
        assert next_level(after, headroom, 1e9, LIMITS) == after


@pytest.mark.parametrize(("level", "bound"), [("avoid", 8.0), ("keep_off", 4.0), ("drain", 1.0)])
@given(above=st.floats(0.0, 1.99))
def test_a_reading_that_trembles_about_a_bound_does_not_lift_the_mark(level, bound, above):
    assert next_level(level, bound + above, 1e9, LIMITS) == level
    assert next_level(level, bound + 2.0 + above, 1e9, LIMITS) == LEVELS[LEVELS.index(level) - 1]


@given(st.lists(st.tuples(st.floats(-5, 20), st.sampled_from(LEVELS), st.sampled_from(LEVELS)), max_size=30),
       st.integers(0, 5), st.integers(1, 40))  # fmt: skip
def test_the_budget_holds(wishes, recent, free):
    asked = [(reading(headroom, f"n{i}"), now, wish) for i, (headroom, now, wish) in enumerate(wishes)]
    granted = {r.node: wish for r, wish in within_budget(asked, recent, {"a": (40, free)}, Budget())}
    worse = [r for r, now, wish in asked if LEVELS.index(wish) > LEVELS.index(now) and r.node in granted]
    assert len(worse) <= max(4 - recent, 0)
    taken = [r for r, now, wish in asked if r in worse and now in ("none", "avoid") and wish in ("keep_off", "drain")]
    assert len(taken) < free or not taken
    assert all(r.node in granted for r, now, wish in asked if LEVELS.index(wish) <= LEVELS.index(now))
