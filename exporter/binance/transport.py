"""One deadline for a whole HTTP exchange, under `requests`.

The timeout of `requests` starts anew with every read, so a body that trickles in outlives it. Here
it is spent once: urllib3 already takes the time to connect off a total timeout; these classes spend
the remainder on all reads of the answer together, whether status line, headers, body, or a proxy's
reply to CONNECT.
"""

import contextlib
import http.client
import io
import socket
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection


class PooledConnectionClosedError(ConnectionResetError):
    """The server had closed a keep-alive connection by the time it was used again."""


def found_closed(error: BaseException | None) -> bool:
    """Whether the error comes from a pooled connection that was found closed."""
    while error is not None and not isinstance(error, PooledConnectionClosedError):
        error = error.__context__
    return error is not None


_before_sending: ContextVar[Callable[[], None]] = ContextVar("before_sending", default=lambda: None)


@contextlib.contextmanager
def checked_before_sending(check: Callable[[], None]) -> Iterator[None]:
    """Call `check` once the connection stands; what it raises keeps this thread's request back.

    A connection may take its time, with a proxy or a TLS handshake, and other answers may have
    told of a ban meanwhile.
    """
    token = _before_sending.set(check)
    try:
        yield
    finally:
        _before_sending.reset(token)


class DeadlineAdapter(HTTPAdapter):
    """A `requests` adapter for which `urllib3.Timeout(total=...)` covers the whole exchange.

    Name resolution is the one step it cannot cut short; nothing is sent if that took too long.
    """

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools for direct connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> ProxyManager:
        """Make the pools for connections through a proxy."""
        manager: ProxyManager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


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


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        raw = self.fp.detach()
        self.fp = io.BufferedReader(_DeadlineReader(sock, raw))

    def _safe_read(self, amt: int) -> bytes:
        # urllib3 asks this for a chunk of whatever size the server gave; -1 would be all there is
        if amt < 0:
            raise http.client.HTTPException("a chunk of a size below zero")
        return super()._safe_read(amt)  # type: ignore[misc, no-any-return]


class _DeadlineConnection(HTTPConnection):
    response_class = _Response
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
        check = _before_sending.get()
        check()
        with self._telling_found_closed():
            super().request(*args, **kwargs)

    def getresponse(self) -> Any:
        with self._telling_found_closed():
            response = super().getresponse()
        self._answered = True
        return response

    @contextlib.contextmanager
    def _telling_found_closed(self) -> Iterator[None]:
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


_POOLS: dict[str, type[HTTPConnectionPool]] = {"http": _HTTPPool, "https": _HTTPSPool}
