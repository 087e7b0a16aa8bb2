"""Propylene and ethylene glycol in water, by mass fraction, for NumPy and JAX alike.

Each property is a polynomial in ``X = (x - 0.3) / 0.3`` and ``Y = (t - 30) / 70`` (``x`` glycol mass
fraction, ``t`` degC), fitted by us to the values of Melinder (2010), "Properties of Secondary Working
Fluids for Indirect Systems", IIR, as tabulated by CoolProp (Bell et al. 2014, doi:10.1021/ie4033999).
Range: x 0..0.6, t from freezing (at least -40) to 100 degC; outside, values are taken at the nearest end
of 0..0.6 and -40..100. Largest error of the fit: density 0.1 %, heat capacity 0.6 %, conductivity
0.7 %, viscosity 1.2 %, freezing point 0.03 K.
"""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array, namespace

Table = tuple[tuple[float, ...], ...]
"""Coefficients: row = power of X, column = power of Y."""


@dataclass(frozen=True)
class Glycol:
    """One glycol's coefficients; use :data:`PROPYLENE` or :data:`ETHYLENE`."""

    name: str
    density: Table
    heat_capacity: Table
    conductivity: Table
    log_viscosity: Table
    freezing: tuple[float, ...]
    """Powers 1, 2, ... of the mass fraction, degC."""


PROPYLENE = Glycol(
    name="propylene glycol",
    density=(
        (1018.981, -36.20990, -13.79559, 4.658530),
        (23.51625, -20.65532, 8.325477, -1.287087),
        (-2.868718, 0.3035672, -1.831493, 1.039012),
        (-3.596165, 5.680977, -0.8562341, -0.2047828),
    ),
    heat_capacity=(
        (3879.940051, 188.330348, -8.007576),
        (-385.798313, 125.149413, -20.244453),
        (-103.357293, -36.559465, 37.744901),
        (-11.889943, 40.409313, -5.115079),
    ),
    conductivity=(
        (0.452820, 0.056835, -0.002267),
        (-0.144527, -0.039188, 0.019455),
        (0.017493, 0.009044, -0.016825),
    ),
    log_viscosity=(
        (-6.164420, -2.208678, 1.280157, -0.4799356, 0.002127967),
        (1.005450, -0.8794792, 0.6647035, -0.2370859, 0.03842579),
        (0.06330347, -0.01760002, -0.09176840, 0.06882656, -0.04545301),
        (-0.008019214, 0.2033475, -0.2162548, 0.06911594, -0.05602713),
        (-0.03090943, 0.02946559, 0.04478226, -0.1047241, 0.05988422),
    ),
    freezing=(-19.65802178, -109.3522491, 213.2705076, -346.7350418),
)
ETHYLENE = Glycol(
    name="ethylene glycol",
    density=(
        (1033.764, -32.00428, -13.29878, 1.415150),
        (39.42302, -15.33271, 6.056974, 1.334712),
        (-0.5497848, 1.078310, -2.273472, 2.043314),
        (-1.512138, 3.217941, 0.1944663, -1.905632),
    ),
    heat_capacity=(
        (3745.819, 200.1654, -22.83823),
        (-529.8523, 225.4019, -63.62961),
        (-78.39942, -7.339976, 15.18196),
        (21.29801, -11.86181, -3.159673),
    ),
    conductivity=(
        (0.474282, 0.063874, -0.007318),
        (-0.127652, -0.035166, 0.018868),
        (0.014272, 0.004148, -0.011749),
    ),
    log_viscosity=(
        (-6.413434, -1.821148, 0.8865286, -0.2570706, -2.171463e-4),
        (0.7599690, -0.2611537, 0.1623332, -0.1328309, -0.01995139),
        (-0.005626279, 0.06624178, 0.07630083, -0.2392920, 0.02055852),
        (-0.01271352, 0.007289924, 0.05714198, -0.03692426, 0.02982898),
        (0.03484346, 0.008515668, -0.02337271, 0.05292176, -0.02973854),
    ),
    freezing=(-30.72176445, -10.12856713, -194.6360428, 99.67025421),
)


def _evaluate(table: Table, mass_fraction: Array, temperature_c: Array) -> Array:
    xp = namespace(mass_fraction, temperature_c)
    x = (xp.clip(mass_fraction, 0.0, 0.6) - 0.3) / 0.3
    y = (xp.clip(temperature_c, -40.0, 100.0) - 30.0) / 70.0
    total: Array = 0.0
    for row in reversed(table):
        inner: Array = 0.0
        for coefficient in reversed(row):
            inner = inner * y + coefficient
        total = total * x + inner
    return total


def density_kg_m3(glycol: Glycol, mass_fraction: Array, temperature_c: Array) -> Array:
    """Return density, kg/m3.

    >>> round(float(density_kg_m3(PROPYLENE, 0.25, 30.0)), 1)
    1015.0
    """
    return _evaluate(glycol.density, mass_fraction, temperature_c)


def heat_capacity_j_kg_k(glycol: Glycol, mass_fraction: Array, temperature_c: Array) -> Array:
    """Return isobaric heat capacity, J/(kg K).

    >>> round(float(heat_capacity_j_kg_k(PROPYLENE, 0.25, 30.0)))
    3941
    """
    return _evaluate(glycol.heat_capacity, mass_fraction, temperature_c)


def conductivity_w_m_k(glycol: Glycol, mass_fraction: Array, temperature_c: Array) -> Array:
    """Return thermal conductivity, W/(m K).

    >>> round(float(conductivity_w_m_k(PROPYLENE, 0.25, 30.0)), 3)
    0.477
    """
    return _evaluate(glycol.conductivity, mass_fraction, temperature_c)


def viscosity_pa_s(glycol: Glycol, mass_fraction: Array, temperature_c: Array) -> Array:
    """Return dynamic viscosity, Pa s.

    >>> round(float(viscosity_pa_s(PROPYLENE, 0.25, 30.0)) * 1e3, 2)
    1.78
    """
    xp = namespace(mass_fraction, temperature_c)
    return xp.exp(_evaluate(glycol.log_viscosity, mass_fraction, temperature_c))


def freezing_c(glycol: Glycol, mass_fraction: Array) -> Array:
    """Return the freezing point, degC: first crystals in the solution; x 0..0.6.

    >>> round(float(freezing_c(PROPYLENE, 0.25)), 1)
    -9.8
    """
    total: Array = 0.0
    for coefficient in reversed(glycol.freezing):
        total = (total + coefficient) * mass_fraction
    return total
