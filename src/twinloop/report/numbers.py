"""Numbers as a reader wants them: three significant digits, a unit, a thin space between.

Unknown is ``None`` on the way in and :data:`UNKNOWN` on the way out, never a zero. The spaces are
U+202F (narrow, no break), the minus sign U+2212. What is known remembers its value (:class:`Shown`), so
that a table says the same in full to a spreadsheet.
"""

from __future__ import annotations

import math

UNKNOWN = "—"
"""What stands for a value nobody knows; the templates give it the title "not known"."""
THIN = "\u202f"
MINUS = "\u2212"
DIGITS = 3
GROUP_FROM = 10_000
"""Four digits stay together, five and more are grouped (SI brochure, 9th edition, 5.4.4)."""

ACRONYMS = {name.lower(): name for name in ("CPU", "CDU", "CRAH", "IT", "UPS", "TB")}
"""Identifier -> how the field writes it."""

_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"))
_MONEY = ((1e9, " B"), (1e6, " M"), (1e3, " k"), (1.0, ""))
_TIMES = ((86400.0, "d", 2.0), (3600.0, "h", 2.0), (60.0, "min", 2.0), (1.0, "s", 1.0), (1e-3, "ms", 1.0),
          (1e-6, "µs", 1.0))  # fmt: skip
_SMALLEST = 1e-4
"""Below this a number is written with its power of ten: nobody counts zeros."""
_TENS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Shown(str):
    """A number as text that remembers what it shows: a cell of a table is read by people and by spreadsheets.

    ``value`` is in ``unit``, which has no prefix: W, Wh, B, s, USD, %, or as given.
    """

    __slots__ = ("unit", "value")
    value: float
    unit: str

    def __new__(cls, text: str, value: float, unit: str = "") -> Shown:
        """Return ``text`` that shows ``value``."""
        shown = super().__new__(cls, text)
        shown.value, shown.unit = value, unit
        return shown

    def __reduce__(self) -> tuple[type[Shown], tuple[str, float, str]]:
        """Return what a copy is made from."""
        return Shown, (str(self), self.value, self.unit)


def rounded(value: float, digits: int = DIGITS) -> float:
    """Return ``value`` at ``digits`` significant digits.

    >>> rounded(123456.0), rounded(0.0012345), rounded(0.0)
    (123000.0, 0.00123, 0.0)
    """
    return float(f"{value:.{digits - 1}e}")


def number(value: float | None, digits: int = DIGITS) -> str:
    """Return ``value`` with significant digits, grouped in threes; trailing zeros are meant.

    >>> number(1.2), number(-0.05), number(123456.0).replace(THIN, " "), number(None)
    ('1.20', '−0.0500', '123 000', '—')
    >>> number(2.591e-10).replace(THIN, " ")
    '2.59 × 10⁻¹⁰'
    """
    return UNKNOWN if value is None or not math.isfinite(value) else Shown(_significant(value, digits), value)


def _significant(value: float, digits: int = DIGITS) -> str:
    short = rounded(value, digits)
    if short == 0.0:
        return "0"
    if abs(short) < _SMALLEST:
        mantissa, _, power_of_ten = f"{short:.{digits - 1}e}".partition("e")
        return f"{mantissa.replace('-', MINUS)}{THIN}×{THIN}10{str(int(power_of_ten)).translate(_TENS)}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(short))))
    return _grouped(f"{abs(short):.{decimals}f}", negative=short < 0.0)


def _grouped(plain: str, *, negative: bool) -> str:
    whole, _, rest = plain.partition(".")
    if float(plain) >= GROUP_FROM:
        whole = f"{int(whole):,}".replace(",", THIN)
    return f"{MINUS if negative else ''}{whole}{'.' + rest if rest else ''}"


def count(value: float | None) -> str:
    """Return a whole number in full: things that are counted are not rounded to three digits.

    >>> count(8760), count(12345).replace(THIN, " "), count(None)
    ('8760', '12 345', '—')
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    return Shown(_grouped(f"{abs(round(value))}", negative=round(value) < 0), round(value))


def counted(value: float | None, one: str, many: str = "") -> str:
    """Return a whole number and what is counted, in the singular for one.

    >>> counted(1, "rack").replace(THIN, " "), counted(3, "rack").replace(THIN, " "), counted(2, "copy", "copies")[2:]
    ('1 rack', '3 racks', 'copies')
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    noun = one if round(value) == 1 else many or f"{one}s"
    return Shown(_unit(count(value), noun), round(value), many or f"{one}s")


