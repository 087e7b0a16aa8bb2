"""Slurm, compose and SkyPilot: what is written runs as planned, and what is broken by hand is told."""

import os
import re
import shutil
import subprocess

import pytest
from ruamel.yaml import YAML

from twinloop.deploy.elsewhere import sky_task
from twinloop.deploy.intent import deployment_of
from twinloop.deploy.launch import TRAIN_GRACE_S, artefacts
from twinloop.deploy.plain import text_faults
from twinloop.deploy.render import TARGETS, render
from twinloop.deploy.style import style_of
from twinloop.errors import InputError

IMAGE = "registry.example/train@sha256:" + "0" * 64


def loaded(text):
    return YAML(typ="safe", pure=True).load(text)


def files_of(plan, target, images=None):
    return render(deployment_of(plan, "ab" * 8, images), target, style_of(target))


def test_slurm_options_are_slurms(make):
    """Every option of a script is one that sbatch documents (22.05), with a value of its form."""
    forms = {
        "job-name": r"[a-z0-9-]+", "nodes": r"\d+", "ntasks-per-node": r"\d+", "exclusive": r"", "time": r"\d+",
        "gpus-per-node": r"\d+", "ntasks": r"\d+", "gpus-per-task": r"\d+", "constraint": r"[a-z0-9-]+&[a-z0-9-]+",
        "mem": "0", "cpus-per-task": r"\d+", "mem-per-cpu": r"\d+M", "signal": r"B:USR1@\d+",
        "requeue": "", "open-mode": "append",
    }  # fmt: skip
    files = files_of(make(), "slurm")
    scripts = {name: text for name, text in files.items() if name.endswith((".sbatch", ".sh"))}
    assert len(scripts) == 4
    for name, text in scripts.items():
        for option, value in re.findall(r"^#SBATCH --([a-z-]+)=?(.*)$", text, re.MULTILINE):
            assert re.fullmatch(forms[option], value), f"{name}: {option}"
        done = subprocess.run(["bash", "-n"], input=text, text=True, check=False, capture_output=True)
        assert done.returncode == 0, done.stderr
    # A node of eight devices with 128 cores: a served copy on one device has its share, what stays is the system's.
    assert {"#SBATCH --ntasks=16", "#SBATCH --gpus-per-task=1"} <= set(files["slurm/score.sbatch"].splitlines())
    cores = deployment_of(make(), "").works[2].hardware.cores
    assert f"#SBATCH --cpus-per-task={int(0.9 * cores / 8)}" in files["slurm/score.sbatch"]
    for name in ("train", "features"):
        assert {"#SBATCH --exclusive", "#SBATCH --mem=0"} <= set(files[f"slurm/{name}.sbatch"].splitlines())


STANDINS = {
    "srun": 'SLURM_NODEID=1 SLURM_LOCALID=3 exec "$@"', "scontrol": "echo node7; echo node8",
    "apptainer": 'echo "apptainer $@" | cut -d" " -f1-12; while [ "$1" != bash ]; do shift; done; exec "$@"',
    "torchrun": 'printf "%s\\n" "$@"', "python": 'printf "%s\\n" "$@"',
    "sbatch": 'echo "$@" >> "$PWD/submitted"; wc -l < "$PWD/submitted"',
}  # fmt: skip


