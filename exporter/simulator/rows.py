"""One row of the asset index, computed and rounded as Binance does."""

from decimal import ROUND_HALF_UP, Decimal

from exporter.simulator.assets import Buffers

_EIGHT_PLACES = Decimal("1E-8")

Row = dict[str, str | int]


def index_row(symbol: str, price: Decimal, buffers: Buffers, time_ms: int) -> Row:
    """Return the eleven fields of one symbol, in Binance's order.

    Args:
        symbol: Such as `BTCUSD`.
        price: USD per unit; the rates are computed from the rounded price.
        buffers: The haircuts, as fractions.
        time_ms: Unix time in milliseconds.
    """
    index = _rounded(price)
    return {
        "symbol": symbol,
        "time": time_ms,
        "index": _text(index),
        "bidBuffer": _text(buffers.bid),
        "askBuffer": _text(buffers.ask),
        "bidRate": _text(index * (1 - buffers.bid)),
        "askRate": _text(index * (1 + buffers.ask)),
        "autoExchangeBidBuffer": _text(buffers.auto_exchange_bid),
        "autoExchangeAskBuffer": _text(buffers.auto_exchange_ask),
        "autoExchangeBidRate": _text(index * (1 - buffers.auto_exchange_bid)),
        "autoExchangeAskRate": _text(index * (1 + buffers.auto_exchange_ask)),
    }


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(_EIGHT_PLACES, ROUND_HALF_UP)


def _text(value: Decimal) -> str:
    # str() would write a small value as 1E-8
    return format(_rounded(value), "f")
