"""Faults as people write them: ``cdu-2 pump stops at 14:00 for 10 min``, read strictly."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Sequence

from twinloop.errors import InputError
from twinloop.twin.faults import BANKS, FaultKind, Happening
from twinloop.twin.free_coolers import TowerSet
from twinloop.twin.transient_nouns import SENSORS, Bank
from twinloop.twin.transient_parameters import Parameters
from twinloop.twin.windows import Window, clock_s
from twinloop.units import UnitError, parse

EXAMPLES = (
    "cdu-2 pump stops at 14:00 for 10 min",
    "crah-1 fails at 14:00 for 1 h",
    "fan wall stops at 14:00 for 5 min",
    "chiller-1 trips at 14:00 for 2 h",
    "tower-1 fails at 14:00 for 2 h",
    "cooler-1 fails at 14:00 for 2 h",
    "coil-1 fails at 14:00 for 2 h",
    "thermosyphon-1 fails at 14:00 for 2 h",
    "evaporative cooler-1 fails at 14:00 for 2 h",
    "heat buyer stops at 14:00 for 2 h",
    "warm pump stops at 14:00 for 5 min",
    "cold pump stops at 14:00 for 5 min",
    "condenser pump stops at 14:00 for 5 min",
    "power fails at 14:00 for 30 s",
    "generator fails at 14:00 for 1 h",
    "supply air sensor reads 3 K high at 14:00 for 1 h",
    "warm supply sensor sticks at 14:00 for 1 h",
    "cdu-1 leaks 2 L/min at 14:00 for 30 min",
    "containment opens at 14:00 for 30 min",
    "heat wave of 8 K at 12:00 for 6 h",
    "training swings 40 % every 20 s at 14:00 for 10 min",
)
"""One of each kind; ``training`` is a stage of the scenario, or ``load`` for all."""

_FORM = re.compile(
    r"(?P<what>.+?)\s+at\s+(?P<when>(?:\d{1,2}-\d{1,2}\s+)?\d{1,2}:\d{2}(?::\d{2})?)(?:\s+for\s+(?P<long>.+))?"
)
_STOPS = r"(?:stops|trips|fails|dies)"
_UNIT = re.compile(
    rf"(?P<unit>cdu|crah|air handler|chiller|tower|cooler|dry cooler|adiabatic cooler|coil|"
    rf"thermosyphon|evaporative cooler)-(?P<number>\d+)"
    rf"(?:\s+(?:pump|fan))?\s+{_STOPS}"
)
_PUMP = re.compile(rf"(?P<loop>warm|cold|condenser)(?:\s+loop)?\s+pump\s+{_STOPS}")
_SENSOR = re.compile(
    rf"(?P<sensor>{'|'.join(SENSORS)})\s+sensor\s+(?:(?P<stuck>sticks)|reads\s+(?P<size>.+?)\s+(?P<side>high|low))"
)
_LEAK = re.compile(r"cdu-(?P<number>\d+)\s+leaks\s+(?P<size>.+)")
_WAVE = re.compile(r"heat\s*wave\s+of\s+(?P<size>.+)")
_SWING = re.compile(r"(?P<target>\S+)\s+swings\s+(?P<size>.+?)\s+every\s+(?P<period>.+)")
_PLAIN: dict[str, FaultKind] = {
    rf"fan\s+wall\s+{_STOPS}": "fan wall", r"(?:power|grid)\s+(?:fails|dips)": "power",
    rf"generator\s+{_STOPS}": "generator", r"containment\s+(?:opens|breaks)": "containment",
    rf"heat\s+(?:buyer|pump)\s+{_STOPS}": "buyer",
}  # fmt: skip
_ALSO: dict[str, FaultKind] = {"air handler": "crah", "dry cooler": "cooler", "adiabatic cooler": "cooler",
                              "thermosyphon": "syphon", "evaporative cooler": "wall"}  # fmt: skip
_WORD = {"syphon": "thermosyphon", "wall": "evaporative cooler"}


class _UnreadError(Exception):
    """What was expected instead of what was written, and perhaps what was meant."""

    def __init__(self, got: str, expected: str, suggestion: str | None = None) -> None:
        super().__init__(got)
        self.got, self.expected, self.suggestion = got, expected, suggestion


def read_faults(texts: tuple[str, ...], p: Parameters, window: Window, step_s: float) -> tuple[Happening, ...]:
    """Return the faults that ``texts`` describe in the hall ``p``, times from the start of ``window``.

    Raises:
        InputError: every text that is not understood, or names what this hall lacks, with a suggestion.
    """
    found, wrong = [], []
    for text in texts:
        try:
            found.append(_read(text, p, window, step_s))
        except _UnreadError as error:
            hint = f", did you mean {error.suggestion!r}?" if error.suggestion else ""
            wrong.append(f"--fault {text!r}: got {error.got}, expected {error.expected}{hint}")
        except UnitError as error:
            wrong.append(f"--fault {text!r}: {error}")
    if wrong:
        raise InputError(tuple(wrong))
    return tuple(found)


def _read(text: str, p: Parameters, window: Window, step_s: float) -> Happening:
    plain = " ".join(text.split())[:200]
    form = _FORM.fullmatch(plain)
    if form is None:
        meant = difflib.get_close_matches(plain, EXAMPLES, 1, 0.4)
        raise _UnreadError(repr(plain), "WHAT at HH:MM [for DURATION]", meant[0] if meant else EXAMPLES[0])
    start_s = clock_s(form["when"], window)
    if start_s is None:
        raise _UnreadError(form["when"], f"a time between {window.first_words} and {window.last_words}")
    lasts_s = math.inf if form["long"] is None else parse(form["long"], "duration")
    if not lasts_s > 0.0:
        raise _UnreadError(form["long"], "a duration above zero")
    kind, unit, size, period_s, target = _what(form["what"].casefold(), p)
    if kind == "swings" and period_s < 2.0 * step_s:
        raise _UnreadError(
            f"a period of {period_s:g} s", f"at least two steps of {step_s:g} s: choose a shorter --step"
        )
    return Happening(plain, kind, start_s, start_s + lasts_s, unit, size, period_s, target)


def _what(what: str, p: Parameters) -> tuple[FaultKind, int, float, float, str]:
    """Return (kind, unit, size, period, target)."""
    if match := _UNIT.fullmatch(what):
        word = match["unit"]
        kind = _ALSO.get(word, word)
        warm = p.plant.warm
        if kind == "tower" and p.plant.cold.tower is None and warm and isinstance(warm.cooler, TowerSet):
            kind = "cooler"  # the warm loop's cells
        _must_have(kind, p)
        return kind, _number(kind, int(match["number"]), p), 0.0, 0.0, ""  # type: ignore[return-value]
    if match := _PUMP.fullmatch(what):
        return _pump(match["loop"], p), 0, 0.0, 0.0, ""
    if match := _SENSOR.fullmatch(what):
        _must_read(match["sensor"], p)
        if match["stuck"]:
            return "sensor stuck", 0, 0.0, 0.0, match["sensor"]
        size = parse(match["size"].replace("k", "K"), "temperature difference")
        return "sensor bias", 0, size if match["side"] == "high" else -size, 0.0, match["sensor"]
    if match := _LEAK.fullmatch(what):
        _must_have("cdu", p)
        if p.plant.design.boils:
            raise _UnreadError("a leak", "another fault: this hall's baths boil in sealed tanks, without coolant loops")
        size = parse(match["size"].replace("l/", "L/"), "volume flow")
        if not size > 0.0:
            raise _UnreadError(match["size"], "a leak above zero, such as 2 L/min")
        return "leak", _number("cdu", int(match["number"]), p, spares=False), size, 0.0, ""
    if match := _WAVE.fullmatch(what):
        size = parse(match["size"].replace("k", "K"), "temperature difference")
        if not 0.0 < size <= 25.0:
            raise _UnreadError(match["size"], "a rise above 0 K and up to 25 K")
        return "heat wave", 0, size, 0.0, ""
    if match := _SWING.fullmatch(what):
        return _swing(match, p)
    for pattern, plain in _PLAIN.items():
        if re.fullmatch(pattern, what):
            if plain == "buyer" and (p.plant.warm is None or p.plant.warm.reuse is None):
                raise _UnreadError("heat buyer", "a hall whose plan sells heat")
            return plain, 0, 0.0, 0.0, ""
    heads = [example.split(" at ")[0] for example in EXAMPLES]
    near = difflib.get_close_matches(what, heads, 1, 0.5)
    raise _UnreadError(repr(what), f"one of: {'; '.join(heads)}", near[0] if near else None)


def _swing(match: re.Match[str], p: Parameters) -> tuple[FaultKind, int, float, float, str]:
    names = {name.casefold(): name for name in p.chips.names}
    word = match["target"]
    if word not in names and word not in ("load", "training"):
        near = difflib.get_close_matches(word, [*names, "load"], 1, 0.4)
        raise _UnreadError(repr(word), f"a stage ({', '.join(p.chips.names)}) or load", near[0] if near else None)
    size, period_s = parse(match["size"], "share"), parse(match["period"], "duration")
    if not 0.0 < size <= 1.0 or not period_s > 0.0:
        raise _UnreadError(f"{match['size']} every {match['period']}", "a share up to 100 % and a period above zero")
    return "swings", 0, size, period_s, names.get(word, "")


def _pump(loop: str, p: Parameters) -> FaultKind:
    if loop == "warm" and p.plant.warm is None:
        raise _UnreadError("warm pump", "a pump of this hall, which has no warm loop", "cold pump stops")
    if loop == "condenser" and p.plant.cold.tower is None:
        raise _UnreadError("condenser pump", "a pump of this hall, whose chillers are air-cooled", "cold pump stops")
    return f"{loop} pump"  # type: ignore[return-value]


def _must_read(sensor: str, p: Parameters) -> None:
    if sensor in ("coolant", "warm supply") and p.plant.warm is None:
        raise _UnreadError(f"{sensor} sensor", "a sensor of this hall, which has no warm loop", "supply air sensor")
    if sensor == "basin" and p.plant.cold.tower is None:
        raise _UnreadError("basin sensor", "a sensor of this hall, whose chillers have no tower", "cold supply sensor")


def _must_have(kind: str, p: Parameters) -> None:
    """Refuse a unit of a kind that the hall does not have, naming those it has."""
    has = {kind for kind in BANKS if exists(kind, p)}
    if kind not in has:
        names = sorted(_WORD.get(each, each) for each in has)
        raise _UnreadError(_WORD.get(kind, kind), f"equipment of this hall: {', '.join(names)}")


def exists(kind: str, p: Parameters) -> bool:
    """Return whether the hall has equipment of ``kind``."""
    warm, cold = p.plant.warm, p.plant.cold
    return {
        "cdu": warm is not None, "crah": True, "chiller": True,
        "tower": cold.tower is not None,
        "cooler": warm is not None and warm.cooler is not None, "coil": cold.free_coil is not None,
        "syphon": warm is not None and isinstance(warm.cooler, TowerSet) and warm.cooler.syphon is not None,
        "wall": p.plant.design.evaporative == "indirect",
    }[kind]  # fmt: skip


def _number(kind: str, number: int, p: Parameters, *, spares: bool = True) -> int:
    bank: Bank = getattr(p.fleet, BANKS[kind])  # type: ignore[index]
    most = bank.running + (bank.spare if spares else 0)
    if not 1 <= number <= most:
        standing = f", of which the last {bank.spare} stand by" if bank.spare and spares else ""
        word = _WORD.get(kind, kind)
        raise _UnreadError(f"{word}-{number}", f"{word}-1 to {word}-{most}{standing}" if most > 1 else f"{word}-1")
    return number


def faults_by_hall(faults: Sequence[str], names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the faults of each hall, ``hall: fault``; the hall's name may be left out where there is only one.

    Raises:
        InputError: which of several halls a fault is in is not said.
    """
    mine: dict[str, list[str]] = {name: [] for name in names}
    wrong = []
    for fault in faults:
        head, colon, rest = fault.partition(": ")
        if colon and head.strip() in mine:
            mine[head.strip()].append(rest)
        elif len(names) == 1:
            mine[names[0]].append(fault)
        else:
            wrong.append(f"--fault {fault!r}: got no hall, expected one of {', '.join(names)} and a colon before it")
    if wrong:
        raise InputError(tuple(wrong))
    return {name: tuple(texts) for name, texts in mine.items()}
