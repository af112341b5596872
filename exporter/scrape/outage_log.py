"""Log lines for changes of state: a day of outage is two lines."""

import logging
import threading
import time
from collections.abc import Callable, Sequence

from exporter.binance.errors import Banned, FetchError, InvalidSymbol, NoUsableRow, RateLimited
from exporter.binance.rows import Reject

_log = logging.getLogger(__name__)

_BLOCKING = {Banned.reason, RateLimited.reason}
_OF_ITS_SYMBOLS = (InvalidSymbol, NoUsableRow)
_FORGOTTEN_AFTER = 3600.0  # seconds; one of Binance's nodes may send a bad row, the others not
_REMEMBERED = 100
_NAMED = 10


class Reported:
    """What has been reported, each once until it has stayed away for an hour.

    Args:
        clock: Gives seconds on a clock that never goes back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen_at: dict[str, float] = {}

    def new(self, items: Sequence[str]) -> list[str]:
        """Note that these occurred now; returns those that are to be reported."""
        now = self._clock()
        self._seen_at = {
            item: seen_at
            for item, seen_at in self._seen_at.items()
            if now < seen_at + _FORGOTTEN_AFTER
        }
        occurred = list(dict.fromkeys(items))
        new = [item for item in occurred if item not in self._seen_at]
        room = _REMEMBERED - len(self._seen_at)
        self._seen_at |= dict.fromkeys((*(set(occurred) - set(new)), *new[: max(room, 0)]), now)
        return new if room > 0 else []


class OutageLog:
    """Reports when fetches of a module start to fail, fail for another reason, and recover.

    Args:
        module: The module's name, for the lines.
        clock: Gives seconds on a clock that never goes back.
    """

    def __init__(self, module: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._module = module
        self._clock = clock
        self._lock = threading.Lock()
        self._failing_since: float | None = None
        self._reasons: set[str] = set()
        self._rejects = Reported(clock)
        self._others = Reported(clock)

    def note(
        self,
        symbols: tuple[str, ...],
        error: FetchError | None,
        rejects: Sequence[Reject],
        *,
        own: bool = True,
    ) -> None:
        """Take in how a fetch of these symbols ended, and log what is new.

        Args:
            symbols: What was fetched; none for every asset.
            error: Why it failed.
            rejects: The rows that were refused.
            own: Whether these are the module's symbols; a probe's start and end no outage.
        """
        where = {"module_name": self._module, "symbols": _named(symbols)}
        with self._lock:
            if symbols and isinstance(error, _OF_ITS_SYMBOLS):
                self._report_hourly("symbols without values", error, where)
            elif not own:
                if error is not None:
                    self._report_hourly("probe failed", error, where)
            elif error is None:
                self._note_success(where)
            else:
                self._note_failure(error, where)
            new = self._rejects.new([reject.detail for reject in rejects])
            if new:
                detail = "; ".join(sorted(new)[:_NAMED])
                _log.warning("rows refused", extra=where | {"rows": len(rejects), "detail": detail})

    def note_late(self, symbols: tuple[str, ...], seconds: float) -> None:
        """Take in that a good response came after every scrape had given up waiting for it."""
        with self._lock:
            if self._others.new(["late"]):
                where = {"module_name": self._module, "symbols": _named(symbols)}
                _log.warning(
                    "response later than the scrape timeout",
                    extra={**where, "took_seconds": round(seconds, 1)},
                )

    def _report_hourly(self, message: str, error: FetchError, where: dict[str, str]) -> None:
        if self._others.new([error.reason]):
            _log.warning(message, extra=where | _why(error))

    def _note_success(self, where: dict[str, str]) -> None:
        _log.debug("fetched", extra=where)
        if self._failing_since is not None:
            lasted = round(self._clock() - self._failing_since, 1)
            _log.info("fetch recovered", extra=where | {"lasted_seconds": lasted})
            self._failing_since = None
            self._reasons.clear()

    def _note_failure(self, error: FetchError, where: dict[str, str]) -> None:
        if self._failing_since is None:
            self._failing_since = self._clock()
        elif error.reason == "blocked" and self._reasons & _BLOCKING:
            return  # it follows from what was reported
        if error.reason not in self._reasons:
            self._reasons.add(error.reason)
            _log.warning("fetch failed", extra=where | _why(error))


def _why(error: FetchError) -> dict[str, str]:
    return {"reason": error.reason, "error": str(error)}


def _named(symbols: tuple[str, ...]) -> str:
    if len(symbols) > _NAMED:
        return f"{len(symbols)} symbols"
    return ",".join(symbols) or "all"
