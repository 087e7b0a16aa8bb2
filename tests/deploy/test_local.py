"""Layouts that really run: our trainer's against the formulas, the library's own against a dense reference."""

import argparse
import ast
import importlib.util
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from twinloop.deploy.formulas import plain_shape, wire_of
from twinloop.deploy.images import program
from twinloop.deploy.intent import deployment_of
from twinloop.deploy.launch import torchrun
from twinloop.deploy.local import Compared, Small, compare, expected, small_layout
from twinloop.deploy.render import render
from twinloop.model.codec import dumps

SENT = ("tensor_all_reduce", "data_all_reduce", "pipeline_send", "data_gather", "data_scatter")
WIDTH, HIDDEN = 16, 32
PARAMETERS = 2 * WIDTH * HIDDEN + HIDDEN + WIDTH + WIDTH + 1


def test_small_layouts_keep_the_directions_and_fit():
    for most in (1, 2, 4, 8):
        made = small_layout(64, 8, 4, most)
        assert made.ranks <= most
    assert small_layout(64, 8, 4, 8) == Small(2, 2, 2)


def test_the_formulas():
    # Eight micro-batches over one boundary, both ways, of 32 x 64 doubles, on each of two tensor ranks.
    found = expected(Small(1, 2, 2), 1000)
    assert expected(Small(2, 1, 1, zero=3), 1000).gather_b == 2 * 8 * 8000.0
    assert expected(Small(2, 1, 1, zero=1), 1000).scatter_b == 8000.0
    assert found.pipeline_b == 2 * 2 * 8 * 32 * 64 * 8
    assert (found.tensor_b, found.data_b) == (4 * 2 * 8 * 32 * 64 * 8, 0.0)
    assert expected(Small(2, 1, 1), 1000).data_b == 8000.0


def wire(**sizes):
    shape = plain_shape(layers=4, hidden=64, heads=4, vocabulary=32, sequence=32)
    whole = {"data": 1, "tensor": 1, "pipeline": 1, "zero": 0, "micro_batches": 8, "value_b": 8.0, **sizes}
    return wire_of(shape, **whole)


def test_the_planners_model_counts_by_the_books():
    """Bytes and bubble of the planner's step model on a machine that counts, against the closed forms by hand."""
    block = 32 * 64 * 8.0
    weights = 8.0 * (4 * (12 * 64 * 64 + 13 * 64) + 2 * 32 * 64)  # with biases and two norms a layer
    assert wire(tensor=2).tensor_b == 4 * 4 * 8 * block
    assert wire(tensor=4).tensor_b == pytest.approx(1.5 * 4 * 4 * 8 * block)
    assert wire(data=2).data_b == pytest.approx(weights)
    assert wire(data=4, zero=1).data_b == pytest.approx(1.5 * weights)
    assert wire(data=2, zero=3).data_b == pytest.approx(0.5 * weights * 8 * 3)
    assert wire(pipeline=2).pipeline_b == 2 * 8 * block
    # (p - 1)/(m + p - 1): Narayanan et al. 2021 give (p - 1)/m of the ideal time, this is of the whole.
    assert wire(pipeline=2).bubble == pytest.approx(1 / 9)
    assert wire(pipeline=4, micro_batches=12).bubble == pytest.approx(3 / 15)


def rank(place=(0, 0, 0), *, losses=(1.0,), idle_s=0.0, **sent):
    return {"losses": list(losses), "place": list(place), "parameters": 10, "sent": {**dict.fromkeys(SENT, 0), **sent},
            "busy_s": [8.0], "spans": [[0.0, 8.0 + idle_s]]}  # fmt: skip


def test_a_difference_is_told():
    found = {"steps": 1, "ranks": [rank(losses=[1.1], data_all_reduce=8)]}
    rows = compare(Small(1, 1, 1), found, {"ranks": [rank()]})
    assert [row.agrees for row in rows] == [False, True, False, True, True, True]
    assert Compared("a", 1.01, 1.0, 0.02).agrees


@pytest.mark.parametrize(("idle_s", "agrees"), [(1.0, True), (0.6, False), (1.5, False), (8.0, False)])
def test_the_bubble_is_judged(idle_s, agrees):
    """Two stages idle one ninth of the time; none, twice it, or stages that never overlap are told."""
    ranks = [rank((0, 0, stage), idle_s=idle_s) for stage in range(2)]
    rows = compare(Small(1, 1, 2), {"steps": 1, "ranks": ranks}, {"ranks": [rank()]})
    (told,) = [row for row in rows if "bubble" in row.what]
    assert told.agrees == agrees


