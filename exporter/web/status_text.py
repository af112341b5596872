"""How the status page writes numbers, times and changes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from exporter.scrape.changes import HaircutChange, MarginChange
from exporter.scrape.state import Change, Condition

_CENTS_FROM = 100.0
_ABSENT = "–"

LABELS: dict[Condition, str] = {
    "up": "Up",
    "down": "Down",
    "banned": "Banned",
    "rate_limited": "Rate limited",
    "weight_ceiling": "Waiting",
}

_CAUSES: dict[Condition, str] = {
    "banned": "by Binance (418)",
    "rate_limited": "by Binance (429)",
    "weight_ceiling": "because this address has used up the request weight of the minute",
}


def usd(value: float | None) -> str:
    """A price, with as many decimals as its size needs."""
    if value is None:
        return _ABSENT
    if value >= _CENTS_FROM:
        return f"{value:,.2f}"
    return f"{value:.4f}" if value >= 1 else f"{value:.6f}"


def percent(value: float | None) -> str:
    """A ratio."""
    return _ABSENT if value is None else f"{100 * value:.2f} %"


def age(seconds: float | None) -> str:
    """A duration in its largest unit."""
    if seconds is None:
        return _ABSENT
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def moment(timestamp: float, now: float) -> str:
    """A time in UTC, with its date unless that is today's."""
    then, today = (datetime.fromtimestamp(each, UTC) for each in (timestamp, now))
    layout = "%H:%M:%S UTC" if then.date() == today.date() else "%Y-%m-%d %H:%M:%S UTC"
    return then.strftime(layout)


@dataclass(frozen=True)
class Entry:
    """A line in the list of changes."""

    at: float
    subject: str
    text: str
    colour: str = ""
    """A class of the style sheet."""


def entries(changes: Iterable[Change]) -> list[Entry]:
    """The lines of the list: the haircuts of a symbol that changed at once are one."""
    lines = []
    for (at, subject), group in groupby(changes, key=lambda change: (change.at, _subject(change))):
        same = list(group)
        haircuts = [change for change in same if isinstance(change, HaircutChange)]
        if haircuts:
            risen = any(change.new > change.old for change in haircuts)
            lines.append(Entry(at, subject, _haircuts(haircuts), "warn" if risen else ""))
        lines += [_entry(change) for change in same if not isinstance(change, HaircutChange)]
    return lines


def _subject(change: Change) -> str:
    if isinstance(change, HaircutChange | MarginChange):
        return change.symbol
    return LABELS[change.condition]


def _haircuts(changes: Sequence[HaircutChange]) -> str:
    """Such as "haircut bid and ask 5.00 % → 10.00 %, auto-exchange bid 2.50 % → 3.00 %"."""
    sides: dict[tuple[str, float, float], list[str]] = {}
    for change in sorted(changes, key=lambda change: change.buffer.startswith("auto")):
        side = change.buffer.rpartition("_")[2]
        use = "auto-exchange " if change.buffer.startswith("auto") else ""
        sides.setdefault((use, change.old, change.new), []).append(side)
    return "haircut " + ", ".join(
        f"{use}{' and '.join(sorted(names, reverse=True))} {percent(old)} → {percent(new)}"
        for (use, old, new), names in sides.items()
    )


def _entry(change: Change) -> Entry:
    subject = _subject(change)
    if isinstance(change, MarginChange):
        text = "is now a margin asset" if change.added else "is no longer a margin asset"
        return Entry(change.at, subject, text, "" if change.added else "bad")
    assert not isinstance(change, HaircutChange)  # noqa: S101 - these are grouped
    if change.condition == "up":
        return Entry(change.at, subject, f"again, after {age(change.lasted)}", "good")
    return Entry(change.at, subject, _CAUSES.get(change.condition, change.detail), "bad")
