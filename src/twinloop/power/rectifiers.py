"""Rack rectifiers and bus converters: ``(P + c)/η`` a module, and how many modules run."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array, namespace


@dataclass(frozen=True)
class Converter:
    """One module of fixed and proportional loss."""

    no_load_w: float
    efficiency: float


SIVOC = Converter(13.0, 0.98)
"""Frontier's 380 V to 48 V node converter, ExaDigiT/RAPS configuration of Frontier (commit 6c142bfdbf)."""
FRONTIER_RECTIFIER = Converter(17.0, 0.96)
"""Frontier's rectifier module, four a chassis; same source."""


def converter_input_w(output_w: Array, no_load_w: float, efficiency: float) -> Array:
    """Return ``(P + c)/η``: a converter of fixed and proportional loss.

    >>> round(converter_input_w(2000.0, 13.0, 0.98), 1)
    2054.1
    """
    return (output_w + no_load_w) / efficiency


def modules_input_w(module: Converter, output_w: Array, count: float, module_rating_w: Array = None) -> Array:
    """Return the input of ``count`` modules that share ``output_w`` evenly.

    With ``module_rating_w`` only as many run as the load needs (staged sharing): ``ceil(P/rating)``, at least one
    and at most ``count``; a step in power, without a derivative there. Each idle module that is off takes nothing.

    >>> round(float(modules_input_w(FRONTIER_RECTIFIER, 28400.16, 4)), 1)   # a chassis at half load
    29654.3
    """
    xp = namespace(output_w)
    running: Array = count
    if module_rating_w is not None:
        running = xp.clip(xp.ceil(output_w / module_rating_w), 1.0, count)
    return converter_input_w(output_w, running * module.no_load_w, module.efficiency)
