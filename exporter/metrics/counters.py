"""Direct instrumentation: what this process counts about Binance's API."""

import os
import platform
from collections.abc import Callable, Iterable, Iterator
from itertools import product

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from exporter import __version__
from exporter.binance.client import ENDPOINTS
from exporter.binance.errors import HOLD_REASONS, REASONS
from exporter.binance.gate import Gate
from exporter.binance.rows import REJECT_REASONS
from exporter.metrics import catalogue
from exporter.metrics.kept import KeptCounter, KeptHistogram

_DURATION_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class ApiMetrics:
    """The counters of Binance's API, every label value there from the start."""

    def __init__(self, registry: CollectorRegistry) -> None:
        endpoints = [*product(ENDPOINTS)]
        failures = product(ENDPOINTS, REASONS)
        self._requests = KeptCounter(catalogue.REQUESTS, endpoints, registry)
        self._failures = KeptCounter(catalogue.REQUEST_FAILURES, failures, registry)
        self._duration = KeptHistogram(
            catalogue.REQUEST_DURATION, endpoints, _DURATION_BUCKETS, registry
        )
        self._rejected_rows = KeptCounter(
            catalogue.REJECTED_ROWS, product(REJECT_REASONS), registry
        )
        self._scrapes_held = KeptCounter(catalogue.SCRAPES_HELD, product(HOLD_REASONS), registry)

    def requested(self, endpoint: str, seconds: float) -> None:
        """Count a request that ended, one way or another, after that many seconds."""
        self._requests.inc(endpoint)
        self._duration.observe(endpoint, value=seconds)

    def failed(self, endpoint: str, reason: str) -> None:
        """Count a request without a usable response."""
        self._failures.inc(endpoint, reason)

    def rejected(self, reason: str, rows: int) -> None:
        """Count refused rows."""
        self._rejected_rows.inc(reason, amount=rows)

    def held(self, reason: str) -> None:
        """Count a scrape that was answered without a request."""
        self._scrapes_held.inc(reason)


class GateCollector(Collector):
    """The state of the gates; with several, the weight is that of the one nearest its limit."""

    def __init__(self, gates: Callable[[], Iterable[Gate]]) -> None:
        self._gates = gates

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Name the families without looking at a gate."""
        for spec in (catalogue.USED_WEIGHT, catalogue.WEIGHT_LIMIT, catalogue.BLOCKED_UNTIL):
            yield GaugeMetricFamily(spec.name, spec.help)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Read the gates."""
        gates = list(self._gates())
        fullest = max(gates, key=lambda gate: gate.used_weight / gate.weight_limit)
        yield _gauge(catalogue.USED_WEIGHT, fullest.used_weight)
        yield _gauge(catalogue.WEIGHT_LIMIT, fullest.weight_limit)
        yield _gauge(catalogue.BLOCKED_UNTIL, max(gate.blocked_until for gate in gates))


class ConfigMetrics:
    """How the last attempts to load the configuration files went."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._refused: set[str] = set()
        self._successful = Gauge(
            catalogue.CONFIG_RELOAD_SUCCESSFUL.name,
            catalogue.CONFIG_RELOAD_SUCCESSFUL.help,
            registry=registry,
        )
        self._successful.set_function(lambda: not self._refused)
        self._timestamp = Gauge(
            catalogue.CONFIG_RELOAD_TIMESTAMP.name,
            catalogue.CONFIG_RELOAD_TIMESTAMP.help,
            registry=registry,
        )

    def note(self, file: str, *, accepted: bool) -> None:
        """Take in that a file became active now, or was refused and its old content stays active.

        Args:
            file: Which of the configuration files.
            accepted: Whether it became active.
        """
        if accepted:
            self._refused.discard(file)
            self._timestamp.set_to_current_time()
        else:
            self._refused.add(file)


def register_build_info(registry: CollectorRegistry) -> None:
    """Expose what is running: version, source revision if known, interpreter."""
    spec = catalogue.BUILD_INFO
    Gauge(spec.name, spec.help, spec.labels, registry=registry).labels(
        version=__version__,
        revision=os.environ.get("EXPORTER_REVISION", "unknown"),
        pythonversion=platform.python_version(),
    ).set(1)


def register_demo(registry: CollectorRegistry, scenario: str) -> None:
    """Expose that the values are simulated, so that a rule can ignore or report them."""
    spec = catalogue.DEMO
    Gauge(spec.name, spec.help, spec.labels, registry=registry).labels(scenario).set(1)


def _gauge(spec: catalogue.Spec, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(spec.name, spec.help, value=value)
