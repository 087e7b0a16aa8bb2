"""What people write (``12 MW``, ``27 °C``, ``0.09 USD/kWh``) to SI floats, and back.

A number is read *as* a quantity: the caller says that a power is expected, and ``12 MWh`` is refused
with a hint. A unit is a product of symbols, ``USD/kW/month`` or ``m3/year``, so every combination of
known symbols is understood; only its dimension must be the expected one.

Two families keep their usual scale, as their names say everywhere: temperatures in degrees Celsius
(``_c``) and yearly shares (``_per_year``). One year is 365 days, the simulated year.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from twinloop.spelling import near

YEAR_S = 365 * 86400.0
"""The simulated year of 8,760 hours."""

_ZERO_C = 273.15
_LONGEST = 100
"""Characters; longer texts are no quantity, and regular expressions should not see them."""

Dimension = tuple[tuple[str, int], ...]
"""Base symbol -> exponent, sorted: kg, m, s, K, USD, B (byte), U (rack unit)."""


class UnitError(ValueError):
    """A text is not the expected quantity. ``expected`` and ``suggestion`` are for the message."""

    def __init__(self, got: str, expected: str, suggestion: str | None = None) -> None:
        """Keep the parts; the caller knows file and line."""
        self.got, self.expected, self.suggestion = got, expected, suggestion
        hint = f", did you mean {suggestion}?" if suggestion else ""
        super().__init__(f"got {got}, expected {expected}{hint}")


@dataclass(frozen=True)
class Quantity:
    """A kind of number: its dimension, an example, and the units it is shown in, smallest first."""

    name: str
    dimension: Dimension
    shown: tuple[str, ...]
    example: str
    scale: float = 1.0
    """SI value times this is what the program uses; not 1 only for yearly shares."""
    bare: bool = False
    """Whether a number without a unit is understood."""
    also: tuple[Dimension, ...] = ()
    """Other dimensions that are read as written (a yearly share may be a plain share)."""


def _dimension(**exponents: int) -> Dimension:
    return tuple(sorted((name, power) for name, power in exponents.items() if power))


_NONE = _dimension()
_POWER = _dimension(kg=1, m=2, s=-3)
_ENERGY = _dimension(kg=1, m=2, s=-2)


def _per(dimension: Dimension, **others: int) -> Dimension:
    """Return ``others`` divided by ``dimension``."""
    return _combine(tuple(sorted(others.items())), dimension, -1)


def _combine(first: Dimension, second: Dimension, sign: int) -> Dimension:
    powers = dict(first)
    for name, power in second:
        powers[name] = powers.get(name, 0) + sign * power
    return tuple(sorted((name, power) for name, power in powers.items() if power))


def _table() -> dict[str, tuple[float, Dimension]]:
    """Return every unit symbol: factor to SI, dimension."""
    time, data, mass, length = _dimension(s=1), _dimension(B=1), _dimension(kg=1), _dimension(m=1)
    pressure, volume = _dimension(kg=1, m=-1, s=-2), _dimension(m=3)
    units: dict[str, tuple[float, Dimension]] = {}
    for prefix, factor in (("m", 1e-3), ("", 1.0), ("k", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12)):
        units[f"{prefix}W"] = (factor, _POWER)
        units[f"{prefix}Wh"] = (factor * 3600.0, _ENERGY)
        units[f"{prefix}J"] = (factor, _ENERGY)
    for power, prefix in enumerate(("", "k", "M", "G", "T", "P", "E")):
        units[f"{prefix}B"] = (1e3**power, data)
        units[f"{prefix}b"] = units[f"{prefix}bit"] = (1e3**power / 8.0, data)
        units[f"{prefix}bps"] = (1e3**power / 8.0, _dimension(B=1, s=-1))
        if prefix:
            units[f"{prefix.upper()}iB"] = (1024.0**power, data)
    for names, seconds in (
        (("ns",), 1e-9), (("us", "µs", "μs"), 1e-6), (("ms",), 1e-3), (("s", "sec", "second", "seconds"), 1.0),
        (("min", "minute", "minutes"), 60.0), (("h", "hr", "hour", "hours"), 3600.0),
        (("d", "day", "days"), 86400.0), (("week", "weeks"), 7 * 86400.0), (("month", "months"), YEAR_S / 12),
        (("year", "years", "yr", "a"), YEAR_S),
    ):  # fmt: skip
        units.update(dict.fromkeys(names, (seconds, time)))
    units |= {"g": (1e-3, mass), "kg": (1.0, mass), "lb": (0.45359237, mass), "Mt": (1e9, mass)}
    units |= dict.fromkeys(("t", "tonne", "tonnes"), (1e3, mass))
    units |= {"mm": (1e-3, length), "cm": (1e-2, length), "m": (1.0, length), "km": (1e3, length)}
    units |= {"ft": (0.3048, length), "in": (0.0254, length)}
    units |= {"Pa": (1.0, pressure), "hPa": (1e2, pressure), "kPa": (1e3, pressure), "MPa": (1e6, pressure)}
    units |= {"bar": (1e5, pressure), "mbar": (1e2, pressure), "N": (1.0, _dimension(kg=1, m=1, s=-2))}
    units |= {"kN": (1e3, _dimension(kg=1, m=1, s=-2)), "psi": (6894.757293168, pressure)}
    units |= dict.fromkeys(("L", "l", "litre", "litres", "liter", "liters"), (1e-3, volume))
    units |= {"gal": (3.785411784e-3, volume), "hp": (745.6998715822702, _POWER)}
    units |= {"K": (1.0, _dimension(K=1)), "U": (1.0, _dimension(U=1)), "%": (0.01, _NONE)}
    units |= dict.fromkeys(("USD", "$"), (1.0, _dimension(USD=1)))
    units |= {"kUSD": (1e3, _dimension(USD=1)), "MUSD": (1e6, _dimension(USD=1))}
    units |= dict.fromkeys(("ct", "cent", "cents"), (0.01, _dimension(USD=1)))
    units |= {"thousand": (1e3, _NONE), "million": (1e6, _NONE), "billion": (1e9, _NONE)}
    words = ("requests", "request", "samples", "sample", "tokens", "token", "rows", "row", "runs", "queries", "images")
    units |= dict.fromkeys(words, (1.0, _NONE))
    units |= {"kgCO2e": (1.0, mass), "gCO2e": (1e-3, mass), "tCO2e": (1e3, mass)}
    return units


UNITS = _table()
"""Every symbol that a unit may be made of; temperatures on a scale (°C) are apart."""

_CURRENCIES = frozenset(("EUR", "€", "GBP", "£", "CHF", "JPY", "¥", "CNY", "INR", "SGD", "CAD", "AUD", "SEK"))
"""Known, but not converted: an exchange rate is nobody's constant."""

