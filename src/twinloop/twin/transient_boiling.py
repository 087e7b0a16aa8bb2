"""Two-phase baths over one step: the fluid boils on the chips and condenses on facility water above it.

At its boiling point a tank holds what it holds: gas blankets the part of the condenser that is not needed. Short of
condenser it warms past that point under its lid; below it nothing boils off and the liquid warms with all heat.
"""

from __future__ import annotations

import numpy as np

from twinloop.arrays import Array, FloatArray, namespace
from twinloop.cooling.boiling import FK_649, FLUX_MARGIN, boiling_rise_k, critical_heat_flux_w_m2
from twinloop.cooling.exchangers import SMALL_W_K, ua_at_flow_w_k
from twinloop.twin.transient_nouns import State
from twinloop.twin.transient_parameters import Parameters


def condenser_w_k(p: Parameters, water_ratio: Array) -> Array:
    """Return what each loop's condensers pass per kelvin between fluid and entering water, (loops, cases).

    As :func:`twinloop.cooling.boiling.boiling_bath`: ``(1 − exp(−NTU)) C``, the water's film by its flow.

    Args:
        p: the hall.
        water_ratio: facility water over its design flow.
    """
    warm, xp = p.plant.warm, namespace(water_ratio)
    assert warm is not None and warm.boiling is not None  # noqa: S101, PT018  the caller asks only where baths boil
    water_w_k = xp.maximum(
        water_ratio * (warm.boiling.water_design_kg_s * p.k.water_heat_capacity_j_kg_k / p.loops), SMALL_W_K
    )
    ua_w_k = ua_at_flow_w_k(warm.boiling.condenser_ua_w_k / p.loops, 1.0, water_ratio, warm.boiling.film_exponent)
    return -xp.expm1(-ua_w_k / water_w_k) * water_w_k


def bath_after_c(
    boiling_c: float, stored_w_k: Array, before_c: Array, source_w: Array, link_w_k: Array, passed_w_k: Array,
    water_c: Array,
) -> Array:  # fmt: skip
    """Return a bath's temperature after the step under ``source_w − link_w_k · T`` from its chips, implicit.

    ``stored_w_k`` is its heat capacity over the step. Warming by all heat it stops at the boiling point; only a
    condenser at its limit lets it pass.

    >>> [round(float(bath_after_c(49.0, 1e3, t, 5e3, 0.0, 500.0, 30.0)), 2) for t in (40.0, 48.0, 60.0)]
    [45.0, 49.0, 53.33]
    """
    xp = namespace(before_c, source_w, passed_w_k)
    warmed_c = (stored_w_k * before_c + source_w) / (stored_w_k + link_w_k)
    cooled_c = (stored_w_k * before_c + source_w + passed_w_k * water_c) / (stored_w_k + link_w_k + passed_w_k)
    return xp.maximum(cooled_c, xp.minimum(warmed_c, boiling_c))


def flux_margin_k(p: Parameters, states: State) -> FloatArray:
    """Return how much hotter the worst chips' surfaces may get before their flux passes what design allows, K.

    Of a record, (time, groups, loops, cases): the flux is what passes from sink to bath. Infinite beside the bath.
    """
    chips, share = p.chips, 1.0 - p.c.fast_share
    flow = (states.sink_c[:, 1] - states.coolant_c[:, None]) / (chips.device_k[1] * share)
    flux_w_m2 = np.where(chips.in_bath > 0.0, chips.device_w * flow / p.k.boiling_area_m2, 0.0)
    most_w_m2 = FLUX_MARGIN * critical_heat_flux_w_m2(FK_649)
    margin: FloatArray = boiling_rise_k(FK_649, most_w_m2) - boiling_rise_k(FK_649, flux_w_m2)
    return np.where(chips.in_bath > 0.0, margin, np.inf)
