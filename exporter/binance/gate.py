"""When a request may be sent to one base URL, so that this address is never banned because of us.

Binance allows an address a request weight in each UTC minute, answers 429 beyond it, and bans with
418 whoever goes on. Other programs may share the address.
"""

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus

from exporter.binance.dates import clock_difference, http_date
from exporter.binance.errors import BAN, Held, NotSent

DEFAULT_WEIGHT_LIMIT = 2400
MINUTE = 60.0  # seconds, as all below
FIRST_BAN = 120.0
LONGEST_BAN = 3 * 86400.0
FIRST_ANSWERED_IN = 2.0  # else the next request goes first: this one may hang in a dead proxy
USED_WEIGHT_HEADER = "X-MBX-USED-WEIGHT-1M"

_SAME_TIME = 5.0  # what Binance's clock and ours may differ by, latency included
_BOOTTIME = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # counts a machine's sleep
_SECONDS = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(?:,.*)?")  # of a header sent twice, the first
_BANNED_UNTIL = re.compile(r"banned until ([0-9]{13})\b")


def _since_boot() -> float:
    return time.clock_gettime(_BOOTTIME)


class Gate:
    """What one base URL has said about limits and bans; shared by all who send requests there.

    Every end of a hold is kept in seconds of a clock that nobody sets, converted when it is
    learnt. Unix time appears only where an end is shown.

    Args:
        clock: Gives Unix time in seconds.
        steady: Gives seconds on a clock that is never set.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = _since_boot,
    ) -> None:
        self._clock = clock
        self._steady = steady
        self._changed = threading.Condition()
        self.weight_limit = DEFAULT_WEIGHT_LIMIT
        self._used_weight = 0
        self._sent = 0  # weight of all requests so far
        self._sent_at_hold = -1  # the same, when the last hold began
        self._minute_ends = 0.0
        self._limited_until = 0.0
        self._banned_until = 0.0
        self._ban_is_guessed = False
        self._next_ban = FIRST_BAN
        self._ceiling_until = 0.0
        self._proven = False  # whether a response since the start or the last hold was good
        self._first_until = 0.0  # when the request that goes first has had its time

    @property
    def used_weight(self) -> int:
        """Weight used in the current UTC minute, as far as we know."""
        with self._changed:
            return self._used_weight if self._steady() < self._minute_ends else 0

    @property
    def blocked_until(self) -> float:
        """Unix time until which requests are held; 0 if they are not."""
        with self._changed:
            now = self._steady()
            until = max(self._limited_until, self._banned_until, self._ceiling_until)
            return until - now + self._clock() if until > now else 0.0

    @contextmanager
    def turn(self, timeout: float) -> Iterator[None]:
        """Wait for the turn to connect and send, and stay in it until the response is read.

        At the start and after a hold one request goes first, and the others wait for its response.

        Args:
            timeout: Seconds to wait at most, and to be waited for.

        Raises:
            NotSent: The request that goes first has not been answered by then.
        """
        goes_first_until = self._wait_for_turn(timeout)
        try:
            yield
        finally:
            if goes_first_until:
                with self._changed:
                    if self._first_until == goes_first_until:  # its time was not over
                        self._first_until = 0.0
                    self._changed.notify_all()

    def check(self, ceiling_ratio: float, share: float = 1.0) -> None:
        """Raise `Held` unless a request may be sent now.

        Args:
            ceiling_ratio: Share of the weight limit at which to stop.
            share: Of that, what this request may use.
        """
        with self._changed:
            self._check(ceiling_ratio, share)

    def spend(self, weight: int, ceiling_ratio: float, share: float = 1.0) -> int:
        """Check as `check` does, and count a request that is sent now.

        Returns:
            The request's mark, for `learn`: all weight sent until now.
        """
        with self._changed:
            self._check(ceiling_ratio, share)
            self._used_weight += weight
            self._sent += weight
            return self._sent

    def learn(self, status: int, headers: Mapping[str, str], mark: int | None = None) -> None:
        """Take in the head of a response; its body may take long to arrive.

        Args:
            status: The HTTP status.
            headers: The response's headers, names in any case.
            mark: The request's; None for the last one.
        """
        mark = self._sent if mark is None else mark
        with self._changed:
            now = self._steady()
            self._learn_weight(mark, headers, now)
            if status == HTTPStatus.TOO_MANY_REQUESTS:
                wait = self._retry_after(headers) or self._seconds_to_minutes_end(headers)
                self._limited_until = max(self._limited_until, now + min(wait, LONGEST_BAN))
                self._note_hold()
            elif status == BAN:
                self._ban(self._retry_after(headers), now)
                self._note_hold()
            elif now >= max(self._banned_until, self._limited_until):
                if status == HTTPStatus.OK:
                    self._next_ban = FIRST_BAN
                if mark > self._sent_at_hold:  # not the late response to an earlier request
                    self._proven = True
                    self._changed.notify_all()

    def learn_ban_end(self, headers: Mapping[str, str], message: str) -> None:
        """Take in the `msg` of a 418, which names the ban's end if `Retry-After` does not."""
        match = _BANNED_UNTIL.search(message)
        with self._changed:
            if match is None or self._retry_after(headers):
                return
            wait = self._seconds_until(int(match[1]) / 1000, headers)
            if wait > 0:
                until = self._steady() + min(wait, LONGEST_BAN)
                self._banned_until = (
                    until if self._ban_is_guessed else max(until, self._banned_until)
                )
                self._ban_is_guessed = False

    def _wait_for_turn(self, timeout: float) -> float:
        """Return until when this request goes first; 0 if it need not."""
        give_up_at = self._steady() + timeout
        with self._changed:
            while not self._proven:
                now = self._steady()
                if now >= self._first_until:
                    self._first_until = now + min(timeout, FIRST_ANSWERED_IN)
                    return self._first_until
                if now >= give_up_at:
                    raise NotSent("the request that goes first was not answered in time")
                self._changed.wait(min(self._first_until, give_up_at) - now)
        return 0.0

    def _note_hold(self) -> None:
        self._proven = False
        self._sent_at_hold = self._sent

    def _check(self, ceiling_ratio: float, share: float) -> None:
        now, unix_time = self._steady(), self._clock()
        blocked_until = max(self._limited_until, self._banned_until)
        if now < blocked_until:
            banned = now < self._banned_until
            raise Held("blocked", blocked_until - now + unix_time, banned=banned)
        if now >= self._minute_ends:
            self._used_weight = 0
            self._minute_ends = now + _seconds_to_next_minute(unix_time)
        ceiling = ceiling_ratio * self.weight_limit
        if self._used_weight >= ceiling and now >= self._ceiling_until:
            self._ceiling_until = self._minute_ends
            self._note_hold()
        if self._used_weight >= share * ceiling:
            raise Held("weight_ceiling", self._minute_ends - now + unix_time)

    def _learn_weight(self, mark: int, headers: Mapping[str, str], now: float) -> None:
        used = headers.get(USED_WEIGHT_HEADER, "").strip()
        if not re.fullmatch(r"[0-9]{1,9}", used):
            return
        # the weight counts for Binance's minute, which may already be over by our clock
        unix_time = self._clock()
        difference = clock_difference(headers, unix_time)
        age = difference if abs(difference) < _SAME_TIME else 0.0
        minute_ends = now + _seconds_to_next_minute(unix_time - age) - age
        if minute_ends > now:
            self._used_weight = int(used) + self._sent - mark  # and what was sent after it
            self._minute_ends = minute_ends

    def _ban(self, wait: float | None, now: float) -> None:
        # a 418 to a request that was sent before the ban was known is the same ban
        if now >= self._banned_until:
            self._banned_until = now + min(wait or self._next_ban, LONGEST_BAN)
            self._ban_is_guessed = wait is None
            self._next_ban = min(2 * self._next_ban, LONGEST_BAN)
        elif wait:
            self._banned_until = max(self._banned_until, now + min(wait, LONGEST_BAN))
            self._ban_is_guessed = False

    def _retry_after(self, headers: Mapping[str, str]) -> float | None:
        """Seconds that `Retry-After` gives (a number, or an HTTP date), if above zero."""
        value = headers.get("Retry-After", "").strip()
        if match := _SECONDS.fullmatch(value):
            wait = float(match[1])
        elif date := http_date(value):
            wait = self._seconds_until(date, headers)
        else:
            return None
        return wait if wait > 0 else None

    def _seconds_until(self, moment: float, headers: Mapping[str, str]) -> float:
        """Seconds until a Unix time by Binance's clock; rather too many than too few."""
        now = self._clock()
        difference = clock_difference(headers, now)
        return moment - now + (0.0 if -_SAME_TIME < difference < 0 else difference)

    def _seconds_to_minutes_end(self, headers: Mapping[str, str]) -> float:
        now = self._clock()
        return _seconds_to_next_minute(now - clock_difference(headers, now))


def _seconds_to_next_minute(unix_time: float) -> float:
    return MINUTE - unix_time % MINUTE
