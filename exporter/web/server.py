"""The web server: signals, reloads, a graceful stop."""

import asyncio
import contextlib
import errno
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from exporter import last_resort
from exporter.web import open_files
from exporter.web.access import Access, AccessMiddleware
from exporter.web.addresses import BACKLOG, address_of
from exporter.web.app import App
from exporter.web.protocol import REQUEST_SECONDS, Protocol
from exporter.web.reloader import Reloader

_log = logging.getLogger(__name__)

_KEEP_ALIVE_SECONDS = 120  # longer than the usual scrape interval, so that connections are reused
_GRACE_SECONDS = 3  # for scrapes in flight, at the end
_TLS_GOODBYE_SECONDS = 2
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Server(uvicorn.Server):
    """Serves the app until SIGTERM or SIGINT; reloads at SIGHUP.

    Args:
        app: Answers the requests.
        access: TLS, passwords and headers.
        reloader: Reloads the configuration files.
    """

    def __init__(self, app: App, access: Access, reloader: Reloader) -> None:
        self._app = app
        self._reloader = reloader
        self._stopping: asyncio.Task[None] | None = None
        self._report_exhausted = open_files.Report()
        asgi: ASGIApp = AccessMiddleware(app.asgi, access)
        context = access.ssl_context
        super().__init__(
            uvicorn.Config(
                asgi,
                loop="asyncio",
                http=Protocol,
                ssl_context_factory=(lambda *_: context) if context else None,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                lifespan="off",
                ws="none",
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=1,
            )
        )

    @property
    def scheme(self) -> str:
        """How its addresses begin."""
        return "https" if self.config.is_ssl else "http"

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, and log it.

        uvicorn's own way has no limit for the time of a TLS handshake.
        """
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._on_exception)
        tls: dict[str, Any] = {}
        if self.config.ssl:
            tls = {
                "ssl": self.config.ssl,
                "ssl_handshake_timeout": REQUEST_SECONDS,
                "ssl_shutdown_timeout": _TLS_GOODBYE_SECONDS,
            }
        self.servers = [
            await loop.create_server(self._connection, sock=each, backlog=1, **tls)
            for each in sockets or []
        ]
        # The backlog is also how many connections asyncio accepts before it serves one of them, and
        # how often it tries again when no file is left to open. So one for asyncio, more for Linux.
        for each in sockets or []:
            each.listen(BACKLOG)
        self._reloader.start()
        self.started = True
        addresses = ",".join(address_of(each) for each in sockets or [])
        _log.info("listening", extra={"addresses": addresses, "scheme": self.scheme})

    def _connection(self) -> Protocol:
        return Protocol(self.config, self.server_state, app_state={})

    def _on_exception(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log once a minute, not once a second, that no connection can be accepted."""
        error = context.get("exception")
        if not (isinstance(error, OSError) and error.errno in _EXHAUSTED):
            loop.default_exception_handler(context)
        else:
            self._report_exhausted("cannot accept connections", error=error.strerror)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Install our handlers, which as PID 1 nobody else would, and end with status 0."""
        loop = asyncio.get_running_loop()

        def end(*_: object) -> None:
            last_resort.end_soon()
            loop.call_soon_threadsafe(self._begin_to_stop)

        def reload(*_: object) -> None:
            self._reloader.request()

        handlers: dict[int, Callable[..., None]] = {
            signal.SIGTERM: end,
            signal.SIGINT: end,
            signal.SIGHUP: reload,
        }
        # not the loop's own handlers: it restores SIG_DFL when it closes; a late SIGHUP would kill
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, handlers)
        try:
            yield
        finally:
            for number in handlers:
                signal.signal(number, signal.SIG_IGN)

    def _begin_to_stop(self) -> None:
        if self._stopping:
            self.force_exit = True
        else:
            self._stopping = asyncio.create_task(self._stop())

    async def _stop(self) -> None:
        """Report unready, let scrapes in flight finish, then stop."""
        self._app.stopping = True
        _log.info("stopping")
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GRACE_SECONDS):
                    while self._app.scrapes_running and not self.force_exit:
                        await asyncio.sleep(0.02)
            self._app.end_scrapes()
        finally:
            self.should_exit = True
