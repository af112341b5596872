"""The page for people: is it up, how fresh, what every asset is worth as margin, what changed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from jinja2 import Environment, PackageLoader, StrictUndefined

from exporter import __version__
from exporter.binance.rows import Row
from exporter.scrape.changes import BUFFERS, HaircutChange, previous_haircuts
from exporter.scrape.flight import Fetch
from exporter.scrape.state import Change, State
from exporter.service import Module
from exporter.web import depeg, status_text

_FROZEN_SECONDS = 30.0
_NO_SCRAPE_SECONDS = 120.0


@dataclass(frozen=True)
class _Line:
    """An asset in the table."""

    row: Row
    margin: bool | None
    """Whether it counts as margin; None if that is not known."""
    spread: float | None
    """Distance of the ask rate from the bid rate, as a ratio of the index."""
    age: float | None
    """Seconds."""
    frozen: bool
    """Whether it was old when it was fetched."""
    changed: Mapping[str, HaircutChange]
    """By buffer, the last change of the past 24 hours."""
    depegged: float | None
    """By which ratio it is below the other dollar-like assets; None if it is not."""


class StatusPage:
    """Renders the page from what the fetches of a module have shown.

    Args:
        telemetry_path: Where the metrics are, for the link.
        scenario: The one that a demo plays; None for real values.
    """

    def __init__(self, telemetry_path: str, scenario: str | None = None) -> None:
        environment = Environment(
            loader=PackageLoader("exporter.web", "."),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters |= {
            "usd": status_text.usd,
            "percent": status_text.percent,
            "age": status_text.age,
        }
        environment.globals |= {
            "scenario": scenario,
            "metrics_link": telemetry_path.removeprefix("/"),
            "version": __version__,
            "depeg_rule": depeg.RULE,
            "labels": status_text.LABELS,
            "buffers": BUFFERS,
            "frozen_seconds": _FROZEN_SECONDS,
        }
        self._template = environment.get_template("status.html")

    def render(
        self, module: Module, state: State | None, changes: Sequence[Change], now: float
    ) -> str:
        """Make the HTML.

        Args:
            module: What is shown.
            state: Of its fetches; None before the first one.
            changes: Of the past 24 hours, newest first.
            now: Unix time in seconds.
        """
        lines = _lines(state.good, changes, now) if state and state.good else []
        return self._template.render(
            state=state,
            error=state.fetch.error if state else None,
            until=_held_until(module, state),
            now=now,
            at=partial(status_text.moment, now=now),
            no_scrape=state is not None and now - state.fetch.finished_at > _NO_SCRAPE_SECONDS,
            margin_lines=[line for line in lines if line.margin is not False],
            other_lines=[line for line in lines if line.margin is False],
            margin_note=_margin_note(module, lines),
            some_frozen=any(line.frozen for line in lines),
            frozen_since=_frozen_since(lines),
            oldest=max((line.age for line in lines if line.age is not None), default=None),
            changes=status_text.entries(changes),
            settings=module.settings,
            used_weight=module.gate.used_weight,
            weight_limit=module.gate.weight_limit,
        )


def _lines(fetch: Fetch, changes: Sequence[Change], now: float) -> list[_Line]:
    previous = previous_haircuts(reversed(changes))
    margin_rows = [row for row in fetch.rows if _is_margin(row, fetch) is not False]
    below = depeg.depegged(margin_rows, previous)
    lines = [
        _Line(
            row,
            _is_margin(row, fetch),
            _spread(row),
            age=max(now - row.time, 0.0) if row.time is not None else None,
            frozen=row.time is not None and fetch.finished_at - row.time > _FROZEN_SECONDS,
            changed={b: previous[row.symbol, b] for b in BUFFERS if (row.symbol, b) in previous},
            depegged=below.get(row.symbol),
        )
        for row in fetch.rows
    ]
    return sorted(lines, key=lambda line: line.row.symbol)


def _is_margin(row: Row, fetch: Fetch) -> bool | None:
    if not fetch.margin_assets:
        return None
    asset = fetch.margin_assets.get(row.symbol)
    return bool(asset and asset.available)


def _spread(row: Row) -> float | None:
    if row.index is None or row.bid_rate is None or row.ask_rate is None:
        return None
    return (row.ask_rate - row.bid_rate) / row.index


def _margin_note(module: Module, lines: Sequence[_Line]) -> str:
    if any(line.margin is not None for line in lines):
        count = sum(line.margin is True for line in lines)
        return f"{count} {'counts' if count == 1 else 'count'} as margin"
    if module.settings.margin_assets.enabled:
        return "margin assets not known yet"
    return "margin assets switched off"


def _frozen_since(lines: Sequence[_Line]) -> float | None:
    """The newest `time`, if all of them are old."""
    dated = [line for line in lines if line.age is not None]
    if not dated or not all(line.frozen for line in dated):
        return None
    return max(line.row.time for line in dated if line.row.time is not None)


def _held_until(module: Module, state: State | None) -> float | None:
    """When the next request may be sent, if that is not now."""
    if state is None or state.condition in {"up", "down"}:
        return None
    error = state.fetch.error
    until: float = module.gate.blocked_until or getattr(error, "until", 0.0)
    return math.ceil(until) or None  # the page has whole seconds, of which none may be too early
