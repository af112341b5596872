import io
import json
import logging
import threading

import pytest

from exporter import log

LIBRARIES = ("urllib3", "uvicorn.error")


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def test_a_logfmt_line_has_time_level_message_and_fields(stream):
    log.configure("info", "logfmt", stream)
    logging.getLogger("exporter.x").warning("fetch failed", extra={"reason": "http_5xx"})
    line = stream.getvalue()
    assert line.startswith("ts=")
    assert line.endswith('level=warning msg="fetch failed" reason=http_5xx\n')


def test_a_json_line_has_the_same(stream):
    log.configure("info", "json", stream)
    logging.getLogger("exporter.x").warning("fetch failed", extra={"reason": "http_5xx"})
    record = json.loads(stream.getvalue())
    assert record.pop("ts").endswith("Z")
    assert record == {"level": "warning", "msg": "fetch failed", "reason": "http_5xx"}


@pytest.mark.parametrize("log_format", log.FORMATS)
def test_an_event_is_one_line_whatever_it_holds(stream, log_format):
    log.configure("info", log_format, stream)
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logging.getLogger("exporter.x").exception("failed", extra={"detail": 'a\nb="c"'})
    assert stream.getvalue().count("\n") == 1


def test_the_level_is_ours(stream):
    log.configure("debug", "logfmt", stream)
    logging.getLogger("exporter.x").debug("ours")
    assert stream.getvalue().count("\n") == 1


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_is_heard_where_it_fails_and_not_where_the_others_bytes_are_bad(stream, library):
    log.configure("debug", "logfmt", stream)
    logging.getLogger(library).warning("Failed to parse headers")
    assert stream.getvalue() == ""
    logging.getLogger(library).error("Exception in ASGI application")
    assert stream.getvalue().count("\n") == 1


def test_a_fault_in_a_thread_is_one_line_too(stream, monkeypatch):
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    log.configure("info", "logfmt", stream)
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()
    assert stream.getvalue().count("\n") == 1
    assert "ZeroDivisionError" in stream.getvalue()
