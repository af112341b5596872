"""Which stable assets have lost their peg, judged by prices and haircuts alone."""

from collections.abc import Iterable, Mapping
from statistics import median

from exporter.binance.rows import Row
from exporter.scrape.changes import BUFFERS, Buffer, HaircutChange

RULE = (
    "Depegged: the index is more than 1 % below the median of the dollar-like margin assets,"
    " those with haircuts of at most 2 % and an index from 0.50 to 1.50 USD"
)

_DISTANCE = 0.01
_HIGHEST_HAIRCUT = 0.02  # those of coins begin at 5 %
_LOWEST, _HIGHEST = 0.5, 1.5  # USD

Previous = Mapping[tuple[str, Buffer], HaircutChange]


def depegged(margin_rows: Iterable[Row], previous: Previous) -> dict[str, float]:
    """By symbol, how far the index is below the others', as a ratio above 0.

    No list of names, which would miss the next stable asset. Above the median are also the tokens
    that accrue interest, so only what is below counts.

    Args:
        margin_rows: The rows of margin assets.
        previous: The haircuts before their last change; one that was raised because of the depeg
            does not make the asset a coin.
    """
    prices = {
        row.symbol: row.index
        for row in margin_rows
        if row.index is not None
        and _LOWEST <= row.index <= _HIGHEST
        and 0 < _haircut(row, previous) <= _HIGHEST_HAIRCUT
    }
    if not prices:
        return {}
    middle = median(prices.values())
    below = {symbol: 1 - price / middle for symbol, price in prices.items()}
    return {symbol: distance for symbol, distance in below.items() if distance > _DISTANCE}


def _haircut(row: Row, previous: Previous) -> float:
    """The highest of the four, each as it is or was, whichever is lower."""
    return max(_lower(row, buffer, previous) for buffer in BUFFERS)


def _lower(row: Row, buffer: Buffer, previous: Previous) -> float:
    current: float = getattr(row, f"{buffer}_buffer") or 0.0
    change = previous.get((row.symbol, buffer))
    return min(current, change.old) if change else current
