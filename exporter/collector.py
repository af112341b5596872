"""A scrape: a fetch turned into metric families."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Self

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from exporter.config.modules import ModuleSettings
from exporter.metrics import catalogue
from exporter.metrics.counters import ApiMetrics
from exporter.scrape.fetch import Fetcher
from exporter.scrape.flight import Fetch
from exporter.scrape.outage_log import OutageLog
from exporter.scrape.state import Watch
from exporter.scrape.upstream import Upstream

_SCRAPE = (
    catalogue.UP,
    catalogue.SCRAPE_SYMBOLS,
    catalogue.SCRAPE_REJECTED_ROWS,
    catalogue.FETCH_TIMESTAMP,
    catalogue.SCRAPE_DURATION,  # last: all before it is the same for those who share a fetch
)


@dataclass(frozen=True)
class Table:
    """Gauges by symbol: in each column a value for each symbol, or None for no series."""

    symbols: Sequence[str]
    columns: Sequence[tuple[catalogue.Spec, Sequence[float | None]]]


class AssetIndexCollector(Collector):
    """The asset index, fetched anew at each collection.

    It may be registered in any registry, which fetches nothing. A failed fetch yields
    `binance_asset_index_up 0` and no index series::

        # HELP binance_asset_index_price_usd Index price of one unit of the asset (API field index).
        # TYPE binance_asset_index_price_usd gauge
        binance_asset_index_price_usd{symbol="BTCUSD"} 61475.0272033

    Args:
        fetcher: Fetches, and shares a fetch among collections that overlap.
        symbols: As Binance spells them; none for every asset.
        timeout: Seconds until a collection gives up.
    """

    def __init__(self, fetcher: Fetcher, symbols: Sequence[str], timeout: float) -> None:
        self._fetcher = fetcher
        self._symbols = symbols
        self._timeout = timeout

    @classmethod
    def from_settings(cls, settings: ModuleSettings | None = None) -> Self:
        """Make a collector that needs nothing else.

        Args:
            settings: What to fetch and how; by default every asset, from Binance.
        """
        settings = settings or ModuleSettings()
        # counters of its own, as a registry takes one set only
        upstream = Upstream(settings.base_url, ApiMetrics(CollectorRegistry()))
        watch = Watch(settings.symbols, upstream.changes)
        fetcher = upstream.fetcher(settings, OutageLog("collector"), watch)
        return cls(fetcher, settings.symbols, settings.timeout)

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Name the families without a fetch."""
        margin = (catalogue.MARGIN_AVAILABLE, catalogue.AUTO_EXCHANGE_THRESHOLD)
        for spec in (*catalogue.INDEX.values(), *margin, *_SCRAPE):
            yield _family(spec)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Fetch, and yield the families of the page."""
        begun_at = time.monotonic()
        fetch = self._fetcher.begin(self._symbols).wait(self._timeout)
        yield from index_families(fetch)
        yield from scrape_families(fetch, time.monotonic() - begun_at)


def index_tables(fetch: Fetch) -> Iterator[Table]:
    """Binance's data."""
    rows = fetch.rows
    yield Table(
        [row.symbol for row in rows],
        [(spec, [*map(attrgetter(name), rows)]) for name, spec in catalogue.INDEX.items()],
    )
    margin = fetch.margin_assets if fetch.error is None else {}
    assets = margin.values()
    yield Table(
        [*margin],
        [
            (catalogue.MARGIN_AVAILABLE, [asset.available for asset in assets]),
            (
                catalogue.AUTO_EXCHANGE_THRESHOLD,
                [asset.auto_exchange_threshold for asset in assets],
            ),
        ],
    )


def scrape_gauges(fetch: Fetch, duration: float) -> Iterator[tuple[catalogue.Spec, float]]:
    """The scrape itself; `duration` in seconds."""
    values = (
        fetch.error is None,
        len(fetch.rows),
        len(fetch.rejects),
        fetch.finished_at,
        duration,
    )
    return zip(_SCRAPE, values, strict=True)


def index_families(fetch: Fetch) -> Iterator[GaugeMetricFamily]:
    """Binance's data; a field that no row has gives no family."""
    for table in index_tables(fetch):
        for spec, column in table.columns:
            family = _family(spec)
            for symbol, value in zip(table.symbols, column, strict=True):
                if value is not None:
                    family.add_metric((symbol,), value)
            if family.samples:
                yield family


def scrape_families(fetch: Fetch, duration: float) -> Iterator[GaugeMetricFamily]:
    """The scrape itself; `duration` in seconds."""
    return (_family(spec, value) for spec, value in scrape_gauges(fetch, duration))


def _family(spec: catalogue.Spec, value: float | None = None) -> GaugeMetricFamily:
    return GaugeMetricFamily(
        spec.name, spec.help, value=value, labels=spec.labels or None, unit=spec.unit
    )