_SCALES = {
    "°C": (1.0, 0.0), "℃": (1.0, 0.0), "C": (1.0, 0.0), "degC": (1.0, 0.0), "deg C": (1.0, 0.0), "° C": (1.0, 0.0),
    "K": (1.0, -_ZERO_C), "°F": (5.0 / 9.0, -32.0 * 5.0 / 9.0), "F": (5.0 / 9.0, -32.0 * 5.0 / 9.0),
}  # fmt: skip
"""Temperature as written -> (factor, offset) to °C."""

_TEMPERATURE: Dimension = (("temperature", 1),)

_QUANTITIES = (
    Quantity("power", _POWER, ("W", "kW", "MW", "GW"), "3 MW"),
    Quantity("energy", _ENERGY, ("J", "kWh", "MWh", "GWh"), "20 MWh"),
    Quantity("temperature", _TEMPERATURE, ("°C",), "27 °C"),
    Quantity("temperature difference", _dimension(K=1), ("K",), "5 K"),
    Quantity("duration", _dimension(s=1), ("ms", "s", "min", "h", "days", "years"), "30 ms"),
    Quantity("data size", _dimension(B=1), ("B", "kB", "MB", "GB", "TB", "PB"), "40 TB"),
    Quantity("data rate", _dimension(B=1, s=-1), ("B/s", "kB/s", "MB/s", "GB/s", "TB/s"), "50 GB/day"),
    Quantity("rate", _dimension(s=-1), ("/s",), "12000/s"),
    Quantity("area", _dimension(m=2), ("m2",), "400 m2"),
    Quantity("length", _dimension(m=1), ("m",), "3 m"),
    Quantity("rack height", _dimension(U=1), ("U",), "48 U"),
    Quantity("mass", _dimension(kg=1), ("kg", "t"), "1500 kg"),
    Quantity("pressure", _dimension(kg=1, m=-1, s=-2), ("Pa", "kPa", "MPa"), "12 kPa"),
    Quantity("volume", _dimension(m=3), ("m3",), "50 m3"),
    Quantity("volume flow", _dimension(m=3, s=-1), ("m3/h",), "3 m3/h"),
    Quantity("yearly volume", _dimension(m=3, s=-1), ("m3/year",), "4000 m3/year", scale=YEAR_S),
    Quantity("share", _NONE, ("%",), "8 %", bare=True),
    Quantity("yearly share", _dimension(s=-1), ("%/year",), "8 %/year", scale=YEAR_S, bare=True, also=(_NONE,)),
    Quantity("number", _NONE, ("",), "2e9", bare=True),
    Quantity("amount of money", _dimension(USD=1), ("USD",), "250000 USD"),
    Quantity("yearly cost", _dimension(USD=1, s=-1), ("USD/year",), "250000 USD/year", scale=YEAR_S),
    Quantity("energy price", _per(_ENERGY, USD=1), ("USD/kWh",), "0.09 USD/kWh"),
    Quantity("demand price", _per(_POWER, USD=1, s=-1), ("USD/kW/month",), "12 USD/kW/month", scale=YEAR_S / 12),
    Quantity("price of power", _per(_POWER, USD=1), ("USD/W",), "11 USD/W"),
    Quantity("carbon price", _dimension(USD=1, kg=-1), ("USD/t",), "85 USD/t"),
    Quantity("water price", _dimension(USD=1, m=-3), ("USD/m3",), "2.5 USD/m3"),
    Quantity("data price", _dimension(USD=1, B=-1), ("USD/GB",), "0.09 USD/GB"),
    Quantity(
        "line price", _per(_dimension(B=1, s=-1), USD=1, s=-1), ("USD/Mbps/month",), "2 USD/Mbps/month",
        scale=YEAR_S / 12,
    ),
    Quantity("hourly price", _dimension(USD=1, s=-1), ("USD/h",), "12 USD/h"),
    Quantity("carbon intensity", _per(_ENERGY, kg=1), ("g/kWh",), "380 g/kWh"),
    Quantity("water intensity", _per(_ENERGY, m=3), ("L/kWh",), "1.8 L/kWh"),
    Quantity("water per energy", _per(_ENERGY, m=3), ("L/kWh",), "0.2 L/kWh", scale=3.6e9),
    Quantity("embodied rate", _dimension(kg=1, s=-1), ("kg/year",), "100 kg/year"),
)  # fmt: skip