def batch(folder, text, *words, **more):
    """Run a script under stand-ins of the cluster's commands; return what was printed."""
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    for name, body in STANDINS.items():
        (tools / name).write_text(f"#!/bin/bash\n{body}\n")
        (tools / name).chmod(0o755)
    known = {"PATH": f"{tools}:{os.environ['PATH']}", "SLURM_NNODES": "2", "SLURM_JOB_NODELIST": "node[7-8]"}
    done = subprocess.run(["bash", "-c", text, *words], cwd=folder, capture_output=True, text=True, check=False,
                          env=known | {"DATA": "/d", "ARTEFACTS": "/a"} | more)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_slurm_expands_to_the_planned_launch(make, tmp_path):
    """What the launcher would get inside the image is what was planned."""
    files = files_of(make(), "slurm", {"train": IMAGE})
    said = batch(tmp_path, files["slurm/train.sbatch"])
    assert {"--nnodes=2", "--node-rank=1", "--master-addr=node7", "--nproc-per-node=8"} <= set(said.split())
    assert said.startswith(f"apptainer exec --nv --pwd /app --bind /d:/data --bind /a:/artefacts docker://{IMAGE} bash")
    said = batch(tmp_path, files["slurm/score.sbatch"])
    assert f"--rocm --pwd /app --bind /d:/data --bind /a:/artefacts {tmp_path}/images/score.sif" in said
    assert {"--port=8083", "--artefacts=/artefacts/train"} <= set(said.split())
    with pytest.raises(AssertionError, match="DATA: the folder of the data"):
        batch(tmp_path, files["slurm/train.sbatch"], DATA="")


def ended(folder, text, body, **more):
    """Run a training script whose step does ``body``; return what Slurm was told, and the exit code."""
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    said = f"{folder}/said"
    bodies = {"srun": body, "scontrol": f'[ "$1" = show ] && echo node7 || echo "$@" >> {said}',
              "scancel": f'echo scancel "$@" >> {said}; kill -TERM "$(cat {folder}/step)"'}  # fmt: skip
    for name, each in bodies.items():
        (tools / name).write_text(f"#!/bin/bash\n{each}\n")
        (tools / name).chmod(0o755)
    known = {"PATH": f"{tools}:{os.environ['PATH']}", "SLURM_NNODES": "2", "SLURM_JOB_NODELIST": "node[7-8]",
             "SLURM_JOB_ID": "41", "DATA": "/d", "ARTEFACTS": "/a"}  # fmt: skip
    (folder / "script").write_text(text)
    done = subprocess.run(["bash", "script"], cwd=folder, env=known | more, check=False, timeout=30)
    found = folder / "said"
    return (found.read_text().splitlines() if found.exists() else []), done.returncode


TOLD_TO_STOP = (
    """trap 'sleep 0.3; exit 1' TERM; echo $$ > step; kill -USR1 $PPID; for n in {1..50}; do sleep 0.1; done"""
)


@pytest.mark.parametrize(("body", "times", "told", "code"), [
    ("exit 0", 0, [], 0),
    ("exit 9", 0, ["requeue 41"], 0),
    ("exit 9", 2, ["requeue 41"], 0),
    ("exit 9", 3, [], 9),
    (TOLD_TO_STOP, 0, ["scancel --signal=TERM 41", "requeue 41"], 0),
    (TOLD_TO_STOP, 7, ["scancel --signal=TERM 41", "requeue 41"], 0),
    (TOLD_TO_STOP.replace("exit 1", "exit 0"), 0, ["scancel --signal=TERM 41"], 0),
    ("kill -TERM $PPID; sleep 0.3; exit 9", 0, [], -15),
], ids=["done", "failed", "failed again", "failed too often", "limit", "limit again", "done at the limit",
        "cancelled"])  # fmt: skip
def test_a_slurm_job_comes_again_until_it_is_done(make, tmp_path, body, times, told, code):
    """At its limit always, after a failure thrice; one that was cancelled or is done never."""
    text = files_of(make(), "slurm", {"train": IMAGE})["slurm/train.sbatch"]
    assert ended(tmp_path, text, body, SLURM_RESTART_COUNT=str(times)) == (told, code)


def test_plans_of_one_user_do_not_wait_for_each_other(make, changed):
    """Slurm's singleton goes by user and name."""
    names = [re.findall(r"--job-name=(\S+)", text) for plan in (make(), changed(make(), scenario="shop"))
             for name, text in files_of(plan, "slurm").items() if name.endswith(".sbatch")]  # fmt: skip
    assert len(names) == 6
    assert len({name for (name,) in names}) == 6


