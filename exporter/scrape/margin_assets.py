"""Which assets count as margin: kept from exchangeInfo, refreshed in the background."""

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future

from exporter.binance.client import Client, Limits
from exporter.binance.errors import FetchError, NoThread
from exporter.binance.exchange_info import MarginAsset
from exporter.scrape.workers import WORKERS

_log = logging.getLogger(__name__)

KEPT_SECONDS = 86400.0
RETRY_SECONDS = 60.0
TIMEOUT_SECONDS = 30.0


class MarginAssets:
    """The last good response of one base URL, for at most 24 hours, whichever module fetched it.

    Args:
        clock: Gives seconds on the clock of the clients.
        background: Runs a refresh beside the scrape that found it due.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        background: Callable[[Callable[[], None]], "Future[None]"] = WORKERS.submit,
    ) -> None:
        self._clock = clock
        self._background = background
        self._lock = threading.Lock()
        self._assets: Mapping[str, MarginAsset] = {}
        self._fetched_at = -math.inf
        self._tried_at = -math.inf
        self._listed: frozenset[str] | None = None  # the symbols that the index has now
        self._listed_then: frozenset[str] | None = None  # and had when the last refresh began
        self._reported: set[str] = set()  # reasons of failure since the last good response

    def current(self) -> Mapping[str, MarginAsset]:
        """The margin assets by symbol, empty if unknown."""
        with self._lock:
            return self._assets if self._clock() < self._fetched_at + KEPT_SECONDS else {}

    def note_listed(self, symbols: frozenset[str]) -> None:
        """Take in which symbols the index has: if they have changed, margin may have, too."""
        with self._lock:
            self._listed = symbols
            if self._listed_then is None:
                self._listed_then = symbols

    def claim_refresh(self, interval: float) -> bool:
        """Whether a refresh is due and the caller is the one to do it.

        Args:
            interval: Seconds for which the caller's module uses one answer.
        """
        with self._lock:
            now = self._clock()
            changed = self._listed != self._listed_then
            used_for = min(interval, RETRY_SECONDS) if changed else interval
            if now < max(self._fetched_at + used_for, self._tried_at + RETRY_SECONDS):
                return False
            self._tried_at = now
            return True

    def refresh(self, client: Client, limits: Limits) -> None:
        """Fetch now; a failure is logged once and leaves what there is."""
        with self._lock:
            listed = self._listed
        try:
            info = client.exchange_info(limits)
        except FetchError as error:
            self._report(error)
            return
        with self._lock:
            self._assets = info.assets
            self._fetched_at = self._clock()
            self._listed_then = listed
            self._tried_at = -math.inf
            if self._reported:
                _log.info("margin asset refresh recovered")
                self._reported.clear()

    def run_in_background(self, refresh: Callable[[], None]) -> None:
        """Run a refresh; if there is no thread for it, that is a failure like others."""
        future = self._background(refresh)
        if future.done() and isinstance(error := future.exception(), NoThread):
            self._report(error)

    def _report(self, error: FetchError) -> None:
        with self._lock:
            if error.reason in self._reported:
                return
            self._reported.add(error.reason)
        _log.warning(
            "margin asset refresh failed", extra={"reason": error.reason, "error": str(error)}
        )
