"""A large machine by node, chassis, rack and distribution unit: activity in, electrical power and heat out."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array
from twinloop.power.rectifiers import FRONTIER_RECTIFIER, SIVOC, Converter, converter_input_w, modules_input_w


@dataclass(frozen=True)
class Machine:
    """Layout and component powers of one machine."""

    name: str
    racks: int
    chassis_per_rack: int
    nodes_per_chassis: int
    cdus: int
    accelerators_per_node: int
    accelerator_w: tuple[float, float]
    """One accelerator, idle and busy."""
    cpu_w: tuple[float, float]
    """All processors of a node, idle and busy."""
    other_w: float
    """Memory, network cards and drives of a node, constant."""
    switches_w: float
    """Of one chassis."""
    cdu_pump_w: float
    """One distribution unit."""
    to_node: Converter
    rectifier: Converter
    rectifiers_per_chassis: int
    r_plate_k_w: float
    """Accelerator to coolant supply."""
    sink_s: float
    """Time constant of an accelerator on its plate."""
    heat_to_liquid: float
    """Share of the racks' electricity that reaches the distribution units."""
    source: str

    @property
    def nodes(self) -> int:
        """All nodes."""
        return self.racks * self.nodes_per_rack

    @property
    def nodes_per_rack(self) -> int:
        """Nodes of one rack."""
        return self.chassis_per_rack * self.nodes_per_chassis


FRONTIER = Machine(
    name="Frontier", racks=74, chassis_per_rack=8, nodes_per_chassis=16, cdus=25, accelerators_per_node=4,
    accelerator_w=(88.0, 560.0), cpu_w=(90.0, 280.0), other_w=74.26 + 4 * 20.0 + 30.0, switches_w=4 * 250.0,
    cdu_pump_w=8473.47, to_node=SIVOC, rectifier=FRONTIER_RECTIFIER, rectifiers_per_chassis=4,
    # A 560 W device of the class of the H100, whose plate rows say 0.02-0.05; plates answer in 3-15 s. Low confidence.
    r_plate_k_w=0.03, sink_s=9.0, heat_to_liquid=0.945,
    source="ExaDigiT/RAPS configuration of Frontier (commit 6c142bfdbf)",
)  # fmt: skip
"""9,472 nodes of one CPU and four MI250X; every rack and its conversion losses are liquid cooled."""


def node_power_w(machine: Machine, cpu: Array, accelerator: Array) -> Array:
    """Return a node's DC power from the utilisation (0-1) of its processors and accelerators.

    ``P = P_cpu,idle + u (P_cpu − P_cpu,idle) + n (P_acc,idle + u (P_acc − P_acc,idle)) + P_other``.

    >>> node_power_w(FRONTIER, 0.5, 0.5)
    1665.26
    """
    idle_w, busy_w = machine.accelerator_w
    cpu_idle_w, cpu_busy_w = machine.cpu_w
    fixed_w = cpu_idle_w + machine.accelerators_per_node * idle_w + machine.other_w
    swing_w = machine.accelerators_per_node * (busy_w - idle_w)
    return fixed_w + cpu * (cpu_busy_w - cpu_idle_w) + accelerator * swing_w


def chassis_input_w(machine: Machine, nodes_w: Array, nodes: Array) -> Array:
    """Return a chassis' AC power from the DC power of its ``nodes`` nodes together: converters, switches, rectifiers.

    Both converters lose ``(P + c)/η``, so the sum over nodes is all that matters.

    >>> round(float(chassis_input_w(FRONTIER, 16 * 1665.26, 16)), 1)
    29654.3
    """
    behind_w = converter_input_w(nodes_w, machine.to_node.no_load_w * nodes, machine.to_node.efficiency)
    return modules_input_w(machine.rectifier, behind_w + machine.switches_w, machine.rectifiers_per_chassis)


def nodes_behind_w(machine: Machine, input_w: Array, nodes: Array) -> Array:
    """Return the DC power of ``nodes`` nodes whose chassis draw ``input_w``: the inverse of :func:`chassis_input_w`.

    >>> round(float(nodes_behind_w(FRONTIER, 29654.3367, 16)) / 16, 2)
    1665.26
    """
    chassis = nodes / machine.nodes_per_chassis
    behind_w = input_w * machine.rectifier.efficiency
    behind_w = behind_w - chassis * (machine.rectifiers_per_chassis * machine.rectifier.no_load_w + machine.switches_w)
    return behind_w * machine.to_node.efficiency - nodes * machine.to_node.no_load_w


def machine_power_w(machine: Machine, utilisation: Array) -> Array:
    """Return the machine's AC power with every node at ``utilisation``, distribution-unit pumps included.

    >>> [round(float(machine_power_w(FRONTIER, u)) / 1e6, 2) for u in (0.0, 0.5, 1.0)]
    [7.31, 17.77, 28.23]
    """
    node_w = node_power_w(machine, utilisation, utilisation)
    count = machine.nodes_per_chassis
    chassis_w = chassis_input_w(machine, count * node_w, count)
    return machine.racks * machine.chassis_per_rack * chassis_w + machine.cdus * machine.cdu_pump_w
