"""Which requests a scrape needs, and how the scrapes that arrive during a fetch share it."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Protocol

from exporter.binance.client import ASSET_INDEX, Client, Limits
from exporter.binance.errors import (
    FetchError,
    Held,
    InvalidSymbol,
    NoThread,
    NoUsableRow,
    RequestTimeout,
    without_traceback,
)
from exporter.binance.exchange_info import MarginAsset
from exporter.binance.observer import Observer
from exporter.binance.rows import Reject, Row
from exporter.binance.weights import ALL_FROM
from exporter.config.modules import ModuleSettings
from exporter.scrape.flight import Fetch, Flight, Waiter
from exporter.scrape.margin_assets import TIMEOUT_SECONDS, MarginAssets
from exporter.scrape.outage_log import OutageLog
from exporter.scrape.workers import PROBE_WORKERS, WORKERS, Workers

PROBE_SHARE = 0.75
"""Of the weight ceiling, that probes may use: /metrics always has weight left."""

_REUSED = 100
"""How many sets of symbols are remembered for `min_interval`."""

_OF_ONE_SYMBOL = (InvalidSymbol, NoUsableRow)


class ScrapeObserver(Observer, Protocol):
    """Counts what happens to requests, and scrapes that sent none."""

    def held(self, reason: str) -> None:
        """A scrape was answered without a request."""


class Fetcher:
    """Fetches the asset index for one module.

    Args:
        client: Sends the requests.
        margin_assets: Joined to each good fetch.
        settings: The module's.
        observer: Counts the scrapes that the gate held.
        log: Reports outages once.
        note: Takes each fetch, with its symbols.
        clock: Gives seconds on the client's clock.
        unix_time: Gives Unix time in seconds.
    """

    def __init__(
        self,
        client: Client,
        margin_assets: MarginAssets,
        settings: ModuleSettings,
        *,
        observer: ScrapeObserver,
        log: OutageLog,
        note: Callable[[tuple[str, ...], Fetch], None] = lambda *_: None,
        clock: Callable[[], float] = time.monotonic,
        unix_time: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._margin_assets = margin_assets
        self._settings = settings
        self._observer = observer
        self._log = log
        self._note = note
        self._clock = clock
        self._unix_time = unix_time
        self._lock = threading.Lock()
        self._flights: dict[tuple[str, ...], Flight] = {}

    def begin(self, symbols: Sequence[str], *, probe: bool = False) -> Waiter:
        """Join the fetch of these symbols that is in flight, or start the next.

        Args:
            symbols: As Binance spells them; none for every asset.
            probe: Whether it may only use the share of the weight that probes have.
        """
        wanted = tuple(sorted(set(symbols)))
        key = _key(wanted)
        share = PROBE_SHARE if probe else 1.0
        with self._lock:
            now = self._clock()
            self._forget(now)
            flight = self._flights.get(key)
            if flight is None:
                flight = self._flights[key] = self._start(key, now, share)
            flight.weight_share = max(flight.weight_share, share)
            flight.joined += 1
        narrowed_to = wanted if key != wanted else ()
        return Waiter(
            flight,
            time_left=lambda: max(flight.deadline - self._clock(), 0.0),
            seen=lambda fetch: self._seen(fetch, narrowed_to),
            given_up=lambda: self._given_up(key, flight),
        )

    def refresh_margin_assets(self) -> None:
        """Fetch the margin assets now; a failure is logged and leaves what there is."""
        deadline = self._clock() + TIMEOUT_SECONDS
        self._margin_assets.refresh(self._client, self._limits(deadline))

    def _seen(self, fetch: Fetch, symbols: tuple[str, ...]) -> Fetch:
        """A fetch of all as a scrape of these symbols sees it."""
        if not symbols or fetch.error:
            return fetch
        narrowed = fetch.only(symbols)
        if narrowed.error:
            self._log.note(symbols, narrowed.error, (), own=self._own(symbols))
        return narrowed

    def _given_up(self, symbols: tuple[str, ...], flight: Flight) -> Fetch:
        """A failed fetch for a scrape that can wait no longer for this flight."""
        fetch = self._timed_out()
        with self._lock:
            flight.given_up += 1
        if self._clock() >= flight.deadline:
            self._log.note(symbols, fetch.error, (), own=self._own(symbols))
            self._note(symbols, fetch)
        return fetch

    def _timed_out(self) -> Fetch:
        error = RequestTimeout("no complete response before the deadline")
        return Fetch(self._unix_time(), error=error)

    def _forget(self, now: float) -> None:
        """Drop the flights that no further scrape may join."""
        crowded = len(self._flights) > _REUSED  # probes may name any symbols
        for key, flight in list(self._flights.items()):
            done_in_a_crowd = crowded and flight.future.done()
            if done_in_a_crowd or not flight.reusable_at(now, self._settings.min_interval):
                del self._flights[key]

    def _start(self, symbols: tuple[str, ...], now: float, share: float) -> Flight:
        flight = Flight(now, now + self._settings.timeout, share)
        workers = WORKERS if share == 1 else PROBE_WORKERS
        try:
            self._client.gate.check(self._settings.weight_ceiling_ratio, share)
            flight.future = workers.submit(lambda: self._fly(symbols, flight, workers))
            if flight.future.done() and isinstance(failure := flight.future.exception(), NoThread):
                raise failure
        except (Held, NoThread) as error:
            fetch = Fetch(self._unix_time(), error=without_traceback(error))
            flight.future = Future()
            flight.future.set_result(self._noted(symbols, fetch))
        return flight

    def _fly(self, symbols: tuple[str, ...], flight: Flight, workers: Workers) -> Fetch:
        fetch = self._fetch(symbols, flight, workers)
        everybody_left = flight.given_up and flight.given_up == flight.joined
        if fetch.error is None and everybody_left:
            self._observer.failed(ASSET_INDEX, RequestTimeout.reason)
            self._log.note_late(symbols, self._clock() - flight.begun_at)
            self._note(symbols, self._timed_out())
            return fetch
        return self._noted(symbols, fetch)

    def _own(self, symbols: tuple[str, ...]) -> bool:
        """Whether these are the module's own symbols, not those that a probe named."""
        own = _key(self._settings.symbols)
        return symbols in (own, tuple(sorted(self._settings.symbols)))

    def _noted(self, symbols: tuple[str, ...], fetch: Fetch) -> Fetch:
        if isinstance(fetch.error, Held):
            self._observer.held(fetch.error.reason)
        self._log.note(symbols, fetch.error, fetch.rejects, own=self._own(symbols))
        self._note(symbols, fetch)
        return fetch

    def _fetch(self, symbols: tuple[str, ...], flight: Flight, workers: Workers) -> Fetch:
        limits = self._limits(flight.deadline, lambda: flight.weight_share)
        try:
            rows, rejects = self._ask(symbols, limits, workers)
        except NoUsableRow as error:
            return Fetch(self._unix_time(), rejects=error.rejects, error=without_traceback(error))
        except FetchError as error:
            return Fetch(self._unix_time(), error=without_traceback(error))
        if not symbols:
            self._margin_assets.note_listed(frozenset(row.symbol for row in rows))
        return Fetch(self._unix_time(), rows, rejects, self._margin(symbols))

    def _limits(self, deadline: float, share: Callable[[], float] = lambda: 1.0) -> Limits:
        settings = self._settings
        return Limits(deadline, settings.max_body_bytes, settings.weight_ceiling_ratio, share)

    def _margin(self, symbols: tuple[str, ...]) -> Mapping[str, MarginAsset]:
        """What is known of margin; called after a good fetch only.

        Do not ask a failing exchange for another megabyte.
        """
        settings = self._settings.margin_assets
        if not settings.enabled:
            return {}
        if self._margin_assets.claim_refresh(settings.refresh_interval):
            self._margin_assets.run_in_background(self.refresh_margin_assets)
        assets = self._margin_assets.current()
        return {s: assets[s] for s in symbols if s in assets} if symbols else assets

    def _ask(
        self, symbols: tuple[str, ...], limits: Limits, workers: Workers
    ) -> tuple[list[Row], list[Reject]]:
        if not symbols:
            return self._client.asset_index(None, limits)
        asks = [partial(self._client.asset_index, symbol, limits) for symbol in symbols]
        # the last one in this thread, the others beside it
        others = [workers.submit(ask).result for ask in asks[:-1]]
        results: list[Callable[[], tuple[list[Row], list[Reject]]]] = [asks[-1], *others]
        rows: list[Row] = []
        rejects: list[Reject] = []
        failures: list[FetchError] = []
        for result in results:
            try:
                rows += result()[0]
            except NoUsableRow as error:
                rejects += error.rejects
                failures.append(without_traceback(error))
            except FetchError as error:
                failures.append(without_traceback(error))
        # a symbol that is invalid, or whose row was refused, is absent and counted; others stay
        fatal = [error for error in failures if not isinstance(error, _OF_ONE_SYMBOL)]
        if fatal or not rows:
            raise _root_cause(fatal or failures, rejects)
        return rows, rejects


def _key(symbols: Sequence[str]) -> tuple[str, ...]:
    """The symbols to ask for one by one; none for one request for all."""
    return tuple(sorted(set(symbols))) if len(symbols) < ALL_FROM else ()


def _root_cause(failures: Sequence[FetchError], rejects: Sequence[Reject]) -> FetchError:
    """Of several errors the one that says most: a hold only follows from another one's 429."""
    if any(isinstance(error, NoUsableRow) for error in failures):
        return NoUsableRow(rejects)
    return next((error for error in failures if not isinstance(error, Held)), failures[0])
