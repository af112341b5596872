import io
import json
import logging
from collections.abc import Iterator

import pytest

from exporter import log


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("exporter")
    before = root.handlers[:], root.level, ours.level
    yield
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    ours.setLevel(before[2])


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def test_a_logfmt_line_has_time_level_message_and_fields(stream):
    log.configure("info", "logfmt", stream)
    logging.getLogger("exporter.x").warning("fetch failing", extra={"reason": "http_5xx"})
    line = stream.getvalue()
    assert line.startswith("ts=")
    assert line.endswith('level=warning msg="fetch failing" reason=http_5xx\n')


def test_a_json_line_has_the_same(stream):
    log.configure("info", "json", stream)
    logging.getLogger("exporter.x").warning("fetch failing", extra={"reason": "http_5xx"})
    record = json.loads(stream.getvalue())
    assert record.pop("ts").endswith("Z")
    assert record == {"level": "warning", "msg": "fetch failing", "reason": "http_5xx"}


@pytest.mark.parametrize("log_format", log.FORMATS)
def test_an_event_is_one_line_whatever_it_holds(stream, log_format):
    log.configure("info", log_format, stream)
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logging.getLogger("exporter.x").exception("failed", extra={"detail": 'a\nb="c"'})
    assert stream.getvalue().count("\n") == 1


def test_the_level_is_ours_and_libraries_stay_quiet(stream):
    log.configure("debug", "logfmt", stream)
    logging.getLogger("exporter.x").debug("ours")
    logging.getLogger("urllib3").info("theirs")
    logging.getLogger("uvicorn.error").info("theirs")
    assert stream.getvalue().count("\n") == 1
