"""HTTP dates, and what a response's `Date` says of our clock."""

import email.utils
from collections.abc import Mapping


def clock_difference(headers: Mapping[str, str], now: float) -> float:
    """Seconds that our clock is ahead of Binance's `Date`, latency included; 0 without one."""
    date = http_date(headers.get("Date", ""))
    return 0.0 if date is None else now - date


def http_date(value: str) -> float | None:
    """Unix time of an HTTP date; None if it is none."""
    try:
        return email.utils.parsedate_to_datetime(value).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
