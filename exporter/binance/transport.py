"""One deadline for a whole round trip, under `requests`.

The timeout of `requests` starts anew with every read, so a body that trickles in outlives it. Here
it is spent once: urllib3 already takes the time to connect off a total timeout; these classes spend
the remainder on all reads of the response together: status line, headers, body, or a proxy's reply
to CONNECT.
"""

import contextlib
import http.client
import io
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import requests
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from exporter.binance import errors
from exporter.binance.connect import connect
from exporter.binance.connection_errors import describe

_CHUNK = 65536
_MOST_INTERIM = 10  # responses such as 103, before the final one


class PooledConnectionClosedError(ConnectionResetError):
    """The server had closed a keep-alive connection by the time it was used again."""


def found_closed(error: BaseException | None) -> bool:
    """Whether the error comes from a pooled connection that was found closed."""
    while error is not None and not isinstance(error, PooledConnectionClosedError):
        error = error.__context__
    return error is not None


def read_body(response: requests.Response, limit: int) -> bytearray:
    """Read the body, unpacked, of at most `limit` bytes.

    Raises:
        TooLarge: It is larger, or announced as such.
        requests.RequestException: It breaks off, or the deadline passes.
    """
    announced = response.headers.get("Content-Length", "")
    if re.fullmatch(r"[0-9]{1,18}", announced) and int(announced) > limit:
        raise errors.TooLarge(f"the body is larger than {limit} bytes")
    body = bytearray()
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) > limit:
            raise errors.TooLarge(f"the body is larger than {limit} bytes")
    return body


def no_response(error: Exception, host: str, proxy: str, *, too_late: bool) -> errors.ApiError:
    """The error if there is no complete response.

    Args:
        error: What `requests` or urllib3 raised.
        host: Host and port that the request was for.
        proxy: Host and port of the proxy; empty without one.
        too_late: Whether the deadline has passed.
    """
    if type(error) is OSError:  # raised by requests if the file of certificates is gone
        return errors.ConnectionFailed(str(error))
    if too_late or isinstance(error, requests.Timeout):
        return errors.RequestTimeout("no complete response before the deadline")
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return errors.BadPayload("the body is not what its Content-Encoding says")
    return errors.ConnectionFailed(describe(error, host, proxy))


@dataclass(frozen=True)
class Sending:
    """How this thread's request is sent."""

    check: Callable[[], None] = lambda: None
    """Called once the connection stands; what it raises keeps the request from being sent."""
    too_late: Callable[[socket.socket], None] = socket.socket.close
    """Takes over the connection if the deadline passed before any head of a response."""


_DEFAULT = Sending()
_sending: ContextVar[Sending] = ContextVar("sending", default=_DEFAULT)


@contextlib.contextmanager
def sending(how: Sending) -> Iterator[None]:
    """Send this thread's requests as `how` says.

    A connection takes its time, with a proxy or a TLS handshake, and meanwhile another response
    may have announced a ban.
    """
    token = _sending.set(how)
    try:
        yield
    finally:
        _sending.reset(token)


class _DeadlineReader(io.RawIOBase):
    """What `socket.makefile` gives, read until one moment and no longer."""

    def __init__(self, sock: socket.socket, raw: io.RawIOBase) -> None:
        self._sock = sock
        self._raw = raw
        self._deadline = time.monotonic() + (sock.gettimeout() or 0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(remaining)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class DeadlineResponse(http.client.HTTPResponse):
    """A response read until the timeout that its socket has at the start, and no longer."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_DeadlineReader(sock, self.fp.detach()))

    def _read_status(self) -> tuple[str, int, str]:
        # http.client skips 100 only; taking 103 for the response, every later request on this
        # connection would get the body of the one before
        for _ in range(_MOST_INTERIM):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if status == http.HTTPStatus.SWITCHING_PROTOCOLS:
                raise http.client.HTTPException("101, which was not asked for")
            if not http.HTTPStatus.CONTINUE <= status < http.HTTPStatus.OK:
                return version, status, reason
            http.client.parse_headers(self.fp)
        raise http.client.HTTPException("interim responses without end")

    def _safe_read(self, amt: int) -> bytes:
        # urllib3 passes whatever chunk size the server gave; -1 would read all there is
        if amt < 0:
            raise http.client.HTTPException("a chunk of a size below zero")
        return super()._safe_read(amt)  # type: ignore[misc, no-any-return]


class _DeadlineConnection(HTTPConnection):
    response_class = DeadlineResponse
    _answered = False

    def connect(self) -> None:
        self._answered = False
        begun_at = time.monotonic()
        super().connect()
        # name resolution, which nothing cuts short, may have taken more than there was
        if isinstance(self.timeout, int | float) and time.monotonic() >= begun_at + self.timeout:
            self.close()
            raise TimeoutError("timed out")

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:
            self.connect()
        _sending.get().check()
        with self._noticing_found_closed():
            super().request(*args, **kwargs)

    def getresponse(self) -> Any:
        sock = self.sock
        try:
            with self._noticing_found_closed():
                response = super().getresponse()
        except TimeoutError:
            self.sock = None
            _sending.get().too_late(sock)
            raise
        self._answered = True
        return response

    def _new_conn(self) -> socket.socket:
        timeout = self.timeout if isinstance(self.timeout, int | float) else 60.0
        return connect(self._dns_host, self.port, timeout, self.socket_options or ())

    @contextlib.contextmanager
    def _noticing_found_closed(self) -> Iterator[None]:
        reused = self._answered
        try:
            yield
        except ConnectionError as error:
            if reused:
                raise PooledConnectionClosedError(str(error)) from error
            raise


class _DeadlineHTTPSConnection(_DeadlineConnection, HTTPSConnection):
    pass


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _DeadlineConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _DeadlineHTTPSConnection


POOLS: dict[str, type[HTTPConnectionPool]] = {"http": _HTTPPool, "https": _HTTPSPool}
"""By scheme."""
