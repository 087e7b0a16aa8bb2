import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from twinloop.deploy.check import check_folder, read
from twinloop.deploy.cooling import flavors, hosts
from twinloop.deploy.intent import deployment_of
from twinloop.deploy.names import label
from twinloop.deploy.render import TARGETS, render
from twinloop.deploy.style import style_of
from twinloop.deploy.yaml_text import dump
from twinloop.errors import InfeasibleError, InputError

FILES = Path(__file__).parents[2] / "src" / "twinloop" / "deploy" / "files"


def objects(folder):
    return {(d["kind"], d["metadata"]["name"]): d for _, d in read(folder)}


def test_the_small_plan_passes_every_check(make, written):
    assert check_folder(written(make())) == []


def test_with_queues_a_missing_schema_is_a_fault(make, written):
    faults = check_folder(written(make(), queued=True))
    assert faults
    assert all("no schema for kueue.x-k8s.io/v1beta2" in str(fault) for fault in faults)


def test_with_queues_it_passes_the_published_schemas(make, written, crds):
    assert check_folder(written(make(), queued=True), crds) == []


@pytest.mark.parametrize("target", TARGETS)
def test_the_same_plan_gives_the_same_bytes(make, target):
    deployment = deployment_of(make(), "ab" * 8)
    style = style_of(target, queued=target in ("k8s", "kubeflow", "ray"))
    assert render(deployment, target, style) == render(deployment, target, style)


def test_what_always_runs_is_not_the_queues(make, changed, stage_of, written):
    """Training and serving on one flavor: the queue may hold what heat carries less the served replicas."""
    plan = make(every="")
    score = stage_of("score", "B200-SXM-180GB", "HGX-B200-8-liquid", 8, 8, latency_p99_s=0.02)
    racks = tuple(changed(each, carriers={"accelerator": "cold_plate"}) for each in plan.sites[0].rack_types)
    folder = written(changed(plan, stages=(*plan.stages[:2], score),
                             sites=(changed(plan.sites[0], rack_types=racks),)), queued=True)  # fmt: skip
    documents = [d for _, d in read(folder)]
    (queue,) = [d for d in documents if d["kind"] == "ClusterQueue"]
    flavors = queue["spec"]["resourceGroups"][0]["flavors"]
    (flavor,) = [each for each in flavors if each["name"].startswith("b200")]
    (noted,) = [d["metadata"]["annotations"] for d in documents if d["metadata"]["name"] == flavor["name"]]
    # 24 devices with a tenth of margin are 26 carried; eight of them serve.
    assert (noted["twinloop.dev/carried-devices"], noted["twinloop.dev/always-on-devices"]) == ("26", "8")
    assert {row["name"]: row["nominalQuota"] for row in flavor["resources"]}["nvidia.com/gpu"] == "18"
    (quota,) = [d["spec"]["hard"] for d in documents if d["kind"] == "ResourceQuota"]
    assert quota["requests.nvidia.com/gpu"] == "26"


def test_a_run_must_fit_beside_what_always_runs(make, changed, stage_of, without):
    plan = without(make(every="", margin=-0.05), "train", "score")
    score = stage_of("score", "B200-SXM-180GB", "HGX-B200-8-liquid", 8, 8, latency_p99_s=0.02)
    racks = tuple(changed(each, carriers={"accelerator": "cold_plate"}) for each in plan.sites[0].rack_types)
    # 24 devices less a twentieth are 22 carried: the run of 16 alone would fit.
    site = changed(plan.sites[0], rack_types=racks)
    plan = changed(plan, stages=(plan.stages[0], score), sites=(site,))
    with pytest.raises(InfeasibleError, match="train needs 16 × B200-SXM-180GB beside 8 that always run"):
        flavors(deployment_of(plan, ""), plan.sites[0])


def test_quota_is_what_heat_and_power_carry(make):
    # 16 devices on plates beside 2 processors of 1 kW: 10 % of margin in the loop carries 1.1 times as many.
    plan = make()
    made = {f.cooling: f for f in flavors(deployment_of(plan, ""), plan.sites[0]) if f.hardware.resource}
    assert (made["cold_plate"].quota, made["cold_plate"].limited_by) == (17, "CDU")
    assert (made["rear_door"].quota, made["rear_door"].limited_by) == (20, "RD")


