"""Reading the configuration files again: on request, and when they have changed."""

import contextlib
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from exporter.config.errors import ConfigError

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 10


class ReloadError(Exception):
    """At least one file was refused; `str()` has one line for each error."""


class Reloader:
    """Reads the files in a thread of its own.

    A file that blocks when it is opened delays neither a scrape nor the end of the process. The
    thread exists from the start: later there may be none to be had.

    Args:
        reloads: Reload one file each; they raise `ConfigError`.
        look: Applies what has changed by itself; called every ten seconds, on a steady clock.
    """

    def __init__(self, reloads: Sequence[Callable[[], None]], look: Callable[[], None]) -> None:
        self._reloads = reloads
        self._look = look
        self._requests: queue.SimpleQueue[Future[None]] = queue.SimpleQueue()

    def start(self) -> None:
        """Start the thread; it ends with the process."""
        threading.Thread(target=self._run, name="reloader", daemon=True).start()

    def request(self) -> "Future[None]":
        """Have all files reloaded; requests that wait together share one reload.

        Returns:
            Done when the files are reloaded, or with a `ReloadError`.
        """
        request: Future[None] = Future()
        self._requests.put(request)
        return request

    def _run(self) -> None:
        while True:
            requests = self._next_requests()
            if not requests:
                _attempt(self._look)
                continue
            waiting = [each for each in requests if each.set_running_or_notify_cancel()]
            errors = [error for reload in self._reloads if (error := _attempt(reload)) is not None]
            for each in waiting:
                if errors:
                    each.set_exception(ReloadError("\n".join(errors)))
                else:
                    each.set_result(None)

    def _next_requests(self) -> "list[Future[None]]":
        """Wait for requests until it is time to look; return all that wait together."""
        requests = []
        with contextlib.suppress(queue.Empty):
            requests.append(self._requests.get(timeout=_LOOK_SECONDS))
            while True:
                requests.append(self._requests.get_nowait())
        return requests


def _attempt(action: Callable[[], None]) -> str | None:
    """Return what went wrong, if anything."""
    try:
        action()
    except ConfigError as error:  # logged where it was raised
        return str(error)
    except Exception as error:  # noqa: BLE001 - logged; no error may end the thread
        _log.exception("reading the configuration failed")
        return f"internal error: {type(error).__name__}"
    return None
