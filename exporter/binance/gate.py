"""When a request may leave for one base URL, so that this address is never banned through us.

The exchange allows an address a weight of requests in each UTC minute, answers 429 past it, and
bans with 418 whoever goes on. Other programs may share the address.
"""

import email.utils
import re
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Literal

DEFAULT_WEIGHT_LIMIT = 2400
MINUTE = 60.0
FIRST_BAN = 120.0
LONGEST_BAN = 3 * 86400.0
USED_WEIGHT_HEADER = "X-MBX-USED-WEIGHT-1M"
BAN = HTTPStatus.IM_A_TEAPOT

_CLOCK_WAS_SET = 1.0  # seconds that Unix time has moved by itself
_SAME_TIME = 5.0  # seconds that the exchange's clock and ours may differ by, latency and all
_BOOTTIME = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # goes on in a machine's sleep
_SECONDS = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(?:,.*)?")  # of a header sent twice, the first
_BANNED_UNTIL = re.compile(r"banned until ([0-9]{13})\b")

HoldReason = Literal["blocked", "weight_ceiling"]
HOLD_REASONS: tuple[HoldReason, ...] = ("blocked", "weight_ceiling")


class Held(Exception):
    """No request left; `until` is the Unix time at which one may."""

    def __init__(self, reason: HoldReason, until: float) -> None:
        when = datetime.fromtimestamp(until, UTC)
        super().__init__(f"no request leaves before {when:%Y-%m-%d %H:%M:%S} UTC")
        self.reason: HoldReason = reason
        self.until = until


def _since_boot() -> float:
    return time.clock_gettime(_BOOTTIME)


class Gate:
    """What one base URL has told about limits and bans; shared by all that ask there.

    Args:
        clock: gives Unix time in seconds.
        steady: gives seconds on a clock that is never set.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = _since_boot,
    ) -> None:
        self._clock = clock
        self._steady = steady
        self._offset = clock() - steady()
        self._lock = threading.Lock()
        self._weight_limit = DEFAULT_WEIGHT_LIMIT
        self._used_weight = 0
        self._used_weight_minute = 0.0
        self._limited_until = 0.0
        self._banned_until = 0.0
        self._ban_is_guessed = False
        self._next_ban = FIRST_BAN
        self._ceiling_until = 0.0

    @property
    def used_weight(self) -> int:
        """Weight used in the current UTC minute, as far as the exchange has told."""
        with self._lock:
            return self._current_weight(self._now())

    @property
    def weight_limit(self) -> int:
        """Weight allowed in a minute."""
        return self._weight_limit

    @weight_limit.setter
    def weight_limit(self, limit: int) -> None:
        self._weight_limit = limit

    @property
    def blocked_until(self) -> float:
        """Unix time until which requests have last been held; 0 where that is over."""
        with self._lock:
            now = self._now()
            until = max(self._limited_until, self._banned_until, self._ceiling_until)
            return until if until > now else 0.0

    def check(self, ceiling_ratio: float) -> None:
        """Raise `Held` unless a request may leave now.

        Args:
            ceiling_ratio: share of the weight limit at which we stop asking.
        """
        with self._lock:
            now = self._now()
            blocked_until = max(self._limited_until, self._banned_until)
            if now < blocked_until:
                raise Held("blocked", blocked_until)
            if self._current_weight(now) >= ceiling_ratio * self._weight_limit:
                self._ceiling_until = _next_minute(now)
                raise Held("weight_ceiling", self._ceiling_until)

    def learn(self, status: int, headers: Mapping[str, str]) -> None:
        """Take in what the head of an answer tells; its body may be long in coming.

        Args:
            status: the HTTP status.
            headers: the answer's headers, names in any case.
        """
        with self._lock:
            now = self._now()
            used = headers.get(USED_WEIGHT_HEADER, "").strip()
            if re.fullmatch(r"[0-9]{1,9}", used):
                # of the exchange's minute, which by our clock may just have ended
                sent = _sent_at(headers, now)
                told_at = _on_our_clock(sent, sent, now)
                self._used_weight = int(used)
                self._used_weight_minute = told_at - told_at % MINUTE
            if status == HTTPStatus.TOO_MANY_REQUESTS:
                until = _retry_after(headers, now) or _next_minute(now)
                self._limited_until = max(self._limited_until, _at_most_three_days(until, now))
            elif status == BAN:
                self._ban(_retry_after(headers, now), now)
            elif status == HTTPStatus.OK and now >= self._banned_until:
                self._next_ban = FIRST_BAN

    def learn_ban_end(self, headers: Mapping[str, str], message: str) -> None:
        """Take in the `msg` of a 418, which tells the ban's end where `Retry-After` does not."""
        with self._lock:
            now = self._now()
            until = _banned_until(message, headers, now)
            if until and not _retry_after(headers, now):
                until = _at_most_three_days(until, now)
                guessed = self._ban_is_guessed
                self._banned_until = until if guessed else max(until, self._banned_until)
                self._ban_is_guessed = False

    def _now(self) -> float:
        """Unix time; where somebody has set the clock, the ends of all holds move along."""
        now = self._clock()
        set_by = now - self._steady() - self._offset
        if abs(set_by) >= _CLOCK_WAS_SET:
            self._offset += set_by
            self._used_weight_minute += set_by
            self._limited_until += set_by
            self._banned_until += set_by
            self._ceiling_until += set_by
        return now

    def _current_weight(self, now: float) -> int:
        return self._used_weight if now < self._used_weight_minute + MINUTE else 0

    def _ban(self, until: float | None, now: float) -> None:
        # a 418 to a request that had left before the ban was known is the same ban
        if now >= self._banned_until:
            self._banned_until = _at_most_three_days(until or now + self._next_ban, now)
            self._ban_is_guessed = until is None
            self._next_ban = min(2 * self._next_ban, LONGEST_BAN)
        elif until:
            self._banned_until = max(self._banned_until, _at_most_three_days(until, now))
            self._ban_is_guessed = False


def _at_most_three_days(until: float, now: float) -> float:
    return min(until, now + LONGEST_BAN)


def _next_minute(now: float) -> float:
    return now - now % MINUTE + MINUTE


def _banned_until(message: str, headers: Mapping[str, str], now: float) -> float | None:
    match = _BANNED_UNTIL.search(message)
    if match is None:
        return None
    until = _on_our_clock(int(match[1]) / 1000, _sent_at(headers, now), now)
    return until if until > now else None


def _retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Unix time of `Retry-After` (seconds, or an HTTP date), if it lies ahead."""
    value = headers.get("Retry-After", "").strip()
    if match := _SECONDS.fullmatch(value):
        until = now + float(match[1])
    elif date := _http_date(value):
        until = _on_our_clock(date, _sent_at(headers, now), now)
    else:
        return None
    return until if until > now else None


def _sent_at(headers: Mapping[str, str], now: float) -> float:
    """The answer's `Date`, by the exchange's clock; our time where it has none."""
    date = _http_date(headers.get("Date", ""))
    return now if date is None else date


def _on_our_clock(told: float, sent: float, now: float) -> float:
    """A time by the exchange's clock, which showed `sent` now; ours is right within seconds."""
    return told if abs(now - sent) < _SAME_TIME else told - sent + now


def _http_date(value: str) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(value).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