def test_torchrun_waits_for_a_checkpoint_as_long_as_its_pod(make):
    """Its own patience ends before the scheduler's, so that it can still say which rank it ended."""
    found = re.search(r"TORCH_ELASTIC_SHUTDOWN_TIMEOUT=(\d+)", files_of(make(), "k8s")["images/train/Dockerfile"])
    assert TRAIN_GRACE_S - 30 < int(found[1]) < TRAIN_GRACE_S
    assert f"export {found[0]}" in loaded(files_of(make(), "skypilot")["sky/train.yaml"])["run"]
    train = loaded(files_of(make(), "compose")["compose.yaml"])["services"]["train"]
    assert train["stop_grace_period"] == f"{TRAIN_GRACE_S}s"


def test_slurm_rounds_keep_their_order_and_recur(make, tmp_path):
    files = files_of(make(), "slurm")
    (tmp_path / "slurm").mkdir()
    (tmp_path / "slurm" / "submit.sh").write_text(files["slurm/submit.sh"])
    assert batch(tmp_path, "bash slurm/submit.sh").split() == ["features:", "1", "train:", "2"]
    assert (tmp_path / "submitted").read_text().splitlines() == [
        "--parsable --dependency=singleton slurm/features.sbatch",
        "--parsable --dependency=afterok:1,singleton --kill-on-invalid-dep=yes slurm/train.sbatch",
    ]
    entries = [line for line in files["slurm/scrontab"].splitlines() if line[0] in "0123456789*"]
    assert [" ".join(line.split()[:5]) for line in entries] == ["0 0 * * *", "0 2 * * *"]
    assert all("sbatch --dependency=singleton" in line for line in entries)
    assert "slurm/scrontab" not in files_of(make(every=""), "slurm")


def test_a_sky_task_holds_the_planned_nodes(make):
    files = files_of(make(), "skypilot")
    task = loaded(files["sky/train.yaml"])
    assert (task["num_nodes"], task["resources"]["accelerators"], task["workdir"]) == (2, "B200:8", "images/train")
    assert '--node-rank="$SKYPILOT_NODE_RANK"' in task["run"]
    assert (task["resources"]["infra"], task["envs"]) == ("k8s/hall", {"DATA": None, "NODES": "2", "ARTEFACTS": None})
    assert task["file_mounts"]["/artefacts"] == {"source": "${ARTEFACTS}", "mode": "MOUNT_CACHED"}
    for name in ("train", "score", "features"):
        done = subprocess.run(["bash", "-n"], input=loaded(files[f"sky/{name}.yaml"])["run"], text=True, check=False)
        assert done.returncode == 0


def test_a_sky_service_scales_as_planned_on_its_share(make):
    work = deployment_of(make(), "").works[2]
    task = loaded(files_of(make(), "skypilot")["sky/score.yaml"])
    assert task["service"] == {
        "readiness_probe": {"path": "/readyz"},
        "replica_policy": {"min_replicas": 8, "max_replicas": 16, "target_qps_per_replica": 50.0},
    }
    assert "num_nodes" not in task
    share = {"accelerators": "MI300X:1", "cpus": f"{int(0.9 * work.hardware.cores / 8)}+", "ports": 8080}
    assert share.items() <= task["resources"].items()


def test_a_branch_of_sky_finds_its_model_where_its_program_lies(make, changed):
    work = changed(deployment_of(make(), "").works[2], everywhere=True)
    assert artefacts(work) == "/app"
    assert "--artefacts=." in sky_task(deployment_of(make(), ""), work)["run"].split()


def test_a_sky_task_stays_in_its_region(make, changed, stage_of, without):
    plan = make(facts={"sites.hall.provider": "aws", "sites.hall.region": "eu-central-1"})
    stage = stage_of("train", "H100-SXM-80GB", "p5.48xlarge", 8, 2, 2, 2)
    rented = changed(without(plan, "train"), stages=(changed(stage, mfu=0.4),))
    task = loaded(files_of(rented, "skypilot")["sky/train.yaml"])
    assert task["resources"]["infra"] == "aws/eu-central-1"


