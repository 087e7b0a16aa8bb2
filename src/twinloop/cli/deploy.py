"""``twinloop deploy``: the files that run a plan, and their checks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from twinloop.cli.marking import mark_command
from twinloop.spelling import near


class DefaultGroup(click.Group):
    """``deploy PLAN …`` is ``deploy write PLAN …``."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Take a first word that is no sub-command for a plan, unless it is one misspelt."""
        meant = near(args[0], self.commands)
        if meant and args[0] not in self.commands and not Path(args[0]).exists():
            raise click.UsageError(
                f"deploy: got {args[0]}, expected a plan or a command: did you mean {meant[0]}?", ctx
            )
        return super().resolve_command(ctx, args if args[0] in self.commands else ["write", *args])


EXAMPLES = """\b
Examples, from a plan to its pods:
  twinloop plan my.yaml --out out
  twinloop deploy out/plan.json --target k8s --queue kueue --out out/deploy
  twinloop deploy check out/deploy --crds crds
  kubectl apply -f out/deploy/sites/hall/access.yaml     (once, by an administrator)
  twinloop deploy mark --labels out/deploy/sites/hall/nodes.csv --yes
  twinloop deploy apply out/deploy --site hall --dry-run (then --yes)
\b
Elsewhere, and small on this machine:
  twinloop deploy out/plan.json --target slurm --out out/slurm
  twinloop deploy local out/plan.json --processes 4
\b
Exit code 2: the input or a file is wrong; 3: the plan is infeasible, or heat or
power do not carry a job; 1: a cluster refused something or it did not come up.
"""


@click.group(cls=DefaultGroup, epilog=EXAMPLES)
def command() -> None:
    """Write the files that run a plan (deploy PLAN), check such a folder, or apply it to a cluster."""


@command.command("write", context_settings={"ignore_unknown_options": False},
                 epilog="\b\nExamples:\n  twinloop deploy out/plan.json --gang --keda --queue kueue --out out/deploy"
                 "\n  twinloop deploy out/plan.json --target kubeflow --image train=r.example/t@sha256:… --out out/kf"
                 "\n  twinloop deploy out/plan.json --target ray --keep-cluster --out out/ray")  # fmt: skip
@click.argument("plan", type=click.Path(path_type=Path))
@click.option(
    "--target",
    default="k8s",
    show_default=True,
    type=click.Choice(["k8s", "kubeflow", "ray", "slurm", "compose", "skypilot", "local"]),
)
@click.option("--queue", type=click.Choice(["kueue", "none"]), default="none", show_default=True,
              help="kueue: topology and quotas by cooling loop (k8s).")  # fmt: skip
@click.option("--profile", type=click.Choice(["v2", "v1", "mpi"]), default="v2", show_default=True,
              help="kubeflow: Trainer 2 and KServe, Training Operator 1, or MPI Operator.")  # fmt: skip
@click.option("--framework", type=click.Choice(["torch", "tensorflow", "jax"]), default="torch", show_default=True,
              help="kubeflow: what trains; TFJob and JAXJob with --profile v1, jax with v2 too.")  # fmt: skip
@click.option("--gang", is_flag=True, help="k8s: training as a JobSet, all pods or none.")
@click.option("--keep-cluster", "kept", is_flag=True, help="ray: a RayCluster that stays, and jobs that run on it.")
@click.option("--keda", is_flag=True, help="Scale by KEDA instead of an autoscaler of the cluster.")
@click.option("--devices", type=click.Choice(["plugin", "dra"]), default="plugin", show_default=True,
              help="dra: devices by resource claims (Kubernetes 1.34 or newer).")  # fmt: skip
@click.option("--kubernetes", "minor", type=click.IntRange(30, 37), default=30, show_default=True,
              help="Oldest minor version of Kubernetes 1.x that must take the files.")  # fmt: skip
@click.option("--image", "images", multiple=True, metavar="STAGE=IMAGE",
              help="Where a stage's image lies, by digest best; may be repeated.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the files.")
