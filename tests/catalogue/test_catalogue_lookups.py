"""The typed look-ups: loose names, kind errors, SI values, links between tables."""

import dataclasses
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop import catalogue
from twinloop.catalogue.nouns import CoolingKit
from twinloop.errors import InputError

NAMES = [device.name for device in catalogue.devices()]


def test_there_is_enough_of_everything():
    assert len(catalogue.devices()) >= 45
    assert len(catalogue.servers()) >= 10
    assert len(catalogue.climate_places()) == 63
    assert len(catalogue.cooling_kits()) >= 15
    assert sum(len(catalogue.cloud_offers(r.provider, r.region)) for r in catalogue.cloud_regions()) >= 200
    kinds = {device.kind for device in catalogue.devices()}
    assert kinds == {"gpu", "cpu", "tpu", "fpga", "npu", "edge", "neuromorphic", "quantum"}


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("A100-80GB-SXM", "A100-SXM-80GB"),
        ("NVIDIA A100-SXM4-80GB", "A100-SXM-80GB"),
        ("a100_40gb", "A100-SXM-40GB"),
        ("h100", "H100-SXM-80GB"),
        ("H100 PCIe", "H100-PCIe-80GB"),
        ("NVIDIA Blackwell GPU (B200-SXM-180GB)", "B200-SXM-180GB"),
        ("gb200 nvl72", "GB200"),
        ("AMD Instinct MI325X 256GB HBM3E", "MI325X"),
        ("RTXPRO6000", "RTX-PRO-6000-Blackwell"),
        ("TPUv4", "TPU-v4"),
        ("amd epyc 9654", "EPYC-9654"),
        ("Alveo U55C", "Alveo-U55C"),
        ("Intel(R) Gaudi(R) 2 AI Accelerator", "Gaudi-2"),
    ],
)
def test_devices_are_found_by_the_names_people_and_benchmarks_use(asked, name):
    assert catalogue.device(asked).name == name


@settings(max_examples=60)
@given(st.sampled_from(NAMES), st.sampled_from(["", " ", "_", "-"]), st.booleans())
def test_case_and_punctuation_do_not_matter(name, joint, upper):
    typed = joint.join(name.split("-"))
    assert catalogue.device(typed.upper() if upper else typed.lower()).name == name


@settings(max_examples=100)
@given(st.text(max_size=20))
def test_any_text_finds_a_row_or_is_refused_politely(text):
    for look_up in (catalogue.device, catalogue.grid, catalogue.climate_place, catalogue.server):
        try:
            look_up(text)
        except InputError as caught:
            refusal = caught
        else:
            continue
        assert refusal.exit_code == 2
        assert repr(text) in str(refusal)


@pytest.mark.parametrize(
    ("look_up", "asked", "near"),
    [
        (catalogue.device, "H1000", "H100-SXM-80GB"),
        (catalogue.server, "HGX-H100-9", "HGX-H100-8"),
        (catalogue.cooling_kit, "rear_dor_passive", "rear_door_passive"),
        (catalogue.grid, "US-VAA", "US-VA"),
        (catalogue.tariff, "US-TXX", "US-TX"),
        (catalogue.climate_place, "Frankfort", "Frankfurt"),
        (catalogue.architecture, "llama-3.1-80b", "llama-3.1-8b"),
    ],
)
def test_an_unknown_name_is_an_input_error_that_names_close_matches(look_up, asked, near):
    with pytest.raises(InputError, match="did you mean") as caught:
        look_up(asked)
    assert near in str(caught.value)


