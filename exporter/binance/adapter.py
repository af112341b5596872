"""The adapter of `requests` that carries a client's requests, and what they say.

Without a session: one would look for cookies, redirects, hooks, and settings in the environment.
"""

from collections.abc import Mapping
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import ProxyManager
from urllib3.connectionpool import ConnectionPool

from exporter import __version__
from exporter.binance.transport import POOLS

_CONNECTIONS = 16
_HEADERS = {
    "User-Agent": f"binance-asset-index-exporter/{__version__}",
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "Connection": "keep-alive",
}


def prepare(url: str, params: Mapping[str, str]) -> requests.PreparedRequest:
    """Prepare a request, which may be sent any number of times."""
    return requests.Request("GET", url, _HEADERS, params=params).prepare()


class DeadlineAdapter(HTTPAdapter):
    """An adapter for which `urllib3.Timeout(total=...)` covers the whole round trip.

    Name resolution is the one step it cannot cut short; nothing is sent if that took too long.

    All its requests go to one host, with one proxy and one set of certificates.
    """

    _pool: ConnectionPool | None = None

    def __init__(self) -> None:
        super().__init__(pool_maxsize=_CONNECTIONS)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools for direct connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> ProxyManager:
        """Make the pools for connections through a proxy."""
        manager: ProxyManager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = POOLS
        return manager

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> ConnectionPool:
        """Look the pool up once: it is always the same."""
        if self._pool is None:
            self._pool = super().get_connection_with_tls_context(*args, **kwargs)
        return self._pool

    def close(self) -> None:
        """Close the pooled connections; a request that comes late gets a pool of its own."""
        self._pool = None
        super().close()
