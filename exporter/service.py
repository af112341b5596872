"""The active modules: configuration -> fetchers; a reload swaps them whole."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from exporter.binance.gate import Gate
from exporter.config.errors import ConfigError
from exporter.config.modules import ModuleSettings, Settings
from exporter.metrics.counters import ApiMetrics, ConfigMetrics, GateCollector
from exporter.scrape.fetch import Fetcher
from exporter.scrape.outage_log import OutageLog
from exporter.scrape.state import Watch
from exporter.scrape.upstream import Upstream

_log = logging.getLogger(__name__)

_FILE = "config"


@dataclass(frozen=True)
class Module:
    """A module of the configuration with what fetches for it."""

    settings: ModuleSettings
    fetcher: Fetcher
    gate: Gate
    log: OutageLog
    watch: Watch


class Service:
    """Holds the modules.

    What is known of a base URL, and what the log has said of a module, outlive a reload.

    Args:
        load: Reads the configuration; raises `ConfigError` if it is refused.
        registry: Takes the metrics about the API and the configuration.

    Raises:
        ConfigError: The first configuration is refused.
    """

    def __init__(self, load: Callable[[], Settings], registry: CollectorRegistry) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._api_metrics = ApiMetrics(registry)
        self.config_metrics = ConfigMetrics(registry)
        self._upstreams: dict[str, Upstream] = {}  # by base URL; a ban outlives the configuration
        self.settings = load()
        self.modules: Mapping[str, Module] = self._build({})
        self.config_metrics.note(_FILE, accepted=True)
        registry.register(GateCollector(self._active_gates))

    def reload(self) -> None:
        """Read the configuration anew and swap it in; scrapes in flight end on the old one.

        Raises:
            ConfigError: It is refused, and the old one stays active.
        """
        with self._lock:
            try:
                self.settings = self._load()
            except ConfigError as error:
                self.config_metrics.note(_FILE, accepted=False)
                _log.error("configuration refused", extra={"error": str(error)})
                raise
            self.modules = self._build(self.modules)
            for upstream in self._upstreams.values():
                upstream.close_unused(self.settings.modules.values())
            self.config_metrics.note(_FILE, accepted=True)
            _log.info("configuration loaded", extra={"modules": ",".join(self.modules)})

    def _build(self, old: Mapping[str, Module]) -> Mapping[str, Module]:
        """Make the modules; one whose settings have not changed is kept."""
        return {
            name: old[name]
            if name in old and old[name].settings == settings
            else self._module(settings, old[name].log if name in old else OutageLog(name))
            for name, settings in self.settings.modules.items()
        }

    def _module(self, settings: ModuleSettings, log: OutageLog) -> Module:
        url = settings.base_url
        upstream = self._upstreams.setdefault(url, Upstream(url, self._api_metrics))
        watch = Watch(settings.symbols, upstream.changes)
        fetcher = upstream.fetcher(settings, log, watch)
        return Module(settings, fetcher, upstream.gate, log, watch)

    def _active_gates(self) -> Iterator[Gate]:
        return (module.gate for module in self.modules.values())
