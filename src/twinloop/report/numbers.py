"""Numbers as a reader wants them: three significant digits, a unit, a thin space between.

Unknown is ``None`` on the way in and :data:`UNKNOWN` on the way out, never a zero. The spaces are
U+202F (narrow, no break), the minus sign U+2212.
"""

from __future__ import annotations

import math
import re

UNKNOWN = "—"
"""What stands for a value nobody knows; the templates give it the title "not known"."""
THIN = "\u202f"
MINUS = "\u2212"
DIGITS = 3
GROUP_FROM = 10_000
"""Four digits stay together, five and more are grouped (SI brochure, 9th edition, 5.4.4)."""

ACRONYMS = {name.lower(): name for name in ("CPU", "CDU", "CRAH", "IT", "UPS", "TB")}
"""Identifier -> how the field writes it."""

_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))
_MONEY = ((1e9, " B"), (1e6, " M"), (1e3, " k"), (1.0, ""))
_TIMES = ((86400.0, "d", 2.0), (3600.0, "h", 2.0), (60.0, "min", 2.0), (1.0, "s", 1.0), (1e-3, "ms", 1.0))
_MISSING = (None, math.inf, -math.inf)


def _known(value: float | None) -> bool:
    return value not in _MISSING and not (isinstance(value, float) and math.isnan(value))


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
    """
    if value is None or not _known(value):
        return UNKNOWN
    short = rounded(value, digits)
    if short == 0.0:
        return "0"
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
    return (
        UNKNOWN if value is None or not _known(value) else _grouped(f"{abs(round(value))}", negative=round(value) < 0)
    )


def fixed(value: float | None, unit: str, decimals: int = 1) -> str:
    """Return ``value`` with fixed decimals: for scales like temperature, whose zero means nothing.

    >>> fixed(27.04, "°C").replace(THIN, " "), fixed(-0.01, "K").replace(THIN, " ")
    ('27.0 °C', '0.0 K')
    """
    if value is None or not _known(value):
        return UNKNOWN
    plain = f"{abs(value):.{decimals}f}"
    return _unit(_grouped(plain, negative=value < 0.0 and float(plain) != 0.0), unit)


def quantity(value: float | None, unit: str) -> str:
    """Return ``value`` and its unit, no prefix chosen.

    >>> quantity(4012.0, "m³").replace(THIN, " ")
    '4010 m³'
    """
    return UNKNOWN if value is None or not _known(value) else _unit(number(value), unit)


def prefixed(value: float | None, unit: str) -> str:
    """Return ``value`` with the SI prefix that leaves 1 to 999 before the point.

    >>> prefixed(1_234_000.0, "W").replace(THIN, " "), prefixed(999.7, "W").replace(THIN, " ")
    ('1.23 MW', '1.00 kW')
    """
    if value is None or not _known(value):
        return UNKNOWN
    factor, prefix = _scale(value, _PREFIXES)
    return _unit(number(value / factor), prefix + unit)


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


def money(value_usd: float | None, currency: str = "USD") -> str:
    """Return money as the field writes it: currency first, then k, M or B.

    >>> money(1_234_000.0).replace(THIN, " "), money(-950.0).replace(THIN, " ")
    ('USD 1.23 M', '−USD 950')
    """
    if value_usd is None or not _known(value_usd):
        return UNKNOWN
    factor, suffix = _scale(value_usd, _MONEY)
    sign = MINUS if rounded(value_usd) < 0.0 else ""
    return f"{sign}{currency}{THIN}{number(abs(value_usd) / factor)}{suffix.replace(' ', THIN)}"


def percent(value: float | None, decimals: int = 1, *, signed: bool = False) -> str:
    """Return a share as per cent.

    >>> percent(0.1234).replace(THIN, " "), percent(-0.02, signed=True).replace(THIN, " ")
    ('12.3 %', '−2.0 %')
    >>> percent(0.0002, signed=True).replace(THIN, " ")   # neither more nor less, as far as is shown
    '0.0 %'
    """
    text = fixed(None if value is None else value * 100.0, "%", decimals)
    plus = signed and value is not None and value > 0.0 and any(digit in text for digit in "123456789")
    return f"+{text}" if plus else text


def duration(value_s: float | None) -> str:
    """Return seconds as ms, s, min, h or d.

    >>> [duration(s).replace(THIN, " ") for s in (0.021, 45.0, 8100.0, 2.6e5)]
    ['21.0 ms', '45.0 s', '2.25 h', '3.01 d']
    """
    if value_s is None or not _known(value_s):
        return UNKNOWN
    for size, name, least in _TIMES:
        if abs(value_s) >= size * least:
            return quantity(value_s / size, name)
    return quantity(value_s * 1e3, "ms") if value_s else f"0{THIN}s"


_SHOWN = re.compile(r"([+-]?)(USD )?([0-9]+(?: [0-9]{3})*(?:\.[0-9]+)?)(?: (\S.*))?")
_UNIT = re.compile(r"([TGMk]?)(Wh|W|B)")


def read(text: str) -> tuple[float, str] | None:
    """Return (value, unit) of a number shown by this module, without its prefix; ``None`` for other text.

    >>> read(money(1_234_000.0)), read(power(2.5e6)), read(duration(8100.0)), read(percent(-0.02)), read(count(12345))
    ((1230000.0, 'USD'), (2500000.0, 'W'), (8100.0, 's'), (-2.0, '%'), (12345.0, ''))
    >>> read(money(-950.0)), read("4010 m³"), read("2 racks of 3"), read("data 2")
    ((-950.0, 'USD'), (4010.0, 'm³'), None, None)
    """
    found = _SHOWN.fullmatch(text.replace(THIN, " ").replace(MINUS, "-"))
    if found is None:
        return None
    sign, currency, digits, unit = found.groups()
    value = float(f"{sign}{digits.replace(' ', '')}")
    if currency is not None:
        factor = {name.strip(): size for size, name in _MONEY}.get(unit or "")
        return None if factor is None else (value * factor, "USD")
    for size, name, _ in _TIMES:
        if unit == name:
            return value * size, "s"
    scaled = _UNIT.fullmatch(unit or "")
    if scaled is not None:
        return value * {name: size for size, name in _PREFIXES}[scaled[1]], scaled[2]
    return None if unit is not None and re.search(r"[\s,;0-9]", unit) else (value, unit or "")


def lower(ours: float | None, theirs: float | None) -> str:
    """Return how far ``ours`` lies from ``theirs``, in words.

    >>> lower(80.0, 100.0).replace(THIN, " "), lower(100.0, 100.0), lower(None, 1.0)
    ('20.0 % lower', 'the same', '—')
    """
    if ours is None or theirs is None or not (_known(ours) and _known(theirs)) or theirs == 0.0:
        return UNKNOWN
    share = (ours - theirs) / abs(theirs)
    if abs(share) < 0.0005:  # would print as 0.0 %
        return "the same"
    return f"{percent(abs(share))} {'lower' if share < 0.0 else 'higher'}"


def words(name: str) -> str:
    """Return an identifier as words.

    >>> words("cold_plate"), words("ups_loss")
    ('cold plate', 'UPS loss')
    """
    return " ".join(ACRONYMS.get(part, part) for part in name.replace("_", " ").split(" "))
