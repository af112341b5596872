"""What is known of one base URL, whichever modules send requests there."""

from collections.abc import Iterable

from exporter.binance.client import Client
from exporter.binance.gate import Gate
from exporter.config.modules import ModuleSettings
from exporter.scrape.changes import Changes
from exporter.scrape.fetch import Fetcher, ScrapeObserver
from exporter.scrape.margin_assets import MarginAssets
from exporter.scrape.outage_log import OutageLog
from exporter.scrape.state import Watch


class Upstream:
    """Gate, margin assets, changes and connections of one base URL; they outlive a reload.

    Args:
        base_url: Scheme and host.
        observer: Counts requests and failures.
    """

    def __init__(self, base_url: str, observer: ScrapeObserver) -> None:
        self.gate = Gate()
        self.changes = Changes()
        self._base_url = base_url
        self._observer = observer
        self._margin_assets = MarginAssets()
        self._clients: dict[tuple[str, str], Client] = {}  # by proxy and certificates

    def fetcher(self, settings: ModuleSettings, log: OutageLog, watch: Watch) -> Fetcher:
        """Make what fetches for a module of this base URL."""
        way = _way(settings)
        if way not in self._clients:
            proxy_url, ca_file = way
            self._clients[way] = Client(
                self._base_url, self.gate, self._observer, proxy_url=proxy_url, ca_file=ca_file
            )
        return Fetcher(
            self._clients[way],
            self._margin_assets,
            settings,
            observer=self._observer,
            log=log,
            note=watch.note,
        )

    def close_unused(self, modules: Iterable[ModuleSettings]) -> None:
        """Close the connections that none of these modules uses."""
        used = {_way(each) for each in modules if each.base_url == self._base_url}
        for way in self._clients.keys() - used:
            self._clients.pop(way).close()


def _way(settings: ModuleSettings) -> tuple[str, str]:
    return settings.proxy, settings.ca_file
