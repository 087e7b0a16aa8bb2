"""Any loop liquid by its name: ``water``, ``PG25`` (25 % propylene glycol), ``EG30``, ``PAO-4``, ..."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from twinloop.arrays import Array
from twinloop.errors import Fault, InputError
from twinloop.fluids import dielectric, glycol, water

Property = Callable[[Array], Array]
"""From temperature, degC, to the property, SI."""


@dataclass(frozen=True)
class Liquid:
    """One liquid's properties as functions of temperature alone."""

    name: str
    density_kg_m3: Property
    heat_capacity_j_kg_k: Property
    viscosity_pa_s: Property
    conductivity_w_m_k: Property
    freezing_c: float | None
    """``None``: far below any loop's temperature."""


def liquid(name: str) -> Liquid:
    """Return the liquid called ``name``; glycols by PG or EG and the mass percentage, up to 60.

    Raises:
        InputError: unknown name or glycol above 60 %.

    >>> round(float(liquid("PG25").heat_capacity_j_kg_k(30.0)))
    3941
    >>> liquid("water").freezing_c
    0.0
    """
    if name.casefold() == "water":
        return Liquid(
            "water",
            water.density_kg_m3,
            water.heat_capacity_j_kg_k,
            water.viscosity_pa_s,
            water.conductivity_w_m_k,
            0.0,
        )
    match = re.fullmatch(r"(PG|EG)\s*(\d+(?:\.\d+)?)\s*%?", name.strip(), re.IGNORECASE)
    if match is None:
        return _dielectric(name)
    kind = glycol.PROPYLENE if match[1].upper() == "PG" else glycol.ETHYLENE
    fraction = float(match[2]) / 100.0
    if fraction > 0.6:  # the fits end there
        raise InputError(Fault("fluids", None, "liquid", name, "at most 60 % glycol by mass"))
    return Liquid(
        f"{match[1].upper()}{float(match[2]):g}",
        partial(glycol.density_kg_m3, kind, fraction),
        partial(glycol.heat_capacity_j_kg_k, kind, fraction),
        partial(glycol.viscosity_pa_s, kind, fraction),
        partial(glycol.conductivity_w_m_k, kind, fraction),
        float(glycol.freezing_c(kind, fraction)),
    )


def _dielectric(name: str) -> Liquid:
    row = dielectric.fluid(name)
    return Liquid(
        row.name,
        partial(dielectric.density_kg_m3, row),
        partial(dielectric.heat_capacity_j_kg_k, row),
        partial(dielectric.viscosity_pa_s, row),
        partial(dielectric.conductivity_w_m_k, row),
        None,
    )
