"""Log lines for changes of state: a day of outage is two lines."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from exporter.binance.errors import ApiError, Banned, RateLimited
from exporter.binance.gate import Held
from exporter.binance.rows import Reject

_log = logging.getLogger(__name__)

_BLOCKING = {Banned.reason, RateLimited.reason}
_FORGOTTEN_AFTER = 3600.0  # seconds; of the exchange's nodes one may tell a bad row, the others not
_REMEMBERED = 100
_NAMED = 10


class _Outage:
    def __init__(self, since: float) -> None:
        self.since = since
        self.told: set[str] = set()


class OutageLog:
    """Tells when fetches of a module start to fail, fail for another reason, and recover.

    Args:
        module: the module's name, for the lines.
        clock: gives seconds on a clock that never goes back.
    """

    def __init__(self, module: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._module = module
        self._clock = clock
        self._lock = threading.Lock()
        self._outages: dict[tuple[str, ...], _Outage] = {}
        self._told_rejects: dict[tuple[str, ...], tuple[set[str], float]] = {}

    def note(
        self,
        symbols: tuple[str, ...],
        error: ApiError | Held | None,
        rejects: Sequence[Reject],
    ) -> None:
        """Take in how a fetch of these symbols ended, and log what is new."""
        where = {"module_name": self._module, "symbols": _named(symbols)}
        with self._lock:
            if error is None:
                self._note_success(symbols, where)
            else:
                self._note_failure(symbols, error, where)
            self._note_rejects(symbols, rejects, where)

    def _note_success(self, symbols: tuple[str, ...], where: dict[str, str]) -> None:
        _log.debug("fetched", extra=where)
        outage = self._outages.pop(symbols, None)
        if outage is not None:
            lasted = round(self._clock() - outage.since, 1)
            _log.info("fetch recovered", extra=where | {"lasted_seconds": lasted})

    def _note_failure(
        self, symbols: tuple[str, ...], error: ApiError | Held, where: dict[str, str]
    ) -> None:
        outage = self._outages.get(symbols)
        if outage is None:
            _make_room(self._outages)
            outage = self._outages[symbols] = _Outage(self._clock())
        elif error.reason == "blocked" and outage.told & _BLOCKING:
            return  # it follows from what was told
        if error.reason not in outage.told:
            outage.told.add(error.reason)
            _log.warning(
                "fetch failing", extra=where | {"reason": error.reason, "error": str(error)}
            )

    def _note_rejects(
        self, symbols: tuple[str, ...], rejects: Sequence[Reject], where: dict[str, str]
    ) -> None:
        if not rejects:
            return
        now = self._clock()
        told, seen_at = self._told_rejects.pop(symbols, (set(), now))
        if now >= seen_at + _FORGOTTEN_AFTER or len(told) > _REMEMBERED:
            told = set()
        details = {reject.detail for reject in rejects[:_REMEMBERED]}
        if new := sorted(details - told):
            shown = "; ".join(new[:_NAMED])
            _log.warning("rows refused", extra=where | {"rows": len(rejects), "detail": shown})
        _make_room(self._told_rejects)
        self._told_rejects[symbols] = (told | details, now)


def _named(symbols: tuple[str, ...]) -> str:
    if len(symbols) > _NAMED:
        return f"{len(symbols)} symbols"
    return ",".join(symbols) or "all"


def _make_room(states: dict[tuple[str, ...], Any]) -> None:
    """Forget the oldest: probes may name any symbols."""
    while len(states) >= _REMEMBERED:
        del states[next(iter(states))]
