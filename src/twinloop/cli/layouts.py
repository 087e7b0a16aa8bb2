"""``estimate --search``: the search's part of an answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twinloop.model.network import Network
    from twinloop.workload.host import Host
    from twinloop.workload.serve_job import ServingJob
    from twinloop.workload.train_job import TrainingJob


def train_searched(network: Network, on: Host, job: TrainingJob, top: int) -> tuple[TrainingJob, dict[str, Any]]:
    """Return the job at the best layout found, and the search's part of the answer.

    Where ``job`` names a layout, that part says what it takes beside the best, or why it cannot run.
    """
    from twinloop.errors import InputError
    from twinloop.model.codec import to_data
    from twinloop.workload.constants import software
    from twinloop.workload.plan_search import refused_layouts, searched

    # Whatever ZeRO stage is found best, it was judged by these constants.
    job = replace(job, software=software(on.device, sharded=(job.zero or 0) >= 2, name=job.software).name)
    found = searched(network, on, job, top)
    if not found.best:
        counts = sorted(refused_layouts(network, on, job).items(), key=lambda item: -item[1])
        most = ", ".join(f"{name.partition(': ')[2]} ({n} layouts)" for name, n in counts if n)
        raise InputError(
            f"--search: no layout fits in memory, which is filled most by {most}; more devices, or one with more memory"
        )
    best, asked = found.best[0], _asked(network, on, job)
    job = replace(
        job, tensor=best.tensor, pipeline=best.pipeline, data=best.data, context=best.context, expert=best.expert,
        micro_batch=best.micro_batch, interleave=best.interleave, schedule=best.schedule, recompute=best.recompute,
        zero=best.zero, sequence_parallel=best.sequence_parallel, gradient_b=float(best.gradient_bytes),
    )  # fmt: skip
    extra = {
        "configurations_evaluated": found.configurations_evaluated, "configurations_feasible": found.feasible,
        "search_time_s": found.search_time_s, "best": [to_data(each) for each in found.best],
    }  # fmt: skip
    return job, {**extra, **asked}


def _asked(network: Network, on: Host, job: TrainingJob) -> dict[str, Any]:
    """Return ``{"asked": …}`` for the layout that ``job`` names: its step, or every reason against it."""
    from twinloop.errors import InputError
    from twinloop.workload.plan_search import named_layout, refused_layout
    from twinloop.workload.train_estimate import estimate_training

    named = named_layout(job)
    if not named:
        return {}
    reasons = list(refused_layout(network, on, job))
    try:
        step = None if reasons else estimate_training(network, on, job)
    except InputError as fault:
        step, reasons = None, [str(fault)]
    runs = {"step_time_s": step.step_time_s, "fits": step.fits} if step else {"step_time_s": None, "fits": None}
    return {"asked": {**named, **runs, "refused": reasons}}


def serve_searched(network: Network, on: Host, job: ServingJob, top: int) -> dict[str, Any]:
    """Return the search's part of the answer."""
    from twinloop.errors import InputError
    from twinloop.model.codec import to_data
    from twinloop.workload.serve_job import checked
    from twinloop.workload.serve_search import searched

    if not network.layers or not job.output_tokens:
        raise InputError(f"--search: {network.name} is served whole on each device; there is no layout to search")
    if job.prefill_devices is not None:
        return _pool_splits(network, on, job, top)
    found = searched(network, on, checked(job, network, on), top)
    return {
        "configurations_evaluated": found.configurations_evaluated, "search_time_s": found.search_time_s,
        "best": [to_data(each) for each in found.best],
    }  # fmt: skip


def _pool_splits(network: Network, on: Host, job: ServingJob, top: int) -> dict[str, Any]:
    """Return the best splits of the devices into a pool that reads and one that decodes."""
    import time

    from twinloop.workload.disaggregated import split_search
    from twinloop.workload.serve_job import checked

    start = time.perf_counter()
    found = split_search(network, on, checked(job, network, on))
    best = [
        {
            "prefill_devices": each.prefill.devices, "decode_devices": each.decode.devices,
            "prefill_tensor": each.prefill.tensor, "decode_tensor": each.decode.tensor, "batch": each.decode.batch,
            "requests_per_s": each.requests_per_s, "ttft_s": each.ttft_s, "tpot_s": each.tpot_s,
            "limited_by": each.limited_by, "fits": each.prefill.fits and each.decode.fits,
        }
        for each in found[:top]
    ]  # fmt: skip
    return {
        "configurations_evaluated": len(found), "search_time_s": time.perf_counter() - start, "best": best
    }  # fmt: skip