def test_devices_are_physical():
    for device in catalogue.devices():
        assert 0 < device.idle_w <= device.power_limit_w, device.name
        assert device.memory_b > 0
        assert device.memory_bandwidth_b_s > 0
        assert device.scale_up_b_s > 0
        assert device.scale_up_domain >= 1
        assert 60 <= device.throttle_c <= 110, device.name
        assert 0 < device.r_plate_k_w < device.r_air_k_w, device.name
        assert set(device.cooling) <= {"air", "rear_door", "cold_plate", "bath"}
        assert device.cooling
        assert device.what_if == (device.kind in ("neuromorphic", "quantum"))
        known = device.flops
        for slower, faster in (("fp32", "bf16"), ("bf16", "fp8"), ("fp8", "fp4")):
            if slower in known and faster in known:
                assert known[slower] <= known[faster], (device.name, slower, faster)


def test_at_the_power_limit_a_chip_on_liquid_stays_below_its_throttle():
    for device in catalogue.devices():
        if device.kind == "gpu":
            assert 30.0 + device.r_plate_k_w * device.power_limit_w < device.throttle_c, device.name
            assert 25.0 + device.r_air_k_w * device.power_limit_w < device.throttle_c + 5, device.name


def test_h100_carries_the_measured_resistances():
    h100 = catalogue.device("H100")
    assert (h100.r_air_k_w, h100.r_plate_k_w) == (0.065, 0.03)
    assert h100.flops["bf16"] == pytest.approx(989e12)
    assert h100.memory_bandwidth_b_s == pytest.approx(3.35e12)
    assert 22000 <= h100.price_usd <= 30000
    assert h100.embodied_kg == 575


def test_every_server_holds_a_known_device_of_its_kind():
    for server in catalogue.servers():
        device = catalogue.device(server.device)
        assert device.name == server.device
        assert device.kind == server.device_kind
        assert server.devices >= 1
        assert set(catalogue.server_cooling(server.name)) <= set(device.cooling), server.name
        assert server.cpu_w == 0.0 or device.kind != "cpu"


def test_every_device_that_is_sold_has_a_server():
    held = {server.device for server in catalogue.servers()}
    for device in catalogue.devices():
        if device.price_usd is not None:
            assert device.name in held, device.name


def test_servers_cost_and_embody_more_than_their_devices():
    for server in catalogue.servers():
        device = catalogue.device(server.device)
        if device.price_usd is not None:
            low = catalogue.constant("devices", device.name, "price_usd").low
            assert server.price_usd > server.devices * low, server.name
        assert server.embodied_kg > 0.6 * server.devices * (device.embodied_kg or 0.0), server.name


def test_server_power_meets_published_ratings():
    """DGX H100: 10.2 kW at most; GB200 NVL72: 120 kW (press) to 132 kW (Vertiv reference design)."""

    def wall(name: str, fans: float = 1.0) -> float:
        server = catalogue.server(name)
        parts = server.cpu_w + server.memory_w + server.network_w + server.storage_w + fans * server.fan_w_air
        watts = server.devices * catalogue.device(server.device).power_limit_w + parts
        return watts / server.psu_efficiency

    assert 8000 < wall("DGX H100") < 10200
    assert 115e3 < wall("GB200-NVL72", fans=0.2) < 132e3
    assert wall("MI250X-4", fans=0.0) == pytest.approx(2704.26 / 0.96, rel=1e-4)  # RAPS node at full load


def test_fans_are_the_published_share_of_an_air_server():
    server = catalogue.server("HGX-H100-8-air")
    inside = 5600 + server.cpu_w + server.memory_w + server.network_w + server.storage_w
    assert server.fan_w_air / (inside + server.fan_w_air) == pytest.approx(0.0875, abs=0.001)


@pytest.mark.parametrize(
    "name",
    [
        "air_crah",
        "rear_door_passive",
        "rear_door_active",
        "cold_plate",
        "immersion_1p",
        "immersion_2p",
        "air_cooled_chiller",
        "water_cooled_chiller",
        "dry_cooler",
        "adiabatic_cooler",
        "tower",
        "crah",
        "cdu",
        "transformer",
        "ups",
        "generator",
    ],
)
def test_the_cooling_kits_that_others_name_exist(name):
    kit = catalogue.cooling_kit(name)
    assert isinstance(kit, CoolingKit)
    assert kit.name == name
    assert 0.01 < kit.capex_usd_per_w < 2.0
    assert 10 <= kit.life_years <= 40
    assert 0.0 < kit.maintenance_per_year < 0.1


