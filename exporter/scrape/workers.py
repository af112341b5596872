"""Threads for what blocks, kept for the next piece of work.

They are daemons, unlike those of `concurrent.futures`: a request that hangs never delays the end of
the process. Starting a thread for each fetch costs more CPU, and hands over the interpreter at
once, so that a quick fetch is over before the scrapes that arrived with it can join.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TypeVar

from exporter.binance.errors import NoThread

MOST_THREADS = 128
"""At once; name resolution that hangs cannot be cut short, and its threads would pile up."""

_T = TypeVar("_T")
_Jobs = SimpleQueue[Callable[[], None]]
_KEPT = 4  # idle threads


class Workers:
    """As many threads as there is work at once, within a limit; a few stay when they are done.

    Each thread waits at a queue of its own: if several waited at one, each job would wake two.

    Args:
        name: The threads' name.
        most: How many there may be.
    """

    def __init__(self, name: str, most: int = MOST_THREADS) -> None:
        self._name = name
        self._most = most
        self._lock = threading.Lock()
        self._running = 0
        self._idle: list[_Jobs] = []  # the queues of idle threads, the last used one last

    def submit(self, work: Callable[[], _T]) -> "Future[_T]":
        """Run this at once.

        Returns:
            What `work` returns or raises; `NoThread` if there is no thread to be had.
        """
        future: Future[_T] = Future()
        future.set_running_or_notify_cancel()  # from here on no waiter can cancel it for the others

        def job() -> None:
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001 - handed to those who wait
                future.set_exception(error)

        try:
            with self._lock:
                jobs = self._idle.pop() if self._idle else self._start_thread()
        except NoThread as error:
            future.set_exception(error)
        else:
            jobs.put(job)
        return future

    def _start_thread(self) -> _Jobs:
        if self._running >= self._most:
            raise NoThread(f"{self._most} requests are running already")
        jobs: _Jobs = SimpleQueue()
        thread = threading.Thread(target=self._run, args=(jobs,), daemon=True, name=self._name)
        try:
            thread.start()
        except RuntimeError:
            raise NoThread("the system has no thread left") from None
        self._running += 1
        return jobs

    def _run(self, jobs: _Jobs) -> None:
        while True:
            jobs.get()()  # not kept in a variable, nor what it read
            with self._lock:
                if len(self._idle) == _KEPT:
                    self._running -= 1
                    return
                self._idle.append(jobs)


WORKERS = Workers("fetch")
"""For /metrics, for modules, and for the margin assets."""

PROBE_WORKERS = Workers("probe", MOST_THREADS // 2)
"""For probes, so that they never take the last thread."""