QUANTITIES = {quantity.name: quantity for quantity in _QUANTITIES}
"""Every quantity by name."""

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_SYMBOL = re.compile(r"(.*?[^\d²³^*])(?:\^|\*\*)?([23²³])?")
_POWERS = {"2": 2, "²": 2, "3": 3, "³": 3}


def parse(text: object, quantity: str) -> float:
    """Return ``text`` as the named quantity, in SI (°C for temperatures, per year for yearly shares).

    >>> parse("12 MW", "power"), parse("80.6 °F", "temperature"), parse("8 %", "share")
    (12000000.0, 27.0, 0.08)
    >>> parse("12 MWh", "power")
    Traceback (most recent call last):
    twinloop.units.UnitError: got '12 MWh', expected a power such as 3 MW, did you mean 12 MW?

    Raises:
        UnitError: not a number, not finite, no unit, an unknown unit or one of another dimension.
    """
    kind = QUANTITIES[quantity]
    if isinstance(text, bool) or not isinstance(text, (str, int, float)):
        raise UnitError(_shown(text), _expected(kind))
    if isinstance(text, str):
        return _parse_text(text, kind)
    if not kind.bare:
        raise UnitError(f"{_shown(text)} without a unit", _expected(kind))
    return _finite(text, _shown(text), kind)


def _parse_text(text: str, kind: Quantity) -> float:
    stripped = text.strip()
    match = _NUMBER.match(stripped) if len(stripped) <= _LONGEST else None
    if match is None:
        raise UnitError(_shown(text), _expected(kind))
    number, unit = match.group(), stripped[match.end() :].strip()
    if unit[:1] in (",", "_") and unit[1:2].isdigit():
        raise UnitError(_shown(text), f"{_expected(kind)} (no thousands separator, decimals with a point)")
    value = _finite(float(number), _shown(text), kind)
    if kind.dimension == _TEMPERATURE:
        return _finite(_celsius(value, number, unit, text, kind), _shown(text), kind)
    if not unit:
        if kind.bare:
            return value
        raise UnitError(f"{_shown(text)} without a unit", _expected(kind))
    factor, dimension = _unit(unit, number, text, kind)
    if dimension in kind.also:
        return _finite(value * factor, _shown(text), kind)
    if dimension != kind.dimension:
        raise UnitError(_shown(text), _expected(kind), _nearest(number, unit, kind))
    return _finite(value * factor * kind.scale, _shown(text), kind)


def _celsius(value: float, number: str, unit: str, text: str, kind: Quantity) -> float:
    if unit not in _SCALES:
        raise UnitError(_shown(text), _expected(kind), f"{number} °C")
    factor, offset = _SCALES[unit]
    celsius = value * factor + offset
    if celsius < -_ZERO_C:
        raise UnitError(_shown(text), "a temperature above absolute zero")
    return round(celsius, 9)


