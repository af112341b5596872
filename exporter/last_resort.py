"""The end of the process, whatever blocks it."""

import os
import signal
import sys
from typing import NoReturn

END_SECONDS = 4.5
"""After a signal to end; service managers and users are promised five seconds."""


def end_soon() -> None:
    """End the process with status 0 in 4.5 seconds, unless it has ended by itself.

    Needs no thread and no lock: a file that blocks, a thread that hangs and a pipe that nobody
    reads cannot prevent it. To be called in the main thread.
    """
    if not signal.getitimer(signal.ITIMER_REAL)[0]:
        signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
        signal.setitimer(signal.ITIMER_REAL, END_SECONDS)


def leave(*_: object) -> NoReturn:
    """Handle a signal to end that arrives before there is a server."""
    end_soon()
    sys.exit(0)
