"""``estimate train --tokens … --deadline …``: the whole run's part of an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twinloop.model.network import Network
    from twinloop.workload.host import Host
    from twinloop.workload.train_estimate import TrainingEstimate
    from twinloop.workload.train_job import TrainingJob


def run_part(
    given: dict[str, Any], network: Network, on: Host, job: TrainingJob, answer: TrainingEstimate
) -> dict[str, Any]:  # fmt: skip
    """Return ``{"run": …}``, or nothing where neither --tokens nor --samples is given.

    Raises:
        InputError: both are, a deadline without either, tokens of a model without any, or a time that is none.
    """
    from twinloop.errors import Fault, InputError
    from twinloop.model.codec import to_data
    from twinloop.units import UnitError, parse
    from twinloop.workload.train_estimate import trained_share
    from twinloop.workload.train_run import run_of

    tokens, samples, deadline = given["tokens"], given["samples"], given["deadline"]
    if tokens is not None and samples is not None:
        raise InputError(Fault("command line", None, "--tokens, --samples", "both", "one of them"))
    if tokens is None and samples is None:
        if deadline is not None:
            raise InputError(Fault("command line", None, "--deadline", deadline, "with --tokens or --samples"))
        return {}
    if tokens is not None and answer.tokens_per_s is None:
        raise InputError(Fault("command line", None, "--tokens", f"{tokens:g}", f"--samples: {network.kind}"))
    if tokens is not None:
        samples = tokens / (job.sequence or network.context)
    try:
        deadline_s = None if deadline is None else parse(deadline, "duration")
    except UnitError as fault:
        raise InputError(f"--deadline: {fault}") from fault
    if deadline_s is not None and deadline_s <= 0.0:
        raise InputError(Fault("command line", None, "--deadline", deadline, "above 0"))
    return {"run": to_data(run_of(answer, on, samples, trained_share(job, network), deadline_s))}
