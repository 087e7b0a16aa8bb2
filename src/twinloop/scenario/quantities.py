"""Annotated number types of the schema: what a person may write, and the range that makes sense.

Ranges are sanity bounds, far outside anything built, that catch a slipped unit or a wrong prefix; they
are not physics. Text becomes SI by :mod:`twinloop.units`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from twinloop import units


def reader(quantity: str, low: float, high: float, *, open_low: bool = False) -> Callable[[Any], float]:
    """Return a function that reads ``quantity`` and keeps it within ``low`` to ``high`` (SI)."""

    def read(value: Any) -> float:
        try:
            number = units.parse(value, quantity)
        except units.UnitError as error:
            raise _custom(error.got, error.expected, error.suggestion) from error
        if low <= number <= high and not (open_low and number == low):
            return number
        shown = f"{units.show(low, quantity)} to {units.show(high, quantity)}"
        more = "more than " if open_low else ""
        hint = None
        if quantity in ("share", "yearly share") and isinstance(value, (int, float)) and 1.0 < value <= 100.0:
            hint = f"{value} %"
        raise _custom(repr(value), f"{units.article(quantity)} {quantity} of {more}{shown}", hint)

    return read


def _custom(got: str, expected: str, suggestion: str | None) -> PydanticCustomError:
    context = {"got": got, "expected": expected, "suggestion": suggestion}
    return PydanticCustomError("twinloop", "fault", context)


def fault_error(got: str, expected: str, suggestion: str | None = None) -> PydanticCustomError:
    """Return the error that a validator raises, with the parts of a fault."""
    return _custom(got, expected, suggestion)


def _positive(quantity: str, high: float, low: float = 0.0) -> BeforeValidator:
    return BeforeValidator(reader(quantity, low, high, open_low=low == 0.0))


_YEAR = units.YEAR_S

Power = Annotated[float, _positive("power", 1e11)]
Temperature = Annotated[float, BeforeValidator(reader("temperature", -90.0, 150.0))]
Duration = Annotated[float, _positive("duration", 100 * _YEAR)]
DurationOrZero = Annotated[float, BeforeValidator(reader("duration", 0.0, 100 * _YEAR))]
Horizon = Annotated[float, BeforeValidator(reader("duration", 30 * 86400.0, 50 * _YEAR))]
Latency = Annotated[float, BeforeValidator(reader("duration", 1e-6, 86400.0))]
Data = Annotated[float, BeforeValidator(reader("data size", 0.0, 1e21))]
RowSize = Annotated[float, BeforeValidator(reader("data size", 1.0 / 8.0, 1e12))]
DataRate = Annotated[float, _positive("data rate", 1e15)]
DataRateOrZero = Annotated[float, BeforeValidator(reader("data rate", 0.0, 1e15))]
Rate = Annotated[float, _positive("rate", 1e12)]
Area = Annotated[float, _positive("area", 1e7)]
RackHeight = Annotated[float, BeforeValidator(reader("rack height", 1.0, 100.0))]
Mass = Annotated[float, _positive("mass", 1e5)]
Pressure = Annotated[float, _positive("pressure", 1e6)]
VolumeFlow = Annotated[float, _positive("volume flow", 1e3)]
Volume = Annotated[float, _positive("volume", 1e5)]
YearlyVolume = Annotated[float, BeforeValidator(reader("yearly volume", 0.0, 1e10))]
Share = Annotated[float, BeforeValidator(reader("share", 0.0, 1.0))]
PriceLevel = Annotated[float, BeforeValidator(reader("share", 0.01, 10.0))]
YearlyShare = Annotated[float, BeforeValidator(reader("yearly share", -0.5, 1.0))]
Count = Annotated[float, _positive("number", 1e18)]
Ratio = Annotated[float, BeforeValidator(reader("number", 1.0, 1e3))]
Cycles = Annotated[float, BeforeValidator(reader("number", 1.5, 20.0))]
Pue = Annotated[float, BeforeValidator(reader("number", 1.0, 5.0))]
EnergyPrice = Annotated[float, BeforeValidator(reader("energy price", -1.0 / 3.6e6, 100.0 / 3.6e6))]
DemandPrice = Annotated[float, BeforeValidator(reader("demand price", 0.0, 1.0))]
LinePrice = Annotated[float, BeforeValidator(reader("line price", 0.0, 1.0))]
PowerPrice = Annotated[float, BeforeValidator(reader("price of power", 0.0, 1e3))]
CarbonPrice = Annotated[float, BeforeValidator(reader("carbon price", 0.0, 1e3))]
WaterPrice = Annotated[float, BeforeValidator(reader("water price", 0.0, 1e3))]
YearlyMoney = Annotated[float, BeforeValidator(reader("yearly cost", 0.0, 1e10))]
CarbonIntensity = Annotated[float, BeforeValidator(reader("carbon intensity", 0.0, 5.0 / 3.6e6))]
WaterIntensity = Annotated[float, BeforeValidator(reader("water intensity", 0.0, 0.5 / 3.6e6))]
WaterPerEnergy = Annotated[float, BeforeValidator(reader("water per energy", 0.0, 100.0))]
Money = Annotated[float, _positive("amount of money", 1e13)]
HourlyMoney = Annotated[float, BeforeValidator(reader("hourly price", 0.0, 1e7 / 3600.0))]
YearlyMass = Annotated[float, BeforeValidator(reader("embodied rate", 0.0, 1e12 / _YEAR))]
WarmTemperature = Annotated[float, BeforeValidator(reader("temperature", 2.0, 70.0))]
PerTime = Annotated[float, BeforeValidator(reader("rate", 0.0, 1.0))]