@click.option("--json", "as_json", is_flag=True, help="Print the paths as JSON and nothing else.")
def write(plan: Path, target: str, queue: str, profile: str, framework: Any, gang: bool, kept: bool, keda: bool,
          devices: str, minor: int, images: tuple[str, ...], out: Path, as_json: bool) -> None:  # fmt: skip
    """Write images, manifests and launchers of PLAN (a plan.json)."""
    from twinloop.cli.folder import write_folder
    from twinloop.cli.read import read_plan
    from twinloop.deploy.intent import deployment_of
    from twinloop.deploy.names import given_images, label
    from twinloop.deploy.pipelines import SUBMIT
    from twinloop.deploy.render import render
    from twinloop.deploy.style import style_of
    from twinloop.model.codec import content_hash

    parsed = read_plan(plan)
    style = style_of(
        target, queued=queue == "kueue", profile=profile, gang=gang, kept=kept, keda=keda, dra=devices == "dra",
        framework=framework, minor=minor,
    )  # fmt: skip
    given = given_images(images, [*(label(stage.name) for stage in parsed.stages), SUBMIT])
    texts = render(deployment_of(parsed, content_hash(parsed), given), target, style)
    removed = write_folder(out, texts)
    if removed:
        click.echo(f"{out}: of an earlier plan, removed: {', '.join(removed)}", err=True)
    click.echo(json.dumps({"files": list(texts)}) if as_json else f"{len(texts)} files in {out}; next: {out}/README.md")


@command.command(
    "check",
    short_help="Check the files in FOLDER against schemas and rules.",
    epilog="Example: twinloop deploy check out/deploy --kubernetes 32",
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--crds",
    type=click.Path(path_type=Path),
    default=None,
    help="Folder of CustomResourceDefinitions; else installed client libraries are asked.",
)
@click.option("--kubernetes", "minor", type=click.IntRange(30, 37), default=30, show_default=True,
              help="Oldest minor version of Kubernetes 1.x that must take the files.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the faults as JSON and nothing else.")
def check(folder: Path, crds: Path | None, minor: int, as_json: bool) -> int:
    """Check the files in FOLDER: schemas (a missing one is a fault), then what schemas miss."""
    from twinloop.deploy.check import check_folder, what_was_checked

    faults = check_folder(folder, crds, minor)
    if as_json:
        click.echo(json.dumps([{"file": f.file, "object": f.object, "message": f.message} for f in faults]))
    else:
        for fault in faults:
            click.echo(str(fault))
        click.echo(f"{len(faults)} faults" if faults else what_was_checked(folder))
    return 2 if faults else 0


