"""CPU seconds of a day at five-second steps of one hall, two cases side by side (NumPy, float64). Prints JSON."""

from __future__ import annotations

import json
import resource
import time
from dataclasses import replace

import numpy as np
from site_years import KITS, servers

from twinloop.model.weather import DesignConditions
from twinloop.twin.design import HybridDesign, PlantConstants
from twinloop.twin.sizing import size_plant
from twinloop.twin.transient_nouns import Bank, Fleet
from twinloop.twin.transient_parameters import transient_parameters
from twinloop.twin.transient_run import constant_series, guess, run, steady_inputs

STEPS, STEP_S = 800, 5.0

if __name__ == "__main__":
    k, it = PlantConstants(), replace(servers(), activity=np.ones(1))
    kit = "plates + rear doors"
    design = HybridDesign(kit, KITS[kit], "tower", 32.0, True, "air_cooled_chiller", 20.0, 26.0, False, "N+1")
    plant = size_plant(design, (it,), DesignConditions(34.0, 22.0, 24.0, -12.0, "made up"), 101_325.0, 200.0, k)
    p = transient_parameters(plant, (it,), Fleet(*[Bank(2, 1)] * 5, Bank(1, 0)), 200.0, 101_325.0, k, None)
    inputs = steady_inputs(p, 2, np.array([1.0]), 30.0, 20.0, 15.0)
    begun = time.process_time()
    run(p, guess(p, inputs), constant_series(inputs, STEPS), STEP_S)
    step_s = (time.process_time() - begun) / STEPS
    print(
        json.dumps(
            {
                "precision": "float64", "elements": 2 * STEPS, "compile_cpu_s": 0.0,  # NumPy: nothing is compiled
                "step_cpu_ms": round(step_s * 1e3, 3), "day_at_5_s_cpu_s": round(step_s * 86400 / STEP_S, 1),
                "evaluations_per_cpu_hour": round(2 * 3600.0 / step_s),
                "peak_memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0),
            }
        )
    )  # fmt: skip
