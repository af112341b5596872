"""A `requests` session that sends what we say and nothing else."""

from http.cookiejar import DefaultCookiePolicy

import requests
from requests.adapters import BaseAdapter

from exporter import __version__
from exporter.binance.transport import DeadlineAdapter

_CONNECTIONS = 16


def make_session(adapter: BaseAdapter | None = None) -> requests.Session:
    """Make a session without cookies, redirects and settings from the environment.

    Args:
        adapter: Carries the requests; without one, the network does.
    """
    session = _Session()
    session.trust_env = False  # no proxy, netrc or CA bundle that the configuration lacks
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.update(
        {
            "User-Agent": f"binance-asset-index-exporter/{__version__}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
        }
    )
    adapter = adapter or DeadlineAdapter(pool_maxsize=_CONNECTIONS)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


class _Session(requests.Session):
    """A session for which no response is a redirect.

    `requests` reads a redirect's whole body and parses its target even if it is not to follow.
    """

    def get_redirect_target(self, _: requests.Response) -> None:
        return None
