"""A real Prometheus scrapes the installed command."""

import contextlib
import subprocess
from collections.abc import Callable, Iterator

import pytest
import requests
import yaml

from tests.end_to_end.conftest import PATIENCE, free_port, module, running, until

FIELDS = {
    "index": "binance_asset_index_price_usd",
    "bidRate": "binance_asset_index_bid_rate_usd",
    "askRate": "binance_asset_index_ask_rate_usd",
    "bidBuffer": "binance_asset_index_bid_buffer_ratio",
    "askBuffer": "binance_asset_index_ask_buffer_ratio",
    "autoExchangeBidRate": "binance_asset_index_auto_exchange_bid_rate_usd",
    "autoExchangeAskRate": "binance_asset_index_auto_exchange_ask_rate_usd",
    "autoExchangeBidBuffer": "binance_asset_index_auto_exchange_bid_buffer_ratio",
    "autoExchangeAskBuffer": "binance_asset_index_auto_exchange_ask_buffer_ratio",
}

Query = Callable[[str], dict[str, float]]
"""Asks Prometheus; the values by symbol."""


@pytest.fixture
def prometheus(tool, tmp_path):
    """Runs a Prometheus on a target; gives the function that asks it."""
    binary = tool("prometheus", "prometheus")

    @contextlib.contextmanager
    def run(target: str) -> Iterator[Query]:
        scrape = {
            "job_name": "binance_asset_index",
            "scrape_interval": "1s",
            "scrape_timeout": "1s",
            "static_configs": [{"targets": [target.removeprefix("http://")]}],
        }
        config = tmp_path / "prometheus.yml"
        config.write_text(yaml.safe_dump({"scrape_configs": [scrape]}))
        url = f"http://127.0.0.1:{free_port()}"
        process = subprocess.Popen(
            [
                binary,
                f"--config.file={config}",
                f"--storage.tsdb.path={tmp_path / 'data'}",
                f"--web.listen-address={url.removeprefix('http://')}",
            ],
            stderr=subprocess.DEVNULL,
        )

        def query(expression: str) -> dict[str, float]:
            answer = requests.get(
                f"{url}/api/v1/query", {"query": expression}, timeout=PATIENCE
            ).json()
            return {
                each["metric"].get("symbol", ""): float(each["value"][1])
                for each in answer["data"]["result"]
            }

        try:
            yield query
        finally:
            process.terminate()
            process.wait(PATIENCE)

    return run


def test_prometheus_stores_the_exchanges_values_exactly(exchange, config_file, prometheus, clock):
    _, base_url = exchange("frozen")
    clock.ahead = 100  # from here on the index does not change for three minutes
    rows = requests.get(f"{base_url}/fapi/v1/assetIndex", timeout=PATIENCE).json()
    with (
        running(config_file(default=module(base_url))) as exporter,
        prometheus(exporter.url) as query,
    ):
        until(lambda: query("binance_asset_index_price_usd"))
        assert query("up") == {"": 1}
        for field, metric in FIELDS.items():
            assert query(metric) == {row["symbol"]: float(row[field]) for row in rows}
        times = query("binance_asset_index_update_timestamp_seconds")
        assert times == {row["symbol"]: row["time"] / 1000 for row in rows}


def test_a_delisted_symbol_is_stale_with_the_next_scrape(exchange, config_file, prometheus, clock):
    _, base_url = exchange("delisting")
    with (
        running(config_file(default=module(base_url))) as exporter,
        prometheus(exporter.url) as query,
    ):
        until(lambda: "FDUSDUSD" in query("binance_asset_index_price_usd"))
        clock.ahead = 190
        # Prometheus itself would look back for five minutes, far longer than until waits
        until(lambda: "FDUSDUSD" not in query("binance_asset_index_price_usd"))
        assert "BTCUSD" in query("binance_asset_index_price_usd")
        assert query("up") == {"": 1}


def test_values_are_stale_with_the_first_failed_fetch(exchange, config_file, prometheus, clock):
    _, base_url = exchange("outage")
    with (
        running(config_file(default=module(base_url))) as exporter,
        prometheus(exporter.url) as query,
    ):
        until(lambda: query("binance_asset_index_price_usd"))
        clock.ahead = 70
        until(lambda: query("binance_asset_index_up") == {"": 0})
        assert query("binance_asset_index_price_usd") == {}
        assert query("up") == {"": 1}


@pytest.mark.parametrize("path", ["/metrics", "/probe?symbol=BTCUSD"])
def test_promtool_finds_nothing_to_complain_about(tool, demo, path):
    promtool = tool("promtool", "prometheus")
    page = demo.get(path).content
    check = subprocess.run(
        [promtool, "check", "metrics"], input=page, capture_output=True, check=False
    )
    assert (check.returncode, check.stderr + check.stdout) == (0, b"")


def test_promtool_finds_nothing_to_complain_about_in_a_failed_page(tool, config_file):
    promtool = tool("promtool", "prometheus")
    with running(config_file(default=module(f"http://127.0.0.1:{free_port()}"))) as exporter:
        page = exporter.get("/metrics").content
    check = subprocess.run(
        [promtool, "check", "metrics"], input=page, capture_output=True, check=False
    )
    assert (check.returncode, check.stderr + check.stdout) == (0, b"")