@pytest.mark.parametrize(("layout", "name", "handed"), [
    (Small(1, 2, 1), "tensor_all_reduce", 4 * 4 * 8 * 32 * 64 * 8), (Small(2, 1, 1), "data_all_reduce", 8 * 202_752),
    (Small(1, 1, 2), "pipeline_send", 8 * 32 * 64 * 8), (Small(2, 1, 1, 3), "data_gather", 16 * 8 * 202_752),
])  # fmt: skip
def test_bytes_are_judged_by_the_planners_model(layout, name, handed):
    """The right count agrees; a collective more or less of eight does not."""
    for factor in (1.0, 9 / 8, 7 / 8):
        sent = {name: factor * handed} | ({"data_scatter": 8 * 8 * 202_752} if layout.zero else {})
        ranks = [rank((0, 0, index % layout.pipeline), **sent) for index in range(2)]
        rows = compare(layout, {"steps": 1, "ranks": ranks}, {"ranks": [rank()]})
        (told,) = [row for row in rows if row.what.startswith("planner: bytes")]
        assert told.agrees == (factor == 1.0), told


def test_the_script_carries_the_small_layout(make):
    text = render(deployment_of(make(), "ab" * 8), "local")["local/train.sh"]
    done = subprocess.run(["bash", "-n"], input=text, text=True, check=False)
    assert done.returncode == 0
    assert "--nproc-per-node=4" in text
    assert "--tensor-model-parallel-size=2" in text


PARSED = ("RUNS_AS", "SMALL", "arguments")


def parser_of(name, framework):
    """The argument parser of a shipped program, cut out of it: no torch is needed."""
    text = program(name, framework)
    keep = [
        each for each in ast.parse(text).body
        if (isinstance(each, ast.FunctionDef) and each.name in PARSED)
        or (isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) in PARSED)
    ]  # fmt: skip
    space = {"argparse": argparse, "__doc__": "A program."}
    exec(compile(ast.Module(keep, []), name, "exec"), space)  # noqa: S102 - our own program
    return space["arguments"]


@pytest.mark.parametrize(("framework", "layout"), [
    ("torch", {"data": 2, "tensor": 2, "pipeline": 4, "zero": 1, "interleave": 4, "recompute": "selective"}),
    ("jax", {"data": 8, "tensor": 2, "pipeline": 1, "zero": 3}), ("tensorflow", {"data": 16, "tensor": 1,
                                                                             "pipeline": 1}),
])  # fmt: skip
def test_the_program_takes_every_argument_of_its_launcher(make, changed, monkeypatch, framework, layout):
    """A flag that the program does not know would end it at its first line."""
    plan = make(facts={"models.net.heads": "4", "models.net.vocabulary": "512", "models.net.context": "64"})
    at = changed(plan.stages[1].parallelism, **layout)
    train = changed(plan.stages[1], parallelism=at, precision="fp8" if framework == "torch" else "bf16")
    made = deployment_of(changed(plan, stages=(plan.stages[0], train, plan.stages[2])), "ab" * 8)
    (work,) = [each for each in made.works if each.kind == "train"]
    words = torchrun(work, "head")
    monkeypatch.setattr(sys, "argv", words[words.index("train.py") :])
    known = parser_of("train", framework)()
    assert (known.data_parallel_size, known.global_batch_size) == (layout["data"], train.parallelism.batch)
    assert (known.num_layers, known.seq_length) == (4, 64)


def test_precision_is_refused_or_told():
    text = program("train")
    start, end = text.index("RUNS_AS = {"), text.index("}", text.index("RUNS_AS = {")) + 1
    table = eval(text[start + len("RUNS_AS = ") : end])  # noqa: S307 - our own table
    assert table["fp8"] == "bf16"
    assert "nvfp4" not in table
    assert "this program computes in" in text


