"""Threads for what blocks, kept for the next piece of work.

They are daemons, unlike those of `concurrent.futures`: a hanging exchange never holds up the
process's end. Starting a thread for each fetch costs more CPU, and hands over the interpreter at
once, so that a quick fetch is over before the scrapes that arrived with it can join.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TypeVar

_T = TypeVar("_T")
_KEPT = 4  # idle threads


class Workers:
    """As many threads as there is work at once; a few stay when they are done.

    Args:
        name: The threads' name.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0  # threads without a job, less the jobs in the queue

    def submit(self, work: Callable[[], _T]) -> "Future[_T]":
        """Run this at once.

        Raises:
            RuntimeError: No thread can be started.
        """
        future: Future[_T] = Future()
        future.set_running_or_notify_cancel()  # from here on no waiter can cancel it for the others

        def job() -> None:
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001 - handed to those who wait
                future.set_exception(error)

        with self._lock:
            if self._idle:
                self._idle -= 1
            else:
                threading.Thread(target=self._run, daemon=True, name=self._name).start()
            self._jobs.put(job)
        return future

    def _run(self) -> None:
        while True:
            self._jobs.get()()  # not kept in a variable, nor what it read
            with self._lock:
                if self._idle == _KEPT:
                    return
                self._idle += 1