def test_quota_follows_the_power_chain_where_that_is_tighter(make):
    plan = make(ups=1.0)
    assert {f.limited_by for f in flavors(deployment_of(plan, ""), plan.sites[0])} == {"UPS"}


def test_a_hall_that_cannot_cool_its_job_is_refused(make):
    with pytest.raises(InfeasibleError, match="needs 2 × EPYC-9654"):
        render(deployment_of(make(margin=-0.2), ""), "k8s", style_of("k8s", queued=True))


def test_every_host_stands_in_one_rack_of_one_loop_of_one_hall(make):
    plan = make(data=16)
    placed = hosts(deployment_of(plan, ""), plan.sites[0])
    loops = {(h.rack, h.loop) for h in placed}
    assert len({h.name for h in placed}) == len(placed)
    assert len(loops) == len({h.rack for h in placed})
    assert {h.loop for h in placed if h.cooling == "cold-plate"} == {"hall-hall-1-cdu-1", "hall-hall-1-cdu-2"}


def test_the_launcher_carries_the_layout(make, written):
    spec = objects(written(make()))["CronJob", "train"]["spec"]
    command = spec["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["command"]
    assert {"--nnodes=2", "--nproc-per-node=8", "--tensor-model-parallel-size=2", "--num-layers=4",
            "--pipeline-model-parallel-size=2", "--data-parallel-size=4"} <= set(command)  # fmt: skip
    assert spec["schedule"] == "0 2 * * *"


def test_autoscaling_follows_peak_to_mean(make, written):
    spec = objects(written(make()))["HorizontalPodAutoscaler", "score"]["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (8, 16)
    assert spec["metrics"][0]["pods"]["target"]["averageValue"] == "50000m"


def test_an_impossible_layout_is_refused(make, changed):
    plan = make()
    broken = changed(plan, stages=(*plan.stages[:1], changed(plan.stages[1], device_count=15), plan.stages[2]))
    with pytest.raises(InputError, match="expected a product of 15"):
        deployment_of(broken, "")


@given(
    data=st.integers(1, 40), tensor=st.sampled_from([1, 2, 4, 8]), pipeline=st.sampled_from([1, 2, 3, 4]),
    replicas=st.integers(1, 64), every=st.sampled_from(["1 day", "6 h", "10 min", "7 days", ""]),
    margin=st.floats(0.0, 1.0), ups=st.floats(1.0, 2.0),
)  # fmt: skip
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_valid_plan_passes_every_check(make, written, data, tensor, pipeline, replicas, every, margin, ups):
    plan = make(data, tensor, pipeline, replicas, every, margin, ups)
    folder = written(plan, "any")
    try:
        assert check_folder(folder) == []
    finally:
        shutil.rmtree(folder)


AWKWARD = ["no", "on", "1e3", "0x1f", "12:30:45", "null", "~", "- a", "a\nb\n", "a\n\n b\n", "#", "=", "<<"]
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.text(), FLOATS, st.sampled_from(AWKWARD))
TREES = st.recursive(SCALARS, lambda t: st.one_of(st.lists(t), st.dictionaries(st.text(max_size=80), t)), max_leaves=12)


@given(st.dictionaries(st.text(max_size=80), TREES))
@settings(max_examples=80, deadline=None)
def test_yaml_reads_back_unchanged(tree):
    assert json.dumps(YAML(typ="safe", pure=True).load(dump(tree))) == json.dumps(tree)
    assert json.dumps(yaml.load(dump(tree), yaml.CSafeLoader)) == json.dumps(tree)


def test_a_key_that_readers_would_refuse_is_refused():
    with pytest.raises(ValueError, match="a key of"):
        dump({"ä" * 400: 1})


@given(st.text())
def test_labels_are_dns_labels(text):
    made = label(text)
    assert len(made) <= 40
    assert made[0].isalpha()
    assert made[-1] != "-"
    assert all(c.isascii() and (c.isalnum() or c == "-") for c in made)
    assert label(made) == made


@pytest.mark.parametrize("path", sorted(FILES.glob("*.txt")), ids=lambda p: p.name)
def test_entry_points_compile(path):
    ast.parse(path.read_text("utf-8"))


def test_ingest_then_preprocess_really_run(tmp_path):
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "a.csv").write_text("anna,2,shop,9\nanna,1,bus,3\nbert,1,shop,4\n")
    (inbox / "b.csv").write_bytes(b"\0\0")
    run(tmp_path, "ingest", "--looks=2", "--every-s=0.01", f"--heartbeat={tmp_path}/alive")
    assert (tmp_path / "raw" / "a.csv").exists()
    assert (tmp_path / "refused" / "b.csv").exists()
    run(tmp_path, "preprocess", "--vocab-size=100", "--seq-length=7")
    import numpy as np

    tokens = np.load(tmp_path / "tokens" / "a.npy")
    assert tokens.shape == (2, 8)
    assert (tokens > 0).sum(axis=1).tolist() == [4, 2]


