"""``twinloop deploy``: the files that run a plan, and their checks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click


class DefaultGroup(click.Group):
    """``deploy PLAN …`` is ``deploy write PLAN …``."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Take a first word that is no sub-command for a plan."""
        return super().resolve_command(ctx, args if args[0] in self.commands else ["write", *args])


@click.group(cls=DefaultGroup, epilog="Example: twinloop deploy out/plan.json --target k8s --out out/deploy")
def command() -> None:
    """Write the files that run a plan (deploy PLAN), check such a folder, or apply it to a cluster."""


@command.command("write", context_settings={"ignore_unknown_options": False})
@click.argument("plan", type=click.Path(path_type=Path))
@click.option("--target", type=click.Choice(["k8s", "slurm", "compose"]), default="k8s", show_default=True)
@click.option("--queue", type=click.Choice(["kueue", "none"]), default="none", show_default=True,
              help="kueue: topology and quotas by cooling loop (k8s).")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the files.")
@click.option("--json", "as_json", is_flag=True, help="Print the paths as JSON and nothing else.")
def write(plan: Path, target: str, queue: str, out: Path, as_json: bool) -> None:
    """Write images, manifests and launchers of PLAN (a plan.json)."""
    from twinloop.deploy.intent import deployment_of
    from twinloop.deploy.render import render
    from twinloop.errors import InputError, TwinloopError
    from twinloop.model.codec import content_hash, loads
    from twinloop.model.plan import Plan

    try:
        parsed = loads(Plan, plan.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{plan}: cannot be read: {error}") from error
    texts = render(deployment_of(parsed, content_hash(parsed)), target, queued=queue == "kueue" and target == "k8s")
    try:
        for name, text in texts.items():
            path = out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise TwinloopError(f"cannot write to {out}: {error.strerror}") from error
    click.echo(json.dumps({"files": list(texts)}) if as_json else f"{len(texts)} files in {out}; next: {out}/README.md")


@command.command("check")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--crds", type=click.Path(path_type=Path), default=None, help="Folder of CustomResourceDefinitions.")
@click.option("--json", "as_json", is_flag=True, help="Print the faults as JSON and nothing else.")
def check(folder: Path, crds: Path | None, as_json: bool) -> int:
    """Check the manifests in FOLDER: schemas (a missing one is a fault), then what schemas miss."""
    from twinloop.deploy.check import check_folder

    faults = check_folder(folder, crds)
    if as_json:
        click.echo(json.dumps([{"file": f.file, "object": f.object, "message": f.message} for f in faults]))
    else:
        for fault in faults:
            click.echo(str(fault))
        click.echo(f"{len(faults)} faults" if faults else "all checks passed")
    return 2 if faults else 0


@command.command("apply")
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
    faults = semantic_faults([(f"sites/{layer.name}", each) for each in (*bundle.access, *bundle.documents)])
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
