"""Exhaustive layout search: GPT-3 175B on 512 and GPT-3 13B on 16 devices; whole process and search alone."""

import json
import subprocess
import sys
import time

CASES = {
    "gpt3-175b on 512 x A100": ["--model", "gpt3-175b", "--devices", "512", "--batch", "512"],
    "gpt3-13b on 16 x A100": ["--model", "gpt3-13b", "--devices", "16", "--batch", "32"],
}


def main() -> None:
    run = [sys.executable, "-m", "twinloop"]
    started = time.perf_counter()
    subprocess.run([*run, "--version"], check=True, capture_output=True)
    start_up_s = time.perf_counter() - started
    results = {}
    for name, flags in CASES.items():
        started = time.perf_counter()
        done = subprocess.run(
            [*run, "estimate", "train", *flags, "--device", "A100-80GB-SXM", "--search", "--json"],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        wall_s = time.perf_counter() - started
        answer = json.loads(done.stdout)
        points = answer["configurations_evaluated"]
        results[name] = {
            "points": points,
            "process_wall_s": round(wall_s, 3),
            "search_s": round(answer["search_time_s"], 3),
            "wall_over_start_up": round(wall_s / start_up_s, 2),
            "million_points_per_s": round(points / answer["search_time_s"] / 1e6, 1),
        }
    print(json.dumps({"start_up_s": round(start_up_s, 3), "precision": "float64", "cases": results}, indent=1))


if __name__ == "__main__":
    main()
