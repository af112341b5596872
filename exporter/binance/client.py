"""One session to one base URL: a request in, a decoded answer or a typed error out."""

import json
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import BaseAdapter
from urllib3 import Timeout

from exporter import __version__
from exporter.binance import errors
from exporter.binance.exchange_info import ExchangeInfo, parse_exchange_info
from exporter.binance.gate import BAN, Gate
from exporter.binance.rows import Reject, Row, parse_rows
from exporter.binance.transport import DeadlineAdapter, found_closed
from exporter.instrumentation import ApiMetrics

_CHUNK = 65536
_CONNECTIONS = 16
_INVALID_SYMBOL = -1121
_SMALL_BODY = 65536  # far more than one row or an error's message takes
# By the commas of a body, what decoding it may cost is known before: 32 MiB of `{},{},...` would
# be more than a gigabyte of objects and half a minute of this interpreter.
_INDEX_VALUES = 200_000  # 18,000 assets
_INFO_VALUES = 1_000_000  # some ten times what the exchange has


@dataclass(frozen=True)
class RequestOptions:
    """How a module wants its requests sent."""

    weight_ceiling_ratio: float = 0.8
    max_body_bytes: int = 32 * 1024 * 1024
    proxy_url: str = ""
    ca_file: str = ""


class _Session(requests.Session):
    """A session for which no answer is a redirect.

    `requests` reads a redirect's whole body and parses its target even where it is not to follow.
    """

    def get_redirect_target(self, _: requests.Response) -> None:
        return None


class Client:
    """Asks one base URL; safe to use from many threads.

    Args:
        base_url: scheme and host, such as `https://fapi.binance.com`.
        gate: tells whether a request may leave; learns from each answer.
        metrics: counts requests and failures.
        clock: gives seconds on a clock that never goes back.
        adapter: carries the requests; without one, the network does.
    """

    def __init__(
        self,
        base_url: str,
        gate: Gate,
        metrics: ApiMetrics,
        clock: Callable[[], float] = time.monotonic,
        adapter: BaseAdapter | None = None,
    ) -> None:
        self.gate = gate
        self._base_url = base_url
        self._metrics = metrics
        self._clock = clock
        self._session = _Session()
        self._session.trust_env = False  # no proxy, netrc or CA bundle that the configuration lacks
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers.update(
            {
                "User-Agent": f"binance-asset-index-exporter/{__version__}",
                "Accept": "application/json",
                "Accept-Encoding": "gzip",
            }
        )
        adapter = adapter or DeadlineAdapter(pool_maxsize=_CONNECTIONS)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def asset_index(
        self, symbol: str | None, deadline: float, options: RequestOptions
    ) -> tuple[list[Row], list[Reject]]:
        """Fetch all rows (weight 10), or one symbol's (weight 1).

        Args:
            symbol: as the exchange spells it; None for all.
            deadline: on the client's clock, for the last byte.
            options: how to send the request.

        Raises:
            ApiError: no usable answer.
            Held: no request may leave.
        """
        limit = min(options.max_body_bytes, _SMALL_BODY) if symbol else options.max_body_bytes
        params = {"symbol": symbol} if symbol else {}
        body = self._get("assetIndex", params, limit, deadline, options)
        try:
            _check_values(body, _INDEX_VALUES)
            document = _decode(body)
            _check_shape(document, symbol)
            rows, rejects = parse_rows(document)
            for reason, number in Counter(reject.reason for reject in rejects).items():
                self._metrics.rejected_rows.labels(reason).inc(number)
            _check_rows(rows, rejects, symbol)
        except errors.ApiError as error:
            raise self._failed("assetIndex", error) from None
        return rows, rejects

    def exchange_info(self, deadline: float, options: RequestOptions) -> ExchangeInfo:
        """Fetch the margin assets (weight 1) and let the gate know the weight limit.

        Args and errors as for `asset_index`.
        """
        body = self._get("exchangeInfo", {}, options.max_body_bytes, deadline, options)
        try:
            _check_values(body, _INFO_VALUES)
            info = parse_exchange_info(body)
        except errors.BadPayload as error:
            code, _ = _error_object(body[:_SMALL_BODY])
            told = errors.ErrorCode(f"200 with an error object (code {code})")
            raise self._failed("exchangeInfo", error if code is None else told) from None
        if info.weight_limit:
            self.gate.weight_limit = info.weight_limit
        return info

    def close(self) -> None:
        """Close the pooled connections."""
        self._session.close()

    def _failed(self, endpoint: str, error: errors.ApiError) -> errors.ApiError:
        self._metrics.failures.labels(endpoint, error.reason).inc()
        return error

    def _get(
        self,
        endpoint: str,
        params: dict[str, str],
        limit: int,
        deadline: float,
        options: RequestOptions,
    ) -> bytearray:
        """Send one request, and once more where a pooled connection was found closed."""
        try:
            try:
                return self._exchange(endpoint, params, limit, deadline, options)
            except requests.RequestException as error:
                if not found_closed(error):
                    raise
            return self._exchange(endpoint, params, limit, deadline, options)
        except requests.RequestException as error:
            raise self._failed(endpoint, _typed(error, self._clock() >= deadline)) from error
        except errors.ApiError as error:
            raise self._failed(endpoint, error) from None

    def _exchange(
        self,
        endpoint: str,
        params: dict[str, str],
        limit: int,
        deadline: float,
        options: RequestOptions,
    ) -> bytearray:
        self.gate.check(options.weight_ceiling_ratio)
        start = self._clock()
        if start >= deadline:
            raise errors.RequestTimeout("the deadline passed before a request was sent")
        self._metrics.requests.labels(endpoint).inc()
        proxies = {"http": options.proxy_url, "https": options.proxy_url}
        try:
            with self._session.get(
                f"{self._base_url}/fapi/v1/{endpoint}",
                params=params,
                timeout=Timeout(total=deadline - start),  # type: ignore[arg-type]
                stream=True,
                allow_redirects=False,
                proxies=proxies if options.proxy_url else None,
                verify=options.ca_file or True,
            ) as response:
                return self._answer(response, limit)
        finally:
            self._metrics.duration.labels(endpoint).observe(self._clock() - start)

    def _answer(self, response: requests.Response, limit: int) -> bytearray:
        """The body of a 200; any other answer is raised as its error."""
        status = response.status_code
        self.gate.learn(status, response.headers)
        if status == HTTPStatus.OK:
            return _read(response, limit)
        try:
            body = _read(response, min(limit, _SMALL_BODY))
        except (errors.ApiError, requests.RequestException):
            body = bytearray()  # the status says enough
        code, message = _error_object(body)
        if status == BAN:
            self.gate.learn_ban_end(response.headers, message)
        raise _refusal(status, code)


