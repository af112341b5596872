"""Which assets count as margin: kept from exchangeInfo, refreshed behind the scrapes' back."""

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

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


@dataclass(eq=False)
class LastAnswer:
    """What one base URL told last, whichever module asked, and since; it outlives a reload."""

    assets: Mapping[str, MarginAsset] = field(default_factory=dict)
    fetched_at: float = -math.inf
    """On the client's clock."""
    listed: frozenset[str] | None = None
    """The symbols that the index has now."""
    listed_then: frozenset[str] | None = None
    """Those that it had when the answer was asked for."""
    failures_told: set[str] = field(default_factory=set)
    """The reasons of failure since then that the log has told."""


class MarginAssets:
    """The last good answer, for 24 hours at most.

    Args:
        client: asks the exchange.
        options: how the module wants its requests sent.
        refresh_interval: seconds after which a scrape has it fetched anew; None switches it off.
        last: the answer to start from, and to renew.
        clock: gives seconds on the client's clock.
        background: runs a refresh beside the scrape that asked for it.
    """

    def __init__(
        self,
        client: Client,
        options: RequestOptions,
        refresh_interval: float | None,
        *,
        last: LastAnswer | None = None,
        clock: Callable[[], float] = time.monotonic,
        background: Callable[[Callable[[], None]], None] = _in_thread,
    ) -> None:
        self._client = client
        self._options = options
        self._refresh_interval = refresh_interval
        self._last = last or LastAnswer()
        self._clock = clock
        self._background = background
        self._lock = threading.Lock()
        self._tried_at = -math.inf

    def current(self) -> Mapping[str, MarginAsset]:
        """The margin assets by symbol, empty where unknown or switched off."""
        known = self._refresh_interval is not None
        fresh = self._clock() < self._last.fetched_at + KEPT_FOR
        return self._last.assets if known and fresh else {}

    def note_listed(self, symbols: frozenset[str]) -> None:
        """Take in which symbols the index has: where they have changed, margin may have too."""
        self._last.listed = symbols
        if self._last.listed_then is None:
            self._last.listed_then = symbols

    def refresh_if_due(self) -> None:
        """Start a refresh in the background where it is time."""
        if self._refresh_interval is None:
            return
        now = self._clock()
        with self._lock:
            changed = self._last.listed != self._last.listed_then
            used_for = min(self._refresh_interval, RETRY_AFTER if changed else math.inf)
            if now < max(self._last.fetched_at + used_for, self._tried_at + RETRY_AFTER):
                return
            self._tried_at = now
        try:
            self._background(self.refresh)
        except RuntimeError as error:  # no thread to be had: that must not fail the scrape
            self._tell("no_thread", error)

    def refresh(self) -> None:
        """Fetch now; a failure leaves what there is."""
        listed = self._last.listed
        try:
            info = self._client.exchange_info(self._clock() + _TIMEOUT, self._options)
        except (ApiError, Held) as error:
            self._tell(error.reason, error)
            return
        if self._last.failures_told:
            _log.info("margin assets refreshed again")
            self._last.failures_told.clear()
        with self._lock:
            self._last.assets = info.assets
            self._last.fetched_at = self._clock()
            self._last.listed_then = listed
            self._tried_at = -math.inf

    def _tell(self, reason: str, error: Exception) -> None:
        if reason not in self._last.failures_told:
            self._last.failures_told.add(reason)
            _log.warning(
                "margin assets not refreshed", extra={"reason": reason, "error": str(error)}
            )
