"""How many open files clients may use."""

import contextlib
import functools
import logging
import resource
import sys
import time

_log = logging.getLogger(__name__)

_RESERVED = 64  # for requests to the exchange, configuration files and the log
_REPORT_SECONDS = 60  # between two reports


@functools.cache
def for_clients() -> int:
    """Raise this process's limit as far as it may, and return what clients may use of it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    if soft == resource.RLIM_INFINITY:
        return sys.maxsize
    return soft - min(_RESERVED, soft // 4)


class Report:
    """Logs a warning, but no more than once a minute."""

    def __init__(self) -> None:
        self._next_at = 0.0

    def __call__(self, message: str, **fields: object) -> None:
        """Log it, unless it was logged within the last minute."""
        now = time.monotonic()
        if now >= self._next_at:
            self._next_at = now + _REPORT_SECONDS
            _log.warning(message, extra=fields)
