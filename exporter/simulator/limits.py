"""The rate limit: request weight per UTC minute, and bans for addresses that ignore it."""

import math

from exporter.simulator import answers
from exporter.simulator.answers import Answer

WEIGHT_LIMIT = 2400
"""Request weight that one address may use in a UTC minute."""

PATIENCE = 20
"""Requests of one minute that get 429; the next one is answered with a ban."""

FIRST_BAN_SECONDS = 120.0
LONGEST_BAN_SECONDS = 3 * 24 * 3600.0


class RateLimit:
    """The rate limit of one address; all clients count as one.

    Attributes:
        limit: Request weight per UTC minute.
        used: Weight used in the minute of the last request, that request included.
    """

    def __init__(self, limit: int, *, retry_after: bool) -> None:
        self.limit = limit
        self.used = 0
        self._retry_after = retry_after
        self._minute = 0
        self._own = 0
        self._refusals = 0
        self._banned_until = 0.0
        self._next_ban_seconds = FIRST_BAN_SECONDS

    def charge(self, weight: int, now: float, *, spent_by_others: int = 0) -> Answer | None:
        """Count a request, whatever the response is.

        Args:
            weight: What the request costs.
            now: Unix time in seconds.
            spent_by_others: Weight that other programs behind the address used in this minute.

        Returns:
            The refusal, or None if the request is allowed.
        """
        minute = int(now // 60)
        if minute != self._minute:
            self._minute, self._own, self._refusals = minute, 0, 0
        self._own += weight
        self.used = self._own + spent_by_others
        if now < self._banned_until:
            return self._ban_answer(now)
        if self.used <= self.limit:
            return None
        self._refusals += 1
        if self._refusals <= PATIENCE:
            next_minute = (minute + 1) * 60
            return answers.too_many_requests(self.limit, self._wait(next_minute - now))
        self.ban(until=now + self._next_ban_seconds)
        self._next_ban_seconds = min(2 * self._next_ban_seconds, LONGEST_BAN_SECONDS)
        return self._ban_answer(now)

    def ban(self, until: float) -> None:
        """Ban the address until this Unix time in seconds; never shortens a ban."""
        self._banned_until = max(until, self._banned_until)

    def _ban_answer(self, now: float) -> Answer:
        return answers.banned(self._banned_until, self._wait(self._banned_until - now))

    def _wait(self, seconds: float) -> dict[str, str]:
        return {"Retry-After": str(math.ceil(seconds))} if self._retry_after else {}
