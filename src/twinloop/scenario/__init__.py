"""The file that a person writes: vocabulary, loading with line numbers, and resolving into the model."""

from twinloop.scenario.load import Scenario, load, load_text, scenario_hash
from twinloop.scenario.resolve import resolve

__all__ = ["Scenario", "load", "load_text", "resolve", "scenario_hash"]
