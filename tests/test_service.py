import contextlib
import logging
import threading
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry

from exporter.config.file import ConfigError
from exporter.config.modules import ModuleSettings
from exporter.service import Service
from tests.raw_server import ok, raw_server, read_request
from tests.stand_ins import BASE_URL, Configuration, module


@pytest.fixture
def configuration() -> Configuration:
    return Configuration()


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def service(configuration, registry) -> Service:
    return Service(configuration.load, registry)


def test_modules_with_one_base_url_share_a_gate(service):
    assert service.modules["default"].gate is service.modules["btc"].gate


def test_modules_with_other_base_urls_do_not(configuration, service):
    configuration.modules(testnet=module("https://testnet.example"))
    service.reload()
    assert service.modules["default"].gate is not service.modules["testnet"].gate


def test_a_ban_is_not_forgotten_because_a_file_changed(configuration, service):
    service.modules["default"].gate.learn(418, {})
    configuration.modules(default=module(timeout="1s"))
    service.reload()
    assert service.modules["default"].gate.blocked_until > 0


def test_a_ban_outlives_even_a_base_url_that_went_and_came_back(configuration, service):
    service.modules["default"].gate.learn(418, {})
    first = configuration.settings
    configuration.modules(default=module("https://testnet.example"))
    service.reload()
    configuration.settings = first
    service.reload()
    assert service.modules["default"].gate.blocked_until > 0


def test_a_module_that_did_not_change_is_kept(configuration, service):
    before = dict(service.modules)
    configuration.modules(btc=module(symbols=["ETHUSD"]))
    service.reload()
    assert service.modules["default"] is before["default"]
    assert service.modules["btc"] is not before["btc"]


def scrape(service, name="default"):
    return service.modules[name].fetcher.begin(service.modules[name].settings.symbols).wait(5)


@pytest.fixture
def binance(requests_mock):
    """Answers with one asset; says how often exchangeInfo was asked for."""
    row = {"symbol": "BTCUSD", "index": "61475.02720330"}
    single = f"{BASE_URL}/fapi/v1/assetIndex?symbol=BTCUSD"
    requests_mock.get(f"{BASE_URL}/fapi/v1/assetIndex", json=[row])
    requests_mock.get(single, json=row)
    asset = {"asset": "BTC", "marginAvailable": True, "autoAssetExchange": "-0.1"}
    info = requests_mock.get(f"{BASE_URL}/fapi/v1/exchangeInfo", json={"assets": [asset]})
    return SimpleNamespace(info=info, mock=requests_mock)


def with_margin(service, name="default"):
    """Scrape until the refresh in the background has brought the margin assets."""
    while not (margin := scrape(service, name).margin_assets):
        threading.Event().wait(0.01)
    return margin


def test_modules_of_one_base_url_fetch_the_margin_assets_once(configuration, service, binance):
    options = [{"timeout": f"{second}s"} for second in range(1, 7)]
    configuration.modules(
        **{f"m{n}": ModuleSettings(base_url=BASE_URL, **each) for n, each in enumerate(options)}
    )
    service.reload()
    for number in range(6):
        assert with_margin(service, f"m{number}")
    assert binance.info.call_count == 1


@pytest.mark.parametrize(
    "changed",
    [{"weight_ceiling_ratio": 0.7}, {"proxy_url": "http://proxy.example"}, {"timeout": "1s"}],
)
def test_a_module_that_changed_keeps_its_margin_assets(configuration, service, binance, changed):
    configuration.modules(default=ModuleSettings(base_url=BASE_URL))
    service.reload()
    with_margin(service)
    configuration.modules(default=ModuleSettings(base_url=BASE_URL, **changed))
    service.reload()
    assert scrape(service).margin_assets
    assert binance.info.call_count == 1


def test_a_module_that_changed_does_not_report_an_outage_twice(
    configuration, service, requests_mock, caplog
):
    requests_mock.get(f"{BASE_URL}/fapi/v1/assetIndex", status_code=503)
    for timeout in ("1s", "2s"):
        configuration.modules(default=module(timeout=timeout))
        service.reload()
        scrape(service)
    assert [each.msg for each in caplog.records] == ["fetch failed"]


