"""The asset index as Binance sends it: decoded JSON -> rows and rejects.

Source: GET /fapi/v1/assetIndex. Numbers arrive as strings of plain decimal digits, `time` as an
integer of milliseconds; a JSON number is taken for either.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeGuard

MAX_SYMBOL_LENGTH = 64

RejectReason = Literal["not_an_object", "bad_symbol", "bad_value", "duplicate"]
REJECT_REASONS: tuple[RejectReason, ...] = ("not_an_object", "bad_symbol", "bad_value", "duplicate")


@dataclass(slots=True)  # a frozen one takes six times as long to make
class Row:
    """One asset's valuation; a field that the response lacks is None.

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
    """Sort the rows of a response into usable and refused ones; never raises.

    Args:
        document: The decoded JSON: a list of rows, or one row.
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
    values: list[float | None] = []
    for field, (least, below, divisor, expected) in _FIELDS:
        if field not in item:
            values.append(None)
            continue
        value = item[field]
        if isinstance(value, str):
            number = float(value) if _is_decimal(value) else math.nan
        else:
            number = _float(value)
        number = number / divisor + 0.0  # + 0.0 turns JSON's -0 into 0
        if not least <= number < below:  # NaN is in no range
            return Reject("bad_value", f"{symbol}: {field} is not {expected}")
        values.append(number)
    return Row(symbol, *values)


def _float(value: object) -> float:
    """A JSON number; NaN for anything else."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return math.nan
    return math.nan


class _Range(NamedTuple):
    """The numbers that a field may hold, once divided."""

    least: float
    below: float
    divisor: float
    expected: str
    """For the log."""


_is_decimal = re.compile(r"[0-9]+(?:\.[0-9]+)?").fullmatch
_ABOVE_ZERO = math.ulp(0.0)

_TIME = _Range(_ABOVE_ZERO, math.inf, 1000.0, "a number of milliseconds above zero")
_PRICE = _Range(_ABOVE_ZERO, math.inf, 1.0, "a decimal above zero")
_BUFFER = _Range(0.0, 1.0, 1.0, "a decimal from 0 to below 1")

_FIELDS = (
    ("time", _TIME),
    ("index", _PRICE),
    ("bidRate", _PRICE),
    ("askRate", _PRICE),
    ("bidBuffer", _BUFFER),
    ("askBuffer", _BUFFER),
    ("autoExchangeBidRate", _PRICE),
    ("autoExchangeAskRate", _PRICE),
    ("autoExchangeBidBuffer", _BUFFER),
    ("autoExchangeAskBuffer", _BUFFER),
)
"""The API's names, in the order of the attributes of `Row`."""
