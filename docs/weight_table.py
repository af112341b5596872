"""The table of request weight in docs/scaling.md; the rest of the page is kept."""

import re
from collections.abc import Iterator
from pathlib import Path

from docs.alert_tables import alerts
from exporter.binance.gate import DEFAULT_WEIGHT_LIMIT
from exporter.binance.weights import ALL_FROM, ALL_SYMBOLS, ONE_SYMBOL
from exporter.config import duration
from exporter.config.modules import ModuleSettings

PAGE = Path(__file__).parent / "scaling.md"
BEGIN = "<!-- make docs writes from here -->\n"
END = "<!-- to here -->\n"

SCRAPERS = (1, 2, 4, 10)
INTERVALS = (1, 5, 15, 60)
"""Seconds between two scrapes of one scraper."""

REUSED = 0.8
"""`min_interval` by the scrape interval: below 1, so that no scraper gets its last page again."""

HOUR = 3600
LIMIT = DEFAULT_WEIGHT_LIMIT * 60
"""Weight an hour."""

CEILING: float = ModuleSettings.model_fields["weight_ceiling_ratio"].default
MOST_SYMBOLS = ALL_FROM - 1
MODES = {
    "all assets": ALL_SYMBOLS,
    f"{MOST_SYMBOLS} symbols": MOST_SYMBOLS * ONE_SYMBOL,
    "1 symbol": ONE_SYMBOL,
}
"""The weight of one fetch."""


def weight(scrapers: int, interval: float, of_one_fetch: int, min_interval: float = 0) -> float:
    """Weight an hour, at most: no scrape shares a fetch but by `min_interval`."""
    fetches = scrapers * HOUR / interval
    return of_one_fetch * (min(fetches, HOUR / min_interval) if min_interval else fetches)


def page() -> str:
    """The page as it should be."""
    head, begin, rest = PAGE.read_text().partition(BEGIN)
    _, end, tail = rest.partition(END)
    return head + begin + "\n" + "\n".join(_lines()) + "\n\n" + end + tail


def _lines() -> Iterator[str]:
    minute, hour = f"{DEFAULT_WEIGHT_LIMIT:,}", f"{LIMIT:,}"
    yield f"Binance allows each IP address a weight of {minute} a minute, which is {hour} an hour."
    yield f"The exporter stops at {CEILING:.0%} of it. Weight an hour, and its share of the limit:"
    yield ""
    yield f"| scrapers | interval | {' | '.join(MODES)} | all assets, with `min_interval` |"
    yield f"| --: | --: |{' --: |' * len(MODES)} --: |"
    for scrapers in SCRAPERS:
        for interval in INTERVALS:
            reused = REUSED * interval
            costs = [_cell(weight(scrapers, interval, each)) for each in MODES.values()]
            costs.append(_cell(weight(scrapers, interval, ALL_SYMBOLS, reused)))
            costs[-1] += f", `{duration.render(reused)}`"
            yield f"| {scrapers} | {interval} s | {' | '.join(costs)} |"
    yield ""
    yield (
        "**held**: over the ceiling, so some scrapes have `binance_asset_index_up 0`."
        f" *alert*: from {_alert_at():.0%} on, `BinanceApiWeightHigh` fires."
    )
    room = (DEFAULT_WEIGHT_LIMIT - round(CEILING * DEFAULT_WEIGHT_LIMIT)) // ALL_SYMBOLS
    yield (
        f"Between the ceiling and the limit there is room for {room} requests of weight"
        f" {ALL_SYMBOLS}, for exporters that have not yet read what the others used."
    )


def _cell(weight: float) -> str:
    share = weight / LIMIT
    text = f"{weight:,.0f} ({share:.1%})"
    if share >= CEILING:
        return f"{text} **held**"
    return f"{text} *alert*" if share >= _alert_at() else text


def _alert_at() -> float:
    """The share at which the lower of the two alerts fires."""
    found = [
        re.search(r">= ([\d.]+)$", rule["expr"])
        for rule in alerts()
        if rule["alert"] == "BinanceApiWeightHigh"
    ]
    return min(float(match[1]) for match in found if match)
