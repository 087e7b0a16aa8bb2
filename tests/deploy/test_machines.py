"""What a pod asks for fits the machine that the plan names."""

from dataclasses import replace

import pytest

from twinloop import catalogue
from twinloop.deploy.intent import deployment_of
from twinloop.deploy.pods import cpu_and_memory, resources
from twinloop.deploy.rays import ray_job
from twinloop.deploy.render import render
from twinloop.deploy.style import style_of
from twinloop.deploy.walk import quantity
from twinloop.errors import InputError

AT_AWS = (("sites.hall.provider", "aws"), ("sites.hall.region", "eu-central-1"))


def rented(make, without, server, device, devices):
    """Return the small plan with its training on rented machines."""
    plan = without(make(facts=AT_AWS), "train")
    machine = {"server": server, "device": device, "servers": 16 // devices}
    return replace(plan, stages=(replace(plan.stages[0], **machine),))


@pytest.mark.parametrize(("server", "device", "devices"), [
    ("g6e.xlarge", "L40S", 1), ("p5.48xlarge", "H100-SXM", 8),
])  # fmt: skip
def test_a_pod_fits_the_rented_machine(make, without, server, device, devices):
    (work,) = deployment_of(rented(make, without, server, device, devices), "ab" * 8).works
    offer = next(each for each in catalogue.cloud_offers("aws", "eu-central-1") if each.instance == server)
    asked = resources(work)["requests"]
    assert asked["nvidia.com/gpu"] == str(devices)
    assert 0.5 * offer.cores <= int(asked["cpu"]) <= offer.cores
    assert 0.8 * offer.memory_b <= int(asked["memory"].removesuffix("Gi")) * 2**30 < offer.memory_b


def test_a_machine_that_the_provider_does_not_rent_out_is_refused(make, without):
    with pytest.raises(InputError, match=r"stages\.train\.server: got 'HGX-B200-8-liquid', expected a machine of aws"):
        deployment_of(rented(make, without, "HGX-B200-8-liquid", "L40S", 8), "ab" * 8)


def test_dies_that_a_plug_in_counts_apart_are_refused(make, stage_of):
    plan = make()
    train = stage_of("train", "MI250X", "MI250X-4", 4, 4, 2, 2, mfu=0.4, duration_s=1000.0)
    plan = replace(plan, stages=(plan.stages[0], train, plan.stages[2]))
    with pytest.raises(InputError, match="stage train: got MI250X, expected a device that its driver shows as one"):
        render(deployment_of(plan, "ab" * 8), "k8s", style_of("k8s"))


def test_every_replica_on_processors_fits_beside_the_others_of_its_host(make, stage_of):
    score = stage_of("score", "EPYC-9654", "CPU-2-EPYC-9654", 2, 4, latency_p99_s=0.02)
    plan = make()
    plan = replace(plan, stages=tuple(score if each.name == "score" else each for each in plan.stages))
    work = next(each for each in deployment_of(plan, "ab" * 8).works if each.name == "score")
    assert (work.replicas, work.nodes) == (4, 2)
    assert 2 * int(resources(work)["requests"]["cpu"]) <= work.hardware.cores


@pytest.mark.parametrize("machine", [None, ("g6e.xlarge", "L40S", 1)])
def test_a_ray_head_stands_beside_a_full_worker(make, without, machine):
    deployment = deployment_of(make() if machine is None else rented(make, without, *machine), "ab" * 8)
    work = next(each for each in deployment.works if each.name == "train")
    (job,) = ray_job(deployment, work, style_of("ray"))
    head = job["spec"]["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]["containers"][0]["resources"]["requests"]
    worker, memory = cpu_and_memory(work.hardware, work.hardware.per_node)
    assert int(worker) + 2 * quantity(head["cpu"]) <= work.hardware.cores
    assert quantity(memory) + 2 * quantity(head["memory"]) <= work.hardware.memory_b
