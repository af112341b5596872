"""What changed at one base URL: haircuts and margin assets, as log lines and in memory."""

import logging
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Literal, Protocol, TypeVar

from exporter.binance.rows import Row
from exporter.scrape.flight import Fetch

KEPT_SECONDS = 86400.0

_KEPT_OF_EACH_KIND = 200  # twice all four haircuts of two dozen assets
_LOGGED_AT_ONCE = 100
_SYMBOLS = 5000
_LATE_SECONDS = (
    60.0  # by which a fetch that ends late may carry an older row; past it, a clock was set
)

_log = logging.getLogger(__name__)

Buffer = Literal["bid", "ask", "auto_exchange_bid", "auto_exchange_ask"]
BUFFERS: tuple[Buffer, ...] = ("bid", "ask", "auto_exchange_bid", "auto_exchange_ask")

_Ratios = tuple[float | None, ...]
_ratios = attrgetter(*(f"{buffer}_buffer" for buffer in BUFFERS))


@dataclass(frozen=True, slots=True)
class HaircutChange:
    """A buffer has another value than before."""

    at: float
    """Unix time in seconds of the fetch that showed it, as in every change."""
    symbol: str
    buffer: Buffer
    old: float
    new: float


@dataclass(frozen=True, slots=True)
class MarginChange:
    """An asset counts as margin, or no longer does."""

    at: float
    symbol: str
    added: bool


class _Dated(Protocol):
    @property
    def at(self) -> float: ...


_T = TypeVar("_T", bound=_Dated)


class Recent(deque[_T]):
    """The last changes of one kind, bounded."""

    def __init__(self) -> None:
        super().__init__(maxlen=_KEPT_OF_EACH_KIND)

    def of_the_day(self, now: float) -> list[_T]:
        """Those of the past 24 hours, oldest first."""
        return [change for change in self if change.at > now - KEPT_SECONDS]


class Changes:
    """Compares each good fetch with what the ones before it showed.

    Nothing is remembered across a restart: the first value that is seen is no change.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[str, tuple[float | None, _Ratios]] = {}
        self._margin: frozenset[str] | None = None
        self._haircut_changes: Recent[HaircutChange] = Recent()
        self._margin_changes: Recent[MarginChange] = Recent()

    def note(self, symbols: Sequence[str], fetch: Fetch) -> None:
        """Compare a fetch of these symbols (none for every asset), and log what is new."""
        if fetch.error is not None:
            return
        with self._lock:
            haircuts = [c for row in fetch.rows for c in self._note_row(row, fetch.finished_at)]
            margin = [*self._note_margin(symbols, fetch)]
            self._haircut_changes += haircuts
            self._margin_changes += margin
        _log_changes(haircuts, margin)

    def of_the_day(self, now: float) -> list[HaircutChange | MarginChange]:
        """The changes of the past 24 hours, oldest first within each kind."""
        with self._lock:
            return [*self._haircut_changes.of_the_day(now), *self._margin_changes.of_the_day(now)]

    def _note_row(self, row: Row, at: float) -> Sequence[HaircutChange]:
        ratios: _Ratios = _ratios(row)
        time, before = self._rows.get(row.symbol, (None, ratios))
        if row.time is not None and time is not None and 0 < time - row.time < _LATE_SECONDS:
            return ()
        if row.symbol not in self._rows and len(self._rows) >= _SYMBOLS:
            del self._rows[next(iter(self._rows))]
        if ratios == before:  # as nearly always
            self._rows[row.symbol] = (row.time, ratios)
            return ()
        pairs = [*zip(before, ratios, strict=True)]
        # a field that this response lacks is still the one that was
        known = tuple(old if new is None else new for old, new in pairs)
        self._rows[row.symbol] = (row.time, known)
        return [
            HaircutChange(at, row.symbol, buffer, old, new)
            for buffer, (old, new) in zip(BUFFERS, pairs, strict=True)
            if old is not None and new is not None and old != new
        ]

    def _note_margin(self, symbols: Sequence[str], fetch: Fetch) -> Iterator[MarginChange]:
        if not fetch.margin_assets:
            return  # not known, or expired
        current = frozenset(s for s, asset in fetch.margin_assets.items() if asset.available)
        before = self._margin
        if symbols:  # which say nothing of the others
            current |= (before or frozenset()) - frozenset(symbols)
            if before is None:
                return
        self._margin = current
        if before is not None:
            for symbol in sorted(before ^ current):
                yield MarginChange(fetch.finished_at, symbol, symbol in current)


def _log_changes(haircuts: Sequence[HaircutChange], margin: Sequence[MarginChange]) -> None:
    for haircut in haircuts[:_LOGGED_AT_ONCE]:
        _log.info(
            "haircut changed",
            extra={
                "symbol": haircut.symbol,
                "buffer": haircut.buffer,
                "from": haircut.old,
                "to": haircut.new,
            },
        )
    for change in margin[:_LOGGED_AT_ONCE]:
        message = "margin asset added" if change.added else "margin asset removed"
        _log.info(message, extra={"symbol": change.symbol})
    left_out = max(len(haircuts) - _LOGGED_AT_ONCE, 0) + max(len(margin) - _LOGGED_AT_ONCE, 0)
    if left_out:
        _log.info("further changes not logged", extra={"changes": left_out})


def previous_haircuts(changes: Iterable[object]) -> dict[tuple[str, Buffer], HaircutChange]:
    """The last change of each haircut, by symbol and buffer."""
    return {(c.symbol, c.buffer): c for c in changes if isinstance(c, HaircutChange)}
