"""One logfmt or JSON line for each event, to stderr.

A thread of its own writes the lines. If nobody reads stderr, lines are dropped and counted, and
nothing else waits.
"""

import atexit
import contextlib
import logging
import os
import queue
import threading
from collections.abc import Callable
from logging.handlers import QueueHandler, QueueListener
from typing import Any, Literal

import structlog
from structlog.typing import Processor

_log = logging.getLogger(__name__)

LogFormat = Literal["logfmt", "json"]
FORMATS: tuple[LogFormat, ...] = ("logfmt", "json")
LEVELS = ("debug", "info", "warning", "error")

_MAX_LINES = 1000  # that may wait to be written
_FLUSH_SECONDS = 0.5  # for the last lines, at the end of the process
_STDERR = 2

_noisy_loggers = ("urllib3", "uvicorn.error")
"""They warn of each response or request that breaks HTTP, with a traceback and the peer's bytes;
we count the one and answer the other with a 400."""


def _write_to_stderr(line: str) -> None:
    # Not through sys.stderr: its lock, held while a write blocks, would block the process's end.
    rest = f"{line}\n".encode(errors="backslashreplace")
    with contextlib.suppress(OSError):  # closed, or on a full disk
        while rest:
            rest = rest[os.write(_STDERR, rest) :]


def configure(
    level: str, log_format: LogFormat, write: Callable[[str], object] = _write_to_stderr
) -> "LineWriter":
    """Send the process's log records, those of libraries included, to stderr.

    Args:
        level: The least severe level to write; libraries' records below WARNING are never written.
        log_format: The format of a line.
        write: Writes a line; may block.

    Returns:
        What writes the lines, in the background.
    """
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.processors.TimeStamper(fmt="iso", key="ts"),
            structlog.stdlib.add_log_level,
            structlog.stdlib.ExtraAdder(),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.EventRenamer("msg"),
            _renderer(log_format),
        ],
    )
    handler = _LineQueue(queue.Queue(_MAX_LINES))
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("exporter").setLevel(level.upper())
    threading.excepthook = _log_thread_exception
    for name in _noisy_loggers:
        logging.getLogger(name).setLevel(logging.ERROR)
    writer = LineWriter(handler, write)
    writer.start()
    atexit.register(writer.flush)
    return writer


class _LineQueue(QueueHandler):
    """Queues formatted lines; drops and counts them if the queue is full."""

    queue: "queue.Queue[Any]"
    _dropped = 0

    def prepare(self, record: logging.LogRecord) -> str:
        return self.format(record)

    def enqueue(self, record: Any) -> None:  # the line that `prepare` returned
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self._dropped += 1

    def take_dropped(self) -> int:
        """Return how many lines were dropped since the last call."""
        with self.lock or contextlib.nullcontext():
            dropped, self._dropped = self._dropped, 0
        return dropped


class LineWriter(QueueListener):
    """Writes the queued lines in a daemon thread, which does not delay the process's end."""

    def __init__(self, lines: _LineQueue, write: Callable[[str], object]) -> None:
        super().__init__(lines.queue)
        self._lines = lines
        self._write = write

    def handle(self, record: Any) -> None:
        """Write a line, and how many lines were dropped while it could not be written."""
        self._write(record)
        if dropped := self._lines.take_dropped():
            report = logging.LogRecord(
                __name__, logging.WARNING, "", 0, "log lines dropped", None, None
            )
            report.lines = dropped
            self._write(self._lines.format(report))

    def flush(self, seconds: float = _FLUSH_SECONDS) -> None:
        """Wait until all lines are written, but no longer than `seconds`."""
        lines = self._lines.queue
        with lines.all_tasks_done:
            lines.all_tasks_done.wait_for(lambda: not lines.unfinished_tasks, seconds)


def _log_thread_exception(event: threading.ExceptHookArgs) -> None:
    _log.error("unhandled exception in thread", exc_info=event.exc_value)


def _renderer(log_format: LogFormat) -> Processor:
    if log_format == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.processors.LogfmtRenderer(key_order=["ts", "level", "msg"])
