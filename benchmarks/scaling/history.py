"""What the rules look back at, made without scraping.

What a rule costs depends on the samples within its ranges. A day of scrapes of 1,000 assets would
take longer to make than all that is measured, so each series has samples only where rules look.
"""

import functools
import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from exporter.history.load import add_blocks
from exporter.simulator.assets import ASSETS, Asset

JOB = "binance_asset_index"
_STEP, _POINT = 15, 300
"""Between scrapes, and between the points of the subqueries, in seconds."""
_HOUR = 3600
_DAY = 24 * _HOUR
_NOISE = 2e-4
_OF_PRICES = ((2 * _HOUR + 300, _STEP), (_DAY, _POINT))
_OF_HAIRCUTS = ((6 * _HOUR + 300, _STEP),)
_OF_SPREADS = ((_HOUR, _STEP), (_DAY, _POINT))
_OF_EVENTS = ((_HOUR, _STEP),)
_CLASSES = {"USDT": "reference", "LDUSDT": "yield", "RWUSD": "yield"}
_COINS = ("BTC", "BNB", "ETH")


class _Series(NamedTuple):
    name: str
    labels: dict[str, str]
    value: float
    noise: float
    spans: tuple[tuple[int, int], ...]
    """How far back, and in which steps."""


def load(folder: Path, assets: Sequence[Asset], instances: Sequence[str], end: int) -> None:
    """Fill a folder that no Prometheus uses, up to this Unix time."""
    end = end // _STEP * _STEP
    series = sorted(_series(assets, instances), key=attrgetter("name"))
    add_blocks(folder, _text(series, end))


def _text(series: Sequence[_Series], end: int) -> Iterator[str]:
    for name, family in groupby(series, attrgetter("name")):
        yield f"# TYPE {name} gauge\n"
        for each in family:
            yield from _lines(each, _moments(each.spans, end))
    yield "# EOF\n"


@functools.cache
def _moments(spans: tuple[tuple[int, int], ...], end: int) -> Sequence[int]:
    """The times of a series' samples, in order."""
    return sorted(
        {at for back, step in spans for at in range(end - back // step * step, end, step)}
    )


def _lines(series: _Series, moments: Iterable[int]) -> Iterator[str]:
    labels = ",".join(f'{name}="{value}"' for name, value in {"job": JOB, **series.labels}.items())
    head = f"{series.name}{{{labels}}}"
    if not series.noise:
        return (f"{head} {series.value} {at}\n" for at in moments)
    gauss = random.Random(head).gauss  # noqa: S311 - prices, no secret
    return (f"{head} {series.value * (1 + gauss(0, series.noise)):.8f} {at}\n" for at in moments)


def _series(assets: Sequence[Asset], instances: Sequence[str]) -> Iterator[_Series]:
    yield _Series("job:binance_asset_index_margin_list:bool", {}, 1, 0, _OF_HAIRCUTS)
    for asset in assets:
        symbol = {"symbol": asset.symbol}
        for instance in instances:
            labels = {"instance": instance, **symbol}
            yield _Series("binance_asset_index_price_usd", labels, asset.price, _NOISE, _OF_PRICES)
        if asset.threshold is not None:
            yield from _of_margin(asset, symbol)


def _of_margin(asset: Asset, symbol: dict[str, str]) -> Iterator[_Series]:
    prefix = "symbol:binance_asset_index"
    yield _Series(f"{prefix}_margin_asset:bool", symbol, 1, 0, _OF_HAIRCUTS)
    for name, haircut in asset.buffers._asdict().items():
        labels = {**symbol, "buffer": name}
        record = "symbol_buffer:binance_asset_index_haircut:ratio"
        yield _Series(record, labels, float(haircut), 0, _OF_HAIRCUTS)
    spread = float(asset.buffers.bid + asset.buffers.ask)
    yield _Series(f"{prefix}_haircut_spread:ratio", symbol, spread, 0, _OF_SPREADS)
    is_dollar = asset in ASSETS and asset.name not in _COINS
    kind = _CLASSES.get(asset.name, "stable") if is_dollar else "coin"
    yield _Series(f"{prefix}_class:info", {**symbol, "class": kind}, 1, 0, _OF_EVENTS)
    for span in ("5m", "1h"):
        yield _Series(f"{prefix}_price_usd:change{span}", symbol, 0.001, 0.5, _OF_EVENTS)
    if is_dollar:
        yield _Series(f"{prefix}_pegged:usd", symbol, asset.price, 0, _OF_EVENTS)