def fixed(value: float | None, unit: str, decimals: int = 1) -> str:
    """Return ``value`` with fixed decimals: for scales like temperature, whose zero means nothing.

    >>> fixed(27.04, "°C").replace(THIN, " "), fixed(-0.01, "K").replace(THIN, " ")
    ('27.0 °C', '0.0 K')
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    plain = f"{abs(value):.{decimals}f}"
    negative = value < 0.0 and float(plain) != 0.0
    return Shown(_unit(_grouped(plain, negative=negative), unit), value, unit)


def quantity(value: float | None, unit: str) -> str:
    """Return ``value`` and its unit, no prefix chosen.

    >>> quantity(4012.0, "m³").replace(THIN, " ")
    '4010 m³'
    """
    return UNKNOWN if value is None or not math.isfinite(value) else Shown(_unit(number(value), unit), value, unit)


def prefixed(value: float | None, unit: str) -> str:
    """Return ``value`` with the SI prefix that leaves 1 to 999 before the point.

    >>> prefixed(1_234_000.0, "W").replace(THIN, " "), prefixed(999.7, "W").replace(THIN, " ")
    ('1.23 MW', '1.00 kW')
    >>> prefixed(3.04e-7, "W").replace(THIN, " "), prefixed(0.0, "W").replace(THIN, " ")
    ('304 nW', '0 W')
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    factor, prefix = _scale(value, _PREFIXES) if value else (1.0, "")
    return Shown(_unit(_significant(value / factor), prefix + unit), value, unit)


def _scale(value: float, steps: tuple[tuple[float, str], ...]) -> tuple[float, str]:
    size = abs(rounded(value))
    return next(((factor, name) for factor, name in steps if size >= factor), steps[-1])


def _unit(text: str, unit: str) -> str:
    return f"{text}{THIN}{unit}" if unit else text


def power(value_w: float | None) -> str:
    """Return watts as W, kW, MW.

    >>> power(2.5e6).replace(THIN, " ")
    '2.50 MW'
    """
    return prefixed(value_w, "W")


def energy(value_mwh: float | None) -> str:
    """Return megawatt-hours as kWh, MWh, GWh.

    >>> energy(12_345.0).replace(THIN, " "), energy(0.5).replace(THIN, " ")
    ('12.3 GWh', '500 kWh')
    """
    return prefixed(None if value_mwh is None else value_mwh * 1e6, "Wh")


def memory(value_gb: float | None) -> str:
    """Return gigabytes as MB, GB, TB.

    >>> memory(141.0).replace(THIN, " ")
    '141 GB'
    """
    return prefixed(None if value_gb is None else value_gb * 1e9, "B")


def money(value_usd: float | None, currency: str = "USD", *, signed: bool = False) -> str:
    """Return money as the field writes it: currency first, then k, M or B.

    >>> money(1_234_000.0).replace(THIN, " "), money(-950.0).replace(THIN, " ")
    ('USD 1.23 M', '−USD 950')
    >>> money(950.0, signed=True).replace(THIN, " "), money(0.0, signed=True).replace(THIN, " ")
    ('+USD 950', 'USD 0')
    """
    if value_usd is None or not math.isfinite(value_usd):
        return UNKNOWN
    factor, suffix = _scale(value_usd, _MONEY)
    sign = MINUS if rounded(value_usd) < 0.0 else "+" if signed and rounded(value_usd) > 0.0 else ""
    text = f"{sign}{currency}{THIN}{_significant(abs(value_usd) / factor)}{suffix.replace(' ', THIN)}"
    return Shown(text, value_usd, currency)


def percent(value: float | None, decimals: int = 1, *, signed: bool = False) -> str:
    """Return a share as per cent.

    >>> percent(0.1234).replace(THIN, " "), percent(-0.02, signed=True).replace(THIN, " ")
    ('12.3 %', '−2.0 %')
    >>> percent(0.0002, signed=True).replace(THIN, " ")   # neither more nor less, as far as is shown
    '0.0 %'
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    text = fixed(value * 100.0, "%", decimals)
    plus = "+" if signed and value > 0.0 and any(digit in text for digit in "123456789") else ""
    return Shown(f"{plus}{text}", value * 100.0, "%")


def duration(value_s: float | None) -> str:
    """Return seconds as µs, ms, s, min, h or d.

    >>> [duration(s).replace(THIN, " ") for s in (9.3e-4, 0.021, 45.0, 8100.0, 2.6e5)]
    ['930 µs', '21.0 ms', '45.0 s', '2.25 h', '3.01 d']
    """
    if value_s is None or not math.isfinite(value_s):
        return UNKNOWN
    if value_s == 0.0:
        return Shown(f"0{THIN}s", value_s, "s")
    size, name, _ = next((each for each in _TIMES if abs(value_s) >= each[0] * each[2]), _TIMES[-1])
    return Shown(_unit(_significant(value_s / size), name), value_s, "s")


def lower(ours: float | None, theirs: float | None) -> str:
    """Return how far ``ours`` lies from ``theirs``, in words.

    >>> lower(80.0, 100.0).replace(THIN, " "), lower(100.0, 100.0), lower(None, 1.0)
    ('20.0 % lower', 'the same', '—')
    """
    if ours is None or theirs is None or not (math.isfinite(ours) and math.isfinite(theirs)) or theirs == 0.0:
        return UNKNOWN
    share = (ours - theirs) / abs(theirs)
    if abs(share) < 0.0005:  # would print as 0.0 %
        return "the same"
    return f"{percent(abs(share))} {'lower' if share < 0.0 else 'higher'}"


def listed(names: list[str]) -> str:
    """Return names as a sentence lists them.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def words(name: str) -> str:
    """Return an identifier as words.

    >>> words("cold_plate"), words("ups_loss")
    ('cold plate', 'UPS loss')
    """
    return " ".join(ACRONYMS.get(part, part) for part in name.replace("_", " ").split(" "))
