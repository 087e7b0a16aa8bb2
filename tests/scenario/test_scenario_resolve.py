"""From the file to the model: SI values, defaults with their sources, residency, tariffs, files."""

from pathlib import Path

import pytest

from twinloop import catalogue
from twinloop.errors import InputError
from twinloop.scenario import load_text, resolve
from twinloop.scenario.electricity import listed, markets_of
from twinloop.scenario.jurisdictions import within
from twinloop.scenario.schema_sites import PriceBandSpec
from twinloop.scenario.sense import band_hours
from twinloop.scenario.starters import FOLDER, starter

ROOT = Path(__file__).parents[2]
FILE = Path("some.yaml")
BASE = """\
twinloop: 1
name: small
models:
  - {name: net, kind: transformer, layers: 12, hidden: 768, heads: 12, vocabulary: 4096, context: 256}
datasets:
  - {name: rows, size: 1 TB, home: hall, residency: [EU]}
stages:
  - {name: train, kind: train, reads: rows, model: net, samples: 1e6}
sites:
  - name: hall
    kind: on-premise
    climate: Frankfurt
    jurisdiction: DE
    racks: {positions: 10, power: 20 kW}
    utility_power: 1 MW
"""


def model(text=BASE, file=FILE):
    return resolve(load_text(text, file))


def sources(resolved):
    return {row.path: row for row in resolved.provenance}


def hall(extra=""):
    return model(BASE + extra).on_premise[0]


def test_every_default_says_where_it_comes_from():
    rows = sources(model())
    assert len(rows) == len(model().provenance)
    assert all(row.source and row.confidence in ("given", "high", "medium", "low") for row in rows.values())
    for path in (
        "horizon", "finance.discount", "finance.refresh", "finance.staff", "finance.maintenance_it",
        "sites.hall.racks.weight", "sites.hall.racks.height", "sites.hall.floor.area", "sites.hall.floor.load",
        "sites.hall.water.price", "sites.hall.water.cycles", "sites.hall.hall_class", "sites.hall.liquid_class",
        "sites.hall.availability.redundancy", "sites.hall.availability.ride_through", "sites.hall.grid.carbon",
        "sites.hall.tariff.energy", "sites.hall.tariff.demand", "sites.hall.tariff.escalation",
        "sites.hall.build_price", "sites.hall.growth", "sites.hall.weather", "models.net.ffn", "stages.train.every",
        "objective.carbon_price", "allow.devices",
    ):  # fmt: skip
        assert rows[path].confidence != "given", path


def test_what_was_written_is_named_by_its_line():
    row = sources(model())["sites.hall.racks.power"]
    assert (row.value, row.source, row.confidence) == ("20 kW", "some.yaml:14", "given")


def test_defaults_are_the_catalogues():
    resolved = model()
    site = resolved.on_premise[0]
    assert site.grid == catalogue.grid("DE")
    assert site.tariff.energy_usd_per_j == (catalogue.tariff("DE").energy_usd_per_j,) * 24
    assert site.water.price_usd_per_m3 == catalogue.constant("economics", "water-EU", "water_price_usd_per_m3").value
    assert site.floor.area_m2 == pytest.approx(30.0)
    assert resolved.finance.discount_per_year == pytest.approx(0.08)
    # Frankfurt's index less the cooling plant, which a plan prices itself.
    assert site.build_usd_per_w == pytest.approx(11.6 * (1.0 - 0.18))
    row = sources(resolved)["sites.hall.build_price"]
    assert row.value == "9.512 USD/W"
    assert "Turner & Townsend" in row.source
    assert "11.6 USD/W × 0.82: less the 18% that is cooling plant" in row.source
    assert not any(device.what_if for device in resolved.devices)
    assert {server.device for server in resolved.servers} <= {device.name for device in resolved.devices}


def test_a_transformers_gaps_are_filled_as_the_field_does():
    net = model().network("net")
    assert (net.kv_heads, net.head_dim, net.ffn, net.gated, net.tied, net.causal) == (12, 64, 3072, False, True, True)
    gated = model(BASE.replace("context: 256", "context: 256, gated: true")).network("net")
    assert gated.ffn == 2048
    sliding = model(BASE.replace("context: 256", "context: 256, attention: sliding:64")).network("net")
    assert (sliding.attention, sliding.window) == ("sliding", 64)


