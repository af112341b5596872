"""What must hold for each page, whatever the exchange has played."""

import re
from collections import defaultdict
from collections.abc import Iterator

from exporter.binance.rows import Row
from exporter.metrics import catalogue
from exporter.simulator.assets import ASSETS
from tests.soak.exchange import FaultyExchange, Sent

SLACK = 0.05
"""Seconds for the clock's own steps."""

LONGEST_FETCH = 3.0
"""Seconds, more than any timeout of the soak's modules: how old a shared fetch's answer may be."""

_SERIES = re.compile(r'^(\w+)(?:\{symbol="([^"]+)"\})? (\S+)$', re.MULTILINE)
_INDEX = {spec.name: attribute for attribute, spec in catalogue.INDEX.items()}
_THRESHOLDS = {each.symbol: float(each.threshold) for each in ASSETS if each.threshold is not None}
_MARGIN = {
    catalogue.MARGIN_AVAILABLE.name: dict.fromkeys(_THRESHOLDS, 1.0),
    catalogue.AUTO_EXCHANGE_THRESHOLD.name: _THRESHOLDS,
}
_FIELDS = {
    "index": "index",
    "bidRate": "bid_rate",
    "askRate": "ask_rate",
    "bidBuffer": "bid_buffer",
    "askBuffer": "ask_buffer",
    "autoExchangeBidRate": "auto_exchange_bid_rate",
    "autoExchangeAskRate": "auto_exchange_ask_rate",
    "autoExchangeBidBuffer": "auto_exchange_bid_buffer",
    "autoExchangeAskBuffer": "auto_exchange_ask_buffer",
}


def is_up(page: str) -> bool:
    """Whether the page has values."""
    return f"\n{catalogue.UP.name} 1" in page


def faults_of(
    page: str, begun_at: float, ended_at: float, exchanges: list[FaultyExchange]
) -> Iterator[str]:
    """Each thing that is wrong with a page, as a sentence.

    Args:
        page: in the text format.
        begun_at: Unix time at which it was asked for.
        ended_at: Unix time at which it was there.
        exchanges: those that its values may come from.
    """
    own: dict[str, float] = {}
    rows: dict[str, dict[str, float]] = defaultdict(dict)
    for name, symbol, value in _SERIES.findall(page):
        if name in _INDEX:
            rows[symbol][_INDEX[name]] = float(value)
        elif name in _MARGIN:
            if not is_up(page) or float(value) != _MARGIN[name].get(symbol):
                yield f"{name} of {symbol} as {value}, up {is_up(page)}"
        elif not symbol:
            own[name] = float(value)
    if own.get(catalogue.SCRAPE_SYMBOLS.name) != len(rows):
        yield f"{len(rows)} symbols, counted as {own.get(catalogue.SCRAPE_SYMBOLS.name)}"
    finished_at = own.get(catalogue.FETCH_TIMESTAMP.name, 0.0)
    if not begun_at - SLACK <= finished_at <= ended_at + SLACK:
        yield f"a fetch of {finished_at} for a scrape from {begun_at} to {ended_at}"
    if own.get(catalogue.UP.name) != bool(rows):
        yield f"up {own.get(catalogue.UP.name)} with {len(rows)} symbols"
    for symbol, row in rows.items():
        time_ms = round(row.pop("time", 0) * 1000)
        sent = [each for exchange in exchanges for each in exchange.sent(symbol, time_ms)]
        held = [t for t in sent if t.first <= ended_at and t.last >= begun_at - LONGEST_FETCH]
        if not any(_values(each) == row for each in held):
            yield f"{symbol} at {time_ms} as {row}: the exchange sent {held or 'nothing of it'}"


def _values(sent: Sent) -> dict[str, float]:
    return {name: float(sent.row[field]) for field, name in _FIELDS.items() if field in sent.row}


assert set(_FIELDS.values()) | {"symbol", "time"} == set(Row.__slots__)
