"""A chip in time: die, case and coolant as two heat capacities, leakage, and a throttle with hysteresis.

The steady companion is :func:`twinloop.power.operating_point.operating_point`; both rest at the same point.
"""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array, namespace

POWER_EXPONENT = 2.5
"""Dynamic power ~ clock^2.5: f V² with V nearly ~ f. Between 2 and 3; low confidence."""


@dataclass(frozen=True)
class Chip:
    """Ratings of one device. Resistances in series: die to case here, case to coolant by the cooler."""

    idle_w: float
    busy_w: float
    """At full clock, activity 1 and the reference temperature."""
    r_die_k_w: float = 0.02
    """Die to case: 0.02-0.05 K/W in the 700 W class."""
    die_j_k: float = 25.0
    """With ``r_die_k_w`` 0.5 s, the fast step measured on accelerators."""
    case_j_k: float = 250.0
    """Lid, plate or sink. Over ``1/R``: 3-15 s for a cold plate at 0.03 K/W (100-500 J/K), 30-55 s measured
    for air at 0.045-0.065 K/W (near 700 J/K)."""
    leakage_per_k: float = 0.003
    """Relative power per kelvin of die, 0.001-0.008. Low confidence."""
    reference_c: float = 65.0
    throttle_c: float = 87.0
    """Published onset 83-87 °C for one device of the class."""
    release_k: float = 3.0
    """Clock rises again only this far below the limit. Low confidence."""
    memory_limit_c: float = 95.0
    """Stacked memory; throttles like the die."""
    r_memory_k_w: float = 0.06
    """Memory above case, per watt of memory. Low confidence."""
    memory_share: float = 0.15
    """Of the device's power. Low confidence."""
    clock_rate_per_s: float = 0.2
    """How fast the clock moves, share of full per second. Low confidence."""
    least_clock: float = 0.3
    power_limit_w: float = 1e9
    """Enforced at once, by the clock."""


@dataclass(frozen=True)
class ChipState:
    """What the next second depends on; every field an array of chips or a number."""

    die_c: Array
    case_c: Array
    clock: Array
    """Share of full clock that temperature allows, ``least_clock``..1."""
    held: Array
    """1 while throttled (until ``release_k`` below the limits), else 0."""


@dataclass(frozen=True)
class ChipStep:
    """State after the step and what passed during it: ``power − heat = (stored after − before)/dt``."""

    state: ChipState
    power_w: Array
    heat_w: Array
    """Case to coolant."""
    memory_c: Array
    clock: Array
    """That ran, the power limit's included."""


def chip_at_rest(coolant_c: Array) -> ChipState:
    """Return a cold, unthrottled chip.

    >>> chip_at_rest(30.0).die_c
    30.0
    """
    one = 0.0 * coolant_c + 1.0
    return ChipState(coolant_c, coolant_c, one, 0.0 * one)


def chip_step(
    chip: Chip, state: ChipState, coolant_c: Array, r_case_k_w: Array, activity: Array, step_s: float
) -> ChipStep:
    """Advance by ``step_s``: power by clock and leakage, then both temperatures, then the throttle.

    ``C_d dT_d/dt = P − (T_d − T_c)/R_d``; ``C_c dT_c/dt = (T_d − T_c)/R_d − (T_c − T_coolant)/R_c``, backward Euler
    (stable at any step, energy exact). ``P = (idle + u (busy − idle) f^2.5)(1 + λ (T_d − T_ref))``, leakage at
    the new die temperature, so that a step of any length is its steady state. Above either limit the clock falls
    at its rate and is held; ``release_k`` below both it rises. Steps up to the fast time constant (0.5 s) show
    the die; longer ones only the case.
    Source: two-node Cauer ladder, JEDEC JESD51-14 (2010).

    >>> state = chip_at_rest(30.0)
    >>> for _ in range(60):
    ...     after = chip_step(Chip(80.0, 700.0), state, 30.0, 0.03, 1.0, 1.0)
    ...     state = after.state
    >>> round(float(state.die_c), 1), round(float(after.heat_w)), float(state.clock)
    (65.0, 699, 1.0)
    """
    xp = namespace(state.die_c, state.case_c, coolant_c, r_case_k_w, activity)
    wanted_w = (chip.busy_w - chip.idle_w) * activity
    clock = _power_limited(chip, state, wanted_w, xp)
    base_w = chip.idle_w + wanted_w * clock**POWER_EXPONENT
    fixed_w = base_w * (1.0 - chip.leakage_per_k * chip.reference_c)
    leak_w_k = base_w * chip.leakage_per_k

    to_case, to_coolant = 1.0 / chip.r_die_k_w, 1.0 / r_case_k_w
    die, case = chip.die_j_k / step_s, chip.case_j_k / step_s
    # Two linear equations, die eliminated: (case + to_case + to_coolant) T_c − to_case T_d = right side.
    own = die + to_case - leak_w_k
    from_die = die * state.die_c + fixed_w
    case_c = (case * state.case_c + to_coolant * coolant_c + to_case * from_die / own) / (
        case + to_coolant + to_case - to_case * to_case / own
    )
    die_c = (from_die + to_case * case_c) / own
    power_w = fixed_w + leak_w_k * die_c
    memory_c = case_c + chip.r_memory_k_w * chip.memory_share * power_w
    margin_k = xp.minimum(chip.throttle_c - die_c, chip.memory_limit_c - memory_c)
    held = xp.where(margin_k < 0.0, 1.0, xp.where(margin_k > chip.release_k, 0.0, state.held))
    # Within the band a held chip keeps its clock: that is the hysteresis.
    move = xp.where(margin_k < 0.0, -1.0, xp.where(held > 0.5, 0.0, 1.0))
    allowed = xp.clip(state.clock + move * chip.clock_rate_per_s * step_s, chip.least_clock, 1.0)
    return ChipStep(
        ChipState(die_c, case_c, allowed, held), power_w, (case_c - coolant_c) * to_coolant, memory_c, clock
    )


def _power_limited(chip: Chip, state: ChipState, wanted_w: Array, xp: Array) -> Array:
    """Return the clock under temperature's allowance and the power limit, at the die temperature so far."""
    leak = 1.0 + chip.leakage_per_k * (state.die_c - chip.reference_c)
    room_w = xp.maximum(chip.power_limit_w / xp.maximum(leak, 0.1) - chip.idle_w, 0.0)
    share = xp.minimum(room_w / xp.maximum(wanted_w, 1e-9), 1.0)
    return xp.maximum(xp.minimum(state.clock, share ** (1.0 / POWER_EXPONENT)), chip.least_clock)
