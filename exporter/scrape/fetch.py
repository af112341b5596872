"""Which requests a scrape needs, and how the scrapes that arrive during a fetch share it."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TypeVar

from exporter.binance.client import Client, RequestOptions
from exporter.binance.errors import ApiError, InvalidSymbol, NoUsableRow, RequestTimeout
from exporter.binance.exchange_info import MarginAsset
from exporter.binance.gate import Held
from exporter.binance.rows import Reject, Row
from exporter.metrics.counters import ApiMetrics
from exporter.scrape.margin_assets import MarginAssets
from exporter.scrape.outage_log import OutageLog
from exporter.scrape.workers import Workers

ALL_FROM = 10
"""From so many symbols on, one request for all (weight 10) costs no more than one for each."""

_REUSED = 100
"""How many sets of symbols are remembered for `min_interval`."""

_SPOILS_NO_OTHER = (InvalidSymbol, NoUsableRow)

_WORKERS = Workers("fetch")


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True)
class Fetch:
    """What one fetch brought, whole; shared by all scrapes that waited for it."""

    finished_at: float
    """Unix time in seconds."""
    rows: Sequence[Row] = ()
    rejects: Sequence[Reject] = ()
    margin_assets: Mapping[str, MarginAsset] = field(default_factory=dict)
    error: ApiError | Held | None = None
    """Why there are no rows; None after a good fetch."""


@dataclass(frozen=True, eq=False, slots=True)
class Flight:
    """A fetch under way or finished."""

    future: "Future[Fetch]"
    begun_at: float
    """On the fetcher's clock, as `deadline`."""
    deadline: float

    @property
    def good(self) -> bool:
        """Whether it has landed, with values."""
        done = self.future.done() and self.future.exception() is None
        return done and self.future.result().error is None

    def wait(self, timeout: float) -> Fetch:
        """Wait at most `timeout` seconds; past that, a failed fetch stands in."""
        try:
            return self.future.result(timeout)
        except TimeoutError:
            return self.given_up()

    def given_up(self) -> Fetch:
        """What a scrape shows that could wait no longer."""
        return Fetch(time.time(), error=RequestTimeout("no complete answer before the deadline"))


