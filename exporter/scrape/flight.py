"""A fetch that is shared: what it brought, and each scrape's wait for it."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from exporter.binance.errors import FetchError, InvalidSymbol
from exporter.binance.exchange_info import MarginAsset
from exporter.binance.rows import Reject, Row


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True)
class Fetch:
    """What one fetch brought, whole; shared by all scrapes that waited for it."""

    finished_at: float
    """Unix time in seconds."""
    rows: Sequence[Row] = ()
    rejects: Sequence[Reject] = ()
    margin_assets: Mapping[str, MarginAsset] = field(default_factory=dict)
    error: FetchError | None = None
    """Why there are no rows; None after a good fetch."""

    def only(self, symbols: Sequence[str]) -> "Fetch":
        """The same, with the rows of these symbols; without one of them, it has failed."""
        wanted = frozenset(symbols)
        rows = [row for row in self.rows if row.symbol in wanted]
        if not rows:
            error = InvalidSymbol("Binance lists none of these symbols")
            return Fetch(self.finished_at, error=error)
        margin_assets = {s: asset for s, asset in self.margin_assets.items() if s in wanted}
        return replace(self, rows=rows, margin_assets=margin_assets)


class Flight:
    """A fetch in flight or finished, as all who share it see it."""

    def __init__(self, begun_at: float, deadline: float, weight_share: float = 1.0) -> None:
        self.begun_at = begun_at  # on the fetcher's clock, as the deadline
        self.deadline = deadline
        self.weight_share = weight_share  # of the ceiling; raised by who may use more
        self.joined = 0  # scrapes
        self.given_up = 0  # of them
        self.future: Future[Fetch]

    def reusable_at(self, now: float, min_interval: float) -> bool:
        """Whether a scrape may still join it."""
        if not self.future.done():
            return now < self.deadline  # past it, it hangs in name resolution
        good = self.future.exception() is None and self.future.result().error is None
        return good and now < self.begun_at + min_interval


class Waiter:
    """One scrape's wait for a fetch.

    Args:
        flight: The fetch.
        time_left: Gives the seconds until the fetch's own deadline.
        seen: Gives what the fetch brought for the symbols of the scrape.
        given_up: Takes note, and gives what a scrape shows that can wait no longer.

    Attributes:
        future: Is done when the fetch is.
    """

    def __init__(
        self,
        flight: Flight,
        time_left: Callable[[], float],
        seen: Callable[[Fetch], Fetch],
        given_up: Callable[[], Fetch],
    ) -> None:
        self.future = flight.future
        self._time_left = time_left
        self._seen = seen
        self.give_up = given_up

    def wait(self, timeout: float) -> Fetch:
        """Wait at most `timeout` seconds; after that, a failed fetch stands in."""
        try:
            self.future.result(self.at_most(timeout))
        except TimeoutError:
            return self.give_up()
        return self.result()

    def at_most(self, timeout: float) -> float:
        """Seconds to wait: `timeout`, or what is left until the fetch's own deadline."""
        return min(timeout, self._time_left())

    def result(self) -> Fetch:
        """What the finished fetch brought for the symbols of the scrape."""
        return self._seen(self.future.result())
