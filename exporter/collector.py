"""A scrape: a fetch turned into metric families."""

import time
from collections.abc import Iterable, Iterator, Sequence

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from exporter.metrics import catalogue
from exporter.scrape.fetch import Fetch, Fetcher

_SCRAPE = (
    catalogue.UP,
    catalogue.SCRAPE_DURATION,
    catalogue.SCRAPE_SYMBOLS,
    catalogue.SCRAPE_REJECTED_ROWS,
    catalogue.FETCH_TIMESTAMP,
)


class AssetIndexCollector(Collector):
    """The asset index, fetched anew at each collection.

    It may be registered in any registry, which fetches nothing. A failed fetch yields
    `binance_asset_index_up 0` and no index series::

        # HELP binance_asset_index_price_usd Index price of one unit of the asset (API field index).
        # TYPE binance_asset_index_price_usd gauge
        binance_asset_index_price_usd{symbol="BTCUSD"} 61475.0272033

    Args:
        fetcher: fetches, and shares a fetch among collections that overlap.
        symbols: as the exchange spells them; none for every asset.
        timeout: seconds until a collection gives up.
    """

    def __init__(self, fetcher: Fetcher, symbols: Sequence[str], timeout: float) -> None:
        self._fetcher = fetcher
        self._symbols = symbols
        self._timeout = timeout

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Name the families without a fetch."""
        margin = (catalogue.MARGIN_AVAILABLE, catalogue.AUTO_EXCHANGE_THRESHOLD)
        for spec in (*catalogue.INDEX.values(), *margin, *_SCRAPE):
            yield _family(spec)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Fetch, and yield the families of the page."""
        begun_at = time.monotonic()
        fetch = self._fetcher.begin(self._symbols, self._timeout).wait(self._timeout)
        yield from index_families(fetch)
        yield from scrape_families(fetch, time.monotonic() - begun_at)


def index_families(fetch: Fetch) -> Iterator[GaugeMetricFamily]:
    """The exchange's data; a field that a row lacks gives no series."""
    for attribute, spec in catalogue.INDEX.items():
        yield from _by_symbol(spec, ((row.symbol, getattr(row, attribute)) for row in fetch.rows))
    margin = fetch.margin_assets.items() if fetch.error is None else ()
    yield from _by_symbol(
        catalogue.MARGIN_AVAILABLE, ((symbol, asset.available) for symbol, asset in margin)
    )
    yield from _by_symbol(
        catalogue.AUTO_EXCHANGE_THRESHOLD,
        ((symbol, asset.auto_exchange_threshold) for symbol, asset in margin),
    )


def scrape_families(fetch: Fetch, duration: float) -> Iterator[GaugeMetricFamily]:
    """The scrape itself; `duration` in seconds."""
    values = (
        fetch.error is None,
        duration,
        len(fetch.rows),
        len(fetch.rejects),
        fetch.finished_at,
    )
    for spec, value in zip(_SCRAPE, values, strict=True):
        yield _family(spec, value)


def _by_symbol(
    spec: catalogue.Spec, values: Iterable[tuple[str, float | None]]
) -> Iterator[GaugeMetricFamily]:
    family = _family(spec)
    for symbol, value in values:
        if value is not None:
            family.add_metric((symbol,), value)
    if family.samples:
        yield family


def _family(spec: catalogue.Spec, value: float | None = None) -> GaugeMetricFamily:
    return GaugeMetricFamily(
        spec.name, spec.help, value=value, labels=spec.labels or None, unit=spec.unit
    )
