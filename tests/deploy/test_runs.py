"""Runs on real data: killed and started again, one after the other, and from the training to the server."""

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
import types
import urllib.error
import urllib.request

import numpy as np
import pytest

from twinloop.deploy.images import program

ROWS, WIDTH, BATCH = (50, 7, 95, 48), 17, 8
STEPS = sum(ROWS) // BATCH
SIZES = ["--num-layers=2", "--hidden-size=16", "--num-attention-heads=2", "--vocab-size=64", "--seq-length=16",
         f"--global-batch-size={BATCH}", "--float64", "--learning-rate=0.01"]  # fmt: skip


def module(name, **others):
    """One of the shipped programs as a module."""
    made = types.ModuleType(name)
    made.__dict__.update(others)
    exec(compile(program(name), name, "exec"), made.__dict__)  # noqa: S102 - our own program
    return made


@pytest.mark.parametrize(("environment", "name"), [
    ({}, ""), ({"TWINLOOP_RUN": "a", "SLURM_JOB_ID": "7"}, "a"), ({"SLURM_JOB_ID": "7"}, "7"),
    ({"JOB_COMPLETION_INDEX": "3", "HOSTNAME": "train-28933620-3"}, "train-28933620"),
    ({"HOSTNAME": "train-abcde"}, ""),  # a name that changes with every pod says nothing of the run
])  # fmt: skip
def test_a_run_bears_its_schedulers_name(monkeypatch, environment, name):
    for each in ("TWINLOOP_RUN", "SLURM_JOB_ID", "SKYPILOT_TASK_ID", "JOB_COMPLETION_INDEX", "HOSTNAME"):
        monkeypatch.delenv(each, raising=False)
    for each, value in environment.items():
        monkeypatch.setenv(each, value)
    assert module("runs").run_name() == name


def test_only_the_same_unfinished_run_goes_on(tmp_path):
    runs = module("runs")
    assert runs.read_state(tmp_path) == {}
    runs.write_state(tmp_path, run="a", step=40, finished=False, layout=[2, 1])
    state = runs.read_state(tmp_path)
    assert runs.step_to_go_on_from(state, "a", layout=[2, 1]) == 40
    assert runs.step_to_go_on_from(state, "b", layout=[2, 1]) == 0
    assert runs.step_to_go_on_from({**state, "finished": True}, "a", layout=[2, 1]) == 0
    assert runs.step_to_go_on_from({}, "a") == 0
    with pytest.raises(SystemExit, match=r"step 40 has layout \[2, 1\], this run \[1, 1\]"):
        runs.step_to_go_on_from(state, "a", layout=[1, 1])
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(SystemExit, match="not JSON"):
        runs.read_state(tmp_path)


def test_a_server_is_ready_when_its_model_is_there_and_takes_a_newer_one(tmp_path, monkeypatch):
    serve = module("serve")
    a = serve.arguments([f"--artefacts={tmp_path}", "--look-every-s=1000"])
    monkeypatch.setattr(serve, "load", lambda a: eval((tmp_path / "model.pt").read_text()), raising=True)  # noqa: S307
    model = serve.Model(a)
    server = serve.ThreadingHTTPServer(("127.0.0.1", 0), serve.handler(serve.Batcher(model, a), model))
    serve.threading.Thread(target=server.serve_forever, daemon=True).start()
    assert (code(server, "/healthz"), code(server, "/readyz"), code(server, "/score", [1])) == (200, 503, 503)
    for text, told in (("lambda rows: [1.5]", 1.5), ("lambda rows: [22.5]", 22.5), ("no model", 22.5)):
        (tmp_path / "model.pt").write_text(text)
        model.look()
        assert code(server, "/readyz") == 200
        assert scored(server.server_port, [1]) == told
    server.shutdown()
    server.server_close()


def code(server, path, tokens=None):
    body = None if tokens is None else json.dumps({"tokens": tokens}).encode()
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}{path}", body, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def scored(port, tokens):
    body = json.dumps({"tokens": tokens}).encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/score", body, timeout=30) as answer:
        return json.load(answer)["score"]


@pytest.fixture
def data(tmp_path):
    """Files of token rows, their borders inside of batches, one in a folder of its own, one not of whole rows."""
    (tmp_path / "data" / "more").mkdir(parents=True)
    random = np.random.default_rng(3)
    for number, rows in enumerate(ROWS):
        tokens = ((random.integers(63, size=(rows, 1)) + np.arange(WIDTH)) % 63 + 1).astype(np.int32)
        tokens = np.append(tokens.reshape(-1), [1, 2]) if number == 2 else tokens
        np.save(tmp_path / "data" / ("more" if number == 3 else ".") / f"{number}.npy", tokens)
    return tmp_path / "data"


def free_port():
    with socket.socket() as each:
        each.bind(("127.0.0.1", 0))
        return each.getsockname()[1]


