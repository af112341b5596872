import pytest
from prometheus_client import CollectorRegistry, generate_latest

from exporter.binance.client import Client
from exporter.binance.gate import Gate
from exporter.collector import AssetIndexCollector
from exporter.config.modules import MarginAssetsSettings, ModuleSettings
from exporter.metrics import catalogue
from exporter.metrics.counters import ApiMetrics
from exporter.scrape.fetch import Fetcher
from exporter.scrape.margin_assets import MarginAssets
from exporter.scrape.outage_log import OutageLog

BASE_URL = "https://fapi.example"
INDEX_URL = f"{BASE_URL}/fapi/v1/assetIndex"
LISTS = ("asset_index_list_2024-06-28", "asset_index_list_2026-07-20_coin_m_rows")


@pytest.fixture
def registry() -> CollectorRegistry:
    """A registry of its own with nothing but the collector, on a clock that does not move."""
    metrics, off = ApiMetrics(CollectorRegistry()), MarginAssetsSettings(enabled=False)
    fetcher = Fetcher(
        Client(BASE_URL, Gate(), metrics),
        MarginAssets(),
        ModuleSettings(base_url=BASE_URL, margin_assets=off),
        observer=metrics,
        log=OutageLog("default"),
        unix_time=lambda: 1784571968.0,
    )
    registry = CollectorRegistry()
    registry.register(AssetIndexCollector(fetcher, (), 5))
    return registry


def page(registry: CollectorRegistry) -> str:
    """The exposition without the one line that differs from run to run."""
    lines = generate_latest(registry).decode().splitlines(keepends=True)
    return "".join(each for each in lines if not each.startswith(catalogue.SCRAPE_DURATION.name))


@pytest.mark.parametrize("name", LISTS)
def test_a_capture_gives_its_golden_page(registry, requests_mock, testdata, golden, name):
    body = (testdata / "captures" / f"{name}.json").read_bytes()
    requests_mock.get(INDEX_URL, content=body)
    golden(f"{name}.prom", page(registry))


def test_a_failed_fetch_gives_its_golden_page(registry, requests_mock, golden):
    requests_mock.get(INDEX_URL, status_code=503)
    golden("failed_fetch.prom", page(registry))


def test_registering_fetches_nothing(registry, requests_mock):
    assert requests_mock.call_count == 0


def test_each_collection_is_a_fetch(registry, requests_mock, capture):
    requests_mock.get(INDEX_URL, json=capture(LISTS[0]))
    page(registry)
    page(registry)
    assert requests_mock.call_count == 2


def test_a_symbol_that_the_exchange_dropped_is_gone_from_the_next_page(
    registry, requests_mock, capture
):
    rows = capture(LISTS[0])
    requests_mock.get(INDEX_URL, [{"json": rows}, {"json": rows[:1]}])
    assert 'symbol="USDTUSD"' in page(registry)
    assert 'symbol="USDTUSD"' not in page(registry)


def test_a_missing_field_gives_no_series(registry, requests_mock):
    requests_mock.get(INDEX_URL, json=[{"symbol": "BTCUSD", "index": "1.5"}])
    samples = [line for line in page(registry).splitlines() if "BTCUSD" in line]
    assert samples == ['binance_asset_index_price_usd{symbol="BTCUSD"} 1.5']


def test_every_family_of_a_page_was_described(registry, requests_mock, capture):
    requests_mock.get(INDEX_URL, json=capture(LISTS[0]))
    described = set(registry._names_to_collectors)
    assert {family.name for family in registry.collect()} <= described


def test_it_is_made_from_settings_alone(requests_mock, capture):
    requests_mock.get(INDEX_URL, json=capture(LISTS[0]))
    settings = ModuleSettings(
        base_url=BASE_URL,
        symbols=("BTCUSD", *(f"S{number}USD" for number in range(9))),
        margin_assets=MarginAssetsSettings(enabled=False),
    )
    registry = CollectorRegistry()
    registry.register(AssetIndexCollector.from_settings(settings))
    samples = [line for line in page(registry).splitlines() if 'symbol="' in line]
    assert samples
    assert all('symbol="BTCUSD"' in line for line in samples)
