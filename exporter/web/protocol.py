"""One connection: how long a request may take to arrive, and how large it may be."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

REQUEST_SECONDS = 10
"""For a request to arrive, and for a TLS handshake before it."""

_REQUEST_BYTES = 65536


class Protocol(HttpToolsProtocol):
    """uvicorn's connection, closed if a request does not arrive in time or is too large.

    uvicorn limits only the silence after a response, and no size; without this, half-open
    connections would use up the open files, and a single one could fill the memory.
    """

    _timer: asyncio.TimerHandle | None = None
    _received = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._expect_request()

    def data_received(self, data: bytes) -> None:
        """Pass data on to the parser, up to the limit."""
        self._received += len(data)
        if self._timer is not None and self._received > _REQUEST_BYTES:
            self.transport.abort()
            return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """Wait for the rest of a request."""
        super().on_message_begin()
        self._expect_request()

    def on_message_complete(self) -> None:
        """Stop waiting."""
        self._cancel_timer()
        self._received = 0
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._cancel_timer()
        super().connection_lost(exc)

    def _expect_request(self) -> None:
        self._cancel_timer()
        self._timer = self.loop.call_later(REQUEST_SECONDS, self.transport.abort)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
