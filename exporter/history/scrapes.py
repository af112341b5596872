"""Scrapes of the simulator on a simulated clock, as fast as they can be computed."""

import io
import random
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from urllib.parse import parse_qsl, urlsplit

import requests
from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    Metric,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.core import GaugeMetricFamily
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse, Timeout

from exporter.binance.client import Client
from exporter.binance.gate import Gate
from exporter.collector import index_families, scrape_families
from exporter.config.modules import MarginAssetsSettings, ModuleSettings
from exporter.metrics.counters import (
    ApiMetrics,
    ConfigMetrics,
    GateCollector,
    register_build_info,
)
from exporter.scrape.fetch import Fetcher
from exporter.scrape.margin_assets import MarginAssets
from exporter.scrape.outage_log import OutageLog
from exporter.simulator.exchange import Exchange

_TIMEOUT = 5.0
_REFRESH_INTERVAL = 300.0
"""Of the margin assets, short so that a scenario shows on time."""

_TYPICAL_LATENCY = 0.06


class Clock:
    """Unix time in seconds, set by its user."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


class Wire(HTTPAdapter):
    """Passes requests to an exchange in this process, and moves the clock on by their latency."""

    def __init__(self, exchange: Exchange, clock: Clock, seed: int) -> None:
        super().__init__()
        self._exchange = exchange
        self._clock = clock
        self._random = random.Random(seed)  # noqa: S311 - latencies, no secret

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002 - as in requests
        timeout: object = None,
        *_: object,
        **__: object,
    ) -> requests.Response:
        """Get the response of the exchange.

        Raises:
            ReadTimeout: The response takes longer than `timeout`.
            ConnectionError: The exchange closes the connection.
        """
        assert isinstance(timeout, Timeout)  # noqa: S101 - our client passes one
        assert isinstance(timeout.total, float)  # noqa: S101
        url = urlsplit(request.url or "")
        answer = self._exchange.answer(str(url.path), dict(parse_qsl(str(url.query))))
        takes = answer.delay_seconds + self._random.lognormvariate(0, 0.5) * _TYPICAL_LATENCY
        if takes >= timeout.total:
            self._clock.now += timeout.total
            raise requests.ReadTimeout
        self._clock.now += takes
        if answer.drop:
            raise requests.ConnectionError
        raw = HTTPResponse(
            io.BytesIO(answer.body), answer.headers, answer.status, preload_content=False
        )
        return self.build_response(request, raw)


class Scrapes:
    """The pages of an exporter of one exchange.

    Args:
        exchange: Uses the same clock.
        clock: The time of exchange and exporter.
        seed: Of the latencies.
        refresh_interval: Seconds between two fetches of the margin assets.
    """

    def __init__(
        self,
        exchange: Exchange,
        clock: Clock,
        seed: int,
        refresh_interval: float = _REFRESH_INTERVAL,
    ) -> None:
        self._clock = clock
        self._registry = registry = CollectorRegistry()
        register_build_info(registry)
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        ConfigMetrics(registry).note("config", accepted=True)
        margin = MarginAssetsSettings.model_construct(refresh_interval=refresh_interval)
        settings = ModuleSettings(margin_assets=margin)
        metrics, gate = ApiMetrics(registry), Gate(clock, clock)
        registry.register(GateCollector(lambda: (gate,)))
        wire = Wire(exchange, clock, seed)
        client = Client("https://exchange.invalid", gate, metrics, clock=clock, adapter=wire)
        self._background: list[Callable[[], None]] = []
        self._fetcher = Fetcher(
            client,
            MarginAssets(clock, self._later),
            settings,
            observer=metrics,
            log=OutageLog("default", clock),
            clock=clock,
            unix_time=clock,
        )

    def _later(self, work: Callable[[], None]) -> "Future[None]":
        self._background.append(work)
        return Future()

    def at(self, moment: float) -> Iterator[Metric]:
        """Scrape at this Unix time: the page's families, and the `up` that Prometheus adds."""
        self._clock.now = moment
        fetch = self._fetcher.begin(()).wait(_TIMEOUT)
        yield GaugeMetricFamily("up", "1 if Prometheus could scrape.", value=1)
        yield from self._registry.collect()
        yield from index_families(fetch)
        yield from scrape_families(fetch, self._clock.now - moment)
        for work in self._background:
            work()  # it ran beside the scrape: the next one starts at its own time
        self._background.clear()