class Trainer:
    """A framework's program on real data, over some processes."""

    def __init__(self, framework, python, folder, data, processes=2):
        self.framework, self.python, self.folder, self.processes = framework, python, folder, processes
        names = ("train", "runs", "sharding", "export") if framework == "torch" else ("train", "runs")
        for name in names:
            (folder / f"{name}.py").write_text(program(name, framework))
        self.words = [*SIZES, f"--data={data}", f"--checkpoint={folder}/kept", f"--data-parallel-size={processes}"]

    def start(self, *words, run=""):
        report = self.folder / "report.json"
        report.unlink(missing_ok=True)
        quiet = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu", "TWINLOOP_RUN": run}
        ports = [free_port() for _ in range(self.processes)]
        cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
        words = ["train.py", *self.words, *words, f"--report={report}"]
        count = str(self.processes)

        def place(index):
            """As torchrun, Trainer and the TFJob say it."""
            task = {"cluster": cluster, "task": {"type": "worker", "index": index}}
            return {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(ports[0]), "WORLD_SIZE": count, "RANK": str(index),
                    "COORDINATOR_ADDRESS": "127.0.0.1", "COORDINATOR_PORT": str(ports[0]), "NUM_PROCESSES": count,
                    "PROCESS_ID": str(index), "TF_CONFIG": json.dumps(task)}  # fmt: skip

        return [
            subprocess.Popen([self.python, *words], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True, env={**os.environ, **quiet, **place(index)})
            for index in range(self.processes)
        ]  # fmt: skip

    def run(self, *words, run=""):
        """Return losses and what was printed, of a run to its end."""
        running = self.start(*words, run=run)
        said = "".join(each.communicate(timeout=400)[0] for each in running)
        assert all(each.returncode == 0 for each in running), said[-4000:]
        found = json.loads((self.folder / "report.json").read_text())
        return found["losses"] if "losses" in found else found["ranks"][-1]["losses"], said

    def killed(self, how, *words, run=""):
        """Start a run, end it once a checkpoint is there (told to stop, one process tells the others).

        Return the exit codes.
        """
        kept = self.folder / "kept" / "train" / ("jax.npz" if self.framework == "jax" else "run.json")
        before = kept.stat().st_mtime_ns if kept.exists() else None
        running = self.start(*words, "--checkpoint-every=1", run=run)
        until = time.monotonic() + 300
        while not kept.exists() or kept.stat().st_mtime_ns == before:
            assert time.monotonic() < until
            assert all(each.poll() is None for each in running), running[0].communicate()[0][-4000:]
            time.sleep(0.002)
        for each in running if how == signal.SIGKILL else running[1:]:
            each.send_signal(how)
        for each in running:
            each.communicate(timeout=100)
        return [each.returncode for each in running]


def python_of(framework):
    variable = {"torch": "TWINLOOP_TORCH_PYTHON", "tensorflow": "TWINLOOP_TF_PYTHON", "jax": ""}[framework]
    found = os.environ.get(variable) or (sys.executable if importlib.util.find_spec(framework) else None)
    if found is None:
        pytest.skip(f"no {framework}: install it, or set {variable}")
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("framework", "extra"), [
    ("torch", []), ("torch", ["--zero=3"]), ("jax", ["--zero=3"]), ("tensorflow", []),
])  # fmt: skip
def test_a_killed_run_goes_on_and_the_next_one_starts_afresh(tmp_path, data, framework, extra):
    """One pass over real files; killed and restarted it ends with the same losses; the next run trains all steps."""
    trainer = Trainer(framework, python_of(framework), tmp_path, data)
    whole, _ = trainer.run(*extra, "--checkpoint-every=7", run="first")
    assert len(whole) == STEPS
    assert whole[-1] < whole[0] - 0.05
    slow = ["--pace-s=0.02"] if framework == "torch" else []
    assert set(trainer.killed(signal.SIGKILL, *extra, *slow, run="second")) == {-signal.SIGKILL}
    rest, _ = trainer.run(*extra, run="second")
    assert 0 < len(rest) < STEPS
    assert rest == pytest.approx(whole[-len(rest) :], abs=1e-12)
    # Nobody names this run: it is a new one because the one before is finished.
    again, said = trainer.run(*extra)
    assert "is finished at step" in said
    assert again == pytest.approx(whole, abs=1e-12)
    # A run cut off and never taken up leaves the next one alone; weights are taken over where that is asked for.
    trainer.killed(signal.SIGKILL, *extra, *slow, run="third")
    fourth, said = trainer.run(*extra, "--steps=3", run="fourth")
    assert "stays unused" in said
    assert fourth == pytest.approx(whole[:3], abs=1e-12)
    warm, _ = trainer.run(*extra, "--steps=3", "--warm-start", run="fifth")
    assert len(warm) == 3
    assert warm[0] < whole[0] - 1e-3


