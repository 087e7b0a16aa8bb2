"""Units as sources write them -> SI. The only place of the catalogue that converts.

Two families stay as they are, because the nouns that carry them say so in their names: temperatures
in degrees Celsius (``_c``) and calendar years (``_years``).
"""

from __future__ import annotations

_HOUR_S = 3600.0
_KWH_J = 3.6e6
_USD_PER_EUR = 1.08
"""Mean of 2024, European Central Bank reference rates (from memory, low confidence; +-3 % over the year)."""

TEXT = "text"
FLAG = "flag"

FACTORS: dict[str, tuple[float, str]] = {
    # dimensionless, words and calendar
    TEXT: (1.0, TEXT),
    FLAG: (1.0, FLAG),  # 1 is yes, 0 is no
    "1": (1.0, "1"),
    "%": (0.01, "1"),
    "count": (1.0, "count"),
    "year": (1.0, "year"),
    "1/year": (1.0, "1/year"),
    "%/year": (0.01, "1/year"),
    "h/year": (1.0, "h/year"),
    "%/K": (0.01, "1/K"),
    # power, energy
    "W": (1.0, "W"),
    "kW": (1e3, "W"),
    "MW": (1e6, "W"),
    "1/MW": (1e-6, "1/W"),
    # data: decimal prefixes are powers of 1000, GiB is 2**30 bytes
    "B": (1.0, "B"),
    "MB": (1e6, "B"),
    "GB": (1e9, "B"),
    "GiB": (2.0**30, "B"),
    "TB": (1e12, "B"),
    "GB/s": (1e9, "B/s"),
    "Gb/s": (0.125e9, "B/s"),
    # arithmetic: an operation is a multiply or an add, whatever its width
    "GFLOP": (1e9, "FLOP"),
    "TFLOP/s": (1e12, "FLOP/s"),
    "TOP/s": (1e12, "FLOP/s"),
    "million": (1e6, "count"),
    "billion": (1e9, "count"),
    # thermal, geometry
    "K": (1.0, "K"),
    "degC": (1.0, "degC"),
    "K/W": (1.0, "K/W"),
    "deg": (1.0, "deg"),
    "m": (1.0, "m"),
    "U": (1.0, "U"),
    "h": (1.0, "h"),  # the offset of a time zone, kept in hours by the noun
    "K day": (1.0, "K day"),
    "kg": (1.0, "kg"),
    # carbon, water
    "kg/kW": (1e-3, "kg/W"),
    "kg/kWh": (1 / _KWH_J, "kg/J"),
    "g/kWh": (1e-3 / _KWH_J, "kg/J"),
    "L/kWh": (1e-3 / _KWH_J, "m3/J"),
    "kg/m2": (1.0, "kg/m2"),
    "m2": (1.0, "m2"),
    # money
    "USD": (1.0, "USD"),
    "USD/year": (1.0, "USD/year"),
    "USD/t": (1e-3, "USD/kg"),
    "USD/W": (1.0, "USD/W"),
    "USD/kW": (1e-3, "USD/W"),
    "USD/kW/month": (1e-3, "USD/W/month"),
    "USD/Mbps/month": (8.0 / 1e6, "USD/(B/s)/month"),
    "USD/kWh": (1 / _KWH_J, "USD/J"),
    "USD/MWh": (1e-3 / _KWH_J, "USD/J"),
    "EUR/kWh": (_USD_PER_EUR / _KWH_J, "USD/J"),
    "cents/kWh": (0.01 / _KWH_J, "USD/J"),
    "USD/h": (1 / _HOUR_S, "USD/s"),
    "USD/GB": (1e-9, "USD/B"),
    "W/TB": (1e-12, "W/B"),
    "kg/TB": (1e-12, "kg/B"),
    "USD/m3": (1.0, "USD/m3"),
    "EUR/m3": (_USD_PER_EUR, "USD/m3"),
}
"""Unit as written -> (factor, SI unit)."""
