"""Which assets count as margin: kept from exchangeInfo, refreshed behind the scrapes' back."""

import logging
import threading
import time
from collections.abc import Callable, Mapping

from exporter.binance.client import Client, RequestOptions
from exporter.binance.errors import ApiError
from exporter.binance.exchange_info import MarginAsset
from exporter.binance.gate import Held

_log = logging.getLogger(__name__)

KEPT_FOR = 86400.0
RETRY_AFTER = 60.0
_TIMEOUT = 30.0


def _in_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, daemon=True, name="margin-assets").start()


class MarginAssets:
    """The last good answer, for 24 hours at most.

    Args:
        client: asks the exchange.
        options: how the module wants its requests sent.
        refresh_interval: seconds after which a scrape has it fetched anew; None switches it off.
        clock: gives seconds on the client's clock.
        background: runs a refresh beside the scrape that asked for it.
    """

    def __init__(
        self,
        client: Client,
        options: RequestOptions,
        refresh_interval: float | None,
        clock: Callable[[], float] = time.monotonic,
        background: Callable[[Callable[[], None]], None] = _in_thread,
    ) -> None:
        self._client = client
        self._options = options
        self._refresh_interval = refresh_interval
        self._clock = clock
        self._background = background
        self._lock = threading.Lock()
        self._assets: Mapping[str, MarginAsset] = {}
        self._listed: frozenset[str] | None = None
        self._fetched_at = 0.0
        self._due_at = 0.0
        self._failing = False

    def current(self) -> Mapping[str, MarginAsset]:
        """The margin assets by symbol, empty where unknown."""
        return self._assets if self._clock() < self._fetched_at + KEPT_FOR else {}

    def refresh_if_due(self) -> None:
        """Start a refresh in the background where it is time."""
        if self._refresh_interval is None:
            return
        now = self._clock()
        with self._lock:
            due = now >= self._due_at
            if due:
                self._due_at = now + RETRY_AFTER
        if due:
            self._background(self.refresh)

    def note_listed(self, symbols: frozenset[str]) -> None:
        """Take in which symbols the index has: where they have changed, margin may have too."""
        with self._lock:
            changed = self._listed is not None and symbols != self._listed
            self._listed = symbols
            if changed:
                self._due_at = min(self._due_at, self._fetched_at + RETRY_AFTER)
        self.refresh_if_due()

    def refresh(self) -> None:
        """Fetch now; a failure leaves what there is."""
        try:
            info = self._client.exchange_info(self._clock() + _TIMEOUT, self._options)
        except (ApiError, Held) as error:
            if not self._failing:
                _log.warning(
                    "margin assets not refreshed",
                    extra={"reason": error.reason, "error": str(error)},
                )
            self._failing = True
            return
        if self._failing:
            _log.info("margin assets refreshed again")
        self._failing = False
        now = self._clock()
        with self._lock:
            self._assets = info.assets
            self._fetched_at = now
            self._due_at = now + (self._refresh_interval or 0)