def test_kits_order_as_the_field_knows_them():
    kit = catalogue.cooling_kit
    assert kit("tower").capex_usd_per_w < kit("dry_cooler").capex_usd_per_w < kit("air_cooled_chiller").capex_usd_per_w
    limits = [kit(name).rack_limit_w for name in ("crah", "in_row", "rear_door_passive", "cold_plate")]
    assert limits == sorted(limits)
    assert kit("dry_cooler").rack_limit_w is None


def test_grids_by_code_and_name():
    assert catalogue.grid("DEU") == catalogue.grid("germany") == catalogue.grid("DE")
    assert catalogue.grid("DE").carbon_kg_per_j * 3.6e9 == pytest.approx(380.95)
    assert catalogue.grid("Virginia").carbon_kg_per_j * 3.6e9 == pytest.approx(245)
    assert catalogue.grid("PJM").carbon_kg_per_j * 3.6e9 == pytest.approx(392.0)
    assert catalogue.grid("FR").source_water_m3_per_j * 3.6e9 == pytest.approx(3.6737)
    assert "direct" in catalogue.grid("US-VA").carbon_basis
    assert "life-cycle" in catalogue.grid("DE-LU").carbon_basis
    for grid in catalogue.grids():
        assert 1e-9 < grid.carbon_kg_per_j * 1.0 < 1e-3 / 3.6
        assert 1 <= grid.source_water_m3_per_j * 3.6e9 <= 20


def test_two_letters_mean_the_country_not_the_state():
    for code, state in (("CA", "California"), ("DE", "Delaware"), ("IL", "Illinois"), ("IN", "Indiana")):
        assert catalogue.grid(code).name == code
        assert catalogue.grid(state).name == f"US-{code}"


def test_energy_and_demand_add_up_to_the_published_average():
    for tariff in catalogue.tariffs():
        all_in = catalogue.constant("tariffs", tariff.name, "all_in_usd_per_j").value
        per_joule = tariff.demand_usd_per_w_month / (730 * 3600 * 0.7)
        assert tariff.energy_usd_per_j + per_joule == pytest.approx(all_in, rel=1e-4), tariff.name
        assert tariff.energy_usd_per_j > 0
        assert 0.03 < all_in * 3.6e6 < 0.35, tariff.name


def test_every_country_with_a_grid_has_a_tariff():
    priced = {tariff.name for tariff in catalogue.tariffs()}
    places = {grid.name for grid in catalogue.grids() if len(grid.name) == 2} - {"US"}
    missing = {code for code in places if code not in priced}
    assert all(catalogue.tariff(code) for code in missing)


def test_climates_are_possible():
    for place in catalogue.climate_places():
        assert len(place.dry_bulb_c) == len(place.dew_point_c) == 12
        assert all(dew <= dry for dew, dry in zip(place.dew_point_c, place.dry_bulb_c, strict=True)), place.name
        assert place.design_coincident_wet_bulb_c <= place.design_wet_bulb_c < place.design_dry_bulb_c
        assert place.heating_design_c < min(place.dry_bulb_c) + 5
        summer = (6, 7) if place.latitude_deg > 0 else (0, 1)
        if abs(place.latitude_deg) > 25:
            warmest = place.dry_bulb_c.index(max(place.dry_bulb_c))
            assert abs(warmest - summer[0]) <= 1 or warmest == 11, place.name
        assert -12 <= place.utc_offset_h <= 14
        assert abs(place.utc_offset_h - place.longitude_deg / 15) < 3


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("ashburn", "Ashburn-Sterling VA"),
        ("Northern Virginia", "Ashburn-Sterling VA"),
        ("são paulo", "Sao Paulo"),
        ("Dallas", "Dallas TX"),
        ("FRANKFURT", "Frankfurt"),
        ("new york", "New York-Newark"),
    ],
)
def test_places_by_the_names_people_use(asked, name):
    assert catalogue.climate_place(asked).name == name


