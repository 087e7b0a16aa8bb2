"""CPU milliseconds until the catalogue's devices are read, and until ``--help`` is shown: best of five. Prints JSON."""

from __future__ import annotations

import json
import resource
import subprocess
import sys

CASES = {
    "catalogue.devices()": ["-c", "from twinloop import catalogue; catalogue.devices()"],
    "twinloop --help": ["-m", "twinloop", "--help"],
    "python alone": ["-c", "pass"],
}


def cpu_ms(arguments: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return round((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e3, 1)


if __name__ == "__main__":
    print(json.dumps({name: min(cpu_ms(arguments) for _ in range(5)) for name, arguments in CASES.items()}, indent=1))
