"""What a response means: bytes in, rows or margin assets or a typed error out."""

import json
from http import HTTPStatus
from typing import Any

from exporter.binance import errors
from exporter.binance.exchange_info import ExchangeInfo, parse_exchange_info
from exporter.binance.rows import Reject, Row, parse_rows

SMALL_BODY = 65536
"""Bytes, far more than one row or an error's message takes."""

_INVALID_SYMBOL = -1121
_MOST_ROWS = 2000  # a page of them is rendered in a third of a second
# The commas of a body bound what decoding it may cost: 32 MiB of `{},{},...` would be more than a
# gigabyte of objects and half a minute of CPU.
_INDEX_VALUES = 50_000
_INFO_VALUES = 400_000  # some four times what Binance sends


def asset_index(body: bytearray, symbol: str | None) -> tuple[list[Row], list[Reject]]:
    """The rows of a 200 from assetIndex, all of them or one symbol's.

    Raises:
        ErrorCode: It is an error object.
        BadPayload: It is not JSON of the documented shape, or has no usable row.
    """
    _check_values(body, _INDEX_VALUES)
    document = _decode(body)
    if isinstance(document, dict) and "code" in document and "symbol" not in document:
        raise errors.ErrorCode("200 with an error object")
    if not document or not isinstance(document, list if symbol is None else dict):
        expected = "a list of rows" if symbol is None else "one row"
        raise errors.BadPayload(f"the body is not {expected}")
    if symbol is None and len(document) > _MOST_ROWS:
        raise errors.BadPayload(f"the body holds more rows than {_MOST_ROWS}")
    rows, rejects = parse_rows(document)
    if not rows:
        raise errors.NoUsableRow(rejects)
    if symbol is not None and rows[0].symbol != symbol:
        raise errors.BadPayload("the body is another symbol's row")
    return rows, rejects


def exchange_info(body: bytearray) -> ExchangeInfo:
    """Margin assets and weight limit of a 200 from exchangeInfo; errors as for `asset_index`."""
    _check_values(body, _INFO_VALUES)
    try:
        return parse_exchange_info(body)
    except errors.BadPayload:
        if error_object(body)[0] is not None:
            raise errors.ErrorCode("200 with an error object") from None
        raise


def error_object(body: bytearray) -> tuple[int | None, str]:
    """`code` and `msg` of an error object, or (None, "")."""
    if len(body) > SMALL_BODY:
        return None, ""
    try:
        document = _decode(body)
    except errors.BadPayload:
        return None, ""
    if not isinstance(document, dict):
        return None, ""
    code, message = document.get("code"), document.get("msg")
    return (
        int(code) if isinstance(code, float) and code.is_integer() else None,
        message if isinstance(message, str) else "",
    )


_BY_STATUS: dict[int, type[errors.ApiError]] = {
    HTTPStatus.TOO_MANY_REQUESTS: errors.RateLimited,
    errors.BAN: errors.Banned,
    HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS: errors.RestrictedLocation,
}
_BY_STATUS_CLASS: dict[int, type[errors.ApiError]] = {4: errors.ClientError, 5: errors.ServerError}


def refusal(status: int, code: int | None) -> errors.ApiError:
    """The error for a response other than 200; `code` is that of its error object."""
    if code == _INVALID_SYMBOL:
        kind: type[errors.ApiError] = errors.InvalidSymbol
    else:
        by_class = _BY_STATUS_CLASS.get(status // 100, errors.BadPayload)
        kind = _BY_STATUS.get(status, by_class)
    return kind(f"Binance answered {status}" + (f" (code {code})" if code is not None else ""))


def _check_values(body: bytearray, limit: int) -> None:
    if body.count(b",") >= limit:
        raise errors.BadPayload(f"the body holds more values than {limit}")


def _decode(body: bytearray) -> Any:
    try:
        # parse_int=float: int() refuses more than 4300 digits, and that would spoil all rows
        return json.loads(body, parse_int=float)
    except (ValueError, RecursionError):
        raise errors.BadPayload("the body is not JSON") from None
