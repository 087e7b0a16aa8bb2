"""Folders without Kubernetes: batch scripts, compose and SkyPilot files, and the images that all targets build."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from twinloop.deploy.rules.runs import cron_fault
from twinloop.deploy.walk import Document, at
from twinloop.deploy.words import rank_fault

Line = tuple[str, str, str]
_PROGRAM = re.compile(r"(?:^|/)(train|serve|preprocess|ingest)\.py$")
_SIZE = re.compile(r"--(?:data|tensor-model|pipeline-model|context)-parallel-size=(\d+)")
_TIME = r"\d+(:\d+){0,2}|\d+-\d+(:\d+){0,2}|infinite|UNLIMITED"
_COUNT = re.compile(r"--(nnodes|nproc-per-node|port)=(\d+)$")


def elsewhere_faults(folder: Path) -> Iterator[Line]:
    """Yield (file, object, message) of what is broken in the files of targets apart from Kubernetes."""
    for rule in (_images, _batches, _rounds, _compose, _sky, _local):
        yield from rule(folder)


def _images(folder: Path) -> Iterator[Line]:
    """Each image is built from a file, on a fixed base, from what lies beside it."""
    for path in sorted(each for each in folder.glob("images/*") if each.is_dir()):
        file = path / "Dockerfile"
        name = f"images/{path.name}/Dockerfile"
        if not file.is_file():
            if not (folder / "sites").is_dir():  # a kustomize layer says by itself which images it misses
                yield name, path.name, "no Dockerfile is there"
            continue
        lines = [line.strip() for line in file.read_text("utf-8").splitlines()]
        yield from ((name, path.name, fault) for fault in _base_faults(lines))
        for source in [s for line in lines if line.startswith("COPY ") for s in line.split()[1:-1]]:
            if not source.endswith("*") and not (path / source).exists():
                yield name, path.name, f"COPY: no {source} lies beside it"


def _base_faults(lines: list[str]) -> Iterator[str]:
    """Yield bases of a Dockerfile that may change under their name; a base may be a build argument."""
    defaults = {m[1]: m[2] for line in lines if (m := re.fullmatch(r"ARG (\w+)=(\S+)", line))}
    bases = [line.split()[1] for line in lines if re.match(r"FROM\s+\S", line)]
    if not bases:
        yield "no FROM"
    for base in bases:
        said = defaults.get(base.strip("${}"), base)
        if said.endswith(":latest") or not re.search(r"[:@]", said.rpartition("/")[2]):
            yield f"FROM {said}: got no fixed tag, expected one, or a digest"


def _options(text: str) -> dict[str, str]:
    """Return sbatch's options of a script."""
    found = (line.removeprefix("#SBATCH --").partition("=") for line in text.splitlines() if line.startswith("#SBATCH"))
    return {name.strip(): value.strip() for name, _, value in found}


def _words(text: str) -> list[str] | None:
    """Return every word of a shell text, those of quoted commands apart; ``None`` where a quote stays open."""
    try:
        outer = [word for line in text.splitlines() if not line.startswith("#") for word in shlex.split(line)]
        return [part for word in outer for part in (word.split() if " " in word else [word])]
    except ValueError:
        return None


def _counts(words: list[str]) -> dict[str, int]:
    return {m[1]: int(m[2]) for word in words if (m := _COUNT.search(word))}


def _program_fault(folder: Path, words: list[str]) -> str | None:
    """Return that the program which ``words`` start does not lie in its image's ``folder``."""
    name = next((m[1] for word in words if (m := _PROGRAM.search(word))), None)
    if name is None:
        return "starts none of the programs"
    return None if (folder / f"{name}.py").is_file() else f"{folder.name}: no {name}.py is in its image"


