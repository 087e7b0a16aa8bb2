"""What becomes of a scenario's key that is left out, and an example of each: for the reference."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin

from meanings import meaning
from pydantic.fields import FieldInfo

from twinloop import units
from twinloop.scenario.defaults import DEFAULTS, WORDS

NUMBERS = {
    "Scenario.horizon": "horizon", "Dataset.growth": "dataset_growth", "Ingest.peak_to_mean": "peak_to_mean",
    "Serve.peak_to_mean": "peak_to_mean", "Preprocess.row_size": "row_size", "Serve.accuracy_drop": "accuracy_drop",
    "OnPremise.growth": "growth", "Racks.weight": "weight", "Racks.height": "height", "Floor.load": "load",
    "Water.cycles": "cycles", "Availability.ride_through": "ride_through", "Tariff.escalation": "tariff_escalation",
    "Cloud.price_level": "price_level",
    "Cloud.reserved_share": "reserved_share", "Cloud.preemptions": "preemptions", "Finance.refresh": "refresh",
    "Finance.repair": "repair",
}  # fmt: skip
"""Key -> the default number that fills it."""

CHOICES = {
    "OnPremise.hall_class": "hall_class", "OnPremise.intake": "intake", "OnPremise.containment": "containment",
    "OnPremise.power_chain": "power_chain",
    "Availability.redundancy": "redundancy", "Water.source": "water_source", "Water.supply": "water_limit",
    "Water.peak": "water_limit",
}  # fmt: skip
"""Key -> the default word that fills it."""

SAID = {
    "Edge.line_price": "2 USD a month for a Mbit/s, low confidence",
    "Objective.carbon_price": "not priced",
    "Objective.water_price": "not priced",
    "Weights.cost": "not counted",
    "Weights.energy": "not counted",
    "Weights.carbon": "not counted",
    "Weights.water": "not counted",
    "Weights.time": "not counted",
    "Layers.gated": "`false`",
    "Layers.tied": "`true`",
    "Layers.causal": "`true`",
    "Layers.attention": "`flash`",
    "Layers.experts": "none",
    "Layers.top_k": "none",
    "Layers.shared_experts": "none",
    "Layers.expert_ffn": "as wide as `ffn`",
    "Layers.dense_layers": "none",
    "Layers.state_space_layers": "none",
    "Counts.bytes_per_sample": "every parameter read once at 2 bytes",
    "Architecture.context": "the catalogue's",
    "Config.context": "the file's",
    "Onnx.shapes": "the graph's own; needed where it leaves them open",
    "Preprocess.deadline": "none",
    "Train.deadline": "none",
    "Serve.latency_p99": "none",
    "Serve.output_tokens": "none",
    "OnPremise.utility_power": "from `it_power`; one of the two is needed",
    "OnPremise.it_power": "from `utility_power`",
    "OnPremise.floor": "room for the positions",
    "OnPremise.water": "no limit, the jurisdiction's price",
    "OnPremise.availability": "N+1",
    "OnPremise.grid": "the country or state of the climate",
    "OnPremise.tariff": "the country or state of the climate",
    "OnPremise.heat_offtake": "nobody buys heat",
    "OnPremise.build_price": "the city's in the catalogue, less its cooling plant",
    "OnPremise.design": "an empty hall",
    "PowerPhase.after": "0 in the first step; needed in the others",
    "Water.price": "the jurisdiction's in the catalogue",
    "Grid.water": "the median of the catalogue's grids",
    "Design.heat_rejection": "none",
    "Design.warm_supply": "none",
    "Design.outdoor_air": "`false`",
    "Design.evaporative": "none",
    "Design.containment": "the hall's",
    "Design.bath": "`single_phase`",
    "Design.air_supply": "6 K above the chilled water",
    "Design.cold_store": "none",
    "Design.keep": "`false`",
    "Equipment.spare": "0",
    "Equipment.power": "a new machine's of its kind",
    "Equipment.efficiency": "a new machine's of its kind",
    "Cloud.jurisdiction": "the region's in the catalogue",
    "Cloud.grid": "the region's in the catalogue",
    "Edge.grid": "the country or state of the climate",
    "Edge.tariff": "the country or state of the climate",
    "Finance.discount": "the catalogue's (`twinloop check --resolved` shows it)",
    "Finance.currency": "`USD`",
    "Finance.maintenance_it": "the catalogue's (`twinloop check --resolved` shows it)",
    "Limits.capex": "no limit",
    "Limits.cost": "no limit",
    "Limits.carbon": "no limit",
    "Limits.water": "no limit",
}
"""Key -> what stands for it otherwise."""

EMPTY = {
    "Scenario.objective": "`cost`",
    "Scenario.datasets": "none",
    "Scenario.models": "none",
    "Scenario.finance": "each key's own",
    "Scenario.limits": "no limit",
    "Scenario.allow": "everything",
    "Design.equipment": "none",
    "reads": "none",
    "after": "none",
    "sites": "any",
    "Allow.devices": "all",
    "Allow.cooling": "all",
    "Allow.compression": "all",
    "Allow.refrigerants": "all",
    "Allow.fluids": "all",
}
"""Key whose section is empty when left out -> what that means."""

EXAMPLES = {
    "request_size": "50 kB",
    "name": "frankfurt", "after": "[ingest]", "reads": "[clicks]", "sites": "[frankfurt]", "context": "4096",
    "climate": "Frankfurt", "jurisdiction": "DE", "model": "ranker",
    "Scenario.name": "fraud-detection", "Dataset.name": "clicks", "Dataset.home": "frankfurt",
    "Dataset.residency": "[EU]", "Layers.name": "ranker", "Layers.layers": "32", "Layers.hidden": "4096",
    "Layers.heads": "32", "Layers.vocabulary": "128256", "Layers.kv_heads": "8", "Layers.head_dim": "128",
    "Layers.ffn": "14336", "Layers.attention": "sliding:4096", "Layers.experts": "64", "Layers.top_k": "8",
    "Layers.shared_experts": "1", "Layers.expert_ffn": "2048", "Layers.dense_layers": "3",
    "Layers.state_space_layers": "24", "Counts.name": "detector", "Counts.parameters": "3.8e7",
    "Counts.flops_per_sample": "4.1e9", "Trees.name": "boosted", "Trees.trees": "1000", "Trees.depth": "8",
    "Architecture.name": "ranker", "Architecture.architecture": "llama-3-8b", "Config.name": "ranker",
    "Config.config": "ranker/config.json", "Onnx.name": "ranker", "Onnx.onnx": "ranker.onnx",
    "Onnx.shapes": "{tokens: 4096}", "Ingest.name": "ingest", "Preprocess.name": "features",
    "Preprocess.rows": "1e9", "Train.name": "train", "Train.samples": "3e7", "Train.batch": "4096",
    "Serve.name": "score", "Serve.rate": "1200/s", "Serve.input_tokens": "512", "Serve.output_tokens": "128",
    "Racks.positions": "14", "Racks.height": "48 U", "Grid.basis": "wind contract, life-cycle",
    "PowerPhase.after": "2 years", "Cloud.preemptions": "0.05/h",
    "PriceBand.from": "7", "PriceBand.to": "22", "Equipment.count": "3", "Equipment.spare": "1",
    "Equipment.power": "120 kW", "Equipment.efficiency": "94 %",
    "Cloud.name": "aws-paris", "Cloud.provider": "aws", "Cloud.region": "eu-west-3", "Edge.name": "shops",
    "Edge.count": "400", "grid": "DE", "tariff": "DE", "Ingest.peak_to_mean": "1.5", "Serve.peak_to_mean": "1.6",
    "Water.cycles": "5", "pue": "1.2", "Allow.devices": "[H100-SXM-80GB, B200-SXM-180GB]",
    "Allow.cooling": "[cold_plate, dry_cooler]", "Allow.compression": "[fp8_w8a8_kv8]",
    "Allow.refrigerants": "[R1234ze]", "Allow.fluids": "[PG25]", "Weights.cost": "1",
    "OnPremise.utility_power": "3 MW", "Tariff.energy": "0.12 USD/kWh", "Scenario.twinloop": "1",
    "Objective.minimise": "cost", "Water.supply": "20000 m3/year",
    "Design.warm_supply": "32 °C", "Design.cold_supply": "20 °C", "Design.air_supply": "26 °C",
    "HeatOfftake.temperature": "60 °C",
    "Finance.discount": "8 %/year", "Dataset.size": "40 TB", "Counts.bytes_per_sample": "90 MB",
    "Preprocess.row_size": "256 B", "Serve.latency_p99": "200 ms", "Train.every": "7 days", "every": "24 h",
    "deadline": "5 h", "Scenario.horizon": "5 years", "Cloud.purchase": "[reserved]",
}  # fmt: skip
"""Key, of one section or of any -> an example where no type gives one."""


SECTIONS = (
    "Scenario.objective", "Scenario.datasets", "Scenario.models", "Scenario.stages", "Scenario.sites",
    "Scenario.finance", "Scenario.limits", "Scenario.allow", "OnPremise.racks", "OnPremise.floor", "OnPremise.water",
    "OnPremise.availability", "OnPremise.heat_offtake", "OnPremise.design", "Design.equipment",
)  # fmt: skip
"""Keys that hold sections, whose own keys have the examples."""


def left_out(section: str, key: str, field: FieldInfo) -> str:
    """Return what stands for a key that is not written; ``**needed**`` where it must be; empty if nobody has said."""
    where = f"{section}.{key}"
    if field.is_required():
        return "**needed**"
    _, _, said = meaning(section, key).partition("; left out: ")
    if said:
        return said
    if where in NUMBERS:
        default = DEFAULTS[NUMBERS[where]]
        return units.show(default.value, default.quantity)
    if where in CHOICES:
        word = WORDS[CHOICES[where]][0]
        return word if word == "no limit" else f"`{word}`"
    plain = field.get_default(call_default_factory=True)
    return SAID.get(where) or EMPTY.get(where) or EMPTY.get(key) or (f"`{plain}`" if isinstance(plain, str) else "")


def example(section: str, key: str, field: FieldInfo, quantity: str) -> str:
    """Return what might be written after the key; empty where a section of its own stands there."""
    where = f"{section}.{key}"
    if where in SECTIONS:
        return ""
    return EXAMPLES.get(where) or EXAMPLES.get(key) or _typical(field.annotation, quantity)


def _typical(kind: Any, quantity: str) -> str:
    if quantity:
        return units.QUANTITIES[quantity].example
    args = get_args(kind)
    if get_origin(kind) is Literal:
        return str(args[-1])
    if kind is bool:
        return "true"
    return next((found for each in args if (found := _typical(each, ""))), "")
