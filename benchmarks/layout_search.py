"""Exhaustive layout search: GPT-3 175B on 512 and GPT-3 13B on 16 devices; whole process, search alone, Pareto set."""

import json
import resource
import subprocess
import sys
import time

from twinloop import catalogue
from twinloop.workload.host import host
from twinloop.workload.named_model import network_named
from twinloop.workload.plan_search import undominated_layouts
from twinloop.workload.train_job import TrainingJob

CASES = {
    "gpt3-175b on 512 x A100": ("gpt3-175b", 512, 512, 2.0),
    "gpt3-13b on 16 x A100": ("gpt3-13b", 16, 32, 0.2),
}
"""Name -> (model, devices, batch, seconds beyond start-up it may take)."""
DEVICE = "A100-80GB-SXM"


def started(flags: list[str]) -> tuple[float, float, str]:
    """Return wall and processor seconds of one process (the second does not count waiting for others), and its text."""
    begun, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-m", "twinloop", *flags], check=True, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    return time.perf_counter() - begun, cpu_s, done.stdout


def measured(model: str, devices: int, batch: int, limit_s: float, start_up_cpu_s: float) -> dict[str, object]:
    flags = ["estimate", "train", "--model", model, "--devices", str(devices), "--batch", str(batch)]
    wall_s, cpu_s, text = started([*flags, "--device", DEVICE, "--search", "--json"])
    answer = json.loads(text)
    points = answer["configurations_evaluated"]
    on = host(catalogue.device(DEVICE), devices, None, None, None, "ib", None, None, None)
    begun = time.process_time()
    choices = undominated_layouts(network_named(model), on, TrainingJob(batch), (devices,), 2.0)
    return {
        "points": points,
        "process_wall_s": round(wall_s, 3),
        "beyond_start_up_cpu_s": round(cpu_s - start_up_cpu_s, 3),
        "limit_s": limit_s,
        "search_s": round(answer["search_time_s"], 3),
        "million_points_per_s": round(points / answer["search_time_s"] / 1e6, 1),
        "evaluations_per_hour": round(points / answer["search_time_s"] * 3600.0),
        "pareto_set": len(choices),
        "pareto_cpu_s": round(time.process_time() - begun, 3),
    }


def main() -> None:
    # The same imports without a search: the least of three is the start-up.
    one = ["estimate", "train", "--model", "gpt3-13b", "--devices", "16", "--batch", "32", "--device", DEVICE, "--json"]
    start_up = min(started([*one, "--tensor", "8"])[1] for _ in range(3))
    results = {name: measured(*case, start_up) for name, case in CASES.items()}
    print(
        json.dumps(
            {
                "start_up_cpu_s": round(start_up, 3),
                "precision": "float64",
                "compile_cpu_s": 0.0,
                "peak_memory_mib": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024.0),
                "cases": results,
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