@pytest.mark.slow
def test_the_command_runs_the_plans_layout(make, tmp_path, torch_python):
    path = tmp_path / "plan.json"
    path.write_text(dumps(make()))
    done = subprocess.run(
        [sys.executable, "-c", "from twinloop.cli.main import main; main()", "deploy", "local", str(path), "--json",
         "--steps=2", f"--python={torch_python}"], capture_output=True, text=True, timeout=590, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (stage,) = json.loads(done.stdout)["stages"]
    assert stage["layout"] == {"data": 1, "tensor": 2, "pipeline": 2, "zero": 0}
    assert all(row["agrees"] for row in stage["compared"])
    assert {row["what"] for row in stage["compared"]} >= {
        "planner: bytes of a step, tensor", "planner: bytes of a step, pipeline", "planner: pipeline bubble",
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("which", ["ddp", "fsdp", "tensor", "gpipe", "1f1b"])
def test_the_librarys_layouts_equal_the_dense_reference(which, tmp_path, torch_python):
    script, report = tmp_path / "layouts.py", tmp_path / "report.json"
    script.write_text((Path(__file__).parent / "layouts_program.txt").read_text("utf-8"))
    done = subprocess.run(
        [torch_python, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", script, which, report],
        capture_output=True, text=True, timeout=400, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    for rank in json.loads(report.read_text()):
        assert rank["parameters"] == PARAMETERS
        assert rank["compared"] > 0
        assert rank["loss"] < 1e-12
        assert rank["gradients"] < 1e-12
        if which == "ddp":
            assert sum(rank["sent"]) == 8 * PARAMETERS  # all gradients, once
        if which == "fsdp":
            assert sum(rank["sent"]) == pytest.approx(8 * PARAMETERS / 2, rel=0.02)  # a bias of one is not halved
        if which == "tensor":
            assert rank["sent"] == [WIDTH * HIDDEN]  # half of two matrices


@pytest.fixture
def ray_python():
    """A Python with Ray: skipped loudly where there is none."""
    found = os.environ.get("TWINLOOP_RAY_PYTHON") or (sys.executable if importlib.util.find_spec("ray") else None)
    if found is None:
        pytest.skip("no Ray: pip install 'twinloop[ray,torch]', or set TWINLOOP_RAY_PYTHON")
    return found


@pytest.mark.slow
def test_two_ray_workers_train_like_one_process(tmp_path, torch_python, ray_python):
    """Ray Train runs the same program: losses equal those of one process on the same samples."""
    ray = ray_python
    for name in ("train", "runs", "sharding", "export", "ray_train"):
        (tmp_path / f"{name}.py").write_text(program(name))
    words = ["--synthetic", "--steps=2", "--float64", "--global-batch-size=8"]
    both, one = tmp_path / "both.json", tmp_path / "one.json"
    # Four logical processors: with fewer, the worker group waits for ever.
    subprocess.run(
        [ray, "ray_train.py", "--cpus=4", "--workers=2", "--device=CPU", "--", *words, "--data-parallel-size=2",
         f"--report={both}"], check=True, capture_output=True, timeout=500, cwd=tmp_path,
        env={**os.environ, "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": "300", "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    subprocess.run([torch_python, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=1", "train.py",
                    *words, f"--report={one}"], check=True, capture_output=True, timeout=300, cwd=tmp_path)  # fmt: skip
    (reference,) = json.loads(one.read_text())["ranks"]
    for rank in json.loads(both.read_text())["ranks"]:
        assert rank["losses"] == pytest.approx(reference["losses"], abs=1e-10)


@pytest.mark.slow
def test_the_command_runs_the_layout_under_ray(make, tmp_path, ray_python):
    """The same comparison with the planner's formulas, the ranks started by Ray Train."""
    path = tmp_path / "plan.json"
    path.write_text(dumps(make(4, 1, 2)))
    done = subprocess.run(
        [sys.executable, "-m", "twinloop", "deploy", "local", path, "--json", "--steps=2", "--launcher=ray",
         "--processes=2", f"--python={ray_python}"], capture_output=True, text=True, timeout=590, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (stage,) = json.loads(done.stdout)["stages"]
    assert (stage["launcher"], stage["layout"]["pipeline"]) == ("ray", 2)
    assert any("bubble" in row["what"] for row in stage["compared"])
    assert all(row["agrees"] for row in stage["compared"])


@pytest.mark.slow
def test_ray_serve_scores_like_the_server(tmp_path, ray_python):
    """The Serve application answers by HTTP what serve.py's model says, and refuses what serve.py refuses."""
    for name in ("serve", "ray_serve"):
        (tmp_path / f"{name}.py").write_text(program(name))
    script = """
import json, ray, urllib.error, urllib.request
from ray import serve
ray.init(num_cpus=4, include_dashboard=False, object_store_memory=200_000_000)
serve.start(http_options={"host": "127.0.0.1", "port": %d})
import ray_serve, serve as ours
words = ["--synthetic", "--max-batch=4", "--latency-ms=30", "--seq-length=16"]
serve.run(ray_serve.build({"words": words}), route_prefix="/")
def ask(path, body):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:%d{path}", body and json.dumps(body).encode()) as answer:
            return [answer.status, json.load(answer)]
    except urllib.error.HTTPError as error:
        return [error.code, json.load(error)]
told = [ask("/score", {"tokens": [1, 2, 3]}), ask("/score", {"tokens": "x"}), ask("/readyz", None), ask("/x", None)]
a = ours.arguments(words)
told.append(float(ours.load(a)(ours.window([1, 2, 3], 16)[None])[0]))
print("TOLD" + json.dumps(told))
serve.shutdown()
"""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    done = subprocess.run([ray_python, "-c", script % (port, port)], capture_output=True, text=True, timeout=500,
                          check=False, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)})  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    line = next(each for each in done.stdout.splitlines() if each.startswith("TOLD"))
    good, bad, ready, nothing, own = json.loads(line.removeprefix("TOLD"))
    assert good == [200, {"score": pytest.approx(own, abs=1e-12)}]
    assert (bad[0], ready[0], nothing[0]) == (400, 200, 404)


def together(words, folder, count, environment):
    """Run ``count`` processes of a program side by side; return the report of the first."""
    report = folder / "report.json"
    command = [*words[:2], "--synthetic", "--steps=3", "--float64", f"--report={report}", *words[2:]]
    running = [
        subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                         env={**os.environ, **environment(index)})
        for index in range(count)
    ]  # fmt: skip
    ends = [(process.communicate(timeout=500), process.returncode) for process in running]
    assert all(code == 0 for _, code in ends), ends
    return json.loads(report.read_text())


def ports(count):
    held = [socket.socket() for _ in range(count)]
    for each in held:
        each.bind(("127.0.0.1", 0))
    found = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("data", "tensor", "zero"), [(2, 1, 0), (1, 2, 0), (2, 1, 3), (2, 2, 3)])
def test_jax_layouts_train_like_one_process(tmp_path, data, tensor, zero):
    """As JAXJob starts them: one process a host, found by COORDINATOR_ADDRESS."""
    pytest.importorskip("jax", reason="pip install jax")
    for name in ("train", "runs"):
        (tmp_path / f"{name}.py").write_text(program(name, "jax"))

    def run(count, *words):
        (port,) = ports(1)
        place = {"COORDINATOR_ADDRESS": "127.0.0.1", "COORDINATOR_PORT": str(port), "NUM_PROCESSES": str(count),
                 "JAX_PLATFORMS": "cpu"}  # fmt: skip
        return together([sys.executable, "train.py", *words], tmp_path, count,
                        lambda index: {**place, "PROCESS_ID": str(index)})  # fmt: skip

    whole = run(1)
    found = run(data * tensor, f"--data-parallel-size={data}", f"--tensor-model-parallel-size={tensor}",
                f"--zero={zero}")  # fmt: skip
    assert found["losses"] == pytest.approx(whole["losses"], abs=1e-10)
    share = found["weight_bytes_per_device"] / whole["weight_bytes_per_device"]
    # All but norms and tables are halved by tensor; under ZeRO-3 everything is by data.
    shares = {(2, 1, 0): 1.0, (1, 2, 0): 0.572, (2, 1, 3): 0.5, (2, 2, 3): 0.286}
    assert share == pytest.approx(shares[data, tensor, zero], abs=0.002)


@pytest.mark.slow
def test_two_tensorflow_workers_train_like_one(tmp_path):
    """As TFJob starts them: MultiWorkerMirroredStrategy by TF_CONFIG."""
    python = os.environ.get("TWINLOOP_TF_PYTHON") or (
        sys.executable if importlib.util.find_spec("tensorflow") is not None else None
    )
    if python is None:
        pytest.skip("no TensorFlow: pip install tensorflow-cpu, or set TWINLOOP_TF_PYTHON")
    for name in ("train", "runs"):
        (tmp_path / f"{name}.py").write_text(program(name, "tensorflow"))

    def run(count, *words):
        workers = [f"127.0.0.1:{port}" for port in ports(count)]

        def environment(index):
            config = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
            return {"TF_CONFIG": json.dumps(config), "CUDA_VISIBLE_DEVICES": ""}

        return together([python, "train.py", f"--data-parallel-size={count}", *words], tmp_path, count, environment)

    whole, found = run(1), run(2)
    assert found["replicas"] == 2
    assert found["losses"] == pytest.approx(whole["losses"], abs=1e-10)
