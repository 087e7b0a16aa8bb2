"""The README of a folder: what stands in it, how it is started, and what a person must still do."""

from __future__ import annotations

from twinloop.deploy.batch import image_lines
from twinloop.deploy.intent import Deployment, Work
from twinloop.deploy.launch import TRAIN_GRACE_S
from twinloop.deploy.names import label
from twinloop.deploy.platform import MONITORING
from twinloop.deploy.pods import claims_of
from twinloop.deploy.schedule import cron, start_s
from twinloop.deploy.style import OLDEST, Style
from twinloop.deploy.workloads import RETRIES

ARM = ("GB", "GH", "Grace", "Graviton", "Jetson")
"""Name beginnings of devices whose hosts are arm64."""
CLUSTERS = ("k8s", "kubeflow", "ray")
"""Targets on Kubernetes."""


def readme(deployment: Deployment, target: str, style: Style) -> str:
    """Return the README of the folder that was written for ``target``."""
    parts = {"slurm": _slurm, "compose": _compose, "skypilot": _skypilot, "local": _local}
    run, change = parts[target](deployment) if target in parts else _clusters(deployment, target, style)
    own = (
        ""
        if target == "local"
        else f"{_hardware_notes(deployment, target, style)}{_model_notes(deployment, target, style)}"
    )
    return (
        f"# {deployment.name}\n\nWritten by twinloop from plan {deployment.plan_hash}. Same plan, same bytes.\n\n"
        f"{run}\n## What to change\n\n{change}{own}"
    )


BASES = "with your base by `--build-arg BASE_IMAGE=…@sha256:…` where the default does not suit"


COMES_AGAIN = (
    "- A training job that is told that its limit is near writes a checkpoint and comes again until it is done, as the "
    f"same job and so the same run; one that failed comes again, {RETRIES} times at most. `scancel` ends it for good.\n"
    "- Where a stage fails for good, those that wait for it in its round are cancelled, and the next round starts.\n"
)


def _slurm(deployment: Deployment) -> tuple[str, str]:
    ending = [work for work in deployment.works if work.kind in ("preprocess", "train")]
    staying = [work for work in deployment.works if work not in ending]
    recurs = any(work.every_s is not None for work in ending)
    started = "".join(f"sbatch slurm/{work.label}.sbatch   # runs until it is cancelled\n" for work in staying)
    run = (
        f"```\n{image_lines(deployment)}export DATA=/path/of/the/data ARTEFACTS=/path/of/the/artefacts\n"
        + ("bash slurm/submit.sh   # one round, in order\n" if ending else "") + started
        + ("scrontab slurm/scrontab   # rounds as the plan says, after its paths are set\n" if recurs else "")
        + "```\n"
    )  # fmt: skip
    change = (
        f"- Images are built where there is Docker, {BASES}; `IMAGE=…` at `sbatch` gives a script another one.\n"
        "- `DATA` and `ARTEFACTS` are folders that all nodes share. They are bound to `/data` and `/artefacts`.\n"
        "- Nodes need the features that `--constraint` names: in `slurm.conf`, `Feature=DEVICE,COOLING` on the nodes "
        f"of each: {'; '.join(sorted({f'`{w.hardware.label},{label(w.cooling)}`' for w in deployment.works}))}.\n"
        "- Devices need `GresTypes` and `Gres=gpu:…` there. Partition and account are yours to add.\n"
        + ("- Scripts that run until they are cancelled have no `--time`: the partition's limit counts.\n" if staying
           else "")
        + ("- `scrontab` needs `ScronParameters=enable`.\n" if recurs else "")
        + (COMES_AGAIN if any(work.kind == "train" for work in ending) else "")
        + "- Served copies listen on 8080, 8081, … of their nodes: put your load balancer before them.\n"
    )  # fmt: skip
    return run, change


def _compose(deployment: Deployment) -> tuple[str, str]:
    fed = next((work.label for work in deployment.works if work.kind != "serve"), None)
    put = (
        f"chmod -R a+rwX YOUR_FILES\ndocker compose create\ndocker compose cp YOUR_FILES/. {fed}:/data/\n"
        if fed
        else ""
    )
    run = f"```\n{put}docker compose up --build\n```\n"
    devices = any(work.hardware.resource in ("nvidia.com/gpu", "amd.com/gpu") for work in deployment.works)
    change = (
        f"- For trying the images on one machine: each stage is one process on one device. Build {BASES}.\n"
        "- Copied files keep their owner, and the programs run as user 10001: hence `chmod`.\n"
        "- Preprocessing reads `/data/raw/*.csv`, ingest `/data/inbox`, training every `*.npy` below `/data`.\n"
        + ("- A machine without the planned devices: take `deploy`, `devices` and `group_add` out of `compose.yaml`.\n"
           if devices else "")
        + "- Every volume keeps what a run left: `docker compose down --volumes` starts from nothing.\n"
    )  # fmt: skip
    return run, change