def _read(response: requests.Response, limit: int) -> bytearray:
    announced = response.headers.get("Content-Length", "")
    if re.fullmatch(r"[0-9]{1,18}", announced) and int(announced) > limit:
        raise errors.TooLarge(f"the body is over {limit} bytes")
    body = bytearray()
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) > limit:
            raise errors.TooLarge(f"the body is over {limit} bytes")
    return body


def _typed(error: requests.RequestException, too_late: bool) -> errors.ApiError:
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


def _error_object(body: bytearray) -> tuple[int | None, str]:
    """`code` and `msg` of an error object, or (None, "")."""
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


def _check_shape(document: object, symbol: str | None) -> None:
    if isinstance(document, dict) and "code" in document and "symbol" not in document:
        raise errors.ErrorCode("200 with an error object")
    if not document or not isinstance(document, list if symbol is None else dict):
        expected = "a list of rows" if symbol is None else "one row"
        raise errors.BadPayload(f"the body is not {expected}")


def _check_rows(rows: list[Row], rejects: list[Reject], symbol: str | None) -> None:
    if not rows:
        raise errors.NoUsableRow(rejects)
    if symbol is not None and rows[0].symbol != symbol:
        raise errors.BadPayload("the body is another symbol's row")


_BY_STATUS: dict[int, type[errors.ApiError]] = {
    HTTPStatus.TOO_MANY_REQUESTS: errors.RateLimited,
    BAN: errors.Banned,
    HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS: errors.RestrictedLocation,
}
_BY_STATUS_CLASS: dict[int, type[errors.ApiError]] = {4: errors.ClientError, 5: errors.ServerError}


def _refusal(status: int, code: int | None) -> errors.ApiError:
    if code == _INVALID_SYMBOL:
        kind: type[errors.ApiError] = errors.InvalidSymbol
    else:
        by_class = _BY_STATUS_CLASS.get(status // 100, errors.BadPayload)
        kind = _BY_STATUS.get(status, by_class)
    return kind(f"the exchange answered {status}" + (f" (code {code})" if code is not None else ""))
