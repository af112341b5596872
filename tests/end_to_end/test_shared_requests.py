"""Several scrapers and several exporters: what they request of Binance together."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import pytest

from exporter.binance.gate import DEFAULT_WEIGHT_LIMIT
from exporter.binance.weights import ALL_SYMBOLS
from exporter.config.modules import ModuleSettings
from exporter.simulator.answers import Answer
from exporter.simulator.exchange import ASSET_INDEX, Exchange
from exporter.simulator.server import serve
from tests.end_to_end.conftest import module, running, until
from tests.end_to_end.monitoring import (
    Server,
    address,
    all_running,
    ask,
    exporter_at,
    prometheus_at,
    write,
)

CEILING = ModuleSettings().weight_ceiling_ratio * DEFAULT_WEIGHT_LIMIT


class CountedExchange(Exchange):
    """The simulator, which notes how requests were answered.

    Attributes:
        slow_by: Seconds to wait before each response.
        statuses: Of all responses.
        most_weight: The most that was used in a minute.
    """

    def __init__(self, slow_by: float = 0.0) -> None:
        super().__init__()
        self.slow_by = slow_by
        self.statuses: set[int] = set()
        self.most_weight = 0

    def answer(self, path: str, params: Any) -> Answer:
        answer = super().answer(path, params)
        self.statuses.add(answer.status)
        self.most_weight = max(self.most_weight, int(answer.headers["X-MBX-USED-WEIGHT-1M"]))
        return replace(answer, delay_seconds=self.slow_by)


@dataclass
class Stored:
    """What one Prometheus has stored.

    Attributes:
        fetches: By the time of each scrape: the fetch behind it.
        prices: By symbol and time.
    """

    fetches: dict[float, str]
    prices: dict[str, dict[float, str]]

    @classmethod
    def of(cls, prometheus: Server) -> "Stored":
        def samples(name: str) -> dict[str, dict[float, str]]:
            return {
                series["metric"].get("symbol", ""): dict(series["values"])
                for series in ask(prometheus.url, f"{name}[10m]")
            }

        (fetches,) = samples("binance_asset_index_fetch_timestamp_seconds").values()
        return cls(fetches, samples("binance_asset_index_price_usd"))

    def by_fetch(self) -> dict[str, dict[str, str]]:
        """The prices of each fetch."""
        return {
            fetch: {symbol: prices[time] for symbol, prices in self.prices.items()}
            for time, fetch in self.fetches.items()
        }


@dataclass
class TwoPrometheis:
    """An exporter's life: what was requested, and what two Prometheis stored of it."""

    exchange: CountedExchange
    stored: list[Stored]

    @property
    def requests(self) -> int:
        return self.exchange.requests[ASSET_INDEX, None]


EIGHT_GOOD_SCRAPES = (
    "count_over_time(up[8s]) >= 8 and on () min_over_time(binance_asset_index_up[8s]) == 1"
)


@pytest.fixture(scope="module")
def pair(
    tool: Callable[[str, str], str], tmp_path_factory: pytest.TempPathFactory
) -> TwoPrometheis:
    """Two Prometheis scrape one exporter each second, until it is killed."""
    folder = tmp_path_factory.mktemp("pair")
    # more than half of the interval, so that scrapes overlap whatever their offset
    exchange = CountedExchange(slow_by=0.55)
    with serve(exchange) as base_url:
        config = write(folder / "config.yaml", {"modules": {"default": module(base_url)}})
        exporter = exporter_at(address(), config)
        targets = [{"targets": [exporter.address]}]
        scraping = {"job_name": "binance_asset_index", "static_configs": targets}
        prometheis = [
            prometheus_at(
                address(),
                tool,
                folder / replica,
                {
                    "global": {
                        "scrape_interval": "1s",
                        "scrape_timeout": "1s",
                        "external_labels": {"replica": replica},
                    },
                    "scrape_configs": [scraping],
                },
            )
            for replica in ("a", "b")
        ]
        with all_running(exporter, *prometheis):
            until(lambda: all(ask(each.url, EIGHT_GOOD_SCRAPES) for each in prometheis))
            exporter.kill()
            until(lambda: all(ask(each.url, "up == 0") for each in prometheis))
            return TwoPrometheis(exchange, [Stored.of(each) for each in prometheis])


def test_scrapes_of_two_prometheis_that_overlap_are_one_request(pair: TwoPrometheis) -> None:
    one, other = (set(stored.fetches.values()) for stored in pair.stored)
    assert one & other
    assert pair.requests < sum(len(stored.fetches) for stored in pair.stored)


def test_every_request_arrives_in_a_prometheus(pair: TwoPrometheis) -> None:
    one, other = (set(stored.fetches.values()) for stored in pair.stored)
    in_flight_at_the_kill = 1
    assert 0 <= pair.requests - len(one | other) <= in_flight_at_the_kill


def test_both_prometheis_store_the_same_values_of_a_shared_fetch(pair: TwoPrometheis) -> None:
    one, other = (stored.by_fetch() for stored in pair.stored)
    for fetch in one.keys() & other.keys():
        assert one[fetch] == other[fetch]
        assert "BTCUSD" in one[fetch]


def test_two_prometheis_at_one_second_stay_below_the_ceiling(pair: TwoPrometheis) -> None:
    assert 0 < pair.exchange.most_weight < CEILING


def test_two_exporters_behind_one_address_stay_below_the_limit_together(config_file) -> None:
    """Their weight adds up; each reads in the responses what both have used."""
    exchange = CountedExchange()
    with (
        serve(exchange) as base_url,
        running(config_file(default=module(base_url))) as one,
        running(config_file(default=module(base_url))) as other,
        ThreadPoolExecutor(4) as scrapers,
    ):
        exporters = (one, other)

        def scrape_until_held() -> bool:
            pages = scrapers.map(lambda exporter: exporter.get("/metrics"), exporters * 8)
            assert all(page.ok for page in pages)
            held = 'binance_api_scrapes_held_total{reason="weight_ceiling"}'
            return all(exporter.sample(held) for exporter in exporters)

        until(scrape_until_held)
    assert exchange.statuses == {200}
    # each may send one request more before it reads what the other has used
    assert CEILING <= exchange.most_weight < CEILING + len(exporters) * ALL_SYMBOLS
