"""Capital, operation, cash flow, carbon and water: pure arithmetic on the twin's yearly figures.

Conventions, the same everywhere: money in USD of today, one year is the twin's 8760 hours, an
amount of a year is paid at its end, discounting is yearly compounding.
"""
