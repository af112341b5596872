"""The web server: signals, reloads, a graceful stop."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator

import uvicorn
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp

from exporter.config.errors import ConfigError
from exporter.web.access import Access, AccessMiddleware
from exporter.web.addresses import BACKLOG, address_of
from exporter.web.app import App
from exporter.web.protocol import Protocol

_log = logging.getLogger(__name__)

_KEEP_ALIVE = 120  # seconds; longer than the usual scrape interval, so that connections are reused
_GRACE = 3  # seconds that scrapes in flight get at the end
_ACCESS_REFRESH = 10  # seconds between looks at the certificate and password files


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
                http=Protocol,
                ssl_context_factory=(lambda *_: context) if context else None,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                lifespan="off",
                ws="none",
                backlog=BACKLOG,
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
        addresses = ",".join(address_of(each) for each in sockets or [])
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
