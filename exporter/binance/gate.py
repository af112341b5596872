"""When a request may leave for one base URL, so that this address is never banned through us.

The exchange allows an address a weight of requests in each UTC minute, answers 429 past it, and
bans with 418 whoever goes on. Other programs may share the address.
"""

import email.utils
import re
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Literal

DEFAULT_WEIGHT_LIMIT = 2400
MINUTE = 60.0
FIRST_BAN = 120.0
LONGEST_BAN = 3 * 86400.0
USED_WEIGHT_HEADER = "X-MBX-USED-WEIGHT-1M"

BAN = HTTPStatus.IM_A_TEAPOT
_BANNED_UNTIL = re.compile(r"banned until ([0-9]{13})\b")

HoldReason = Literal["blocked", "weight_ceiling"]
HOLD_REASONS: tuple[HoldReason, ...] = ("blocked", "weight_ceiling")


class Held(Exception):
    """No request left; `until` is the Unix time at which one may."""

    def __init__(self, reason: HoldReason, until: float) -> None:
        super().__init__(f"no request leaves before {until:.0f} (Unix time)")
        self.reason: HoldReason = reason
        self.until = until


class Gate:
    """What one base URL has told about limits and bans; shared by all that ask there.

    Args:
        clock: gives Unix time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._weight_limit = DEFAULT_WEIGHT_LIMIT
        self._used_weight = 0
        self._used_weight_minute = 0.0
        self._blocked_until = 0.0
        self._banned_until = 0.0
        self._ceiling_until = 0.0
        self._next_ban = FIRST_BAN

    @property
    def used_weight(self) -> int:
        """Weight used in the current UTC minute, as far as the exchange has told."""
        with self._lock:
            return self._current_weight(self._clock())

    @property
    def weight_limit(self) -> int:
        """Weight allowed in a minute."""
        return self._weight_limit

    @weight_limit.setter
    def weight_limit(self, limit: int) -> None:
        self._weight_limit = limit

    @property
    def blocked_until(self) -> float:
        """Unix time before which no request leaves; 0 where one may leave now."""
        until = max(self._blocked_until, self._ceiling_until)
        return until if until > self._clock() else 0.0

    def check(self, ceiling_ratio: float) -> None:
        """Raise `Held` unless a request may leave now.

        Args:
            ceiling_ratio: share of the weight limit at which we stop asking.
        """
        with self._lock:
            now = self._clock()
            if now < self._blocked_until:
                raise Held("blocked", self._blocked_until)
            if self._current_weight(now) >= ceiling_ratio * self._weight_limit:
                self._ceiling_until = _next_minute(now)
                raise Held("weight_ceiling", self._ceiling_until)

    def learn(self, status: int, headers: Mapping[str, str], message: str) -> None:
        """Take in what an answer tells about limits.

        Args:
            status: the HTTP status.
            headers: the answer's headers, names in any case.
            message: the `msg` of the answer's error object, or nothing.
        """
        with self._lock:
            now = self._clock()
            used = headers.get(USED_WEIGHT_HEADER, "")
            if re.fullmatch(r"[0-9]{1,9}", used):
                self._note_weight(int(used), now)
            if status == HTTPStatus.TOO_MANY_REQUESTS:
                self._block(_retry_after(headers, now) or _next_minute(now), now)
            elif status == BAN:
                until = _retry_after(headers, now) or _banned_until(message, now)
                self._ban(until, now)
            elif status == HTTPStatus.OK:
                self._next_ban = FIRST_BAN

    def _current_weight(self, now: float) -> int:
        return self._used_weight if now < self._used_weight_minute + MINUTE else 0

    def _note_weight(self, used: int, now: float) -> None:
        # answers can overtake each other: within a minute the count only grows
        self._used_weight = max(used, self._current_weight(now))
        self._used_weight_minute = now - now % MINUTE

    def _ban(self, until: float | None, now: float) -> None:
        # a 418 to a request that had left before the ban was known is the same ban
        if now >= self._banned_until:
            until = until or now + self._next_ban
            self._next_ban = min(2 * self._next_ban, LONGEST_BAN)
        self._block(until or self._banned_until, now)
        self._banned_until = self._blocked_until

    def _block(self, until: float, now: float) -> None:
        self._blocked_until = max(self._blocked_until, min(until, now + LONGEST_BAN))


def _next_minute(now: float) -> float:
    return now - now % MINUTE + MINUTE


def _banned_until(message: str, now: float) -> float | None:
    match = _BANNED_UNTIL.search(message)
    until = int(match[1]) / 1000 if match else 0.0
    return until if until > now else None


def _retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Unix time of `Retry-After` (seconds, or an HTTP date), if it lies ahead."""
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        until = now + int(value)
    else:
        try:
            until = email.utils.parsedate_to_datetime(value).timestamp()
        except (ValueError, TypeError, OverflowError):
            return None
    return until if until > now else None