def test_units_reach_the_model_in_si():
    site = hall(
        "    water: {supply: 4000 m3/year, peak: 3.6 m3/h, cycles: 5}\n"
        "    heat_offtake: {temperature: 65 °C, demand: 500 kW, price: 30 USD/MWh}\n"
        "    tariff: {energy: 0.09 USD/kWh, demand: 12 USD/kW/month, escalation: 2 %/year}\n"
        "    floor: {area: 400 m2, load: 12 kPa}\n"
        "    availability: {redundancy: 2N, ride_through: 2 min}\n"
        "    grid: {carbon: 36 g/kWh, water: 1.8 L/kWh, basis: wind contract}\n"
    )
    assert (site.water.supply_m3_per_year, site.water.cycles) == (4000.0, 5.0)
    assert site.water.peak_m3_s == pytest.approx(1e-3)
    assert site.heat_offtake is not None
    assert site.heat_offtake.price_usd_per_j == pytest.approx(30.0 / 3.6e9)
    assert site.tariff.energy_usd_per_j == pytest.approx((2.5e-8,) * 24)
    assert site.tariff.demand_usd_per_w_month == pytest.approx(0.012)
    assert site.floor.load_pa == 12e3
    assert (site.redundancy, site.ride_through_s) == ("2N", 120.0)
    assert site.grid.carbon_kg_per_j == pytest.approx(1e-8)
    assert site.grid.source_water_m3_per_j == pytest.approx(5e-10)


def test_bands_of_the_day_become_hours():
    bands = "[{from: 6, to: '22:00', price: 0.2 USD/kWh}, {from: 22, to: 6, price: 0.1 USD/kWh}]"
    prices = hall(f"    tariff: {{energy: {bands}}}\n").tariff.energy_usd_per_j
    kwh = [round(price * 3.6e6, 6) for price in prices]
    assert kwh == [0.1] * 6 + [0.2] * 16 + [0.1] * 2
    band = PriceBandSpec.model_validate({"from": 0, "to": 24, "price": "1 USD/kWh"})
    assert band_hours(band) == list(range(24))


def test_it_power_becomes_a_limit_at_the_meter_and_says_so():
    resolved = model(BASE.replace("utility_power: 1 MW", "it_power: 1 MW"))
    assert resolved.on_premise[0].utility_power_w == pytest.approx(1.3e6)
    assert sources(resolved)["sites.hall.utility_power"].confidence == "low"


def test_residency_names_every_site_inside():
    assert model().datasets[0].residency == ("EU", "DE")
    assert within("DE", "EU")
    assert within("EU-DE", "DE")
    assert within("US-VA", "US")
    assert within("NO", "EEA")
    for outside in (("CH", "EU"), ("US", "EU"), ("EU", "DE"), ("GB", "EEA"), ("USA", "US")):
        assert not within(*outside)


def test_objectives():
    assert model().objective.weights == {"cost": 1.0}
    priced = model(BASE + "objective: {minimise: cost, carbon_price: 85 USD/t, water_price: 2 USD/m3}\n").objective
    assert priced.weights == pytest.approx({"cost": 1.0, "carbon": 0.085, "water": 2.0})
    carbon = model(BASE + "objective: carbon\n").objective
    assert (carbon.name, carbon.weights) == ("carbon", {"carbon": 1.0})
    mixed = model(BASE + "objective: {minimise: {cost: 1, carbon: 100 USD/t}}\n").objective
    assert mixed.name == "weighted"
    assert mixed.weights == pytest.approx({"cost": 1.0, "carbon": 0.1})
    for wrong in ("speed", "{minimise: {cost: 0}}", "{minimise: {cost: 1}, carbon_price: 1 USD/t}"):
        with pytest.raises(InputError, match="objective"):
            model(BASE + f"objective: {wrong}\n")


