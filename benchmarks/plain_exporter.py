"""A rival: the plain way to write this exporter in Python, without a line of ours.

python plain_exporter.py PORT BASE_URL
"""

import sys
import threading
from collections.abc import Iterator

import requests
from prometheus_client import REGISTRY, Metric, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

FIELDS = {
    "index": "price_usd",
    "bidRate": "bid_rate_usd",
    "askRate": "ask_rate_usd",
    "bidBuffer": "bid_buffer_ratio",
    "askBuffer": "ask_buffer_ratio",
    "autoExchangeBidRate": "auto_exchange_bid_rate_usd",
    "autoExchangeAskRate": "auto_exchange_ask_rate_usd",
    "autoExchangeBidBuffer": "auto_exchange_bid_buffer_ratio",
    "autoExchangeAskBuffer": "auto_exchange_ask_buffer_ratio",
}


class AssetIndex(Collector):
    """Fetches at each collection."""

    def __init__(self, base_url: str) -> None:
        self.url = f"{base_url}/fapi/v1/assetIndex"
        self.session = requests.Session()

    def describe(self) -> list[Metric]:
        """Fetch nothing when registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Fetch, and yield a gauge for each field."""
        rows = self.session.get(self.url, timeout=5).json()
        for field, name in FIELDS.items():
            family = GaugeMetricFamily(f"binance_{name}", f"API field {field}.", labels=["symbol"])
            for row in rows:
                family.add_metric([row["symbol"]], float(row[field]))
            yield family
        time = GaugeMetricFamily("binance_time_seconds", "API field time.", labels=["symbol"])
        for row in rows:
            time.add_metric([row["symbol"]], row["time"] / 1000)
        yield time


REGISTRY.register(AssetIndex(sys.argv[2]))
start_http_server(int(sys.argv[1]), "127.0.0.1")
threading.Event().wait()
