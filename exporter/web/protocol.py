"""One connection: how long a request may take to arrive, and how large it may be."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from exporter.web import open_files

REQUEST_SECONDS = 10
"""For a request to arrive, and for a TLS handshake before it."""

_REQUEST_BYTES = 65536
_MAX_CONNECTIONS = 4096
_LINGER_SECONDS = 1  # for a client to read why it was refused
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 28\r\nConnection: close\r\n\r\n"
    b"The request is over 64 KiB.\n"
)

_report_crowd = open_files.Report()


class Protocol(HttpToolsProtocol):
    """uvicorn's connection, closed if a request does not arrive in time or is too large.

    uvicorn limits only the silence after a response, and no size; without this, half-open
    connections would use up the open files, and a single one could fill the memory. If many
    clients keep connections open, the one that was idle for the longest time is closed.
    """

    _timer: asyncio.TimerHandle | None = None
    _received = 0
    _has_headers = False
    _refused = False
    idle_since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self.idle_since = self.loop.time()
        self._expect_request()
        self._make_room()

    def data_received(self, data: bytes) -> None:
        """Pass data on to the parser, up to the limit."""
        if self._refused:
            return
        self._received += len(data)
        if self._timer is not None and self._received > _REQUEST_BYTES:
            self._refuse()
            return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """Wait for the rest of a request."""
        super().on_message_begin()
        self._has_headers = False
        self._expect_request()

    def on_headers_complete(self) -> None:
        """Begin to answer."""
        self._has_headers = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Stop waiting."""
        self._cancel_timer()
        self._received = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request, for a longer time."""
        self.idle_since = self.loop.time()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._cancel_timer()
        super().connection_lost(exc)

    @property
    def can_be_closed(self) -> bool:
        """Whether it is open, and no response is under way."""
        return self._is_idle and not self.transport.is_closing()

    @property
    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _make_room(self) -> None:
        most = min(_MAX_CONNECTIONS, open_files.for_clients())
        # The system takes the lowest free number, so a high one means that so many files are open:
        # TLS handshakes are not yet among the connections.
        number = self.transport.get_extra_info("socket").fileno()
        if len(self.connections) <= most and number < open_files.for_clients():
            return
        connections: set[Any] = self.connections
        idle = [each for each in connections if each.can_be_closed and each is not self]
        longest = min(idle, key=lambda each: each.idle_since, default=self)
        longest.transport.abort()
        _report_crowd(
            "too many connections, closing the longest idle", connections=len(self.connections)
        )

    def _refuse(self) -> None:
        if self._has_headers or not self._is_idle:
            self.transport.abort()  # another response is on its way, or was sent
            return
        self._refused = True
        self.transport.write(_TOO_LARGE)
        self._wait(_LINGER_SECONDS)

    def _expect_request(self) -> None:
        self._wait(REQUEST_SECONDS)

    def _wait(self, seconds: float) -> None:
        self._cancel_timer()
        self._timer = self.loop.call_later(seconds, self.transport.abort)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
