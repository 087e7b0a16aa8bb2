"""The file that a person writes: schema, loading, resolving."""

from twinloop.scenario.load import Scenario, load, scenario_hash
from twinloop.scenario.resolve import resolve

__all__ = ["Scenario", "load", "resolve", "scenario_hash"]
