"""Listening, TLS, signals, a graceful stop."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator, Sequence

import uvicorn
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from exporter.config.errors import ConfigError
from exporter.web.access import Access, AccessMiddleware
from exporter.web.app import App

_log = logging.getLogger(__name__)

_KEEP_ALIVE = 120  # seconds; longer than the usual scrape interval, so that connections are reused
_REQUEST_TIMEOUT = 10  # seconds for a request to arrive
_REQUEST_BYTES = 65536
_GRACE = 3  # seconds that scrapes in flight get at the end
_ACCESS_REFRESH = 10  # seconds between looks at the certificate and password files
_BACKLOG = 511


class _Protocol(HttpToolsProtocol):
    """uvicorn's connection, closed where a request does not arrive in time or has no end.

    uvicorn limits only the silence after an answer, and no size; without this, half-open
    connections would pile up until no file is left to open, and one could fill the memory.
    """

    _timer: asyncio.TimerHandle | None = None
    _received = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_request()

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        if self._timer is not None and self._received > _REQUEST_BYTES:
            self.transport.abort()
            return
        super().data_received(data)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._expect_request()

    def on_message_complete(self) -> None:
        self._cancel_timer()
        self._received = 0
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_timer()
        super().connection_lost(exc)

    def _expect_request(self) -> None:
        self._cancel_timer()
        self._timer = self.loop.call_later(_REQUEST_TIMEOUT, self.transport.abort)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Server(uvicorn.Server):
    """Serves the app until SIGTERM or SIGINT; reloads at SIGHUP.

    Args:
        app: answers the requests.
        access: TLS, passwords and headers.
        reload: takes a changed configuration into force; raises `ConfigError`.
    """

    def __init__(self, app: App, access: Access, reload: Callable[[], None]) -> None:
        self._app = app
        self._access = access
        self._reload = reload
        self._tasks: set[asyncio.Task[None]] = set()
        asgi: ASGIApp = AccessMiddleware(app.asgi, access)
        context = access.ssl_context
        super().__init__(
            uvicorn.Config(
                asgi,
                http=_Protocol,
                ssl_context_factory=(lambda *_: context) if context else None,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                lifespan="off",
                ws="none",
                backlog=_BACKLOG,
                timeout_keep_alive=_KEEP_ALIVE,
                timeout_graceful_shutdown=1,
                callback_notify=self._refresh_access,
                timeout_notify=_ACCESS_REFRESH,
            )
        )

    @property
    def scheme(self) -> str:
        """How its addresses begin."""
        return "https" if self.config.is_ssl else "http"

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, and say so."""
        await super().startup(sockets)
        addresses = ",".join(spelt(each) for each in sockets or [])
        _log.info("listening", extra={"addresses": addresses, "scheme": self.scheme})

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Install our handlers, which as PID 1 nobody else would, and end with status 0."""
        loop = asyncio.get_running_loop()
        handlers: dict[int, Callable[[], Coroutine[None, None, None]]] = {
            signal.SIGTERM: self._stop,
            signal.SIGINT: self._stop,
            signal.SIGHUP: self._hang_up,
        }

        def heed(number: int, _: object) -> None:
            loop.call_soon_threadsafe(self._spawn, handlers[number])

        # not the loop's own handlers: on their way out they put the default back, which kills
        for number in handlers:
            signal.signal(number, heed)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, handlers)
        try:
            yield
        finally:
            for number in handlers:
                signal.signal(number, signal.SIG_IGN)

    def _spawn(self, handler: Callable[[], Coroutine[None, None, None]]) -> None:
        task = asyncio.create_task(handler())
        self._tasks.add(task)  # the loop itself holds tasks weakly
        task.add_done_callback(self._tasks.discard)

    async def _stop(self) -> None:
        """Turn unready, let scrapes in flight end, then leave."""
        if self._app.stopping:
            self.force_exit = True
        self._app.stopping = True
        _log.info("stopping")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE):
                while self._app.scrapes_running and not self.force_exit:
                    await asyncio.sleep(0.02)
        self._app.end_scrapes()
        self.should_exit = True

    async def _hang_up(self) -> None:
        with contextlib.suppress(ConfigError):  # the service has logged it
            await run_in_threadpool(self._reload)

    async def _refresh_access(self) -> None:
        await run_in_threadpool(self._access.refresh)


def listen(addresses: Sequence[str]) -> list[socket.socket]:
    """Open the listening sockets.

    Args:
        addresses: `host:port`, `[::1]:port`, or `:port` for every interface.

    Raises:
        OSError: an address cannot be listened on; `str()` is a sentence that names it.
    """
    sockets: list[socket.socket] = []
    for address in addresses:
        host, _, port = address.rpartition(":")
        try:
            sockets.append(_listen(host.strip("[]"), int(port)))
        except OSError as error:
            for each in sockets:
                each.close()
            looked_up = isinstance(error, socket.gaierror)
            reason = error.strerror if looked_up else os.strerror(error.errno or 0)
            raise OSError(f"cannot listen on {address}: {reason}") from error
    return sockets


def spelt(listener: socket.socket) -> str:
    """The address that it listens on, as people write it."""
    host, port, *_ = listener.getsockname()
    return f"[{host}]:{port}" if listener.family == socket.AF_INET6 else f"{host}:{port}"


def _listen(host: str, port: int) -> socket.socket:
    if not host and socket.has_dualstack_ipv6():
        return socket.create_server(
            ("", port), family=socket.AF_INET6, backlog=_BACKLOG, dualstack_ipv6=True
        )
    family, *_, address = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    return socket.create_server(address[:2], family=family, backlog=_BACKLOG)