class Fetcher:
    """Fetches the asset index for one module.

    Args:
        client: asks the exchange.
        options: how the module wants its requests sent.
        margin_assets: joined to each good fetch.
        metrics: counts the scrapes that the gate held.
        log: tells of outages once.
        min_interval: seconds from its beginning for which a good fetch is reused; 0 for never.
        clock: gives seconds on the client's clock.
        unix_time: gives Unix time in seconds.
    """

    def __init__(
        self,
        client: Client,
        options: RequestOptions,
        *,
        margin_assets: MarginAssets,
        metrics: ApiMetrics,
        log: OutageLog,
        min_interval: float = 0,
        clock: Callable[[], float] = time.monotonic,
        unix_time: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._options = options
        self.margin_assets = margin_assets
        self._metrics = metrics
        self._log = log
        self._min_interval = min_interval
        self._clock = clock
        self._unix_time = unix_time
        self._lock = threading.Lock()
        self._flights: dict[tuple[str, ...], Flight] = {}

    def begin(self, symbols: Sequence[str], timeout: float) -> Flight:
        """Join the fetch of these symbols that is under way, or start the next.

        Args:
            symbols: as the exchange spells them; none for every asset.
            timeout: seconds until the last byte of a fetch that is started.
        """
        key = tuple(sorted(set(symbols)))
        with self._lock:
            now = self._clock()
            self._forget(now)
            flight = self._flights.get(key)
            if flight is None:
                flight = self._take_off(key, now, now + timeout)
                self._flights[key] = flight
            return flight

    def _forget(self, now: float) -> None:
        """Drop the flights that no further scrape may join."""
        for key, flight in list(self._flights.items()):
            if flight.future.done():
                crowded = len(self._flights) > _REUSED  # probes may name any symbols
                over = crowded or now >= flight.begun_at + self._min_interval or not flight.good
            else:
                over = now >= flight.deadline  # it hangs in name resolution
            if over:
                del self._flights[key]

    def _take_off(self, symbols: tuple[str, ...], now: float, deadline: float) -> Flight:
        try:
            self._client.gate.check(self._options.weight_ceiling_ratio)
        except Held as held:
            future: Future[Fetch] = Future()
            future.set_result(self._told(symbols, Fetch(self._unix_time(), error=held)))
        else:
            future = _WORKERS.submit(lambda: self._told(symbols, self._fetch(symbols, deadline)))
        return Flight(future, now, deadline)

    def _told(self, symbols: tuple[str, ...], fetch: Fetch) -> Fetch:
        if isinstance(fetch.error, Held):
            self._metrics.scrapes_held.labels(fetch.error.reason).inc()
        self._log.note(symbols, fetch.error, fetch.rejects)
        return fetch

    def _fetch(self, symbols: tuple[str, ...], deadline: float) -> Fetch:
        try:
            rows, rejects = self._ask(symbols, deadline)
        except NoUsableRow as error:
            return Fetch(self._unix_time(), rejects=error.rejects, error=_to_keep(error))
        except (ApiError, Held) as error:
            return Fetch(self._unix_time(), error=_to_keep(error))
        if not symbols:
            self.margin_assets.note_listed(frozenset(row.symbol for row in rows))
        # not after a failure: what cannot tell the index is not asked for a megabyte more
        self.margin_assets.refresh_if_due()
        margin_assets = self.margin_assets.current()
        if symbols:
            margin_assets = {s: margin_assets[s] for s in symbols if s in margin_assets}
        return Fetch(self._unix_time(), rows, rejects, margin_assets)

    def _ask(self, symbols: tuple[str, ...], deadline: float) -> tuple[list[Row], list[Reject]]:
        if symbols and len(symbols) < ALL_FROM:
            return self._ask_each(symbols, deadline)
        rows, rejects = self._client.asset_index(None, deadline, self._options)
        if symbols:
            rows = [row for row in rows if row.symbol in symbols]
            if not rows:
                raise InvalidSymbol("the exchange lists none of the symbols asked for")
        return rows, rejects

    def _ask_each(
        self, symbols: tuple[str, ...], deadline: float
    ) -> tuple[list[Row], list[Reject]]:
        def ask(symbol: str) -> list[Row] | ApiError | Held:
            try:
                return self._client.asset_index(symbol, deadline, self._options)[0]
            except (ApiError, Held) as error:
                return _to_keep(error)

        answers = [_WORKERS.submit(lambda s=symbol: ask(s)) for symbol in symbols]  # type: ignore[misc]
        rows: list[Row] = []
        rejects: list[Reject] = []
        failures: list[ApiError | Held] = []
        for answer in answers:
            result = answer.result()
            if isinstance(result, list):
                rows += result
                continue
            failures.append(result)
            if isinstance(result, NoUsableRow):
                rejects += result.rejects
        # a symbol that is invalid, or whose row was refused, is absent and counted; others stay
        spoilt = [error for error in failures if not isinstance(error, _SPOILS_NO_OTHER)]
        if spoilt or not rows:
            raise _most_telling(spoilt or failures, rejects)
        return rows, rejects


_Failure = TypeVar("_Failure", bound=Exception)


def _to_keep(error: _Failure) -> _Failure:
    """The error without its traceback, the frames of which hold all that was read."""
    error.__traceback__ = error.__cause__ = error.__context__ = None
    return error


def _most_telling(
    failures: Sequence[ApiError | Held], rejects: Sequence[Reject]
) -> ApiError | Held:
    """Of several reasons the one that tells most: a hold only follows from another one's 429."""
    if any(isinstance(error, NoUsableRow) for error in failures):
        return NoUsableRow(rejects)
    return next((error for error in failures if not isinstance(error, Held)), failures[0])