@pytest.mark.slow
def test_a_run_that_is_told_to_stop_has_not_succeeded(tmp_path, data, torch_python):
    """SIGTERM: a checkpoint, an exit code that a scheduler takes for a failure, no model; then the rest of the run."""
    trainer = Trainer("torch", torch_python, tmp_path, data)
    assert trainer.killed(signal.SIGTERM, "--pace-s=0.02", run="a") == [143, 143]
    kept = tmp_path / "kept" / "train"
    state = json.loads((kept / "run.json").read_text())
    assert not state["finished"]
    assert not (kept / "model.pt").exists()
    rest, _ = trainer.run(run="a")
    assert len(rest) == STEPS - state["step"]
    assert (kept / "model.pt").exists()
    assert sorted(each.name for each in kept.glob("step-*/*")) == ["rank-00000.pt", "rank-00001.pt"]


@pytest.mark.slow
@pytest.mark.parametrize("framework", ["torch", "jax", "tensorflow"])
def test_less_than_a_batch_is_refused_with_words(tmp_path, framework):
    (tmp_path / "data").mkdir()
    np.save(tmp_path / "data" / "few.npy", np.ones((3, WIDTH), np.int32))
    trainer = Trainer(framework, python_of(framework), tmp_path, tmp_path / "data", processes=1)
    (running,) = trainer.start()
    said = running.communicate(timeout=300)[0]
    assert running.returncode != 0
    assert f"3 sequences of {WIDTH} tokens are no batch of {BATCH}" in said


@pytest.mark.slow
@pytest.mark.parametrize(("layout", "zero"), [((1, 1, 1), 0), ((2, 1, 2), 3), ((1, 2, 2), 0), ((2, 2, 1), 1)])
def test_what_is_trained_is_served(tmp_path, data, torch_python, layout, zero):
    """Train on any layout, then ask serve.py over HTTP: the mean log-likelihood is the trained model's, by hand."""
    trainer = Trainer("torch", torch_python, tmp_path, data, processes=int(np.prod(layout)))
    server = served(tmp_path, torch_python)
    try:
        assert status(server.port, "/readyz") == 503
        directions = ("data", "tensor-model", "pipeline-model")
        trainer.run(*(f"--{name}-parallel-size={size}" for name, size in zip(directions, layout, strict=True)),
                    f"--zero={zero}")  # fmt: skip
        until = time.monotonic() + 60
        while status(server.port, "/readyz") != 200:
            assert time.monotonic() < until
            time.sleep(0.1)
        tokens = np.load(data / "0.npy")[0, :9].tolist()
        found = [scored(server.port, row) for row in (tokens, tokens[:2], tokens[:1], [3] * 9)]
    finally:
        server.process.kill()
        server.process.wait()
    assert found[2] == 0.0
    assert found[0] > found[3] + 0.01
    whole = tmp_path / "one"
    whole.mkdir(exist_ok=True)
    one = Trainer("torch", torch_python, whole, data, processes=1)
    one.run()
    # One process: its checkpoint is the whole model.
    told = subprocess.run([torch_python, "-c", BY_HAND, next((whole / "kept" / "train").glob("step-*/*.pt")),
                           json.dumps(tokens)], capture_output=True, text=True, check=True)  # fmt: skip
    assert found[0] == pytest.approx(float(told.stdout), abs=2e-5)


BY_HAND = """
import json, sys, torch
w = torch.load(sys.argv[1], weights_only=True)["model"]
t = torch.tensor(json.loads(sys.argv[2]))
x = w["embed"][t[:-1]]
s, h = x.shape
def norm(x, n):
    x = x - x.mean(-1, keepdim=True)
    return x / (x.pow(2).mean(-1, keepdim=True) + 1e-5).sqrt() * w[n + ".weight"] + w[n + ".bias"]
for i in range(2):
    b = f"blocks.{i}."
    y = norm(x, b + "norm1")
    parts = []
    for j in range(2):
        q, k, v = ((y @ w[b + n].T)[:, 8 * j : 8 * j + 8] for n in "qkv")
        score = (q @ k.T / 8**0.5).masked_fill(torch.ones(s, s).triu(1).bool(), -1e30)
        parts.append(score.softmax(-1) @ v)
    x = x + torch.cat(parts, -1) @ w[b + "o"].T
    y = norm(x, b + "norm2") @ w[b + "up"].T
    x = x + (0.5 * y * (1 + torch.erf(y / 2**0.5))) @ w[b + "down"].T
print(float((x @ w["head"].T).log_softmax(-1)[range(s), t[1:]].mean()))
"""


def served(folder, python):
    """Start serve.py on the artefacts of ``folder``; return its port and process."""
    (folder / "serve.py").write_text(program("serve"))
    port = free_port()
    process = subprocess.Popen(
        [python, "serve.py", f"--port={port}", f"--artefacts={folder}/kept/train", "--look-every-s=0.2",
         "--seq-length=16"], cwd=folder, stdout=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    until = time.monotonic() + 60
    while status(port, "/healthz") != 200:
        assert time.monotonic() < until
        time.sleep(0.1)
    return types.SimpleNamespace(port=port, process=process)


def status(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
