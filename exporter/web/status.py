"""The page for people: is it up, how fresh, what every asset is worth as margin."""

from dataclasses import dataclass
from datetime import UTC, datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

from exporter import __version__
from exporter.binance.rows import Row
from exporter.scrape.flight import Fetch
from exporter.service import Module

_STALE_AFTER = 30.0
_CENTS_FROM = 100.0
_ABSENT = "–"


@dataclass(frozen=True)
class _Line:
    """An asset in the table."""

    row: Row
    margin: bool | None
    """Whether it counts as margin; None where that is not known."""
    spread: float | None
    """Distance of the ask rate from the bid rate, as a ratio of the index."""
    age: float | None
    """Seconds."""


class StatusPage:
    """Renders the page from one fetch.

    Args:
        telemetry_path: where the metrics are, for the link.
    """

    def __init__(self, telemetry_path: str) -> None:
        self._telemetry_path = telemetry_path
        environment = Environment(
            loader=PackageLoader("exporter.web", "."),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters |= {"usd": _usd, "percent": _percent, "age": _age, "utc": _utc}
        self._template = environment.get_template("status.html")

    def render(self, fetch: Fetch, module: Module, now: float) -> str:
        """Make the HTML.

        Args:
            fetch: what there is to show.
            module: what it was fetched for.
            now: Unix time in seconds.
        """
        lines = sorted((_line(row, fetch, now) for row in fetch.rows), key=_order)
        ages = [line.age for line in lines if line.age is not None]
        return self._template.render(
            error=fetch.error,
            lines=lines,
            rejects=len(fetch.rejects),
            margin_known=bool(fetch.margin_assets),
            age=max(ages, default=None),
            stale_after=_STALE_AFTER,
            fetched_at=fetch.finished_at,
            base_url=module.settings.base_url,
            used_weight=module.gate.used_weight,
            weight_limit=module.gate.weight_limit,
            weight_ceiling=module.settings.weight_ceiling_ratio,
            blocked_until=module.gate.blocked_until,
            telemetry_path=self._telemetry_path,
            version=__version__,
        )


def _line(row: Row, fetch: Fetch, now: float) -> _Line:
    margin_asset = fetch.margin_assets.get(row.symbol)
    margin = bool(margin_asset and margin_asset.available) if fetch.margin_assets else None
    spread = None
    if row.index and row.bid_rate is not None and row.ask_rate is not None:
        spread = (row.ask_rate - row.bid_rate) / row.index
    age = max(now - row.time, 0.0) if row.time is not None else None
    return _Line(row, margin, spread, age)


def _order(line: _Line) -> tuple[bool, str]:
    return line.margin is False, line.row.symbol


def _usd(value: float | None) -> str:
    if value is None:
        return _ABSENT
    if value >= _CENTS_FROM:
        return f"{value:,.2f}"
    return f"{value:.4f}" if value >= 1 else f"{value:.6f}"


def _percent(value: float | None) -> str:
    return _ABSENT if value is None else f"{100 * value:.2f} %"


def _age(seconds: float | None) -> str:
    if seconds is None:
        return _ABSENT
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _utc(timestamp: float) -> str:
    return f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%d %H:%M:%S} UTC"