def test_compose_trains_the_planned_sizes_on_one_device(make):
    services = loaded(files_of(make(), "compose")["compose.yaml"])["services"]
    train = services["train"]
    sizes = {"num-layers": 4, "hidden-size": 64, "global-batch-size": 8, "zero": 0}
    alone = {f"{name}-parallel-size": 1 for name in ("data", "tensor-model", "pipeline-model")}
    assert {f"--{name}={value}" for name, value in (sizes | alone).items()} <= set(train["entrypoint"])
    assert train["depends_on"] == {"features": {"condition": "service_completed_successfully"}}
    (device,) = train["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}
    assert services["score"]["devices"] == ["/dev/kfd", "/dev/dri"]
    assert "--artefacts=/artefacts/train" in services["score"]["entrypoint"]
    assert "/readyz" in str(services["score"]["healthcheck"])


def test_a_volume_takes_over_the_images_owner(make):
    text = files_of(make(), "compose")["images/train/Dockerfile"]
    at = text.index('RUN ["install", "-d", "-o", "10001", "-g", "10001", "/data", "/artefacts"]')
    assert at < text.index("USER 10001:10001")


@pytest.mark.parametrize("target", TARGETS)
def test_a_readme_speaks_only_of_what_is_there(make, target):
    """Every file that it names is written; what belongs to clusters of Kubernetes stands in their READMEs alone."""
    files = files_of(make(), target)
    text = files["README.md"]
    for name in re.findall(r"\b(?:slurm|sky|local|images|pipelines|sites/hall)/[\w./*-]*\w", text):
        known = re.escape(name).replace(r"\*", "[^/]*").replace("STAGE", "[a-z]+")
        sif = name.endswith(".sif")
        assert sif or any(re.match(f"{known}(/|$)", each) for each in files), name
    for word in ("kustomization", "nodes.csv", "Claims", "kubectl", "metrics adapter", "twinloop.dev/client"):
        assert (word in text) <= (target in ("k8s", "kubeflow", "ray")), word
    for word, of in (("Feature=", "slurm"), ("submit.sh", "slurm"), ("scrontab", "slurm"), ("sky serve up", "skypilot"),
                     ("docker compose cp", "compose"), ("bash local/train.sh", "local")):  # fmt: skip
        assert (word in text) == (target == of), word
    if target != "local":
        assert "/artefacts/train/model.pt" in text
        assert "one number a request" in text


def test_a_model_that_nothing_moves_is_told(make, changed):
    plan = make()
    sites = (plan.sites[0], changed(plan.sites[0], name="shop"))
    moved = changed(plan, sites=sites, stages=(*plan.stages[:2], changed(plan.stages[2], site="shop")))
    text = files_of(moved, "k8s")["README.md"]
    assert "Nothing moves the model of `train` from hall to shop" in text
    assert "`artefacts-hall` there to the claim `artefacts-shop` here" in text


def test_compose_is_read_by_compose(make, written):
    folder = written(make(), target="compose")
    for tool in (["docker", "compose"], ["docker-compose"]):
        if (
            shutil.which(tool[0])
            and not subprocess.run([*tool, "version"], capture_output=True, check=False).returncode
        ):
            break
    else:
        pytest.skip("no docker compose and no docker-compose on this machine")
    done = subprocess.run([*tool, "-f", folder / "compose.yaml", "config"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    read = loaded(done.stdout)["services"]
    assert sorted(read) == ["features", "score", "train"]
    assert read["train"]["read_only"] is True


def test_servers_that_nobody_trains_for_have_folders_of_their_own(make, without):
    alone = files_of(without(make(), "score"), "slurm")
    assert "--artefacts=/artefacts/score" in alone["slurm/score.sbatch"]
    assert "No stage of the plan trains what `score` serves: lay `/artefacts/score/model.pt`" in alone["README.md"]
    assert "as `model.pt` computes it" in alone["README.md"]


MUTANTS = [
    ("slurm", "slurm/train.sbatch", "--nodes=2", "--nodes=1", "--nodes: got 1 under --nnodes=2"),
    ("slurm", "slurm/train.sbatch", "--gpus-per-node=8", "--gpus-per-node=4", "got 4 under --nproc-per-node=8"),
    ("slurm", "slurm/train.sbatch", "--nnodes=2", "--nnodes=3", "starts 24 ranks for a layout of 16"),
    ("slurm", "slurm/train.sbatch", "#SBATCH --mem=0\n", "", "--mem: got another than 0"),
    ("slurm", "slurm/train.sbatch", "train.py", "trainer.py", "starts none of the programs"),
    ("slurm", "slurm/train.sbatch", "bash -c '", "bash -c ", "a quote stays open"),
    ("slurm", "slurm/score.sbatch", "--ntasks=16", "--ntasks=8", "tasks hold 8 devices for a layout of 16"),
    ("slurm", "slurm/score.sbatch", "--gpus-per-task=1", "--gpus-per-task=one", "expected two numbers"),
    ("slurm", "slurm/score.sbatch", "--constraint=", "--comment=", "--constraint: got none"),
    ("slurm", "slurm/score.sbatch", "--job-name=bank-score", "--job-name=score", "--job-name: got score"),
    ("slurm", "slurm/train.sbatch", "scontrol requeue", "scontrol hold", "got no scontrol requeue"),
    ("slurm", "slurm/train.sbatch", "--time=300", "--time=abc", "--time: got abc"),
    ("skypilot", "sky/train.yaml", '--node-rank="$SKYPILOT_NODE_RANK"', "--node-rank=0", "would be the same one"),
    ("slurm", "slurm/submit.sh", " --kill-on-invalid-dep=yes", "", "after a failure it waits for ever"),
    ("slurm", "slurm/submit.sh", "slurm/train.sbatch", "slurm/trains.sbatch", "no slurm/trains.sbatch is there"),
    ("slurm", "slurm/submit.sh", "${job[features]},", "${job[feature]},", "waits for feature,"),
    ("slurm", "slurm/scrontab", "0 2 * * *", "0 25 * * *", "25"),
    ("k8s", "images/train/Dockerfile", "FROM ", "FORM ", "no FROM"),
    ("k8s", "images/score/Dockerfile", "rocm7.14_ubuntu24.04_py3.12_pytorch_release_2.12.0", "latest", "no fixed tag"),
    ("k8s", "images/train/Dockerfile", "COPY train.py", "COPY trainer.py", "no trainer.py lies beside it"),
    ("compose", "compose.yaml", "services:", "services: [", "not YAML"),
    ("compose", "compose.yaml", "services:", "service:", "got no services"),
    ("compose", "compose.yaml", "images/train", "images/trains", "expected a folder that is there"),
    ("compose", "compose.yaml", "data: {}", "datum: {}", "data is not declared"),
    ("compose", "compose.yaml", "read_only: true", "privileged: true", "got privileges"),
    ("compose", "compose.yaml", "read_only: true", "user: root", "got privileges"),
    ("compose", "compose.yaml", "features:\n        condition", "feature:\n        condition", "is called feature"),
    ("compose", "compose.yaml", "--nproc-per-node=1", "--nproc-per-node=2", "starts 2 ranks for a layout of 1"),
    ("skypilot", "sky/train.yaml", "num_nodes: 2", "num_nodes: 4", "num_nodes: got 4 under --nnodes=2"),
    ("slurm", "slurm/train.sbatch", "--gpus-per-node=8", "--gpus-per-node=b200:4", "got 4 under --nproc-per-node=8"),
    ("skypilot", "sky/train.yaml", "B200:8", "{B200: 4}", "got 4 under --nproc-per-node=8"),
    ("skypilot", "sky/train.yaml", "B200:8", "['B200:8', 'B300:4']", "got 4 under --nproc-per-node=8"),
    ("skypilot", "sky/train.yaml", "B200:8", "B200:4", "got 4 under --nproc-per-node=8"),
    ("skypilot", "sky/train.yaml", "--nnodes=2", "--nnodes=1", "starts 8 ranks for a layout of 16"),
    ("skypilot", "sky/train.yaml", "k8s/hall", "hall", "expected a place"),
    ("skypilot", "sky/train.yaml", "images/train", "images/score", "no train.py is in its image"),
    ("skypilot", "sky/train.yaml", "${ARTEFACTS}", "${ARTEFACT}", "ARTEFACT is none of envs"),
    ("skypilot", "sky/train.yaml", "name:", "name: [", "not YAML"),
    ("skypilot", "sky/score.yaml", "min_replicas: 8", "min_replicas: 80", "expected bounds in order"),
    ("skypilot", "sky/score.yaml", "/readyz", "/ready", "the server does not know"),
    ("skypilot", "sky/score.yaml", "ports: 8080", "ports: 80", "the server listens on 8080"),
    ("local", "local/train.sh", "train.py", "rain.py", "starts none of the programs"),
]  # fmt: skip


@pytest.mark.parametrize(("target", "name"), [
    ("compose", "score"), ("skypilot", "train"), ("local", "train"), ("slurm", "submit"), ("k8s", "submit"),
])  # fmt: skip
def test_an_image_that_no_file_would_name_is_refused(make, target, name):
    with pytest.raises(InputError, match=f"--image {name}={IMAGE}: got --target {target}, expected --target k"):
        files_of(make(), target, {name: IMAGE})


@pytest.mark.parametrize("target", ["k8s", "kubeflow", "ray", "slurm"])
def test_an_image_is_named_where_it_lies(make, target):
    files = files_of(make(), target, {"score": IMAGE})
    assert any(IMAGE in text for name, text in files.items() if name.startswith(("sites/", "slurm/")))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The small plan's folder for each target; a mutant mends what it broke."""
    made = {}

    def find(plan, target):
        if target not in made:
            made[target] = tmp_path_factory.mktemp(target)
            for name, text in files_of(plan, target).items():
                (made[target] / name).parent.mkdir(parents=True, exist_ok=True)
                (made[target] / name).write_text(text, encoding="utf-8")
            assert list(text_faults(made[target])) == []
        return made[target]

    return find


@pytest.mark.parametrize(("target", "file", "old", "new", "told"), MUTANTS)
def test_what_is_broken_by_hand_is_told(make, folders, target, file, old, new, told):
    folder = folders(make(), target)
    text = (folder / file).read_text()
    assert old in text
    try:
        (folder / file).write_text(text.replace(old, new))
        found = [message for name, _, message in text_faults(folder) if name == file]
    finally:
        (folder / file).write_text(text)
    assert any(told in message for message in found), found


@pytest.mark.parametrize(("target", "file", "old", "new"), [
    ("slurm", "slurm/train.sbatch", "--gpus-per-node=8", "--gpus-per-node=b200:8"),
    ("slurm", "slurm/score.sbatch", "--gpus-per-task=1", "--gpus-per-task=mi300x:1"),
    ("slurm", "slurm/scrontab", "0 2 * * *", "0 2 * * MON-FRI"),
    ("skypilot", "sky/train.yaml", "B200:8", "{B200: 8}"),
    ("skypilot", "sky/train.yaml", "B200:8", "['B200:8', 'B300:8']"),
])  # fmt: skip
def test_what_a_person_may_write_too_is_no_fault(make, folders, target, file, old, new):
    folder = folders(make(), target)
    text = (folder / file).read_text()
    assert old in text
    try:
        (folder / file).write_text(text.replace(old, new))
        assert list(text_faults(folder)) == []
    finally:
        (folder / file).write_text(text)


@pytest.mark.parametrize(("target", "file", "told"), [
    ("compose", "images/train/Dockerfile", "no Dockerfile"), ("slurm", "images/train/train.py", "no train.py"),
    ("slurm", "slurm/train.sbatch", "no slurm/train.sbatch is there"),
])  # fmt: skip
def test_what_is_missing_is_told(make, folders, target, file, told):
    folder = folders(make(), target)
    text = (folder / file).read_text()
    try:
        (folder / file).unlink()
        assert any(told in message for _, _, message in text_faults(folder))
    finally:
        (folder / file).write_text(text)
