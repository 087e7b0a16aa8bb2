"""A plan to a folder of files: one function, the same bytes every time."""

from __future__ import annotations

from twinloop.deploy.access import access_documents
from twinloop.deploy.bundle import ACCESS, RUN
from twinloop.deploy.cooling import Flavor, flavors, hosts, node_labels
from twinloop.deploy.elsewhere import compose, sbatch, sky_task
from twinloop.deploy.images import MODEL, dockerfile, program, programs, submit_dockerfile
from twinloop.deploy.intent import Deployment
from twinloop.deploy.local import small_run
from twinloop.deploy.names import label
from twinloop.deploy.pipelines import piped_works, pipeline, run_of, runner_role
from twinloop.deploy.platform import namespace, site_documents
from twinloop.deploy.pods import IMAGE_TAG, Document
from twinloop.deploy.queueing import queue_documents
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
        InputError: the target has nothing to run of this plan.
    """
    made: dict[str, str] = {}
    for work in deployment.works:
        names = programs(work, ray=target == "ray", framework=style.framework)
        made[f"images/{work.label}/Dockerfile"] = dockerfile(work, names, style.framework)
        made |= {f"images/{work.label}/{name}.py": program(name, style.framework, work) for name in names}
        made[f"images/{work.label}/.dockerignore"] = "".join(
            ["*\n", *(f"!{name}.py\n" for name in names), *([f"!{MODEL}\n"] if work.everywhere else [])]
        )
    if target == "slurm":
        made |= {f"slurm/{work.label}.sbatch": sbatch(work) for work in deployment.works}
    elif target == "compose":
        made["compose.yaml"] = dump(compose(deployment))
        # The project's name stands here: older compose knows no name in the file.
        made[".env"] = f"COMPOSE_PROJECT_NAME={deployment.label}\n"
    elif target == "skypilot":
        made |= {f"sky/{work.label}.yaml": dump(sky_task(work)) for work in deployment.works}
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
    made["README.md"] = _readme(deployment, target, style)
    return dict(sorted(made.items()))


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


ARM = ("GB", "GH", "Grace", "Graviton", "Jetson")
"""Name beginnings of devices whose hosts are arm64."""


def _hardware_notes(deployment: Deployment, style: Style) -> str:
    """Return what the planned hardware and models ask of images and cluster."""
    arm = sorted({w.hardware.device for w in deployment.works if w.hardware.device.startswith(ARM)})
    racks = sorted({w.hardware.device for w in deployment.works if w.hardware.hosts_per_server > 1})
    notes = f"- Hosts of {', '.join(arm)} are arm64: build their images with `--platform linux/arm64`.\n" if arm else ""
    if racks:
        notes += f"- {', '.join(racks)}: each compute tray is a host. " + (
            "A ComputeDomain of NVIDIA's DRA driver opens NVLink between the trays of a job.\n"
            if style.devices == "dra"
            else "NVLink between trays needs a ComputeDomain: write the files with `--devices dra`, or add yours.\n"
        )
    for work in deployment.works:
        if work.own_trainer:
            notes += f"- `images/{work.label}/train.py` is a place for your trainer of a {work.own_trainer} model.\n"
        elif work.kind == "train":
            notes += (
                f"- `images/{work.label}/train.py` trains a plain causal transformer of the planned sizes; gated "
                "layers, grouped heads and the like need your framework's trainer in its place.\n"
            )
        if work.everywhere:
            notes += (
                f"- `{work.label}` runs on every host of its site, its `model.pt` inside the image: lay it beside "
                f"`images/{work.label}/Dockerfile`. Each host's service stays on that host.\n"
            )
    return notes


ONE_RUN = "one run, named by its plan; `twinloop.dev/schedule` says when it recurs: start it so.\n"
NEEDS = {
    "jobset": f"- JobSet 0.12 must be installed. A JobSet is {ONE_RUN}",
    "trainjob": f"- Kubeflow Trainer 2.3 must be installed. A TrainJob is {ONE_RUN}",
    "pytorchjob": f"- Training Operator 1.9 must be installed. A PyTorchJob is {ONE_RUN}",
    "tfjob": (
        f"- Training Operator 1.9 must be installed. A TFJob is {ONE_RUN}"
        "- TensorFlow trains data parallel by MultiWorkerMirroredStrategy: every replica holds all weights, whatever "
        "ZeRO the plan has.\n"
    ),
    "jaxjob": f"- Training Operator 1.9 must be installed. A JAXJob is {ONE_RUN}",
    "mpijob": (
        f"- MPI Operator 0.8 must be installed (its MPIJob, v2beta1). An MPIJob is {ONE_RUN}"
        "- The image needs Open MPI and sshd. Horovod does not build against today's torch: with an image that has it, "
        "put your own program in the launcher's command.\n"
    ),
    "rayjob": (
        f"- KubeRay 1.7 must be installed; images need Ray (their Dockerfiles add it). A RayJob is {ONE_RUN}"
        "- KubeRay's operator is let in from the namespace `kuberay-system`: edit the network policies to yours.\n"
        "- Clients of a RayService find it under `STAGE-serve-svc`, port 8080.\n"
    ),
    "kserve": (
        "- KServe 0.20 must be installed, over Knative with the flags that let pods choose nodes and claims "
        "(`kubernetes.podspec-nodeselector`, `-tolerations`, `-securitycontext`, `-priorityclassname`, "
        "`-persistent-volume-claim`, `-topologyspreadconstraints`).\n"
        "- The ServingRuntime runs our server on a TorchScript `model.pt` at the root of the artefacts' claim; for a "
        "language model put your engine's image and command there.\n"
    ),
    "keda": "- KEDA 2.20 must be installed; put your Prometheus into `serverAddress`.\n",
    "dra": "- The maker's DRA driver must be installed (device classes `gpu.nvidia.com`, `gpu.amd.com`).\n",
}
"""What the cluster must hold, by the style's kinds."""