def test_allowed_devices_go_by_any_name_and_what_if_rows_only_by_theirs():
    resolved = model(BASE + "allow: {devices: [h100 sxm, Loihi-2], cooling: cold plate}\n")
    assert {device.name for device in resolved.devices} == {"H100-SXM-80GB", "Loihi-2"}
    assert resolved.allow.devices == tuple(device.name for device in resolved.devices)
    assert resolved.allow.cooling == ("cold_plate",)


def test_cloud_and_edge_sites():
    text = BASE + (
        "  - {name: rented, kind: cloud, provider: gcp, region: europe-west3, pue: 1.2}\n"
        "  - {name: branches, kind: edge, count: 40, climate: Frankfurt, jurisdiction: EU, power: 2 kW}\n"
    )
    resolved = model(text)
    cloud, edge = resolved.clouds[0], resolved.edges[0]
    assert (cloud.jurisdiction, cloud.pue, edge.count, edge.power_w) == ("EU", 1.2, 40, 2000.0)
    assert cloud.offers
    assert cloud.grid == catalogue.grid("DE")
    assert 1e-7 < cloud.embodied_kg_per_device_s < 1e-4
    assert edge.pue == catalogue.constant("economics", "default", "pue_edge").value
    assert sources(resolved)["sites.rented.pue"].confidence == "given"


def test_models_by_name_counts_and_trees():
    def net(text):
        old = "kind: transformer, layers: 12, hidden: 768, heads: 12, vocabulary: 4096, context: 256"
        return model(BASE.replace(old, text)).network("net")

    llama = net("architecture: Llama 3.1 8B, context: 4096")
    assert (llama.layers, llama.kv_heads, llama.context) == (32, 8, 4096)
    counts = net("kind: convnet, parameters: 25.6e6, flops_per_sample: 8.2e9")
    assert (counts.parameters, counts.flops_per_sample, counts.bytes_per_sample) == (25.6e6, 8.2e9, 51.2e6)
    trees = net("kind: trees, trees: 2000, depth: 8")
    assert (trees.kind, trees.trees, trees.depth) == ("trees", 2000, 8)


def test_every_architecture_of_the_catalogue_becomes_a_network():
    for name in catalogue.architectures():
        text = BASE.replace(
            "kind: transformer, layers: 12, hidden: 768, heads: 12, vocabulary: 4096, context: 256",
            f"architecture: {name}",
        )
        assert model(text).networks[0].name == "net"


def test_files_that_fail_are_all_reported_at_their_lines(tmp_path):
    (tmp_path / "broken.json").write_text("{")
    text = BASE.replace("models:\n", "models:\n  - {name: a, config: none.json}\n  - {name: b, config: broken.json}\n")
    with pytest.raises(InputError) as caught:
        model(text, tmp_path / "s.yaml")
    assert [fault.line for fault in caught.value.faults] == [4, 5]
    assert "none.json" in str(caught.value)
    assert "broken JSON" in str(caught.value)


def test_a_weather_file_without_country_needs_grid_and_tariff(tmp_path):
    text = BASE.replace("climate: Frankfurt", "climate: none.epw")
    with pytest.raises(InputError, match=r"sites\[0\]\.climate"):
        load_text(text, tmp_path / "s.yaml")


def test_a_misspelt_place_is_told_once(tmp_path):
    with pytest.raises(InputError) as caught:
        model(BASE.replace("climate: Frankfurt", "climate: Frankfrt"), tmp_path / "s.yaml")
    (fault,) = caught.value.faults
    assert (fault.got, fault.suggestion) == ("'Frankfrt'", "Frankfurt")


@pytest.mark.parametrize("kind", ["minimal", "fraud-detection"])
def test_starters_check(kind):
    assert model(starter(kind)).stages


def test_an_unknown_starter_is_refused():
    with pytest.raises(InputError, match="minimal"):
        starter("maximal")


