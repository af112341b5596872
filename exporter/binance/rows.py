"""The asset index as the exchange sends it: decoded JSON -> rows and rejects.

Source: GET /fapi/v1/assetIndex. Numbers arrive as strings of plain decimal digits, `time` as an
integer of milliseconds; a JSON number is taken for either.
"""

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeGuard

MAX_SYMBOL_LENGTH = 64

RejectReason = Literal["not_an_object", "bad_symbol", "bad_value", "duplicate"]
REJECT_REASONS: tuple[RejectReason, ...] = ("not_an_object", "bad_symbol", "bad_value", "duplicate")


@dataclass(frozen=True, slots=True)
class Row:
    """One asset's valuation; a field that the answer did not carry is None.

    Prices and rates are USD per unit of the asset, buffers are ratios in [0, 1), `time` is Unix
    time in seconds with its milliseconds.
    """

    symbol: str
    time: float | None = None
    index: float | None = None
    bid_rate: float | None = None
    ask_rate: float | None = None
    bid_buffer: float | None = None
    ask_buffer: float | None = None
    auto_exchange_bid_rate: float | None = None
    auto_exchange_ask_rate: float | None = None
    auto_exchange_bid_buffer: float | None = None
    auto_exchange_ask_buffer: float | None = None


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was refused whole: why, and a sentence for the log without the row's content."""

    reason: RejectReason
    detail: str


def parse_rows(document: object) -> tuple[list[Row], list[Reject]]:
    """Sort the answer's rows into usable and refused ones; never raises.

    Args:
        document: what the JSON decoder made of the answer: a list of rows, or one row.
    """
    rows: dict[str, Row] = {}
    rejects: list[Reject] = []
    items: Iterable[object] = document if isinstance(document, list) else [document]
    for item in items:
        parsed = _parse_row(item)
        if isinstance(parsed, Reject):
            rejects.append(parsed)
        elif parsed.symbol in rows:
            rejects.append(Reject("duplicate", f"{parsed.symbol} occurs more than once"))
        else:
            rows[parsed.symbol] = parsed
    return list(rows.values()), rejects


def valid_symbol(symbol: object) -> TypeGuard[str]:
    """Whether this may stand as the label value of a series."""
    return isinstance(symbol, str) and 0 < len(symbol) <= MAX_SYMBOL_LENGTH and symbol.isprintable()


def _parse_row(item: object) -> Row | Reject:
    if not isinstance(item, dict):
        return Reject("not_an_object", "a row is not a JSON object")
    symbol = item.get("symbol")
    if not valid_symbol(symbol):
        return Reject("bad_symbol", "symbol is not a printable string of 1 to 64 characters")
    values: dict[str, float] = {}
    for field, (attribute, parse, expected) in _FIELDS.items():
        if field in item:
            value = parse(item[field])
            if value is None:
                return Reject("bad_value", f"{symbol}: {field} is not {expected}")
            values[attribute] = value
    return Row(symbol, **values)


_DECIMAL = re.compile(r"[0-9]+(\.[0-9]+)?")


def _number(value: object) -> float | None:
    if isinstance(value, str):
        return float(value) if _DECIMAL.fullmatch(value) else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return None
    return None


def _positive(value: object) -> float | None:
    number = _number(value)
    return number if number is not None and 0 < number < math.inf else None


def _ratio(value: object) -> float | None:
    number = _number(value)
    # + 0.0 turns JSON's -0 into 0
    return number + 0.0 if number is not None and 0 <= number < 1 else None


def _seconds(value: object) -> float | None:
    milliseconds = _positive(value)
    # the least of floats becomes 0 in the division
    return _positive(milliseconds / 1000) if milliseconds is not None else None


_Parse = Callable[[Any], float | None]
_PRICE: tuple[_Parse, str] = (_positive, "a decimal above zero")
_BUFFER: tuple[_Parse, str] = (_ratio, "a decimal from 0 to below 1")

_FIELDS: dict[str, tuple[str, _Parse, str]] = {
    "time": ("time", _seconds, "a number of milliseconds above zero"),
    "index": ("index", *_PRICE),
    "bidRate": ("bid_rate", *_PRICE),
    "askRate": ("ask_rate", *_PRICE),
    "bidBuffer": ("bid_buffer", *_BUFFER),
    "askBuffer": ("ask_buffer", *_BUFFER),
    "autoExchangeBidRate": ("auto_exchange_bid_rate", *_PRICE),
    "autoExchangeAskRate": ("auto_exchange_ask_rate", *_PRICE),
    "autoExchangeBidBuffer": ("auto_exchange_bid_buffer", *_BUFFER),
    "autoExchangeAskBuffer": ("auto_exchange_ask_buffer", *_BUFFER),
}
