"""Constants of the performance model, each with its source and range."""

from __future__ import annotations

BEST_GEMM_SHARE = 0.70
"""Large-matrix rate over peak inside a training step. Measured H200 BF16 GEMM alone reaches 78 % of peak
(aiconfigurator kernel tables); layers around it cost the rest. Range 0.6-0.8, medium."""
NARROW_HIDDEN = 1024.0
"""Width at which matrix rate is half of the best: small matrices do not fill the device. Low confidence."""
BANDWIDTH_SHARE = 0.79
"""Memory streams over peak: H200 at m = 1 reaches 3.8 of 4.8 TB/s (aiconfigurator kernel tables)."""
CPU_SHARE = 0.35
"""Matrix rate over peak on processors with vector or matrix units. Low confidence."""
FPGA_SHARE = 0.35
"""Same for overlays on FPGAs. Low confidence."""
LAYER_OVERHEAD_S = 12e-6
"""Launches and synchronisation a layer and forward pass. Low confidence."""
TRAIN_OVERLAP = 0.7
"""Share of data-parallel communication hidden behind the backward pass. Range 0.5-0.9, low."""
NETWORK_SHARE = 0.8
"""Achieved over nominal bandwidth of links for large messages. Range 0.7-0.9, low."""
RESERVED_MEMORY = 0.08
"""Of device memory: context, communication buffers, fragmentation. Range 0.05-0.12, low."""
STATE_BYTES = 18.0
"""Bytes a weight in mixed-precision Adam: 2 weight, 2 gradient, 2 working, 12 master and moments."""
SHARDED_BYTES = 12.0
"""Of which ZeRO-1 spreads over data-parallel replicas."""
PROFILE_LOW, PROFILE_HIGH = 0.8, 1.35
"""Interval on time: uncalibrated closed forms on published rows are within about 35 %."""
INGEST_B_S_PER_CORE = 120e6
"""Parse, validate, compress and write a record stream on one core. Range 50-300 MB/s, low confidence."""
ROWS_PER_S_PER_CORE = 60e3
"""Join, window and encode a wide row on one core. Range 20-200 thousand rows/s, low confidence."""
COMPUTE_POWER_FLOOR = 0.45
"""Accelerator activity (of idle-to-limit power) when memory or links, not arithmetic, set the pace.
B200 kernels: decode attention 391 W, floor 243 W, limit 1000 W (aiconfigurator measured power)."""
COMPUTE_POWER_SLOPE = 0.75
"""Added at full model FLOP utilisation: context attention 740 W, peaks 1023 W on the same device. MLPerf
Training v4.0: 8-H100 nodes 6.5-7.2 kW at the wall against 10.2 kW nameplate. Medium."""
IDLE_SHARE = {"cpu": 0.35, "memory": 0.5, "network": 0.7, "storage": 0.6}
"""Idle over full power of the other components. Low confidence."""
BYTES = {"fp32": 4.0, "tf32": 4.0, "bf16": 2.0, "fp16": 2.0, "fp8": 1.0, "int8": 1.0, "fp4": 0.5}
"""Bytes of one weight by precision."""
QUANTISATION_DROP = {"bf16": 0.0, "fp8": 0.003, "int8": 0.005}
"""Relative loss of accuracy when serving below 16 bits: FP8 W8A8 0-0.5 %, INT8 0.3-1 % (published LLM
evaluations; medium). Excluded where the stage allows less."""