def test_cloud_regions_point_to_grids_and_offers_to_devices():
    for region in catalogue.cloud_regions():
        assert catalogue.grid(region.grid).name == region.grid
        assert 1.0 < region.pue < 1.6
        assert 0.0 < region.wue_l_per_kwh < 2.0
        offers = catalogue.cloud_offers(region.provider, region.region)
        assert offers, region
        assert list(offers) == sorted(offers, key=lambda offer: (offer.price_usd_per_s, offer.instance))
        for offer in offers:
            assert catalogue.device(offer.device).name == offer.device
            assert offer.devices >= 1
            assert 0.05 < offer.price_usd_per_s * 3600 < 250
            assert offer.spot_usd_per_s is None or offer.spot_usd_per_s <= offer.price_usd_per_s


def test_egress_tiers_rise_in_volume_and_fall_in_price():
    for region in catalogue.cloud_regions():
        bounds = [bound for bound, _ in region.egress_usd_per_b]
        prices = [price for _, price in region.egress_usd_per_b]
        assert bounds == sorted(bounds)
        assert bounds[-1] == 1e30
        assert prices == sorted(prices, reverse=True)
    first = catalogue.cloud_region("aws", "eu-central-1").egress_usd_per_b[0]
    assert first == (10e12, pytest.approx(0.09e-9))


def test_a_region_without_its_own_list_says_so_and_carries_the_uplift():
    base = {offer.instance: offer for offer in catalogue.cloud_offers("aws", "us-east-1")}
    region = catalogue.cloud_region("aws", "eu-central-1")
    assert region.price_uplift > 1.1
    assert region.jurisdiction == "EU"
    for offer in catalogue.cloud_offers("AWS", "EU-Central-1"):
        expected = base[offer.instance].price_usd_per_s * region.price_uplift
        assert offer.price_usd_per_s == pytest.approx(expected)
        assert offer.lowest_confidence == "low"
        assert "us-east-1" in offer.source
        assert offer.region == "eu-central-1"


def test_a_region_with_its_own_list_is_not_marked_up():
    (offer,) = (
        each
        for each in catalogue.cloud_offers("azure", "germanywestcentral")
        if each.instance == "Standard_ND96isr_H200_v5"
    )
    fact = catalogue.constant("cloud_prices", "azure/Standard_ND96isr_H200_v5@germanywestcentral", "price_usd_per_s")
    assert offer.price_usd_per_s == fact.value
    assert offer.source == fact.source


@pytest.mark.parametrize(
    ("provider", "region", "hint"),
    [
        ("amazon", "eu-central-1", "provider"),
        ("aws", "eu-centrel-1", "aws/eu-central-1"),
        ("azure", "", "cloud_regions"),
    ],
)
def test_unknown_clouds_are_refused(provider, region, hint):
    with pytest.raises(InputError, match=hint):
        catalogue.cloud_offers(provider, region)


def test_architectures_have_the_fields_their_kind_needs():
    kinds = set()
    for name, fields in catalogue.architectures().items():
        kinds.add(fields["kind"])
        if fields["kind"] in ("transformer", "mixture"):
            assert fields["heads"] % fields["kv_heads"] == 0, name
            for key in ("layers", "hidden", "heads", "kv_heads", "head_dim", "ffn", "vocabulary", "context"):
                assert isinstance(fields[key], int), (name, key)
                assert fields[key] > 0
            assert all(isinstance(fields[key], bool) for key in ("gated", "tied", "causal"))
        else:
            assert fields["flops_per_sample"] > 0, name
            assert fields["bytes_per_sample"] > 0, name
        if fields["kind"] == "mixture":
            assert 0 < fields["top_k"] < fields["experts"], name
            assert fields["expert_ffn"] > 0
    assert kinds >= {
        "transformer",
        "mixture",
        "convnet",
        "recommender",
        "trees",
        "graph",
        "diffusion",
        "molecular",
    }


