"""Requests to one base URL: a request in, a decoded response or a typed error out."""

import os
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from http import HTTPStatus
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from urllib3 import Timeout
from urllib3.exceptions import HTTPError

from exporter.binance import answer, errors, weights
from exporter.binance.adapter import DeadlineAdapter, prepare
from exporter.binance.exchange_info import ExchangeInfo
from exporter.binance.gate import Gate
from exporter.binance.late import LateHeads
from exporter.binance.observer import Observer
from exporter.binance.rows import Reject, Row
from exporter.binance.transport import (
    Sending,
    found_closed,
    no_response,
    read_body,
    sending,
)

ASSET_INDEX = "assetIndex"
EXCHANGE_INFO = "exchangeInfo"
ENDPOINTS = (ASSET_INDEX, EXCHANGE_INFO)

_PREPARED = 128


@dataclass(frozen=True)
class Limits:
    """What a module allows one request."""

    deadline: float
    """For the last byte, on the client's clock."""
    max_body_bytes: int = 32 * 1024 * 1024
    weight_ceiling_ratio: float = 0.8
    """Share of the weight limit at which no request is sent."""
    weight_share: Callable[[], float] = lambda: 1.0
    """Of that, what the request may use; asked late, as a scrape that joins may raise it."""


@dataclass(frozen=True)
class _Request:
    endpoint: str
    symbol: str | None
    weight: int
    body_limit: int
    limits: Limits


class Client:
    """Sends requests to one base URL, one way; safe to use from many threads.

    Args:
        base_url: Scheme and host, such as `https://fapi.binance.com`.
        gate: Decides whether a request may be sent; learns from each response.
        observer: Counts requests and failures.
        proxy_url: The proxy to go through; empty for none.
        ca_file: Certificates to trust instead of those that certifi or `SSL_CERT_FILE` gives.
        clock: Gives seconds on a clock that never goes back.
        adapter: Carries the requests; without one, the network does.
        late: Waits for responses that come after their deadline, as one may announce a ban.
    """

    def __init__(
        self,
        base_url: str,
        gate: Gate,
        observer: Observer,
        *,
        proxy_url: str = "",
        ca_file: str = "",
        clock: Callable[[], float] = time.monotonic,
        adapter: BaseAdapter | None = None,
        late: LateHeads | None = None,
    ) -> None:
        self.gate = gate
        self._base_url = base_url
        self._observer = observer
        self._clock = clock
        self._late = late or LateHeads()
        self._host, self._proxy = _host(base_url), _host(proxy_url)
        self._proxies = {"http": proxy_url, "https": proxy_url} if proxy_url else {}
        self._verify = ca_file or os.environ.get("SSL_CERT_FILE") or True
        self._adapter = adapter or DeadlineAdapter()
        self._prepared = lru_cache(_PREPARED)(self._prepare)

    def asset_index(self, symbol: str | None, limits: Limits) -> tuple[list[Row], list[Reject]]:
        """Fetch all rows (weight 10), or one symbol's (weight 1).

        Args:
            symbol: As Binance spells it; None for all.
            limits: What the module allows.

        Raises:
            ApiError: No usable response.
            Held: No request may be sent.
        """
        weight = weights.ONE_SYMBOL if symbol else weights.ALL_SYMBOLS
        body_limit = min(limits.max_body_bytes, answer.SMALL_BODY) if symbol else None
        with self._counting_failures(ASSET_INDEX):
            body = self._get(
                _Request(ASSET_INDEX, symbol, weight, body_limit or limits.max_body_bytes, limits)
            )
            try:
                rows, rejects = answer.asset_index(body, symbol)
            except errors.NoUsableRow as error:
                self._count(error.rejects)
                raise
            self._count(rejects)
            return rows, rejects

    def exchange_info(self, limits: Limits) -> ExchangeInfo:
        """Fetch the margin assets (weight 1) and give the gate the weight limit.

        Args and errors as for `asset_index`.
        """
        with self._counting_failures(EXCHANGE_INFO):
            body = self._get(
                _Request(EXCHANGE_INFO, None, weights.EXCHANGE_INFO, limits.max_body_bytes, limits)
            )
            info = answer.exchange_info(body)
        if info.weight_limit:
            self.gate.weight_limit = info.weight_limit
        return info

    def close(self) -> None:
        """Close the pooled connections."""
        self._adapter.close()

    def _count(self, rejects: Sequence[Reject]) -> None:
        for reason, number in Counter(reject.reason for reject in rejects).items():
            self._observer.rejected(reason, number)

    @contextmanager
    def _counting_failures(self, endpoint: str) -> Iterator[None]:
        try:
            yield
        except errors.NotSent:
            raise
        except errors.ApiError as error:
            self._observer.failed(endpoint, error.reason)
            raise

    @contextmanager
    def _timing(self, endpoint: str) -> Iterator[None]:
        """Count the request and its seconds, unless it was held and never sent."""
        start = self._clock()
        held = False
        try:
            yield
        except errors.Held:
            held = True
            raise
        finally:
            if not held:
                self._observer.requested(endpoint, self._clock() - start)

    def _get(self, request: _Request) -> bytearray:
        """Send a request, and once more if a pooled connection was found closed."""
        try:
            with self.gate.turn(request.limits.deadline - self._clock()):
                try:
                    return self._send(request)
                except requests.RequestException as error:
                    if not found_closed(error):
                        raise
                return self._send(request)
        except (OSError, HTTPError) as error:  # those of requests, and those that slip through it
            too_late = self._clock() >= request.limits.deadline
            raise no_response(error, self._host, self._proxy, too_late=too_late) from error

    def _send(self, request: _Request) -> bytearray:
        limits = request.limits
        self.gate.check(limits.weight_ceiling_ratio, limits.weight_share())
        remaining = limits.deadline - self._clock()
        if remaining <= 0:
            raise errors.NotSent("the deadline passed before the request was sent")
        mark: int | None = None

        def spend() -> None:
            nonlocal mark
            share = limits.weight_share()
            mark = self.gate.spend(request.weight, limits.weight_ceiling_ratio, share)

        def too_late(connection: socket.socket) -> None:
            self._late.wait_for(connection, partial(self.gate.learn, mark=mark))

        with (
            self._timing(request.endpoint),
            sending(Sending(spend, too_late)),
            self._adapter.send(
                self._prepared(request.endpoint, request.symbol),
                stream=True,
                timeout=Timeout(total=remaining),  # type: ignore[arg-type]
                verify=self._verify,
                proxies=self._proxies,
            ) as response,
        ):
            self.gate.learn(response.status_code, response.headers, mark)
            return self._read(response, request.body_limit)

    def _read(self, response: requests.Response, limit: int) -> bytearray:
        """The body of a 200; any other response is raised as its error."""
        status = response.status_code
        if status == HTTPStatus.OK:
            return read_body(response, limit)
        try:
            body = read_body(response, min(limit, answer.SMALL_BODY))
        except (errors.ApiError, requests.RequestException):
            body = bytearray()  # the status says enough
        code, message = answer.error_object(body)
        if status == errors.BAN:
            self.gate.learn_ban_end(response.headers, message)
        raise answer.refusal(status, code)

    def _prepare(self, endpoint: str, symbol: str | None) -> requests.PreparedRequest:
        params = {"symbol": symbol} if symbol else {}
        return prepare(f"{self._base_url}/fapi/v1/{endpoint}", params)


def _host(url: str) -> str:
    """Host and port of a URL, without the credentials it may hold."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.hostname}:{port}" if parts.hostname else ""
