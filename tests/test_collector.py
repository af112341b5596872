import pytest
from prometheus_client import CollectorRegistry, generate_latest

from exporter.binance.client import Client
from exporter.binance.gate import Gate
from exporter.collector import AssetIndexCollector
from exporter.config.modules import MarginAssetsSettings, ModuleSettings
from exporter.metrics.counters import ApiMetrics
from exporter.scrape.fetch import Fetcher
from exporter.scrape.margin_assets import MarginAssets
from exporter.scrape.outage_log import OutageLog

BASE_URL = "https://fapi.example"
INDEX_URL = f"{BASE_URL}/fapi/v1/assetIndex"
LIST = "asset_index_list_2024-06-28"


@pytest.fixture
def registry() -> CollectorRegistry:
    """A registry of its own with nothing but the collector."""
    metrics, off = ApiMetrics(CollectorRegistry()), MarginAssetsSettings(enabled=False)
    fetcher = Fetcher(
        Client(BASE_URL, Gate(), metrics),
        MarginAssets(),
        ModuleSettings(base_url=BASE_URL, margin_assets=off),
        observer=metrics,
        log=OutageLog("default"),
    )
    registry = CollectorRegistry()
    registry.register(AssetIndexCollector(fetcher, (), 5))
    return registry


def page(registry: CollectorRegistry) -> str:
    return generate_latest(registry).decode()


def test_registering_fetches_nothing(registry, requests_mock):
    assert requests_mock.call_count == 0


def test_each_collection_is_a_fetch(registry, requests_mock, capture):
    requests_mock.get(INDEX_URL, json=capture(LIST))
    page(registry)
    page(registry)
    assert requests_mock.call_count == 2


def test_a_symbol_that_the_exchange_dropped_is_gone_from_the_next_page(
    registry, requests_mock, capture
):
    rows = capture(LIST)
    requests_mock.get(INDEX_URL, [{"json": rows}, {"json": rows[:1]}])
    assert 'symbol="USDTUSD"' in page(registry)
    assert 'symbol="USDTUSD"' not in page(registry)


def test_a_missing_field_gives_no_series(registry, requests_mock):
    requests_mock.get(INDEX_URL, json=[{"symbol": "BTCUSD", "index": "1.5"}])
    samples = [line for line in page(registry).splitlines() if "BTCUSD" in line]
    assert samples == ['binance_asset_index_price_usd{symbol="BTCUSD"} 1.5']


def test_every_family_of_a_page_was_described(registry, requests_mock, capture):
    requests_mock.get(INDEX_URL, json=capture(LIST))
    described = set(registry._names_to_collectors)
    assert {family.name for family in registry.collect()} <= described


def test_it_is_made_from_settings_alone(requests_mock, capture):
    requests_mock.get(INDEX_URL, json=capture(LIST))
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
