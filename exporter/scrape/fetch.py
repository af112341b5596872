"""Which requests a scrape needs, and how the scrapes that arrive during a fetch share it."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Protocol, TypeVar

from exporter.binance.client import ASSET_INDEX, Client, Limits
from exporter.binance.errors import (
    FetchError,
    Held,
    InvalidSymbol,
    NoThread,
    NoUsableRow,
    RequestTimeout,
)
from exporter.binance.exchange_info import MarginAsset
from exporter.binance.observer import Observer
from exporter.binance.rows import Reject, Row
from exporter.binance.weights import ALL_FROM
from exporter.config.modules import ModuleSettings
from exporter.scrape.flight import Fetch, Flight, Waiter
from exporter.scrape.margin_assets import TIMEOUT_SECONDS, MarginAssets
from exporter.scrape.outage_log import OutageLog
from exporter.scrape.workers import WORKERS

PROBE_SHARE = 0.75
"""Of the weight ceiling, that probes may use: /metrics always has weight left."""

_REUSED = 100
"""How many sets of symbols are remembered for `min_interval`."""

_OF_ONE_SYMBOL = (InvalidSymbol, NoUsableRow)

_Error = TypeVar("_Error", bound=FetchError)


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
        key = wanted if len(wanted) < ALL_FROM else ()
        ratio = self._settings.weight_ceiling_ratio * (PROBE_SHARE if probe else 1)
        with self._lock:
            now = self._clock()
            self._forget(now)
            flight = self._flights.get(key)
            if flight is None:
                flight = self._flights[key] = self._start(key, now, ratio)
            flight.weight_ceiling_ratio = max(flight.weight_ceiling_ratio, ratio)
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
            self._log.note(symbols, narrowed.error, ())
        return narrowed

    def _given_up(self, symbols: tuple[str, ...], flight: Flight) -> Fetch:
        """A failed fetch for a scrape that can wait no longer for this flight."""
        fetch = self._timed_out()
        with self._lock:
            flight.given_up += 1
        if self._clock() >= flight.deadline:
            self._log.note((), fetch.error, ())
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

    def _start(self, symbols: tuple[str, ...], now: float, ratio: float) -> Flight:
        flight = Flight(now, now + self._settings.timeout, ratio)
        try:
            self._client.gate.check(ratio)
            flight.future = WORKERS.submit(lambda: self._fly(symbols, flight))
            if flight.future.done() and isinstance(none := flight.future.exception(), NoThread):
                raise none
        except (Held, NoThread) as error:
            fetch = Fetch(self._unix_time(), error=_without_traceback(error))
            flight.future = Future()
            flight.future.set_result(self._noted(symbols, fetch))
        return flight

    def _fly(self, symbols: tuple[str, ...], flight: Flight) -> Fetch:
        fetch = self._fetch(symbols, flight)
        everybody_left = flight.given_up and flight.given_up == flight.joined
        if fetch.error is None and everybody_left:
            self._observer.failed(ASSET_INDEX, RequestTimeout.reason)
            self._log.note_late(symbols, self._clock() - flight.begun_at)
            self._note(symbols, self._timed_out())
            return fetch
        return self._noted(symbols, fetch)

    def _noted(self, symbols: tuple[str, ...], fetch: Fetch) -> Fetch:
        if isinstance(fetch.error, Held):
            self._observer.held(fetch.error.reason)
        self._log.note(symbols, fetch.error, fetch.rejects)
        self._note(symbols, fetch)
        return fetch

    def _fetch(self, symbols: tuple[str, ...], flight: Flight) -> Fetch:
        limits = self._limits(flight.deadline, lambda: flight.weight_ceiling_ratio)
        try:
            rows, rejects = self._ask(symbols, limits)
        except NoUsableRow as error:
            return Fetch(self._unix_time(), rejects=error.rejects, error=_without_traceback(error))
        except FetchError as error:
            return Fetch(self._unix_time(), error=_without_traceback(error))
        if not symbols:
            self._margin_assets.note_listed(frozenset(row.symbol for row in rows))
        return Fetch(self._unix_time(), rows, rejects, self._margin(symbols))

    def _limits(self, deadline: float, ratio: Callable[[], float] | None = None) -> Limits:
        ratio = ratio or (lambda: self._settings.weight_ceiling_ratio)
        return Limits(deadline, self._settings.max_body_bytes, ratio)

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

    def _ask(self, symbols: tuple[str, ...], limits: Limits) -> tuple[list[Row], list[Reject]]:
        if not symbols:
            return self._client.asset_index(None, limits)
        asked = [WORKERS.submit(lambda s=s: self._client.asset_index(s, limits)) for s in symbols]  # type: ignore[misc]
        rows: list[Row] = []
        rejects: list[Reject] = []
        failures: list[FetchError] = []
        for each in asked:
            try:
                rows += each.result()[0]
            except NoUsableRow as error:
                rejects += error.rejects
                failures.append(_without_traceback(error))
            except FetchError as error:
                failures.append(_without_traceback(error))
        # a symbol that is invalid, or whose row was refused, is absent and counted; others stay
        fatal = [error for error in failures if not isinstance(error, _OF_ONE_SYMBOL)]
        if fatal or not rows:
            raise _root_cause(fatal or failures, rejects)
        return rows, rejects


def _without_traceback(error: _Error) -> _Error:
    """The error without its traceback, the frames of which hold all that was read."""
    error.__traceback__ = error.__cause__ = error.__context__ = None
    return error


def _root_cause(failures: Sequence[FetchError], rejects: Sequence[Reject]) -> FetchError:
    """Of several errors the one that says most: a hold only follows from another one's 429."""
    if any(isinstance(error, NoUsableRow) for error in failures):
        return NoUsableRow(rejects)
    return next((error for error in failures if not isinstance(error, Held)), failures[0])