def test_architecture_fields_are_those_of_network():
    from twinloop.model.network import Network

    known = {field.name for field in dataclasses.fields(Network)}
    for name, fields in catalogue.architectures().items():
        assert set(fields) <= known
        network = Network(name=name, **fields)
        assert network.parameters is None or isinstance(network.parameters, float)


def test_an_architecture_is_handed_out_as_a_copy():
    first = catalogue.architecture("gpt3-175b")
    first["layers"] = 1
    assert catalogue.architecture("gpt3").get("layers") == 96


def _count(f: dict) -> float:
    """Weights of a decoder: attention, feed-forward, embeddings; norms and biases are below 0.1 %."""
    attention = f["layers"] * f["hidden"] * f["head_dim"] * 2 * (f["heads"] + f["kv_heads"])
    matrices = 3 if f["gated"] else 2
    dense = f["dense_layers"] if f["kind"] == "mixture" else f["layers"]
    feed = dense * matrices * f["hidden"] * f["ffn"]
    if f["kind"] == "mixture":
        experts = f["experts"] + f["shared_experts"]
        feed += (f["layers"] - dense) * f["hidden"] * (f["experts"] + matrices * f["expert_ffn"] * experts)
    return attention + feed + f["vocabulary"] * f["hidden"] * (1 if f["tied"] else 2)


COUNTED = [
    name
    for name, fields in catalogue.architectures().items()
    if fields["kind"] in ("transformer", "mixture") and fields["attention"] != "mla"
]


@pytest.mark.parametrize("name", COUNTED)
def test_published_parameter_counts_follow_from_the_fields(name):
    fields = catalogue.architecture(name)
    # 2.5 %: positions and pooling of the small encoders, counts rounded in the papers (gpt3-13b)
    assert _count(fields) == pytest.approx(fields["parameters"], rel=0.025)


def test_bands_are_wide_where_confidence_is_low_for_prices():
    for device in catalogue.devices():
        if device.price_usd is not None:
            fact = catalogue.constant("devices", device.name, "price_usd")
            assert fact.low < fact.value < fact.high


def test_compression_none_changes_nothing():
    for quantity in ("speedup", "memory_ratio", "energy_ratio"):
        assert catalogue.constant("compression", "dense", quantity).value == 1.0
    assert catalogue.constant("compression", "none", "accuracy_drop").value == 0.0
    assert math.isclose(catalogue.constant("compression", "fp8", "accuracy_drop").high, 0.005)


def test_spot_values_of_a_place_and_a_region():
    dallas = catalogue.climate_place("Dallas")
    assert (dallas.dry_bulb_c[0], dallas.dew_point_c[0]) == (8.4, 1.1)
    assert (dallas.dry_bulb_c[6], dallas.dew_point_c[6]) == (30.7, 21.0)
    assert (dallas.design_dry_bulb_c, dallas.design_wet_bulb_c) == (38.6, 25.9)
    aws = catalogue.cloud_region("aws", "us-east-1")
    assert (aws.pue, aws.wue_l_per_kwh) == (1.15, pytest.approx(0.15))
    fact = catalogue.constant("cloud_regions", "aws", "wue_m3_per_j")
    assert fact.value == pytest.approx(0.15e-3 / 3.6e6)


def test_a_contested_name_stays_with_the_first_row():
    from twinloop.catalogue.names import index

    assert index([("first", ("A 1",)), ("second", ("a-1", "B"))]) == {
        "a1": "first",
        "1 a": "first",
        "b": "second",
    }