def test_the_example_is_the_starter():
    example = ROOT / "examples" / "fraud-detection.yaml"
    assert example.read_text(encoding="utf-8") == (FOLDER / "fraud-detection.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("place", [place.name for place in catalogue.climate_places()])
def test_every_city_of_the_catalogue_has_a_grid_and_a_tariff(place):
    markets = markets_of(place)
    assert listed(catalogue.grid, markets)
    assert listed(catalogue.tariff, markets)


def test_an_american_city_gets_its_states_prices():
    assert markets_of("Phoenix") == ("US-AZ", "USA")
    assert markets_of("Ashburn") == ("US-VA", "USA")
    assert markets_of("Frankfurt") == ("DEU",)
    assert markets_of("station.epw") == ()


def test_an_energy_price_alone_keeps_the_usual_demand_charge():
    usual = hall("    tariff: {energy: 0.24 USD/kWh}\n").tariff
    assert usual.demand_usd_per_w_month == catalogue.tariff("DE").demand_usd_per_w_month > 0.0
    assert usual.energy_usd_per_j == pytest.approx((0.24 / 3.6e6,) * 24)
    assert hall("    tariff: {energy: 0.24 USD/kWh, demand: 0 USD/kW/month}\n").tariff.demand_usd_per_w_month == 0.0
    row = sources(model(BASE + "    tariff: {energy: 0.24 USD/kWh}\n"))["sites.hall.tariff.demand"]
    assert (row.value, row.confidence) == ("9 USD/kW/month", "low")
    assert "as the scenario gives none" in row.source


def test_steady_loads_may_be_reserved_unless_the_scenario_says_how_to_buy():
    rented = "  - {name: rented, kind: cloud, provider: gcp, region: europe-west3%s}\n"

    def cloud(extra="", horizon="5 years"):
        return model(BASE.replace("name: small\n", f"name: small\nhorizon: {horizon}\n") + rented % extra).clouds[0]

    assert (cloud().purchase, cloud().reserved_share) == (("on_demand", "reserved"), 0.6)
    assert cloud(horizon="3 years").reserved_share == 0.6
    assert cloud(horizon="2 years").reserved_share == cloud(horizon="1 year").reserved_share == 0.75
    assert cloud(horizon="6 months").purchase == ("on_demand",)
    assert cloud(", purchase: [spot]").purchase == ("spot",)
    assert cloud(", reserved_share: 0.5", "2 years").reserved_share == 0.5


def test_a_level_of_rented_prices_moves_every_way_to_buy():
    rented = "  - {name: rented, kind: cloud, provider: gcp, region: europe-west3%s}\n"
    listed, dearer = (model(BASE + rented % extra) for extra in ("", ", price_level: 120 %"))
    assert [each.price_usd_per_s for each in dearer.clouds[0].offers] == pytest.approx(
        [1.2 * each.price_usd_per_s for each in listed.clouds[0].offers]
    )
    spots = [[each.spot_usd_per_s for each in found.clouds[0].offers if each.spot_usd_per_s is not None]
             for found in (listed, dearer)]  # fmt: skip
    assert spots[1] == pytest.approx([1.2 * usd for usd in spots[0]])
    (row,) = [row for row in listed.provenance if row.path == "sites.rented.price_level"]
    assert (row.value, row.confidence) == ("100 %", "low")
    with pytest.raises(InputError, match="price_level"):
        model(BASE + rented % ", price_level: 2000 %")


@pytest.mark.parametrize(("field", "told"), [
    ("architecture: llama-3-8b", "8192"), ("architecture: llama-3-8b, context: 4096", None),
    ("architecture: ssd-resnet34", None),
])  # fmt: skip
def test_a_context_that_was_assumed_is_flagged(field, told):
    """Sequences as long as the model can take cost most: who did not choose them is told, in a number that parses."""
    text = CONTEXT.replace("FIELD", field)
    rows = {row.path: row for row in resolve(load_text(text, Path("c.yaml"))).provenance}
    row = rows.get("models.m.context")
    if told is None:
        assert row is None or row.confidence != "low"
    else:
        assert (row.value, row.confidence) == (told, "low")
        assert "set models.m.context" in row.source


CONTEXT = """\
twinloop: 1
name: c
horizon: 1 year
models: [{name: m, FIELD}]
stages: [{name: t, kind: train, model: m, samples: 1e5, every: 7 days, deadline: 3 days, batch: 64}]
sites: [{name: cloud, kind: cloud, provider: aws, region: eu-central-1}]
"""