PIPELINES = (
    "- Applying a site starts no run: `pipelines/*.yaml` start the stages' jobs in their order. Upload them to "
    "Kubeflow Pipelines, recurring as the plan says. `sites/SITE/run-STAGE.yaml` is one run of a stage, to be "
    "started by hand with `kubectl create -f`.\n"
    "- Tasks of the pipelines run as `pipeline-runner` of the namespace `kubeflow`: edit the binding in `access.yaml` "
    "to yours. Their images are named in the file: `--image` gives your own, `--image submit=…` the tasks'.\n"
)


def _readme(deployment: Deployment, target: str, style: Style) -> str:
    sites = "\n".join(
        f"kubectl apply -f sites/{label(site.name)}/access.yaml   # once, by an administrator\n"
        f"twinloop deploy apply . --site {label(site.name)} --dry-run   # then --yes"
        for site in deployment.sites
    )
    runs = {
        "k8s": f"```\n{sites}\n```\n",
        "slurm": "```\nsbatch slurm/STAGE.sbatch\n```\n",
        "compose": "```\ndocker compose up --build\n```\n",
        "skypilot": "```\nsky launch sky/STAGE.yaml\n```\n",
        "local": "```\nbash local/STAGE.sh   # or, compared with the formulas: twinloop deploy local PLAN\n```\n",
    }
    run = runs.get(target, runs["k8s"])
    needs = NEEDS.get(style.training, "")
    needs += PIPELINES if target == "kubeflow" else ""
    needs += NEEDS["kserve"] if style.serving == "kserve" else ""
    needs += NEEDS["keda"] if style.scaler == "keda" else ""
    needs += NEEDS["dra"] if style.devices == "dra" else ""
    kueue = "- Kueue 0.19 or newer with topology-aware scheduling must be installed.\n" if style.queued else ""
    return (
        f"# {deployment.name}\n\nWritten by twinloop from plan {deployment.plan_hash}. Same plan, same bytes.\n\n"
        f"{run}\n"
        "## What to change\n\n"
        "- Build `images/*` with your base (`--build-arg BASE_IMAGE=…@sha256:…`), push, and put registry and digest "
        "into `images:` of each kustomization (or write the files anew with `--image STAGE=REGISTRY/NAME@sha256:…`).\n"
        "- `nodes.csv` names hosts as planned, with hall, cooling loop, rack, accelerator and cooling: put your nodes' "
        "names into its first column, then `twinloop deploy mark --labels sites/SITE/nodes.csv --yes`.\n"
        f"{_hardware_notes(deployment, style)}"
        "- Collectives over RDMA need your network plug-in's resource in the pods; over Ethernet the policies let all "
        "ports through between the pods of a stage.\n"
        "- One cluster a site: names inside the namespace are the plan's, not the site's.\n"
        "- Claims ask for ReadWriteMany of the default storage class.\n"
        "- The autoscaler reads the pods' metric `twinloop_requests_per_second`: install a metrics adapter.\n"
        '- Clients of a served model need the label `twinloop.dev/client: "true"` on their namespace.\n'
        f"{kueue}{needs if target not in ('slurm', 'compose', 'skypilot', 'local') else ''}"
    )
