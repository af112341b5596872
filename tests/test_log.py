import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from exporter import log

PATIENCE = 10
LIBRARIES = ("urllib3", "uvicorn.error")


class Log:
    """The log, kept in place of being written."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._writer: log.LineWriter | None = None

    def configure(self, level: str, log_format: log.LogFormat) -> None:
        self._writer = log.configure(level, log_format, self._lines.append)

    @property
    def lines(self) -> list[str]:
        self._writer.flush(PATIENCE)
        return self._lines

    def stop(self) -> None:
        self._writer.stop()


@pytest.fixture
def written(monkeypatch) -> Iterator[Log]:
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    written = Log()
    yield written
    written.stop()


def test_a_logfmt_line_has_time_level_message_and_fields(written):
    written.configure("info", "logfmt")
    logging.getLogger("exporter.x").warning("fetch failed", extra={"reason": "http_5xx"})
    [line] = written.lines
    assert line.startswith("ts=")
    assert line.endswith('level=warning msg="fetch failed" reason=http_5xx')


def test_a_json_line_has_the_same(written):
    written.configure("info", "json")
    logging.getLogger("exporter.x").warning("fetch failed", extra={"reason": "http_5xx"})
    record = json.loads(written.lines[0])
    assert record.pop("ts").endswith("Z")
    assert record == {"level": "warning", "msg": "fetch failed", "reason": "http_5xx"}


@pytest.mark.parametrize("log_format", log.FORMATS)
def test_an_event_is_one_line_whatever_it_holds(written, log_format):
    written.configure("info", log_format)
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logging.getLogger("exporter.x").exception("failed", extra={"detail": 'a\nb="c"'})
    assert len(written.lines) == 1


def test_the_level_is_ours(written):
    written.configure("debug", "logfmt")
    logging.getLogger("exporter.x").debug("ours")
    assert len(written.lines) == 1


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_is_logged_if_it_fails_and_not_if_the_peers_bytes_are_bad(written, library):
    written.configure("debug", "logfmt")
    logging.getLogger(library).warning("Failed to parse headers")
    assert written.lines == []
    logging.getLogger(library).error("Exception in ASGI application")
    assert len(written.lines) == 1


def test_an_exception_in_a_thread_is_one_line_too(written):
    written.configure("info", "logfmt")
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()
    [line] = written.lines
    assert 'msg="unhandled exception in thread"' in line
    assert "ZeroDivisionError" in line


def test_an_event_is_one_line_also_if_its_message_has_two(written):
    written.configure("info", "logfmt")
    logging.getLogger("exporter.x").warning("two\nlines")
    assert [line.count("\n") for line in written.lines] == [0]


def test_lines_that_nobody_reads_are_dropped_and_counted(monkeypatch):
    monkeypatch.setattr(log, "_MAX_LINES", 2)
    lines, begun, read = [], threading.Event(), threading.Event()

    def write(line):
        begun.set()
        assert read.wait(PATIENCE)
        lines.append(line.partition("msg=")[2])

    writer = log.configure("info", "logfmt", write)
    logging.getLogger("exporter.x").info("first")
    assert begun.wait(PATIENCE)
    for _ in range(5):
        logging.getLogger("exporter.x").info("more")
    read.set()
    writer.flush(PATIENCE)
    writer.stop()
    assert lines == ["first", '"log lines dropped" lines=3', "more", "more"]


def test_a_log_that_nobody_reads_does_not_delay_the_end():
    reader, stderr = os.pipe()
    program = """
import logging
from exporter import log

log.configure("info", "logfmt")
for _ in range(3000):
    logging.getLogger("exporter").info("x" * 1000)
"""
    with subprocess.Popen([sys.executable, "-c", program], stderr=stderr) as process:
        assert process.wait(PATIENCE) == 0
    os.close(reader)
    os.close(stderr)


def test_a_log_without_stderr_is_no_error():
    program = "from exporter import log; import logging; log.configure('info', 'json')\n"
    program += "logging.getLogger('exporter').info('x')"
    command = [sys.executable, "-c", program]
    closed = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *command]
    assert subprocess.run(closed, timeout=PATIENCE, check=False).returncode == 0