@contextlib.contextmanager
def proxy():
    """A proxy that answers itself; gives its URL, and what is set when a connection closes."""
    closed = threading.Event()

    def script(connection):
        while read_request(connection):
            connection.sendall(ok(b'[{"symbol":"BTCUSD","index":"1"}]'))
        closed.set()

    with raw_server(script) as url:
        yield url, closed


def test_connections_through_a_proxy_that_no_module_names_are_closed(configuration, service):
    with proxy() as (old, old_closed), proxy() as (new, new_closed):
        for url in (old, new):
            configuration.modules(proxied=module("http://fapi.example", proxy_url=url))
            service.reload()
            assert scrape(service, "proxied").error is None
        assert old_closed.wait(5)
        assert not new_closed.is_set()


def test_a_reload_swaps_the_modules_whole(configuration, service):
    before = service.modules
    configuration.modules(new=module())
    service.reload()
    assert set(before) == {"default", "btc"}
    assert set(service.modules) == {"default", "new"}


def test_a_refused_configuration_changes_nothing_and_is_logged(
    configuration, service, registry, tmp_path, caplog
):
    before = service.modules
    configuration.refused = ConfigError(tmp_path / "config.yaml", [])
    with pytest.raises(ConfigError):
        service.reload()
    assert service.modules is before
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    name = "binance_asset_index_exporter_config_last_reload_successful"
    assert registry.get_sample_value(name) == 0
    configuration.refused = None
    service.reload()
    assert registry.get_sample_value(name) == 1


def test_a_refused_file_is_shown_until_that_file_is_accepted(service, registry):
    service.config_metrics.note("web config", accepted=False)
    service.reload()
    name = "binance_asset_index_exporter_config_last_reload_successful"
    assert registry.get_sample_value(name) == 0
    service.config_metrics.note("web config", accepted=True)
    assert registry.get_sample_value(name) == 1


def test_the_ban_of_an_exchange_that_nobody_asks_any_more_is_not_shown(
    configuration, service, registry
):
    service.modules["default"].gate.learn(418, {})
    configuration.modules(default=module("https://testnet.example"))
    service.reload()
    assert registry.get_sample_value("binance_api_blocked_until_timestamp_seconds") == 0


def test_the_fullest_gate_is_the_one_shown(configuration, service, registry):
    configuration.modules(testnet=module("https://testnet.example"))
    service.reload()
    service.modules["default"].gate.learn(200, {"X-MBX-USED-WEIGHT-1M": "100"})
    service.modules["testnet"].gate.weight_limit = 6000
    service.modules["testnet"].gate.learn(200, {"X-MBX-USED-WEIGHT-1M": "1200"})
    assert registry.get_sample_value("binance_api_used_weight") == 1200
    assert registry.get_sample_value("binance_api_weight_limit") == 6000


REASONS = [
    "timeout",
    "connection",
    "http_4xx",
    "http_5xx",
    "rate_limited",
    "banned",
    "restricted_location",
    "invalid_symbol",
    "api_error",
    "bad_payload",
    "too_large",
]


def test_every_label_value_is_there_from_the_start(service, registry):
    value = registry.get_sample_value
    for endpoint in ("assetIndex", "exchangeInfo"):
        labels = {"endpoint": endpoint}
        assert value("binance_api_requests_total", labels) == 0
        assert value("binance_api_request_duration_seconds_count", labels) == 0
        for reason in REASONS:
            failure = labels | {"reason": reason}
            assert value("binance_api_request_failures_total", failure) == 0
    for reason in ("blocked", "weight_ceiling"):
        assert value("binance_api_scrapes_held_total", {"reason": reason}) == 0
    for reason in ("not_an_object", "bad_symbol", "bad_value", "duplicate"):
        assert value("binance_api_rejected_rows_total", {"reason": reason}) == 0
    assert value("binance_api_weight_limit") == 2400
    assert value("binance_api_blocked_until_timestamp_seconds") == 0
