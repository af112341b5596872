"""Paths and methods: how each request is answered."""

import asyncio
import contextlib
import functools
import math
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from exporter.config.modules import DEFAULT_MODULE, dump_settings
from exporter.config.symbols import is_symbol
from exporter.scrape.flight import Fetch, Waiter
from exporter.scrape.state import following
from exporter.service import Module, Service
from exporter.web.exposition import Renderer, Scrape, compress
from exporter.web.negotiation import accepts_gzip, choose_format
from exporter.web.reloader import ReloadError
from exporter.web.status_files import CONTENT_SECURITY_POLICY, status_files

_TIMEOUT_HEADER = "X-Prometheus-Scrape-Timeout-Seconds"
_HTML = "text/html; charset=utf-8"
_DECIMAL = re.compile(r"[0-9]+(\.[0-9]+)?")
_BUSY = "At most {} scrapes run at once (--web.max-requests); try again.\n"

if TYPE_CHECKING:
    from exporter.web.status import StatusPage

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Options:
    """What the flags say about the web side."""

    telemetry_path: str = "/metrics"
    max_requests: int = 512
    timeout_offset: float = 0.5
    """Seconds that a scrape ends before Prometheus gives up."""
    scenario: str | None = None
    """The one that a demo plays."""


class App:
    """The web application; `asgi` is what a server runs.

    Args:
        service: The active modules.
        registry: The exporter's own metrics, for the telemetry path.
        options: What the flags say.
        reload: Reloads the configuration files.
    """

    def __init__(
        self,
        service: Service,
        registry: CollectorRegistry,
        options: Options,
        reload: Callable[[], "Future[None]"],
    ) -> None:
        self._service = service
        self._registry = registry
        self._options = options
        self._reload_files = reload
        self._renderer = Renderer()
        self.scrapes_running = 0
        self.stopping = False
        self._ended = False
        self._waiting: set[asyncio.Event] = set()
        self.asgi = Starlette(
            routes=[
                Route("/", self._limited(self._status)),
                Route(options.telemetry_path, self._limited(self._metrics)),
                Route("/probe", self._limited(self._probe)),
                *status_files(),
                Route("/config", self._config),
                Route("/-/healthy", self._healthy),
                Route("/-/ready", self._ready),
                Route("/-/reload", self._reload, methods=["POST", "PUT"]),
            ],
            exception_handlers={HTTPException: _http_error},
        )
        self.asgi.router.redirect_slashes = False  # an unknown path is a 404

    def _limited(self, handler: Handler) -> Handler:
        """Answer 503 at once if too many scrapes are already running."""

        async def limited(request: Request) -> Response:
            if self.scrapes_running >= self._options.max_requests:
                return PlainTextResponse(_BUSY.format(self._options.max_requests), 503)
            self.scrapes_running += 1
            try:
                return await handler(request)
            finally:
                self.scrapes_running -= 1

        return limited

    async def _metrics(self, request: Request) -> Response:
        module = self._service.modules[DEFAULT_MODULE]
        scrape = await self._scrape(request, module, module.settings.symbols)
        return self._exposition(request, scrape, self._registry)

    async def _probe(self, request: Request) -> Response:
        name, *_ = request.query_params.getlist("module") or [DEFAULT_MODULE]
        module = self._service.modules.get(name)
        if module is None:
            known = ", ".join(self._service.modules)
            return _bad_request(f"unknown module {name!r}: expected one of {known}")
        symbols = request.query_params.getlist("symbol")
        for symbol in symbols:
            if not is_symbol(symbol):
                return _bad_request(
                    f"malformed symbol {symbol!r}: expected one as Binance writes it,"
                    " such as BTCUSD"
                )
        scrape = await self._scrape(request, module, symbols or module.settings.symbols, probe=True)
        return self._exposition(request, scrape)

    @functools.cached_property
    def _status_page(self) -> "StatusPage":
        from exporter.web.status import StatusPage  # noqa: PLC0415 - no scrape needs its templates

        return StatusPage(self._options.telemetry_path, self._options.scenario)

    async def _status(self, request: Request) -> Response:
        module = self._service.modules[DEFAULT_MODULE]
        state = module.watch.state
        if "cached" not in request.query_params:
            scrape = await self._scrape(request, module, module.settings.symbols)
            state = following(module.watch.state, scrape.fetch)
        now = time.time()
        page = self._status_page.render(module, state, module.watch.changes(now), now)
        body, compressed = page.encode(), _accepts_gzip(request)
        response = _body(compress(body) if compressed else body, _HTML, compressed)
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        return response

    async def _config(self, _: Request) -> Response:
        return PlainTextResponse(dump_settings(self._service.settings))

    async def _healthy(self, _: Request) -> Response:
        return PlainTextResponse("Healthy.\n")

    async def _ready(self, _: Request) -> Response:
        if self.stopping:
            return PlainTextResponse("Shutting down.\n", 503)
        return PlainTextResponse("Ready.\n")

    async def _reload(self, _: Request) -> Response:
        try:
            await asyncio.wrap_future(self._reload_files())
        except ReloadError as error:
            return PlainTextResponse(f"{error}\n", 500)
        return PlainTextResponse("Configuration reloaded.\n")

    async def _scrape(
        self, request: Request, module: Module, symbols: Sequence[str], *, probe: bool = False
    ) -> Scrape:
        begun_at = time.monotonic()
        timeout = scrape_timeout(
            module.settings.timeout,
            request.headers.get(_TIMEOUT_HEADER, ""),
            self._options.timeout_offset,
        )
        waiter = module.fetcher.begin(symbols, probe=probe)
        waited = not waiter.future.done()
        fetch = await self._wait(waiter, timeout)
        return Scrape(fetch, time.monotonic() - begun_at, waited)

    async def _wait(self, waiter: Waiter, timeout: float) -> Fetch:
        if waiter.future.done():  # reused for min_interval, it may be older than its deadline
            return waiter.result()
        loop = asyncio.get_running_loop()
        woken = asyncio.Event()

        def wake(_: object) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed, as the process ends
                loop.call_soon_threadsafe(woken.set)

        waiter.future.add_done_callback(wake)
        timer = loop.call_later(0 if self._ended else waiter.at_most(timeout), woken.set)
        self._waiting.add(woken)
        try:
            await woken.wait()
        finally:
            timer.cancel()
            self._waiting.discard(woken)
        return waiter.result() if waiter.future.done() else waiter.give_up()

    def end_scrapes(self) -> None:
        """End the waiting of all scrapes, now and later; to be called in the event loop."""
        self._ended = True
        for woken in self._waiting:
            woken.set()

    def _exposition(
        self, request: Request, scrape: Scrape, registry: CollectorRegistry | None = None
    ) -> Response:
        output = choose_format(",".join(request.headers.getlist("Accept")))
        compressed = _accepts_gzip(request)
        page = self._renderer.page(scrape, output, compressed=compressed, registry=registry)
        return _body(page, output.content_type, compressed)


def scrape_timeout(module_timeout: float, header: str, offset: float) -> float:
    """Seconds a scrape may take.

    Args:
        module_timeout: The module's timeout in seconds.
        header: The value of Prometheus's timeout header, in seconds; ignored unless a number.
        offset: Seconds to subtract from it; if nothing remains, half of it is taken instead.
    """
    given = float(header) if _DECIMAL.fullmatch(header) else 0.0
    if not 0 < given < math.inf:
        return module_timeout
    return min(module_timeout, given - offset if given > offset else given / 2)


def _accepts_gzip(request: Request) -> bool:
    return accepts_gzip(",".join(request.headers.getlist("Accept-Encoding")))


def _body(body: bytes, content_type: str, compressed: bool) -> Response:
    # set as a header, for Starlette would append a charset to media_type
    headers = {
        "Content-Type": content_type,
        "Vary": "Accept, Accept-Encoding",
        "Cache-Control": "no-store",
    }
    return Response(body, headers=headers | ({"Content-Encoding": "gzip"} if compressed else {}))


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
    return PlainTextResponse(f"{error.detail}.\n", error.status_code, error.headers)


def _bad_request(sentence: str) -> Response:
    return PlainTextResponse(f"{sentence}\n", 400)
