"""The exchange's patience: request weight by UTC minute, and bans for who goes on asking."""

import math

from exporter.simulator import answers
from exporter.simulator.answers import Answer

WEIGHT_LIMIT = 2400
"""Request weight that one address may spend in a UTC minute."""

PATIENCE = 20
"""How many requests of one minute are refused with 429 before the next brings a ban."""

FIRST_BAN_SECONDS = 120.0
LONGEST_BAN_SECONDS = 3 * 24 * 3600.0


class RateLimit:
    """The account of one address: all who ask count as one.

    Attributes:
        limit: Request weight of a UTC minute.
        used: Weight spent in the minute of the last request, that request included.
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
        """Counts a request, whatever becomes of it.

        Args:
            weight: What the request costs.
            now: Unix time in seconds.
            spent_by_others: Weight that other programs behind the address spent this minute.

        Returns:
            The refusal, or None if the request may have its answer.
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
        """Bans the address until this Unix time in seconds; never shortens a ban."""
        self._banned_until = max(until, self._banned_until)

    def _ban_answer(self, now: float) -> Answer:
        return answers.banned(self._banned_until, self._wait(self._banned_until - now))

    def _wait(self, seconds: float) -> dict[str, str]:
        return {"Retry-After": str(math.ceil(seconds))} if self._retry_after else {}