def _skypilot(deployment: Deployment) -> tuple[str, str]:
    lines = []
    for work in deployment.works:
        envs = "--env ARTEFACTS=s3://…" + ("" if work.kind == "serve" else " --env DATA=s3://…")
        verb = "sky serve up" if work.kind == "serve" else "sky jobs launch"
        when = "" if work.every_s is None or work.kind == "serve" else (
            f"   # recurs: {cron(work.every_s, start_s(work, deployment.works))}"
        )  # fmt: skip
        when = "   # runs until it is cancelled" if work.kind == "ingest" else when
        lines.append(f"{verb} sky/{work.label}.yaml {envs}{when}\n")
    own = sorted({work.site for work in deployment.works if work.site not in deployment.regions})
    change = (
        "- Start the stages in this order, each when the one before has ended, where it ends: a service without a "
        "model does not become ready. SkyPilot has no schedule: where a line says how it recurs, let cron start it.\n"
        "- `DATA` and `ARTEFACTS` are buckets (`s3://`, `gs://`, …) in the region of `infra`.\n"
        + "".join(f"- {site} is a site of your own: `infra: k8s/{label(site)}` is the kubeconfig's context of its "
                  "cluster, or write `ssh/POOL`.\n" for site in own)
        + "- `setup` installs the packages; `image_id: docker:…` in `resources` brings an image of yours instead.\n"
    )  # fmt: skip
    return f"```\n{''.join(lines)}```\n", change


def _local(deployment: Deployment) -> tuple[str, str]:
    runs = "".join(f"bash local/{work.label}.sh\n" for work in deployment.works if work.kind == "train")
    return (
        f"```\n{runs}```\n\n`twinloop deploy local PLAN` runs the same and compares it with the formulas.\n",
        "- `torchrun` must be there: `pip install torch numpy`. Tokens are synthetic and nothing is kept.\n",
    )


def _clusters(deployment: Deployment, target: str, style: Style) -> tuple[str, str]:
    sites = "\n".join(
        f"kubectl apply -f sites/{label(site.name)}/access.yaml   # once, by an administrator\n"
        f"twinloop deploy apply . --site {label(site.name)} --dry-run   # then --yes"
        for site in deployment.sites
    )
    needs = NEEDS.get(style.training, "") if any(work.kind == "train" for work in deployment.works) else ""
    needs += PIPELINES if target == "kubeflow" else ""
    serving = [work for work in deployment.works if work.kind == "serve" and not work.everywhere]
    scaled = [
        work for work in serving if style.serving != "rayservice" or work.replica_devices > work.hardware.per_node
    ]
    needs += NEEDS["kserve"] if style.serving == "kserve" and serving else ""
    needs += NEEDS["keda"] if style.scaler == "keda" and scaled else ""
    needs += NEEDS["dra"] if style.devices == "dra" else ""
    if style.minor != OLDEST:
        needs += (
            f"- Check this folder by `twinloop deploy check . --kubernetes {style.minor}`: older versions refuse it.\n"
        )
    kueue = "- Kueue 0.19 or newer with topology-aware scheduling must be installed.\n" if style.queued else ""
    change = (
        "- Build `images/*` with your base (`--build-arg BASE_IMAGE=…@sha256:…`), push, and put registry and digest "
        "into `images:` of each kustomization (or write the files anew with `--image STAGE=REGISTRY/NAME@sha256:…`).\n"
        "- `nodes.csv` names hosts as planned, with hall, cooling loop, rack, accelerator and cooling: put your nodes' "
        "names into its first column, then `twinloop deploy mark --labels sites/SITE/nodes.csv --yes`.\n"
        "- Collectives over RDMA need your network plug-in's resource in the pods"
        + (", and in the queue, or among Kueue's `excludeResourcePrefixes`" if style.queued else "")
        + "; over Ethernet the policies let all "
        "ports through between the pods of a stage.\n"
        "- One cluster a site: names inside the namespace are the plan's, not the site's.\n"
        "- Claims ask for ReadWriteMany of the default storage class.\n"
        + ("- The autoscaler reads the pods' metric `twinloop_requests_per_second`: install a metrics adapter.\n"
           if scaled and style.scaler == "hpa" else "")
        + (f"- Prometheus is let in from the namespace `{MONITORING}`: edit the network policies to yours. It finds "
           "the servers by their annotations `prometheus.io/…`, or by a PodMonitor of yours.\n" if serving else "")
        + ('- Clients of a served model need the label `twinloop.dev/client: "true"` on their namespace.\n'
           if serving else "")
        + f"{kueue}{needs}"
    )  # fmt: skip
    return f"```\n{sites}\n```\n", change