def run(folder, name, *more):
    script = folder / f"{name}.py"
    script.write_text((FILES / f"{name}.py.txt").read_text("utf-8"))
    subprocess.run([sys.executable, script, f"--data={folder}", *more], check=True, timeout=60)


@pytest.mark.slow
def test_every_layout_trains_like_one_process(tmp_path, torch_python):
    """Losses of data × tensor × pipeline layouts equal a single process's; bytes follow the counted formulas."""
    python = torch_python
    script = tmp_path / "train.py"
    for name in ("train", "runs", "sharding", "export"):
        (tmp_path / f"{name}.py").write_text((FILES / f"{name}.py.txt").read_text("utf-8"))
    whole = train(python, script, 1, 1, 1)
    reference = whole["ranks"][0]["losses"]
    layouts = ((2, 1, 1, 0), (1, 2, 1, 0), (1, 1, 2, 0), (2, 1, 2, 0), (1, 2, 2, 0),
               (2, 1, 1, 1), (2, 1, 1, 2), (2, 1, 1, 3), (2, 2, 1, 3), (2, 1, 2, 3))  # fmt: skip
    for data, tensor, pipeline, zero in layouts:
        found = train(python, script, data, tensor, pipeline, zero)
        last = [rank for rank in found["ranks"] if rank["place"][2] == pipeline - 1]
        for rank in last:
            assert rank["losses"] == pytest.approx(reference, abs=1e-10)
        # 4 all-reduces a layer and micro-batch; one send each way; all gradients once; 8 bytes each.
        steps, micro, block = 3, 8 // data, 1 * 32 * 64 * 8
        for rank in found["ranks"]:
            assert rank["sent"]["tensor_all_reduce"] == (4 * (4 // pipeline) * micro * block * steps) * (tensor > 1)
            weights = rank["parameters"] * 8 * steps * (data > 1)
            assert rank["sent"]["data_all_reduce"] == weights * (zero == 0)
            # ZeRO-3 gathers for both passes of each micro-batch; from ZeRO-2 on each one's gradients travel.
            assert rank["sent"]["data_gather"] == weights * {0: 0, 1: 1, 2: 1, 3: 2 * micro}[zero]
            assert rank["sent"]["data_scatter"] == weights * {0: 0, 1: 1, 2: micro, 3: micro}[zero]
        boundaries = 2 * (pipeline - 1) * data * tensor * micro * block * steps
        assert sum(rank["sent"]["pipeline_send"] for rank in found["ranks"]) == boundaries


def train(python, script, data, tensor, pipeline, zero=0, *more, steps=3):
    report = script.with_suffix(".json")
    subprocess.run(
        [python, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={data * tensor * pipeline}", script,
         "--synthetic", f"--steps={steps}", "--float64", f"--zero={zero}", *more,
         f"--data-parallel-size={data}", f"--report={report}",
         f"--tensor-model-parallel-size={tensor}", f"--pipeline-model-parallel-size={pipeline}"],
        check=True, timeout=300, capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    return json.loads(report.read_text())