@command.command(
    "apply",
    short_help="Apply a site of FOLDER to a cluster.",
    epilog="Example: twinloop deploy apply out/deploy --site hall --dry-run",
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--site", default=None, help="Which of the folder's sites; needed where there are several.")
@click.option("--context", default=None, help="Context of the kubeconfig; default: the current one.")
@click.option("--kubeconfig", type=click.Path(path_type=Path), default=None,
              help="Default: $KUBECONFIG, ~/.kube/config, else the pod's own account.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Rehearse on the server; change nothing.")
@click.option("--yes", is_flag=True, help="Apply.")
@click.option("--with-access", is_flag=True, help="The namespace and the applier's roles too (administrators).")
@click.option("--wait", "wait_s", type=click.FloatRange(0.0), default=300.0, show_default=True,
              help="Seconds to wait for what has a state; 0: do not wait.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON and nothing else.")
def apply(folder: Path, site: str | None, context: str | None, kubeconfig: Path | None, dry_run: bool, yes: bool,
          with_access: bool, wait_s: float, as_json: bool) -> int:  # fmt: skip
    """Apply a site of FOLDER to a cluster, on the server's side; prune what left the plan; wait and report."""
    import time
    from datetime import UTC, datetime

    from twinloop.deploy.apply import apply_bundle
    from twinloop.deploy.bundle import load, sites_in
    from twinloop.deploy.kube import KubeCluster
    from twinloop.deploy.semantics import semantic_faults
    from twinloop.errors import InputError

    if dry_run == yes:
        raise InputError("apply: got neither or both of --dry-run and --yes, expected one")
    sites = sites_in(folder)
    name = site if site is not None or len(sites) > 1 else next(iter(sites))
    if name is None or name not in sites:
        raise InputError(f"--site: got {site or 'none'}, expected one of {', '.join(sites)}")
    layer = sites[name]
    bundle = load(layer)
    faults = semantic_faults(
        [(f"sites/{layer.name}", each) for each in (*bundle.access, *bundle.documents, *bundle.runs)]
    )
    if faults:
        raise InputError(tuple(f"{file}: {name}: {message}" for file, name, message in faults))
    with _connected(kubeconfig, context) as client:
        report = apply_bundle(
            bundle, KubeCluster(client), dry_run=dry_run, now=datetime.now(UTC), wait_s=wait_s, access=with_access,
            clock=time.monotonic, sleep=time.sleep,
        )  # fmt: skip
    if as_json:
        rows = [{"kind": a.target.kind, "name": a.target.name, "did": a.did, "state": a.state, "detail": a.detail}
                for a in report.actions]  # fmt: skip
        click.echo(json.dumps({"dry_run": report.dry_run, "counts": report.counts(), "objects": rows}))
    else:
        for action in report.actions:
            click.echo(
                "  ".join(part for part in (action.did, str(action.target), action.state, action.detail) if part)
            )
        counts = ", ".join(f"{number} {did}" for did, number in sorted(report.counts().items()))
        click.echo(f"{'nothing was written; would be: ' if report.dry_run else ''}{counts}")
    return 1 if report.failed else 0


@contextmanager
def _connected(kubeconfig: Path | None, context: str | None) -> Iterator[Any]:
    """Yield a dynamic client of the official library: from a kubeconfig, else from the pod's own account."""
    import os
    import tempfile

    from twinloop.errors import InputError, MissingExtraError

    try:
        from kubernetes import client, config, dynamic
    except ModuleNotFoundError as error:
        raise MissingExtraError("kubernetes", "kubernetes", "applying to a cluster") from error
    settings = client.Configuration()
    settings.retries = False  # deploy.kube knows what may be asked again
    inside = os.environ.get("KUBERNETES_SERVICE_HOST") and not os.environ.get("KUBECONFIG")
    try:
        if inside and kubeconfig is None and context is None:
            config.load_incluster_config(client_configuration=settings)
        else:
            config.load_kube_config(str(kubeconfig) if kubeconfig else None, context, settings)
    except (config.ConfigException, OSError) as error:
        raise InputError(f"no cluster to apply to: {error}") from error
    # The library keeps what it discovers in a file; a shared one would be stale for the next cluster.
    with tempfile.TemporaryDirectory() as folder, client.ApiClient(settings) as connection:
        yield dynamic.DynamicClient(connection, cache_file=str(Path(folder) / "discovery.json"))


command.add_command(mark_command(_connected))


@command.command(
    "local",
    short_help="Run each training layout of PLAN small, here.",
    epilog="Example: twinloop deploy local out/plan.json --processes 2",
)
@click.argument("plan", type=click.Path(path_type=Path))
@click.option("--python", default=sys.executable, help="A Python that has torch; default: this one.")
@click.option("--processes", type=click.IntRange(1, 16), default=4, show_default=True, help="Most ranks to start.")
@click.option("--steps", type=click.IntRange(1), default=3, show_default=True, help="Steps of each run.")
@click.option("--launcher", type=click.Choice(["torchrun", "ray"]), default="torchrun", show_default=True,
              help="ray: the same program on the workers of Ray Train.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON and nothing else.")
def local(plan: Path, python: str, processes: int, steps: int, launcher: str, as_json: bool) -> int:
    """Run each training layout of PLAN small on this machine's cores; compare with one process and the formulas.

    Bytes of each collective and the pipeline's bubble are judged against the planner's own model of a step.
    """
    from twinloop.cli.read import read_plan
    from twinloop.deploy import local as small
    from twinloop.deploy.intent import deployment_of
    from twinloop.errors import InputError, MissingExtraError
    from twinloop.model.codec import content_hash

    parsed = read_plan(plan)
    works = [work for work in deployment_of(parsed, content_hash(parsed)).works if work.kind == "train"]
    if not works:
        raise InputError(f"{plan}: got no training stage, expected one")
    for name in ("torch", *(["ray"] if launcher == "ray" else [])):
        if subprocess.run([python, "-c", f"import {name}"], capture_output=True, check=False).returncode:
            raise MissingExtraError(name, name, f"running a layout with {python}")
    told: list[dict[str, Any]] = []
    agrees = True
    for work in works:
        p = work.parallelism
        layout = small.small_layout(p.data, p.tensor, p.pipeline, processes, p.zero)
        dense = _trained(python, small.Small(1, 1, 1), steps, samples=layout.data, launcher="torchrun")
        found = _trained(python, layout, steps, samples=layout.data, launcher=launcher)
        rows = small.compare(layout, found, dense)
        agrees = agrees and all(row.agrees for row in rows)
        told.append({
            "stage": work.name, "layout": vars(layout), "precision": {"planned": work.precision, "run": "fp64"},
            "launcher": launcher, "compared": [{**vars(row), "agrees": row.agrees} for row in rows],
        })  # fmt: skip
    if as_json:
        click.echo(json.dumps({"stages": told}))
    else:
        for each in told:
            click.echo(f"{each['stage']}: {each['layout']}, float64 ({each['precision']['planned']} was planned)")
            for row in each["compared"]:
                within = f" within {row['tolerance']:.0%}" if row["tolerance"] > small.LOSS else ""
                click.echo(f"  {row['what']}: {row['measured']:.6g}, formula {row['formula']:.6g}"
                           f"{within if row['agrees'] else '  DIFFERS'}")  # fmt: skip
    return 0 if agrees else 1


def _trained(python: str, layout: Any, steps: int, samples: int, launcher: str) -> dict[str, Any]:
    """Return train.py's report of a small run; ``samples``: data parallel size whose batch is trained on."""
    import os
    import tempfile
    from dataclasses import replace

    from twinloop.deploy.images import program
    from twinloop.deploy.local import arguments
    from twinloop.errors import TwinloopError

    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        for name in ("train", "runs", "sharding", "export", "ray_train"):
            (Path(folder) / f"{name}.py").write_text(program(name), encoding="utf-8")
        words = arguments(layout, steps=steps, report=str(report))
        batch = next(w for w in arguments(replace(layout, data=samples), steps=steps, report="") if "global-batch" in w)
        words = [batch if "global-batch" in word else word for word in words]
        launch = [python, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={layout.ranks}", "train.py"]
        if launcher == "ray":
            # The trainer and its controller want processors beside the workers'.
            launch = [python, "ray_train.py", f"--workers={layout.ranks}", "--device=CPU", f"--cpus={layout.ranks + 2}",
                      "--"]  # fmt: skip
        # A busy machine starts Ray's workers slower than Ray waits by default.
        calm = {"OMP_NUM_THREADS": "1", "PYTHONPATH": folder, "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": "300"}
        done = subprocess.run([*launch, *words], capture_output=True, text=True, check=False, cwd=folder,
                              env={**os.environ, **calm})  # fmt: skip
        if done.returncode:
            raise TwinloopError(f"{launcher} ended with {done.returncode}:\n{done.stderr[-2000:]}")
        found: dict[str, Any] = json.loads(report.read_text("utf-8"))
        return found
