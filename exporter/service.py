"""The modules in force: configuration -> fetchers; a reload swaps them whole."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from weakref import WeakValueDictionary

from prometheus_client import CollectorRegistry

from exporter.binance.client import Client, RequestOptions
from exporter.binance.gate import Gate
from exporter.config.errors import ConfigError
from exporter.config.modules import ModuleSettings, Settings
from exporter.metrics.counters import ApiMetrics, ConfigMetrics, GateCollector
from exporter.scrape.fetch import Fetcher
from exporter.scrape.margin_assets import LastAnswer, MarginAssets
from exporter.scrape.outage_log import OutageLog

_log = logging.getLogger(__name__)


_ClientKey = tuple[str, str, str]  # base URL, proxy and certificates: what connections depend on
_MarginKey = tuple[Client, RequestOptions, float | None]


@dataclass(frozen=True)
class Module:
    """A module of the configuration with what fetches for it."""

    settings: ModuleSettings
    fetcher: Fetcher
    gate: Gate


class Service:
    """Holds the modules.

    Gates, connections, margin assets and what the log has told outlive a reload.

    Args:
        load: reads the configuration; raises `ConfigError` where it is refused.
        registry: takes the metrics about the API and the configuration.

    Raises:
        ConfigError: the first configuration is refused.
    """

    def __init__(self, load: Callable[[], Settings], registry: CollectorRegistry) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._api_metrics = ApiMetrics(registry)
        self._config_metrics = ConfigMetrics(registry)
        self._gates: dict[str, Gate] = {}
        self._clients: dict[_ClientKey, Client] = {}
        self._last_answers: dict[str, LastAnswer] = {}
        # weakly: they live as long as a module in force, or about to be, uses them
        self._margin_assets: WeakValueDictionary[_MarginKey, MarginAssets] = WeakValueDictionary()
        self._logs: WeakValueDictionary[str, OutageLog] = WeakValueDictionary()
        self.settings = load()
        self.modules: Mapping[str, Module] = self._build({})
        self._config_metrics.loaded()
        registry.register(GateCollector(self._gates_in_force))

    def reload(self) -> None:
        """Read the configuration anew and swap it in; scrapes in flight end on the old one.

        Raises:
            ConfigError: it is refused, and the old one stays in force.
        """
        with self._lock:
            try:
                self.settings = self._load()
            except ConfigError as error:
                self._config_metrics.refused()
                _log.error("configuration refused", extra={"error": str(error)})
                raise
            self.modules = self._build(self.modules)
            self._close_unused()
            self._config_metrics.loaded()
            _log.info("configuration loaded", extra={"modules": ",".join(self.modules)})

    def _build(self, old: Mapping[str, Module]) -> Mapping[str, Module]:
        """Make the modules; one whose settings stand as they were is kept."""
        return {
            name: old[name]
            if name in old and old[name].settings == settings
            else self._module(name, settings)
            for name, settings in self.settings.modules.items()
        }

    def _close_unused(self) -> None:
        """Close the connections, but keep the gates: a ban outlives the configuration."""
        used = {_client_key(module.settings) for module in self.modules.values()}
        for key in self._clients.keys() - used:
            self._clients.pop(key).close()

    def _module(self, name: str, settings: ModuleSettings) -> Module:
        gate = self._gates.setdefault(settings.base_url, Gate())
        key = _client_key(settings)
        if key not in self._clients:
            self._clients[key] = Client(settings.base_url, gate, self._api_metrics)
        client = self._clients[key]
        options = RequestOptions(
            weight_ceiling_ratio=settings.weight_ceiling_ratio,
            max_body_bytes=settings.max_body_bytes,
            proxy_url=settings.proxy,
            ca_file=settings.ca_file,
        )
        fetcher = Fetcher(
            client,
            options,
            margin_assets=self._margin(settings, client, options),
            metrics=self._api_metrics,
            log=self._logs.setdefault(name, OutageLog(name)),
            min_interval=settings.min_interval,
        )
        return Module(settings, fetcher, gate)

    def _margin(
        self, settings: ModuleSettings, client: Client, options: RequestOptions
    ) -> MarginAssets:
        """Modules that ask alike share one; what has been told serves all of one base URL."""
        margin = settings.margin_assets
        interval = margin.refresh_interval if margin.enabled else None
        key = (client, options, interval)
        last = self._last_answers.setdefault(settings.base_url, LastAnswer())
        assets = MarginAssets(client, options, interval, last=last)
        return self._margin_assets.setdefault(key, assets)

    def _gates_in_force(self) -> Iterator[Gate]:
        return (module.gate for module in self.modules.values())


def _client_key(settings: ModuleSettings) -> _ClientKey:
    return settings.base_url, settings.proxy, settings.ca_file
