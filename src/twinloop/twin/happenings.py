"""What happened, in words: faults, stops and starts, throttling, shutdown, temperatures that left their setpoints."""

from __future__ import annotations

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.twin.fault_words import exists
from twinloop.twin.faults import BANKS, Happening
from twinloop.twin.transient_boiling import flux_margin_k
from twinloop.twin.transient_nouns import Inputs
from twinloop.twin.transient_parameters import Parameters
from twinloop.twin.transient_run import Trace
from twinloop.twin.windows import Window, words_at

MOST_TURNS = 6
"""Turns of one thing that are told one by one; more are counted."""
OFF_SETPOINT_K = 2.0
BACK_K = 0.5
CLOCK_LOST = 1.0 - 1e-6
NOT_ASKED = "nothing follows: utility power stays on, the generator is not asked (add a fault 'power fails at …')"
CALLED_SHARE = 0.02
"""Of the cold loop's design heat: what the tank gives beyond its schedule before it is told."""


def events_of(
    p: Parameters, trace: Trace, faults: tuple[Happening, ...], window: Window, intake_c: float = np.inf
) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Return (seconds into the window, sentences with their moment), in order of time, of the last case.

    ``intake_c`` is the warmest intake that the hall's class allows: beyond it makers warrant nothing, chips or no.
    """
    found: list[tuple[float, str]] = []
    length_s = trace.steps * trace.step_s
    for fault in faults:
        found.append((fault.start_s, f"fault: {fault.words}{standby_words(p, fault)}"))
        if fault.end_s < length_s:
            found.append((fault.end_s, f"fault over: {fault.words}"))
        if fault.kind == "generator" and not any(_meet(fault, other) for other in faults if other.kind == "power"):
            found.append((fault.start_s, NOT_ASKED))
    for flags, begins, ends in (*_chips(p, trace), *_plant(p, trace), *_supplies(p, trace), _intakes(trace, intake_c)):
        found += _turns(flags, begins, ends, trace.step_s)
    found.sort(key=lambda event: event[0])
    return (
        tuple(time_s for time_s, _ in found),
        tuple(f"{words_at(window, time_s)} {sentence}" for time_s, sentence in found),
    )


def standby_words(p: Parameters, fault: Happening) -> str:
    """Say that the unit of ``fault`` stands by and carries nothing, and which units work; nothing of a working one."""
    bank = getattr(p.fleet, BANKS[fault.kind]) if fault.kind in BANKS else None
    if bank is None or fault.unit <= bank.running:
        return ""
    working = f"{fault.kind}-1" + (f" to {fault.kind}-{bank.running}" if bank.running > 1 else "")
    work = "work" if bank.running > 1 else "works"
    return (
        f"; {fault.kind}-{fault.unit} stands by and carries nothing: while no other unit fails, nothing changes "
        f"({working} {work})"
    )


def _meet(one: Happening, other: Happening) -> bool:
    return one.start_s < other.end_s and other.start_s < one.end_s


def _turns(flags: FloatArray, begins: str, ends: str, step_s: float) -> list[tuple[float, str]]:
    """Return an event wherever ``flags`` (booleans over time) turns; many turns become one sentence."""
    turns = np.flatnonzero(np.diff(np.concatenate([[False], flags]).astype(int)))
    if turns.size == 0:
        return []
    if turns.size > MOST_TURNS:
        share = float(np.mean(flags[turns[0] :]))
        times = (turns.size + 1) // 2
        words = (
            f"{begins}; from here on this begins {times} times and lasts {share:.0%} of the time: it stays at the edge"
        )
        return [(turns[0] * step_s, words)]
    return [(at * step_s, begins if flags[at] else ends) for at in turns if flags[at] or ends]


def _chips(p: Parameters, trace: Trace) -> list[tuple[FloatArray, str, str]]:
    rows = []
    ceiling, alive = trace.states.ceiling[1:, ..., -1], trace.states.alive[1:, ..., -1]
    unpowered = trace.inputs.it_power[:, -1] == 0.0
    for g, name in enumerate(p.chips.names):
        for loop in range(p.loops):
            on = p.chips.on_coolant[g, 0, 0] > 0.0
            if not on and loop > 0:
                continue  # air is shared: every loop's chips are alike
            where = f"{name} on cdu-{loop + 1}" if on and p.loops > 1 else name
            off = [unpowered | (alive[:, which, g, loop] == 0.0) for which in (0, 1)]
            every, first = (_held(ceiling[:, which, g, loop] < CLOCK_LOST, off[which]) for which in (0, 1))
            rows += [
                (first, f"the hottest chip of {where} throttles", f"the hottest chip of {where} has its clock back"),
                (every, f"the average chip of {where} throttles", f"the average chip of {where} has its clock back"),
                (alive[:, 1, g, loop] == 0.0, f"the hottest chip of {where} switches itself off", ""),
                (alive[:, 0, g, loop] == 0.0, f"the chips of {where} switch themselves off", ""),
            ]
    if p.plant.design.boils:
        dry = flux_margin_k(p, trace.states)[1:, ..., -1].min(axis=2) < 0.0
        words = "boils above the flux that design allows: surfaces may dry out"
        rows += [(dry[:, g], f"the hottest chip of {name} {words}", f"{name} boils as designed again")
                 for g, name in enumerate(p.chips.names)]  # fmt: skip
    return rows


def _held(slow: FloatArray, off: FloatArray) -> FloatArray:
    """Return ``slow``, kept while a chip is ``off``: one that has switched itself off has no clock to get back."""
    if not (slow.any() and off.any()):
        return slow
    on, flags = False, []
    for now, idle in zip(slow.tolist(), off.tolist(), strict=True):
        on = now or (on and idle)
        flags.append(on)
    return np.array(flags)


def _plant(p: Parameters, trace: Trace) -> list[tuple[FloatArray, str, str]]:
    given: Inputs = trace.inputs
    rows = [(given.it_power[:, -1] == 0.0, "the servers lose power", "the servers have power again")]
    if p.plant.warm is not None:
        for loop in range(p.loops):
            stopped = given.cdu_ok[:, loop, -1] == 0.0
            rows.append((stopped, f"cdu-{loop + 1} stands still", f"cdu-{loop + 1} or its stand-in runs"))
    for unit in range(given.handler_ok.shape[1]):
        spare = unit >= p.fleet.handlers.running
        on = given.handler_ok[:, unit, -1] > 0.0
        if spare:
            rows.append((on, f"crah-{unit + 1} stands in", f"crah-{unit + 1} stands by again"))
        else:
            rows.append((~on, f"crah-{unit + 1} stands still", f"crah-{unit + 1} runs again"))
    for name, words in (("chillers_ok", "chillers"), ("towers_ok", "tower cells"), ("coolers_ok", "outdoor coolers"),
                        ("coils_ok", "outdoor coils"), ("syphons_ok", "thermosyphons"),
                        ("walls_ok", "evaporative coolers")):  # fmt: skip
        if not exists(name.removesuffix("s_ok"), p):
            continue  # the hall has none
        ok = getattr(given, name)[:, -1]
        least = float(ok.min())
        rows.append((ok < 1.0 - 1e-9, f"{words} able to run fall to {least:.0%} of design", f"all {words} able to run"))
    for name, words, there in (
        ("warm_pump_ok", "warm pump", p.plant.warm is not None), ("cold_pump_ok", "cold pump", True),
        ("condenser_pump_ok", "condenser pump", p.plant.cold.tower is not None),
    ):  # fmt: skip
        if there:
            rows.append((getattr(given, name)[:, -1] == 0.0, f"{words} stands still", f"{words} runs again"))
    if p.plant.warm is not None and p.plant.warm.reuse is not None:
        rows.append((given.buyer_ok[:, -1] == 0.0, "no heat is sold any more", "heat is sold again"))
    if p.plant.design.cold_store_m3 > 0.0:
        called = trace.states.store_w[1:, -1] > given.store_w[:, -1] + CALLED_SHARE * p.plant.cold.heat_w
        rows.append((called, "the chilled-water tank stands in", "the chilled-water tank is back on its schedule"))
        rows.append((trace.states.stored_j[1:, -1] <= 0.0, "the chilled-water tank is empty", ""))
    resting = trace.states.chillers_on[1:, -1] == 0.0
    if not resting[0]:
        rows.append((resting, "chillers rest", "chillers run"))
    else:
        rows.append((~resting, "chillers run", "chillers rest"))
    return rows


def _supplies(p: Parameters, trace: Trace) -> list[tuple[FloatArray, str, str]]:
    states, given = trace.states, trace.inputs
    rows = [("supply air", states.supply_air_c, given.air_setpoint_c),
            ("cold water", states.cold_supply_c, given.cold_setpoint_c)]  # fmt: skip
    if p.plant.warm is not None:
        rows.append(("warm water", states.warm_supply_c, given.warm_setpoint_c))
    return [
        (_latched(values[1:, -1] - setpoint[:, -1]), f"{name} is {OFF_SETPOINT_K:g} K above its setpoint",
         f"{name} is back at its setpoint")
        for name, values, setpoint in rows
    ]  # fmt: skip


def _intakes(trace: Trace, limit_c: float) -> tuple[FloatArray, str, str]:
    over, words = _latched(trace.states.intake_c[1:, -1] - limit_c, 0.0, -BACK_K), "server intakes are"
    return over, f"{words} above the {limit_c:.0f} °C of their class", f"{words} within their class"


def _latched(over_k: FloatArray, off_k: float = OFF_SETPOINT_K, back_k: float = BACK_K) -> FloatArray:
    """Return true from ``off_k`` above until within ``back_k``."""
    on, flags = False, []
    for value in over_k.tolist():
        on = value > back_k if on else value > off_k
        flags.append(on)
    return np.array(flags)
