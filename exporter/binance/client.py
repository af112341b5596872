"""One session to one base URL: a request in, a decoded answer or a typed error out."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy

import requests
from requests.adapters import BaseAdapter
from urllib3 import Timeout
from urllib3.exceptions import HTTPError

from exporter import __version__
from exporter.binance import answer, errors
from exporter.binance.exchange_info import ExchangeInfo
from exporter.binance.gate import BAN, Gate, Held
from exporter.binance.rows import Reject, Row
from exporter.binance.transport import DeadlineAdapter, checked_before_sending, found_closed
from exporter.metrics.counters import ApiMetrics

_CONNECTIONS = 16


@dataclass(frozen=True)
class RequestOptions:
    """How a module wants its requests sent."""

    weight_ceiling_ratio: float = 0.8
    max_body_bytes: int = 32 * 1024 * 1024
    proxy_url: str = ""
    ca_file: str = ""


@dataclass(frozen=True)
class _Request:
    endpoint: str
    params: dict[str, str]
    body_limit: int
    deadline: float
    options: RequestOptions


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
        limit = min(options.max_body_bytes, answer.SMALL_BODY) if symbol else options.max_body_bytes
        params = {"symbol": symbol} if symbol else {}
        body = self._get(_Request("assetIndex", params, limit, deadline, options))
        try:
            rows, rejects = answer.asset_index(body, symbol)
        except errors.NoUsableRow as error:
            self._count(error.rejects)
            raise self._failed("assetIndex", error) from None
        except errors.ApiError as error:
            raise self._failed("assetIndex", error) from None
        self._count(rejects)
        return rows, rejects

    def exchange_info(self, deadline: float, options: RequestOptions) -> ExchangeInfo:
        """Fetch the margin assets (weight 1) and let the gate know the weight limit.

        Args and errors as for `asset_index`.
        """
        limit = options.max_body_bytes
        body = self._get(_Request("exchangeInfo", {}, limit, deadline, options))
        try:
            info = answer.exchange_info(body)
        except errors.ApiError as error:
            raise self._failed("exchangeInfo", error) from None
        if info.weight_limit:
            self.gate.weight_limit = info.weight_limit
        return info

    def close(self) -> None:
        """Close the pooled connections."""
        self._session.close()

    def _count(self, rejects: Sequence[Reject]) -> None:
        for reason, number in Counter(reject.reason for reject in rejects).items():
            self._metrics.rejected_rows.labels(reason).inc(number)

    def _failed(self, endpoint: str, error: errors.ApiError) -> errors.ApiError:
        self._metrics.failures.labels(endpoint, error.reason).inc()
        return error

    def _get(self, request: _Request) -> bytearray:
        """Send one request, and once more where a pooled connection was found closed."""
        try:
            try:
                return self._exchange(request)
            except requests.RequestException as error:
                if not found_closed(error):
                    raise
            return self._exchange(request)
        except (OSError, HTTPError) as error:  # those of requests, and those that slip through it
            too_late = self._clock() >= request.deadline
            raise self._failed(request.endpoint, answer.no_answer(error, too_late)) from error
        except errors.ApiError as error:
            raise self._failed(request.endpoint, error) from None

    def _exchange(self, request: _Request) -> bytearray:
        options = request.options
        check = partial(self.gate.check, options.weight_ceiling_ratio)
        check()
        start = self._clock()
        if start >= request.deadline:
            raise errors.RequestTimeout("the deadline passed before a request was sent")
        proxies = {"http": options.proxy_url, "https": options.proxy_url}
        held = False
        try:
            with (
                checked_before_sending(check),
                self._session.get(
                    f"{self._base_url}/fapi/v1/{request.endpoint}",
                    params=request.params,
                    timeout=Timeout(total=request.deadline - start),  # type: ignore[arg-type]
                    stream=True,
                    allow_redirects=False,
                    proxies=proxies if options.proxy_url else None,
                    verify=options.ca_file or True,
                ) as response,
            ):
                return self._answer(response, request.body_limit)
        except Held:
            held = True
            raise
        finally:
            if not held:
                self._metrics.requests.labels(request.endpoint).inc()
                self._metrics.duration.labels(request.endpoint).observe(self._clock() - start)

    def _answer(self, response: requests.Response, limit: int) -> bytearray:
        """The body of a 200; any other answer is raised as its error."""
        status = response.status_code
        self.gate.learn(status, response.headers)
        if status == HTTPStatus.OK:
            return answer.read_body(response, limit)
        try:
            body = answer.read_body(response, min(limit, answer.SMALL_BODY))
        except (errors.ApiError, requests.RequestException):
            body = bytearray()  # the status says enough
        code, message = answer.error_object(body)
        if status == BAN:
            self.gate.learn_ban_end(response.headers, message)
        raise answer.refusal(status, code)
