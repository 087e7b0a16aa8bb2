"""Images are really built and run, without a container engine: buildah in chroot isolation on a debootstrap base."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from twinloop.deploy.images import dockerfile, programs
from twinloop.deploy.intent import deployment_of

pytestmark = pytest.mark.slow
STORE = ("--storage-driver", "vfs")


def run(*words, timeout=900, **options):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=timeout, check=False,
                          **options)  # fmt: skip
    assert done.returncode == 0, f"{' '.join(map(str, words))}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def buildah(tmp_path_factory):
    """buildah with a store of its own; skipped loudly where it is not installed or may not run."""
    if shutil.which("buildah") is None or os.geteuid() != 0:
        pytest.skip("no buildah, or not root: apt-get install buildah debootstrap")
    root = tmp_path_factory.mktemp("store")

    def command(*words, **options):
        return run("buildah", "--root", root / "root", "--runroot", root / "run", *STORE, *words, **options)

    return command


@pytest.fixture(scope="module")
def base(buildah, tmp_path_factory):
    """A base image with Python and NumPy: a root file system of the distribution, $TWINLOOP_ROOTFS or made here."""
    given = os.environ.get("TWINLOOP_ROOTFS")
    root = Path(given) if given else tmp_path_factory.mktemp("rootfs")
    if not given:
        if shutil.which("debootstrap") is None:
            pytest.skip("no debootstrap: apt-get install debootstrap, or set TWINLOOP_ROOTFS")
        run("debootstrap", "--variant=minbase", "--include=python3-minimal,python3-numpy", "bookworm", root)
    box = buildah("from", "--isolation", "chroot", "scratch").strip()
    buildah("copy", box, root, "/")
    buildah("run", "--isolation", "chroot", box, "ln", "-sf", "/usr/bin/python3", "/usr/bin/python")
    buildah("commit", box, "localhost/base:1")
    buildah("rm", box)
    return "localhost/base:1"


@pytest.mark.parametrize("name", ["features", "score"])
def test_a_stages_image_is_built_and_runs(buildah, base, make, written, name, tmp_path):
    folder = written(make())
    work = next(w for w in deployment_of(make(), "").works if w.name == name)
    context = folder / "images" / name
    text = (context / "Dockerfile").read_text()
    assert text == dockerfile(work, programs(work))
    # The base has NumPy already and no pip; every other line is built as written.
    lines = [line for line in text.splitlines() if '"pip"' not in line]
    (context / "Dockerfile").write_text("\n".join(lines) + "\n")
    (context / "secret.txt").write_text("not for the image")
    tag = f"localhost/{name}:1"
    buildah("build", "--isolation", "chroot", "--pull-never", "--build-arg", f"BASE_IMAGE={base}", "-t", tag, context)
    config = buildah("inspect", "--type", "image", "--format", "{{.OCIv1.Config}}", tag)
    assert "10001:10001" in config
    box = buildah("from", "--isolation", "chroot", "--pull-never", tag).strip()
    try:
        assert inside(buildah, box, "id -u").strip() == "10001"
        assert inside(buildah, box, "ls /app").split() == sorted(f"{each}.py" for each in programs(work))
        entry = buildah("inspect", "--format", "{{.OCIv1.Config.Entrypoint}}", box).strip("[]\n").split()
        assert "usage:" in inside(buildah, box, f"{' '.join(entry)} --help")
        works = {"features": tokenised, "score": served}
        works[name](buildah, box, entry)
    finally:
        buildah("rm", box)


def served(buildah, box, entry):
    """The server answers inside on its port, under the image's user."""
    url, body = "http://127.0.0.1:18999/score", "json.dumps({'tokens': [1]}).encode()"
    ask = f"import json, urllib.request as u; print(u.urlopen('{url}', {body}).read().decode())"
    script = f'{" ".join(entry)} --synthetic --port=18999 & sleep 8; python -c "{ask}"; kill $!'
    assert '"score": 0.' in inside(buildah, box, script)


def inside(buildah, box, script):
    """Return what ``script`` prints; the pause lets buildah pass on the last words of a short run."""
    return buildah("run", "--isolation", "chroot", box, "sh", "-c", f"{script}; code=$?; sleep 1; exit $code")


def tokenised(buildah, box, entry):
    """The stage's program does its work inside: rows in, tokens out, under the image's user."""
    script = (
        "mkdir -p /tmp/d/raw && printf 'anna,1,bus,3\\nanna,2,shop,9\\n' > /tmp/d/raw/a.csv && "
        + " ".join(entry) + " --data=/tmp/d --seq-length=7 && "
        + "python -c \"import numpy; print(numpy.load('/tmp/d/tokens/a.npy').shape)\""
    )  # fmt: skip
    assert "(1, 8)" in inside(buildah, box, script)
