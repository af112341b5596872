"""What an answer means: its rows, its margin assets, or the error that it is."""

import json
import re
from http import HTTPStatus
from typing import Any

import requests

from exporter.binance import errors
from exporter.binance.exchange_info import ExchangeInfo, parse_exchange_info
from exporter.binance.gate import BAN
from exporter.binance.rows import Reject, Row, parse_rows

SMALL_BODY = 65536
"""Bytes, far more than one row or an error's message takes."""

_CHUNK = 65536
_INVALID_SYMBOL = -1121
_MOST_ROWS = 2000  # a page of them is rendered in a third of a second
# By the commas of a body, what decoding it may cost is known before: 32 MiB of `{},{},...` would
# be more than a gigabyte of objects and half a minute of this interpreter.
_INDEX_VALUES = 50_000
_INFO_VALUES = 1_000_000  # some ten times what the exchange has


def read_body(response: requests.Response, limit: int) -> bytearray:
    """Read the body, unpacked, of at most `limit` bytes.

    Raises:
        TooLarge: it has more, or says so.
        requests.RequestException: it breaks off, or the deadline passes.
    """
    announced = response.headers.get("Content-Length", "")
    if re.fullmatch(r"[0-9]{1,18}", announced) and int(announced) > limit:
        raise errors.TooLarge(f"the body is over {limit} bytes")
    body = bytearray()
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) > limit:
            raise errors.TooLarge(f"the body is over {limit} bytes")
    return body


def asset_index(body: bytearray, symbol: str | None) -> tuple[list[Row], list[Reject]]:
    """The rows of a 200 from assetIndex, all of them or one symbol's.

    Raises:
        ErrorCode: it is an error object.
        BadPayload: it is not JSON of the documented shape, or has no usable row.
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
    """What a 200 from exchangeInfo tells; errors as for `asset_index`."""
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
    BAN: errors.Banned,
    HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS: errors.RestrictedLocation,
}
_BY_STATUS_CLASS: dict[int, type[errors.ApiError]] = {4: errors.ClientError, 5: errors.ServerError}


def refusal(status: int, code: int | None) -> errors.ApiError:
    """The error that an answer other than 200 is; `code` is its error object's."""
    if code == _INVALID_SYMBOL:
        kind: type[errors.ApiError] = errors.InvalidSymbol
    else:
        by_class = _BY_STATUS_CLASS.get(status // 100, errors.BadPayload)
        kind = _BY_STATUS.get(status, by_class)
    return kind(f"the exchange answered {status}" + (f" (code {code})" if code is not None else ""))


def no_answer(error: Exception, too_late: bool) -> errors.ApiError:
    """The error where there is no whole answer; `too_late`: the deadline has passed."""
    if type(error) is OSError:  # requests' own, where the file of certificates is gone
        return errors.ConnectionFailed(str(error))
    if too_late or isinstance(error, requests.Timeout):
        return errors.RequestTimeout("no complete answer before the deadline")
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return errors.BadPayload("the body is not what its Content-Encoding says")
    return errors.ConnectionFailed(f"the connection failed: {type(error).__name__}")


def _check_values(body: bytearray, limit: int) -> None:
    if body.count(b",") >= limit:
        raise errors.BadPayload(f"the body holds more values than {limit}")


def _decode(body: bytearray) -> Any:
    try:
        # parse_int=float: int() refuses more than 4300 digits, and that would spoil all rows
        return json.loads(body, parse_int=float)
    except (ValueError, RecursionError):
        raise errors.BadPayload("the body is not JSON") from None
