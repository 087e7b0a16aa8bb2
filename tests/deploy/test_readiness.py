import pytest

from twinloop.deploy.readiness import readiness


@pytest.mark.parametrize(("live", "state"), [
    ({"kind": "Deployment", "metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": {
        "observedGeneration": 1, "updatedReplicas": 2, "availableReplicas": 2}}, "waiting"),
    ({"kind": "Deployment", "spec": {"replicas": 2}, "status": {"updatedReplicas": 1, "availableReplicas": 2}},
     "waiting"),
    ({"kind": "Deployment", "spec": {"replicas": 2}, "status": {"conditions": [
        {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]}}, "failed"),
    ({"kind": "Job", "status": {"conditions": [{"type": "Failed", "status": "True", "message": "x"}]}}, "failed"),
    ({"kind": "Job", "spec": {"suspend": True}}, "ready"),
    ({"kind": "Job", "status": {"active": 1}}, "ready"),
    ({"kind": "Job"}, "waiting"),
    ({"kind": "PersistentVolumeClaim", "status": {"phase": "Lost"}}, "failed"),
    ({"kind": "TrainJob", "status": {"conditions": [{"type": "Failed", "status": "True"}]}}, "failed"),
    ({"kind": "ClusterQueue", "status": {"conditions": [{"type": "Active", "status": "False"}]}}, "waiting"),
    ({"kind": "PodDisruptionBudget", "status": {"conditions": [
        {"type": "DisruptionAllowed", "status": "False", "reason": "SyncFailed"}]}}, "waiting"),
    ({"kind": "PodDisruptionBudget", "status": {"conditions": [
        {"type": "DisruptionAllowed", "status": "False", "reason": "InsufficientPods"}]}}, "ready"),
    ({"kind": "PodDisruptionBudget"}, "ready"),
    ({"kind": "ConfigMap"}, "ready"),
])  # fmt: skip
def test_states(live, state):
    assert readiness(live)[0] == state
