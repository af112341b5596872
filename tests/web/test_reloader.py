import threading
from pathlib import Path

import pytest

from exporter.config.errors import ConfigError, ErrorLine
from exporter.web import reloader
from exporter.web.reloader import Reloader, ReloadError

PATIENCE = 10
FILE = Path("file.yaml")


def nothing() -> None:
    pass


def refuse() -> None:
    raise ConfigError(FILE, [ErrorLine(1, "", "bad"), ErrorLine(2, "", "worse")])


def fail() -> None:
    raise RuntimeError("can't start new thread")


def result_of(*reloads) -> None:
    running = Reloader(reloads, nothing)
    running.start()
    running.request().result(PATIENCE)


def test_reloads_every_file():
    done = []
    result_of(lambda: done.append(1), lambda: done.append(2))
    assert done == [1, 2]


def test_reloads_the_other_file_if_one_is_refused_and_reports_every_error():
    done = []
    with pytest.raises(ReloadError) as error:
        result_of(refuse, lambda: done.append(2), refuse)
    assert done == [2]
    assert str(error.value).splitlines() == ["file.yaml:1: bad", "file.yaml:2: worse"] * 2


def test_looks_after_a_while_by_itself(monkeypatch):
    monkeypatch.setattr(reloader, "_LOOK_SECONDS", 0.001)
    looks = threading.Semaphore(0)
    Reloader([], looks.release).start()
    assert looks.acquire(timeout=PATIENCE)
    assert looks.acquire(timeout=PATIENCE)


def test_goes_on_after_an_error_that_nobody_expected(monkeypatch, caplog):
    monkeypatch.setattr(reloader, "_LOOK_SECONDS", 0.001)
    looks = threading.Semaphore(0)
    failures = iter([fail, fail])

    def look() -> None:
        looks.release()
        next(failures, nothing)()

    running = Reloader([fail], look)
    running.start()
    for _ in range(3):
        assert looks.acquire(timeout=PATIENCE)
    with pytest.raises(ReloadError, match="internal error: RuntimeError"):
        running.request().result(PATIENCE)
    assert set(caplog.messages) == {"reading the configuration failed"}


def test_requests_that_wait_together_share_a_reload():
    begun, go_on, reloads = threading.Semaphore(0), threading.Event(), []

    def reload() -> None:
        reloads.append(1)
        begun.release()
        assert go_on.wait(PATIENCE)

    running = Reloader([reload], nothing)
    running.start()
    first = running.request()
    assert begun.acquire(timeout=PATIENCE)
    others = [running.request() for _ in range(5)]
    others.pop().cancel()
    go_on.set()
    for each in (first, *others):
        each.result(PATIENCE)
    assert len(reloads) == 2
