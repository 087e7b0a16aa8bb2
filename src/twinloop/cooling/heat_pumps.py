"""Heat pumps that lift waste heat to a useful temperature, as a share of Carnot."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array, namespace
from twinloop.fluids.psychrometrics import KELVIN

APPROACH_K = 3.0
"""Evaporating below leaving source, condensing above leaving sink. Practice 2-5 K, low confidence."""
MINIMUM_LIFT_K = 15.0
"""Least difference of condensing and evaporating temperature. Practice 10-20 K, low confidence."""


@dataclass(frozen=True)
class HeatPump:
    """A machine rated by its heating capacity."""

    heating_w: float
    carnot_share: float = 0.5
    """0.45-0.6 for large machines, low confidence."""
    approach_k: float = APPROACH_K
    minimum_lift_k: float = MINIMUM_LIFT_K


@dataclass(frozen=True)
class HeatPumpPoint:
    """Operating point; ``heating = source + power`` exactly."""

    heating_w: Array
    source_w: Array
    power_w: Array
    cop: Array


def heat_pump(machine: HeatPump, source_w: Array, source_out_c: Array, sink_out_c: Array) -> HeatPumpPoint:
    """Lift up to ``source_w`` of heat leaving at ``source_out_c`` to ``sink_out_c``.

    ``COP = η T_c / (T_c − T_e)``, ``T_c`` at least ``T_e + lift_min``, not below 1; heating = source ·
    COP/(COP − 1), held to the machine's capacity (then less source heat is taken). A sink colder than the source
    still costs the least lift: a plain exchanger is the caller's choice. Range: sink to 90 °C.

    >>> point = heat_pump(HeatPump(1e6), 500e3, 30.0, 65.0)
    >>> round(float(point.cop), 2), round(float(point.heating_w) / 1e3)
    (4.16, 658)
    """
    xp = namespace(source_w, source_out_c, sink_out_c)
    evaporating_k = source_out_c - machine.approach_k + KELVIN
    condensing_k = xp.maximum(sink_out_c + machine.approach_k + KELVIN, evaporating_k + machine.minimum_lift_k)
    cop = xp.maximum(machine.carnot_share * condensing_k / (condensing_k - evaporating_k), 1.0 + 1e-9)
    heating_w = xp.minimum(xp.maximum(source_w, 0.0) * cop / (cop - 1.0), machine.heating_w)
    power_w = heating_w / cop
    return HeatPumpPoint(heating_w, heating_w - power_w, power_w, cop)
