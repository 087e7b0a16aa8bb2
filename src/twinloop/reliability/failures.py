"""How often a job is interrupted, by what it runs on and how warm that is."""

from __future__ import annotations

from typing import Literal

from twinloop.arrays import Array, namespace

YEAR_S = 365.25 * 86400.0
PER_DEVICE_YEAR: dict[str, float] = {"gpu": 0.106, "tpu": 0.106, "npu": 0.106, "fpga": 0.02, "edge": 0.02, "cpu": 0.003}
"""Interruptions of a job by one device of its kind in a year.

GPU: 256 events of GPUs, their memory and processors on 16,384 H100 in 54 days (Llama Team 2024, The Llama 3 Herd of
Models, arXiv:2407.21783, table 5). CPU: 2 events on 4,096 sockets in the same run. Other kinds: low confidence."""
PER_SERVER_YEAR = 0.54
"""Same by the rest of a server, its share of the network, and software: the other 163 events on 2,048 servers."""
SPREAD = (0.5, 1.8)
"""Other fleets over that one: 2.3 to 6.5 failures per thousand days of a server with eight A100 (Kokolis et al. 2024,
arXiv:2410.21680, from memory, low confidence) are 0.6 to 1.7 times its 3.8."""
REFERENCE_JUNCTION_C = 65.0
"""Junction at which the rates of devices hold: air-cooled H100 at about 600 W. Low confidence."""
REFERENCE_INTAKE_C = 25.0
"""Intake air at which the rates of the rest hold."""
LINEAR_PER_K = 0.028
"""Relative rise per kelvin: the chord of ASHRAE's table over 15-45 °C, over its value at 25 °C."""
LEAST_FACTOR = 0.2
ACTIVATION_EV = 0.7
"""Usual for silicon wear-out, range 0.3-1.1 eV (JEDEC JEP122H). Low confidence for whole devices."""
BOLTZMANN_EV_K = 8.617333262e-5
X_FACTOR_C = (15.0, 17.5, 20.0, 22.5, 25.0, 27.5, 30.0, 32.5, 35.0, 37.5, 40.0, 42.5, 45.0)
X_FACTOR = (0.72, 0.87, 1.00, 1.13, 1.24, 1.34, 1.42, 1.48, 1.55, 1.61, 1.66, 1.71, 1.76)
"""Failures of volume servers against 20 °C intake air (ASHRAE TC 9.9 2011, Thermal Guidelines for Data Processing
Environments, expanded data center classes, appendix C, mean; the ends confirmed by The Green Grid 2017, the rest from
memory)."""
Law = Literal["linear", "x-factor", "arrhenius", "none"]
LAWS: tuple[Law, ...] = ("linear", "x-factor", "arrhenius", "none")


def arrhenius_factor(junction_c: Array, reference_c: Array = REFERENCE_JUNCTION_C, ev: float = ACTIVATION_EV) -> Array:
    """Return failures at ``junction_c`` over those at ``reference_c``: ``exp(Ea/k (1/T_ref − 1/T))``, T in kelvin.

    Valid for wear-out that one activation energy describes, about 40-125 °C. Field data below 50 °C do not
    show it (El-Sayed et al. 2012, doi:10.1145/2254756.2254778): it is never the default.

    >>> round(float(arrhenius_factor(70.0, 60.0)), 2)
    2.04
    """
    xp = namespace(junction_c)
    return xp.exp(ev / BOLTZMANN_EV_K * (1.0 / (reference_c + 273.15) - 1.0 / (junction_c + 273.15)))


def linear_factor(temperature_c: Array, reference_c: Array = REFERENCE_JUNCTION_C) -> Array:
    """Return ``1 + 0.028 (T − T_ref)``, at least 0.2: errors in the field grow with temperature linearly.

    El-Sayed et al. 2012, doi:10.1145/2254756.2254778, for intake to about 50 °C.

    >>> round(float(linear_factor(75.0)), 2)
    1.28
    """
    xp = namespace(temperature_c)
    return xp.maximum(1.0 + LINEAR_PER_K * (temperature_c - reference_c), LEAST_FACTOR)


def x_factor(intake_c: Array, reference_c: float = REFERENCE_INTAKE_C) -> Array:
    """Return ASHRAE's x-factor at ``intake_c`` over that at ``reference_c``, the table's ends held beyond it.

    >>> round(float(x_factor(35.0)), 2), round(float(x_factor(20.0, 20.0)), 2)
    (1.25, 1.0)
    """
    xp = namespace(intake_c)
    table_c, table = xp.asarray(X_FACTOR_C), xp.asarray(X_FACTOR)
    return xp.interp(xp.asarray(intake_c), table_c, table) / xp.interp(xp.asarray(reference_c), table_c, table)


def temperature_factor(law: Law, junction_c: Array, intake_c: Array) -> tuple[Array, Array]:
    """Return the factors on (devices, the rest of a server) under ``law``.

    ``linear``: both by their own temperature. ``x-factor``: both by intake air. ``arrhenius``: devices by junction,
    the rest by the x-factor. ``none``: temperature does not matter.
    """
    if law == "linear":
        return linear_factor(junction_c), linear_factor(intake_c, REFERENCE_INTAKE_C)
    if law == "x-factor":
        return x_factor(intake_c), x_factor(intake_c)
    if law == "arrhenius":
        return arrhenius_factor(junction_c), x_factor(intake_c)
    return 1.0, 1.0


def interruptions_per_s(
    devices: Array, servers: Array, kind: str = "gpu", law: Law = "none",
    junction_c: Array = REFERENCE_JUNCTION_C, intake_c: Array = REFERENCE_INTAKE_C,
) -> Array:  # fmt: skip
    """Return the rate at which a job on ``devices`` in ``servers`` is interrupted: any of them stops it.

    >>> round(1.0 / interruptions_per_s(16384, 2048) / 3600.0, 1)  # Llama 3: 54 days / 419
    3.1
    """
    hot, warm = temperature_factor(law, junction_c, intake_c)
    per_year = devices * PER_DEVICE_YEAR[kind] * hot + servers * PER_SERVER_YEAR * warm
    return per_year / YEAR_S