def _batches(folder: Path) -> Iterator[Line]:
    """A batch script asks for the nodes and devices that its launcher counts on."""
    for path in sorted(folder.glob("slurm/*.sbatch")):
        name, text = f"slurm/{path.name}", path.read_text("utf-8")
        options, words = _options(text), _words(text)
        if words is None:
            yield name, path.stem, "not a shell script: a quote stays open"
            continue
        program = _program_fault(folder / "images" / path.stem, words)
        if program:
            yield name, path.stem, program
        if not re.fullmatch(_TIME, options.get("time", "1")):
            yield name, path.stem, f"--time: got {options['time']}, expected minutes, or [days-]hours:minutes:seconds"
        called = options.get("job-name", "")
        if len(called) <= len(path.stem) + 1 or not called.endswith(f"-{path.stem}"):
            yield (
                name,
                path.stem,
                f"--job-name: got {called or 'none'}, expected PLAN-{path.stem}: singleton goes by it",
            )
        if "requeue" in options and "requeue" not in words:
            yield name, path.stem, "--requeue: got no scontrol requeue: Slurm requeues no job that its limit ended"
        if "constraint" not in options:
            yield name, path.stem, "--constraint: got none, expected the planned device and cooling"
        if "exclusive" in options and options.get("mem") != "0":
            yield name, path.stem, "--mem: got another than 0 beside --exclusive: a job has all of its nodes' memory"
        for option, flag in (("nodes", "nnodes"), ("gpus-per-node", "nproc-per-node")):
            started = _counts(words).get(flag)
            asked = _number(options.get(option))
            if started is not None and asked is not None and asked != str(started):
                yield name, path.stem, f"--{option}: got {asked} under --{flag}={started}"
        fault = _copies_fault(options, words)
        if fault:
            yield name, path.stem, fault


def _number(option: str | None) -> str | None:
    """Return the number of an option that may name the kind of its devices before it.

    >>> _number("b200:8"), _number("8"), _number(None)
    ('8', '8', None)
    """
    return option and option.rpartition(":")[2]


def _copies_fault(options: dict[str, str], words: list[str]) -> str | None:
    """Return what is wrong between a server's tasks and the devices of its layout."""
    if "gpus-per-task" not in options:
        return None
    sizes = [int(m[1]) for word in words if (m := _SIZE.fullmatch(word))]
    numbers = options.get("ntasks", ""), _number(options["gpus-per-task"]) or ""
    if not all(number.isdecimal() for number in numbers):
        return f"--ntasks, --gpus-per-task: got {numbers}, expected two numbers"
    devices = math.prod(map(int, numbers))
    return None if devices == math.prod(sizes) else f"tasks hold {devices} devices for a layout of {math.prod(sizes)}"


def _rounds(folder: Path) -> Iterator[Line]:
    """What submits finds its scripts, each once those before it were; schedules are cron's."""
    for name in ("submit.sh", "scrontab"):
        path = folder / "slurm" / name
        if not path.is_file():
            continue
        text, known = path.read_text("utf-8"), set()
        for line in text.splitlines():
            for script in re.findall(r"slurm/[\w-]+\.sbatch", line):
                if not (folder / script).is_file():
                    yield f"slurm/{name}", name, f"no {script} is there"
            if "afterok" in line and "--kill-on-invalid-dep=yes" not in line:
                yield (
                    f"slurm/{name}",
                    name,
                    "afterok without --kill-on-invalid-dep=yes: after a failure it waits for ever",
                )
            for before in re.findall(r"\$\{job\[([\w-]+)\]\}", line):
                if before not in known and "sbatch" in line:
                    yield f"slurm/{name}", name, f"waits for {before}, which is not submitted before"
            known |= set(re.findall(r"^job\[([\w-]+)\]=", line))
            fault = cron_fault(" ".join(line.split()[:5])) if name == "scrontab" and re.match(r"[\d*]", line) else None
            if fault:
                yield f"slurm/{name}", name, fault