def _hardware_notes(deployment: Deployment, target: str, style: Style) -> str:
    """Return what the planned hardware asks of images and cluster."""
    arm = sorted({w.hardware.device for w in deployment.works if w.hardware.device.startswith(ARM)})
    racks = sorted({w.hardware.device for w in deployment.works if w.hardware.hosts_per_server > 1})
    notes = f"- Hosts of {', '.join(arm)} are arm64: build their images with `--platform linux/arm64`.\n" if arm else ""
    if racks and target in CLUSTERS:
        notes += f"- {', '.join(racks)}: each compute tray is a host. " + (
            "A ComputeDomain of NVIDIA's DRA driver opens NVLink between the trays of a job.\n"
            if style.devices == "dra"
            else "NVLink between trays needs a ComputeDomain: write the files with `--devices dra`, or add yours.\n"
        )
    return notes


def _model_notes(deployment: Deployment, target: str, style: Style) -> str:
    """Return what is trained, what is served of it, and how it comes from the one to the other."""
    notes = ""
    for work in deployment.works:
        if work.own_trainer:
            notes += (
                f"- `images/{work.label}/train.py` is a place for your trainer of a {work.own_trainer} model. For "
                f"`serve.py` it writes `/artefacts/{work.label}/model.pt`: TorchScript, whole rows of tokens in, one "
                "float a row out.\n"
            )
        elif work.kind == "train":
            notes += _trained(work, style)
        elif work.kind == "serve":
            notes += _served(deployment, work, target)
    return notes


def _trained(work: Work, style: Style) -> str:
    notes = (
        f"- `images/{work.label}/train.py` trains a plain causal transformer of the planned sizes; gated layers, "
        "grouped heads and the like need your framework's trainer in its place. "
    )
    if style.framework != "torch":
        return notes + f"It writes no `model.pt`: export one from its checkpoint in `/artefacts/{work.label}`.\n"
    if style.training not in ("mpijob", "rayjob"):
        notes += (
            f"Told to stop, it has {TRAIN_GRACE_S} s for a checkpoint; torchrun before torch 2.12 ends it after 30 s: "
            "take no older base where a checkpoint takes longer. "
        )
    return notes + (
        f"At the end of a run it writes `/artefacts/{work.label}/model.pt`, the whole model, where that fits the "
        "memory of rank 0.\n"
    )


def _served(deployment: Deployment, work: Work, target: str) -> str:
    trainer = next((each for each in deployment.works if each.label == work.trained_by), None)
    ours = trainer is not None and trainer.own_trainer is None
    what = "the mean log-likelihood of its tokens" if ours else "as `model.pt` computes it from whole rows of tokens"
    notes = (
        f"- `{work.label}`: `serve.py` gives one number a request, {what}. It writes no text: where answers are "
        f"wanted, put your engine's image and command in the place of `images/{work.label}`.\n"
    )
    if work.everywhere:
        lies = f", the `/artefacts/{trainer.label}/model.pt` of {trainer.site}" if trainer else ""
        return notes + (
            f"- `{work.label}` runs on every host of its site, its `model.pt` inside the image: lay it{lies}, beside "
            f"`images/{work.label}/Dockerfile`. Each host's service stays on that host.\n"
        )
    if trainer is None:
        return notes + (
            f"- No stage of the plan trains what `{work.label}` serves: lay `/artefacts/{work.model_folder}/model.pt` "
            "there.\n"
        )
    if trainer.site == work.site or target in ("compose", "slurm", "skypilot"):
        shared = "" if trainer.site == work.site or target == "compose" else (
            f" {trainer.site} and {work.site} must see the same artefacts, or copy it after each run."
        )  # fmt: skip
        return notes + (
            f"- `{work.label}` waits for `/artefacts/{trainer.label}/model.pt` and takes a newer one within seconds."
            f"{shared}\n"
        )
    there, here = claims_of(deployment, trainer)["artefacts"], claims_of(deployment, work)["artefacts"]
    return notes + (
        f"- Nothing moves the model of `{trainer.label}` from {trainer.site} to {work.site}: after each run copy "
        f"`{trainer.label}/model.pt` from the claim `{there}` there to the claim `{here}` here, under the same path; "
        f"`{work.label}` waits for it.\n"
    )


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
        "- The image needs Open MPI, ssh and sshd, as the operator's base images have them, and a user 10001 in its "
        "`/etc/passwd`; the keys are mounted in `/etc/mpi-keys`. Horovod does not build against today's torch: with an "
        "image that has it, put your own program in the launcher's command.\n"
    ),
    "rayjob": (
        f"- KubeRay 1.7 must be installed; images need Ray (their Dockerfiles add it). A RayJob is {ONE_RUN}"
        "- KubeRay's operator is let in from the namespace `kuberay-system`: edit the network policies to yours.\n"
        "- Clients of a RayService find it under `STAGE-serve-svc`, port 8080.\n"
        "- A RayService holds the devices of its peak beside training, and the quotas hold no second cluster of it. "
        "A change of its Serve configuration is taken up in place; for any other (`upgradeStrategy` `None`) delete the "
        "RayService and apply anew.\n"
    ),
    "kserve": (
        "- KServe 0.20 must be installed. Its services run in the mode `Standard`, without Knative; clients find them "
        "under `STAGE-predictor`.\n"
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
