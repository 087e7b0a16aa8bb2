"""A plan to a folder of files: one function, the same bytes every time."""

from __future__ import annotations

from twinloop.deploy.access import access_documents
from twinloop.deploy.batch import batch_files
from twinloop.deploy.bundle import ACCESS, RUN
from twinloop.deploy.cooling import Flavor, flavors, hosts, node_labels
from twinloop.deploy.elsewhere import compose, sky_task
from twinloop.deploy.images import MODEL, dockerfile, program, programs, submit_dockerfile
from twinloop.deploy.intent import Deployment
from twinloop.deploy.local import small_run
from twinloop.deploy.names import label
from twinloop.deploy.pipelines import piped_works, pipeline, run_of, runner_role
from twinloop.deploy.platform import namespace, site_documents
from twinloop.deploy.pods import IMAGE_TAG, Document
from twinloop.deploy.queueing import queue_documents
from twinloop.deploy.readme import readme
from twinloop.deploy.style import PLAIN, Style
from twinloop.deploy.workloads import stage_documents
from twinloop.deploy.yaml_text import dump
from twinloop.errors import InputError

RUNS = ("Job", "CronJob", "TrainJob", "PyTorchJob", "TFJob", "JAXJob", "MPIJob")
"""Kinds that start when they are applied, among those that a pipeline starts."""
TARGETS = ("k8s", "kubeflow", "ray", "slurm", "compose", "skypilot", "local")


def render(deployment: Deployment, target: str, style: Style = PLAIN) -> dict[str, str]:
    """Return relative path -> text of every file for ``target``; ``style`` is for those on Kubernetes.

    Raises:
        InfeasibleError: a job does not fit the heat or power of its site.
        InputError: the target has nothing to run of this plan, or no place for an image that was given.
    """
    _expect_images_used(deployment, target)
    made: dict[str, str] = {}
    for work in deployment.works:
        names = programs(work, ray=target == "ray", framework=style.framework)
        made[f"images/{work.label}/Dockerfile"] = dockerfile(work, names, style.framework)
        made |= {f"images/{work.label}/{name}.py": program(name, style.framework, work) for name in names}
        made[f"images/{work.label}/.dockerignore"] = "".join(
            ["*\n", *(f"!{name}.py\n" for name in names), *([f"!{MODEL}\n"] if work.everywhere else [])]
        )
    if target == "slurm":
        made |= batch_files(deployment)
    elif target == "compose":
        made["compose.yaml"] = dump(compose(deployment))
        # The project's name stands here: older compose knows no name in the file.
        made[".env"] = f"COMPOSE_PROJECT_NAME={deployment.label}\n"
    elif target == "skypilot":
        made |= {f"sky/{work.label}.yaml": dump(sky_task(deployment, work)) for work in deployment.works}
    elif target == "local":
        if not any(work.kind == "train" for work in deployment.works):
            raise InputError(
                f"--target local: plan {deployment.name}: got no training stage, expected one to run small"
            )
        made |= {f"local/{work.label}.sh": small_run(work) for work in deployment.works if work.kind == "train"}
    else:
        for site in deployment.sites:
            found = flavors(deployment, site)
            made |= _site_files(deployment, site.name, found, style, piped=target == "kubeflow")
            rows = [f"{host.name},{','.join(f'{k}={v}' for k, v in node_labels(host))}" for host in
                    hosts(deployment, site)]  # fmt: skip
            made[f"sites/{label(site.name)}/nodes.csv"] = "\n".join(rows) + "\n"
            whole = pipeline(deployment, site.name, style) if target == "kubeflow" else None
            if whole is not None:
                made[f"pipelines/{label(site.name)}.yaml"] = dump(whole)
                made |= {"images/submit/Dockerfile": submit_dockerfile(), "images/submit/submit.py": program("submit"),
                         "images/submit/.dockerignore": "*\n!submit.py\n"}  # fmt: skip
    made["README.md"] = readme(deployment, target, style)
    return dict(sorted(made.items()))


NAMING = ("k8s", "kubeflow", "ray", "slurm")
"""Targets whose files name an image where it lies; compose builds its own, SkyPilot installs packages."""


def _expect_images_used(deployment: Deployment, target: str) -> None:
    """Refuse images that the target's files would not name.

    Raises:
        InputError: there are some.
    """
    stages = {work.label for work in deployment.works}
    faults = []
    for name, image in deployment.images.items():
        takers = NAMING if name in stages else ("kubeflow",)  # beside stages, that of the pipelines' tasks
        if target not in takers:
            faults.append(f"--image {name}={image}: got --target {target}, expected --target {' or '.join(takers)}")
    if faults:
        raise InputError(tuple(faults))


def _site_files(
    deployment: Deployment, site: str, found: tuple[Flavor, ...], style: Style, *, piped: bool
) -> dict[str, str]:
    folder = f"sites/{label(site)}"
    documents: dict[str, list[Document]] = {"platform.yaml": site_documents(deployment, site, found, style)}
    if style.queued:
        documents["queue.yaml"] = queue_documents(deployment, site, found)
    started = piped_works(deployment, site) if piped else []
    runs = {f"{RUN}{work.label}.yaml": [run_of(deployment, work, style)] for work in started}
    for work in deployment.at(site):
        all_ = stage_documents(deployment, work, style)
        # What a pipeline starts, applying the layer must not start too.
        documents[f"stage-{work.label}.yaml"] = [d for d in all_ if work not in started or d["kind"] not in RUNS]
    whole = [each for some in documents.values() for each in some]
    granted = access_documents(deployment, site, namespace(deployment, site), whole)
    granted += runner_role(deployment, site, style) if piped else []
    documents = {ACCESS: granted, **documents}
    layer = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": list(documents),
        "images": [{"name": f"{deployment.label}-{work.label}", "newName": f"{deployment.label}-{work.label}",
                    "newTag": IMAGE_TAG} for work in deployment.at(site) if work.label not in deployment.images],
    }  # fmt: skip
    texts = {f"{folder}/{name}": dump(*each) for name, each in (documents | runs).items()}
    return texts | {f"{folder}/kustomization.yaml": dump(layer)}