def _read(path: Path) -> tuple[Document, str | None]:
    """Return what a YAML file says, and why it cannot be read."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        found = YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
    except (YAMLError, UnicodeDecodeError) as error:
        return {}, f"not YAML: {str(error).splitlines()[0]}"
    return (found, None) if isinstance(found, dict) else ({}, f"got {type(found).__name__}, expected an object")


def _compose(folder: Path) -> Iterator[Line]:
    """Services are built, find those they wait for and the volumes they mount, and are let nothing more."""
    path = folder / "compose.yaml"
    if not path.is_file():
        return
    said, fault = _read(path)
    services = at(said, "services")
    if fault or not isinstance(services, dict) or not services:
        yield path.name, "services", fault or "got no services, expected one a stage"
        return
    taken: set[str] = set()
    for name, each in services.items():
        for message in _service_faults(folder, said, each if isinstance(each, dict) else {}):
            yield path.name, name, message
        for port in at(each, "ports") or []:
            outside = str(port).rpartition(":")[0]
            if outside in taken:
                yield path.name, name, f"ports: {outside} is taken by another service"
            taken.add(outside)


def _service_faults(folder: Path, said: Document, each: Document) -> Iterator[str]:
    context = at(each, "build", "context")
    words = [str(word) for word in each.get("entrypoint") or []]
    if not isinstance(context, str) or not (folder / context).is_dir():
        yield f"build: got {context}, expected a folder that is there"
    else:
        program = _program_fault(folder / context, words)
        if program:
            yield program
    yield from filter(None, [rank_fault(words)])
    for other in each.get("depends_on") or []:
        if other not in said["services"]:
            yield f"depends_on: no service is called {other}"
    for volume in each.get("volumes") or []:
        source = str(volume).partition(":")[0]
        if source not in (said.get("volumes") or {}):
            yield f"volumes: {source} is not declared"
    user = str(each.get("user", "1")).partition(":")[0]
    if each.get("privileged") or each.get("network_mode") == "host" or each.get("cap_add") or user in ("0", "root"):
        yield "got privileges, expected none: privileged, network_mode host, cap_add and user root are refused"


def _sky(folder: Path) -> Iterator[Line]:
    """A task has the nodes and devices that its launcher counts on, in a place that is named."""
    for path in sorted(folder.glob("sky/*.yaml")):
        said, fault = _read(path)
        if fault:
            yield f"sky/{path.name}", path.stem, fault
            continue
        for message in _task_faults(folder, said):
            yield f"sky/{path.name}", path.stem, message


def _task_faults(folder: Path, said: Document) -> Iterator[str]:
    words = _words(str(said.get("run") or ""))
    if words is None:
        yield "run: not a shell script: a quote stays open"
        return
    home = folder / str(said.get("workdir"))
    yield from filter(None, [_program_fault(home, words), rank_fault(words)])
    resources, counts = said.get("resources") or {}, _counts(words)
    if not re.fullmatch(r"[a-z0-9]+/[\w.-]+", str(resources.get("infra"))):
        yield f"resources.infra: got {resources.get('infra')}, expected a place: CLOUD/REGION or k8s/CONTEXT"
    if counts.get("nnodes", said.get("num_nodes")) != said.get("num_nodes"):
        yield f"num_nodes: got {said.get('num_nodes')} under --nnodes={counts['nnodes']}"
    for held in _accelerators(resources.get("accelerators")):
        if counts.get("nproc-per-node", held) != held:
            yield f"resources.accelerators: got {held} under --nproc-per-node={counts['nproc-per-node']}"
    for where, mount in (said.get("file_mounts") or {}).items():
        for name in re.findall(r"\$\{(\w+)\}", str(at(mount, "source"))):
            if name not in (said.get("envs") or {}):
                yield f"file_mounts.{where}: {name} is none of envs"
    if "service" in said:
        yield from _served_faults(said["service"], resources, counts)


def _accelerators(said: Any) -> list[Any]:
    """Return how many devices a task asks for, in each of the ways that it would take: a mapping or a list of names.

    >>> _accelerators("B200:8"), _accelerators({"B200": 8}), _accelerators(["B200:8", "B300"]), _accelerators(None)
    ([8], [8], [8, 1], [])
    """
    if isinstance(said, dict):
        return [1 if count is None else count for count in said.values()]
    if isinstance(said, list):
        return [count for each in said for count in _accelerators(each)]
    if said is None:
        return []
    _, _, count = str(said).partition(":")
    return [int(count) if count.isdecimal() else count or 1]


def _served_faults(service: Any, resources: Document, counts: dict[str, int]) -> Iterator[str]:
    least, most = (at(service, "replica_policy", f"{end}_replicas") for end in ("min", "max"))
    if not (isinstance(least, int) and isinstance(most, int) and 0 <= least <= most and most > 0):
        yield f"service.replica_policy: got {least} to {most} replicas, expected bounds in order"
    if at(service, "readiness_probe", "path") not in ("/readyz", "/healthz"):
        yield "service.readiness_probe: got a path that the server does not know, expected /readyz"
    if str(resources.get("ports")) != str(counts.get("port")):
        yield f"resources.ports: got {resources.get('ports')}, the server listens on {counts.get('port')}"


def _local(folder: Path) -> Iterator[Line]:
    """A script finds its program."""
    for path in sorted(folder.glob("local/*.sh")):
        words = _words(path.read_text("utf-8").replace("\\\n", " "))
        fault = "not a shell script: a quote stays open" if words is None else (
            _program_fault(folder / "images" / path.stem, words)
        )  # fmt: skip
        if fault:
            yield f"local/{path.name}", path.stem, fault
