"""What the workload formulas say of one stage on one group of devices."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Parallelism:
    """How one copy of the work is laid out over devices. ``data`` counts replicas."""

    data: int = 1
    tensor: int = 1
    pipeline: int = 1
    expert: int = 1
    context: int = 1
    micro_batch: int = 1
    batch: int = 1
    """Global batch (train), or requests in flight on one replica (serve)."""
    zero: int = 0
    """ZeRO stage: what the data-parallel devices share (0 nothing, 1 optimizer, 2 gradients too, 3 weights too)."""
    recompute: str = "none"
    interleave: int = 1
    """Model chunks that a pipeline stage holds; above 1 the schedule is interleaved."""

    @property
    def devices(self) -> int:
        """Devices that the layout takes (experts share the data-parallel devices)."""
        return self.data * self.tensor * self.pipeline * self.context


@dataclass(frozen=True)
class ComponentPower:
    """Electrical power inside servers, mean over the busy time, in watt; fans and PSU loss apart."""

    accelerator_w: float
    cpu_w: float
    memory_w: float
    network_w: float
    storage_w: float

    @property
    def total_w(self) -> float:
        """Sum of the components."""
        return self.accelerator_w + self.cpu_w + self.memory_w + self.network_w + self.storage_w


@dataclass(frozen=True)
class StageOption:
    """One way to run one stage: device x count x layout x precision x compression, with its figures.

    Power is for the whole option (all its servers) while busy and while idle, before fans and PSU
    loss, which depend on the cooling. ``busy_fraction`` is the share of the horizon it runs.
    """

    stage: str
    device: str
    device_count: int
    server: str
    servers: int
    precision: str
    compression: str
    parallelism: Parallelism
    throughput_per_s: float
    """Samples, rows, bytes or requests per second, by kind."""
    duration_s: float | None
    """Of one recurrent run; ``None`` for continuous stages."""
    busy_fraction: float
    peak_utilisation: float
    """Of the peak hour."""
    busy: ComponentPower
    idle: ComponentPower
    device_w: float
    """One device while busy: what the cold plate or heat sink must carry."""
    mfu: float | None
    memory_per_device_b: float
    latency_p99_s: float | None
    accuracy_drop: float
    time_breakdown_s: dict[str, float]
    low: float
    """Interval factor on time, for example 0.85."""
    high: float
    notes: tuple[str, ...] = ()
    """What it rests on: extrapolated, low-confidence constants, binding limits."""
    memory_parts_b: dict[str, float] = field(default_factory=dict)
    """``memory_per_device_b`` by what it holds; empty where it is not known."""
    deadline_room_s: float = 0.0
    """What a training run keeps free before its deadline, for one interruption more than expected."""