def _finite(value: float, got: str, kind: Quantity) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise UnitError(got, f"{_expected(kind)}, a finite number")
    return number


def _unit(unit: str, number: str, text: str, kind: Quantity) -> tuple[float, Dimension]:
    """Return factor and dimension of a product of symbols."""
    factor, dimension = 1.0, _NONE
    for part, piece in enumerate(unit.split("/")):
        words = re.split(r"[\s·]+", piece.strip())
        for word in words:
            if word in ("", "1") and part == 0 and len(words) == 1:
                continue  # "/s"
            known = _symbol(word)
            if known is None and word in _CURRENCIES:
                raise UnitError(_shown(text), f"{_expected(kind)} (all prices are in USD)")
            if known is None:
                raise UnitError(_shown(text), _expected(kind), _nearest(number, unit, kind))
            sign = -1 if part else 1
            factor *= known[0] ** sign
            dimension = _combine(dimension, known[1], sign)
    return factor, dimension


def _symbol(word: str) -> tuple[float, Dimension] | None:
    if word in UNITS:
        return UNITS[word]
    match = _SYMBOL.fullmatch(word)
    if match is None or match.group(1) not in UNITS or not match.group(2):
        return None
    power = _POWERS[match.group(2)]
    factor, dimension = UNITS[match.group(1)]
    return factor**power, tuple((name, exponent * power) for name, exponent in dimension)


def _nearest(number: str, unit: str, kind: Quantity) -> str | None:
    """Return ``number`` with the right unit that looks most like ``unit``."""
    simple = [name for name, (_, dimension) in UNITS.items() if dimension == kind.dimension and name != "%"]
    candidates = list(dict.fromkeys([*kind.shown, *simple]))
    folded = {name.lower(): name for name in reversed(candidates)}
    other_size = _rescaled(number, unit, kind)
    if other_size is not None:
        return other_size
    if unit.lower() in folded:
        return f"{number} {folded[unit.lower()]}"
    meant = near(unit, candidates) or [each for each in candidates if each.startswith(f"{unit}/")]
    return f"{number} {meant[0]}" if meant else None


_SIZES = {"p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "P": 1e15, "E": 1e18, "Z": 1e21}
"""Prefixes that are right and that some unit here is not written with."""


def _rescaled(number: str, unit: str, kind: Quantity) -> str | None:
    """Return the amount meant by a known unit with a prefix that it has no symbol for, in a unit that has one."""
    size, base = _SIZES.get(unit[:1]), UNITS.get(unit[1:])
    shown = kind.shown[0] if size is not None and size < 1.0 else kind.shown[-1]
    if size is None or base is None or base[1] != kind.dimension or shown not in UNITS:
        return None
    return f"{float(number) * size * base[0] / UNITS[shown][0]:g} {shown}"


def _expected(kind: Quantity) -> str:
    return f"{article(kind.name)} {kind.name} such as {kind.example}"


def article(noun: str) -> str:
    """Return ``an`` before a vowel, else ``a``."""
    return "an" if noun[0] in "aeiou" else "a"


def _shown(text: object) -> str:
    try:
        shown = repr(text)
    except ValueError:  # Python refuses to write integers of thousands of digits
        shown = "a huge integer"
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def show(value: float, quantity: str, digits: int = 4) -> str:
    """Return ``value`` (SI) in the unit that people use for its size.

    >>> show(2.9999e6, "power"), show(0.03, "duration"), show(2.5e-8, "energy price")
    ('3 MW', '30 ms', '0.09 USD/kWh')
    >>> show(12000.0, "rate"), show(0.025, "yearly share")
    ('12000/s', '2.5 %/year')
    """
    kind = QUANTITIES[quantity]
    if kind.dimension == _TEMPERATURE:
        return f"{_rounded(value, digits)} °C"
    scaled = [(value / kind.scale / _unit(unit, "", unit, kind)[0], unit) for unit in kind.shown]
    number, unit = next((pair for pair in reversed(scaled) if abs(pair[0]) >= 1.0 - 0.5 * 10.0**-digits), scaled[0])
    if value == 0.0:
        number, unit = 0.0, kind.shown[min(1, len(kind.shown) - 1)]
    text = _rounded(number, digits)
    return f"{text}{unit}" if unit.startswith("/") else f"{text} {unit}".strip()


def _rounded(value: float, digits: int) -> str:
    """Return ``value`` with ``digits`` significant digits, whole parts kept, no exponent where readable."""
    if value == 0.0:
        return "0"
    exponent = math.floor(math.log10(abs(value)))
    if not -6 < exponent < 15:
        return f"{value:.{digits - 1}e}"
    decimals = max(0, digits - 1 - exponent)
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
