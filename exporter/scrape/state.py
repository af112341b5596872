"""How a module stands: its last fetch, its last good one, and since when it is down."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from exporter.binance.errors import Banned, Held, RateLimited
from exporter.binance.weights import ALL_FROM
from exporter.scrape.changes import Changes, HaircutChange, MarginChange, Recent
from exporter.scrape.flight import Fetch

Condition = Literal["up", "down", "banned", "rate_limited", "weight_ceiling"]


@dataclass(frozen=True, slots=True)
class State:
    """What the fetches of a module have shown so far; immutable."""

    fetch: Fetch
    """The last one."""
    condition: Condition
    since: float
    """When it came up or went down, whatever it has been down for; Unix time in seconds."""
    good: Fetch | None
    """The last fetch that brought values."""


def following(before: State | None, fetch: Fetch) -> State:
    """The state after one more fetch."""
    if before is not None and fetch is before.fetch:
        return before
    condition = _condition(fetch)
    if before is None:
        return State(fetch, condition, fetch.finished_at, good=fetch if condition == "up" else None)
    turned = (before.condition == "up") != (condition == "up")
    return State(
        fetch,
        condition,
        since=fetch.finished_at if turned else before.since,
        good=fetch if condition == "up" else before.good,
    )


@dataclass(frozen=True, slots=True)
class ConditionChange:
    """A module came up, went down, or is down for another reason."""

    at: float
    condition: Condition
    detail: str
    """The error's reason and sentence; empty if up."""
    lasted: float | None
    """Seconds that it was down, if it is up again."""


Change = HaircutChange | MarginChange | ConditionChange


class Watch:
    """Follows the fetches of a module, for the status page.

    Args:
        symbols: Those that the module itself fetches; probes may name others.
        changes: Of the module's base URL.
    """

    def __init__(self, symbols: Sequence[str], changes: Changes) -> None:
        self._symbols = frozenset(symbols)
        self._changes = changes
        self._lock = threading.Lock()
        self._conditions: Recent[ConditionChange] = Recent()
        self.state: State | None = None

    def note(self, symbols: Sequence[str], fetch: Fetch) -> None:
        """Take in a fetch of these symbols; none for every asset."""
        self._changes.note(symbols, fetch)
        if frozenset(symbols) != self._symbols:
            if symbols or len(self._symbols) < ALL_FROM:
                return
            if fetch.error is None:
                fetch = fetch.only([*self._symbols])
        with self._lock:
            before, self.state = self.state, following(self.state, fetch)
            change = _change(before, self.state)
            if change:
                self._conditions.append(change)

    def changes(self, now: float) -> list[Change]:
        """The changes of the past 24 hours, newest first."""
        with self._lock:
            conditions = self._conditions.of_the_day(now)
        return sorted([*conditions, *self._changes.of_the_day(now)], key=_at)[::-1]


def _at(change: Change) -> float:
    return change.at


def _condition(fetch: Fetch) -> Condition:
    match fetch.error:
        case None:
            return "up"
        case Banned() | Held(banned=True):
            return "banned"
        case RateLimited() | Held(reason="blocked"):
            return "rate_limited"
        case Held():
            return "weight_ceiling"
        case _:
            return "down"


def _change(before: State | None, after: State) -> ConditionChange | None:
    up = after.condition == "up"
    if before.condition == after.condition if before else up:
        return None
    error = after.fetch.error
    return ConditionChange(
        after.fetch.finished_at,
        after.condition,
        detail="" if error is None else f"{error.reason}: {error}",
        lasted=after.since - before.since if before and up else None,
    )
