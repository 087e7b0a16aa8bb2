"""``twinloop deploy``: the files that run a plan, and their checks."""

from __future__ import annotations

import json
from pathlib import Path

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
    """Write the files that run a plan (deploy PLAN), or check such a folder (deploy check DIR)."""


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
